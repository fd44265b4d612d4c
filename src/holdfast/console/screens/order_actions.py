"""What can be done with an order: each by a form, which comes back with what is wrong in it."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response

from holdfast.client import (
    Disposition,
    HoldfastError,
    Money,
    Order,
    PaymentKind,
    ReceiptLine,
    ReturnLine,
    ShipmentItem,
)
from holdfast.console.doing import Flawed, Stale, answered
from holdfast.console.forms import Form
from holdfast.console.screens.order_page import shown
from holdfast.console.visit import Visit, to

MINUTE_S = 60
_URLS = ("https://", "http://")
_FIELDS: Mapping[str, str] = {
    "payment_reference": "reference",
    "payment.reference": "reference",
    "payment": "reference",
    "amount": "amount",
    "payment.amount": "amount",
    "hold": "minutes",
    "hold_s": "minutes",
    "location_id": "location",
}

Act = Callable[[Form, Order], Awaitable[object]]


async def confirm(visit: Visit) -> Response:
    """Confirm an order whose stock is held."""

    async def act(form: Form, order: Order) -> object:
        reference, kind = form.needed("reference"), _payment(form, optional=True)
        amount = _amount(form, order)
        if form.errors:
            return None
        return await visit.client.orders.confirm(
            order.order_id, payment=reference, kind=kind, amount=amount if kind else None
        )

    return await _done(visit, "confirm", act)


async def extend(visit: Visit) -> Response:
    """Let a hold end later."""

    async def act(form: Form, order: Order) -> object:
        form.needed("minutes")
        minutes = form.whole("minutes", lowest=1)
        if form.errors:
            return None
        return await visit.client.orders.extend_hold(order.order_id, hold_s=minutes * MINUTE_S)

    return await _done(visit, "extend", act)


async def cancel(visit: Visit) -> Response:
    """Cancel an order, or units of its lines."""

    async def act(form: Form, order: Order) -> object:
        units, orders = form.units("units-"), visit.client.orders
        if form.errors:
            return None
        if form.text("which") != "some":
            return await orders.cancel(order.order_id, reason=form.text("reason"))
        if not units:
            form.errors["which"] = visit.words.say("form.no_units")
            return None
        return await orders.cancel(
            order.order_id,
            reason=form.text("reason"),
            lines=units,
            version=order.version,
            wait_s=5.0,
        )

    return await _done(visit, "cancel", act)


async def pay(visit: Visit) -> Response:
    """Record what the payment provider did."""

    async def act(form: Form, order: Order) -> object:
        kind, reference = _payment(form), form.needed("reference")
        form.needed("amount")
        amount = _amount(form, order)
        if form.errors or kind is None or amount is None:
            return None
        return await visit.client.orders.record_payment(
            order.order_id, kind, amount, reference=reference
        )

    return await _done(visit, "pay", act)


async def ship(visit: Visit) -> Response:
    """Record that units have left the house."""

    async def act(form: Form, order: Order) -> object:
        units = _some_units(form)
        if form.text("tracking_url") and not form.text("tracking_url").startswith(_URLS):
            form.errors["tracking_url"] = visit.words.say("form.url")
        if form.errors:
            return None
        return await visit.client.orders.ship(
            order.order_id,
            [ShipmentItem(line_no, quantity) for line_no, quantity in units.items()],
            shipment_id=form.needed("request_id"),
            location=form.text("location"),
            carrier=form.text("carrier"),
            tracking_number=form.text("tracking_number"),
            tracking_url=form.text("tracking_url"),
        )

    return await _done(visit, "ship", act)


async def open_return(visit: Visit) -> Response:
    """Let units come back."""

    async def act(form: Form, order: Order) -> object:
        units, reason = _some_units(form), form.text("reason")
        if form.errors:
            return None
        lines = [ReturnLine(line_no, quantity, reason) for line_no, quantity in units.items()]
        return await visit.client.orders.open_return(
            order.order_id, lines, request_id=form.needed("request_id")
        )

    return await _done(visit, "return", act)


async def receive_return(visit: Visit) -> Response:
    """Record that units have come back."""

    async def act(form: Form, order: Order) -> object:
        kind = next((one for one in Disposition if one == form.text("disposition")), None)
        if kind is None:
            form.errors["disposition"] = visit.words.say("form.needed")
        units = _some_units(form)
        if form.errors or kind is None:
            return None
        location = form.text("location") or "main"
        lines = [ReceiptLine(line_no, count, kind, location) for line_no, count in units.items()]
        return await visit.client.orders.receive_return(
            _return_of(form, order), lines, request_id=form.needed("request_id")
        )

    return await _done(visit, "receive", act)


async def close_return(visit: Visit) -> Response:
    """End a return."""

    async def act(form: Form, order: Order) -> object:
        return await visit.client.orders.close_return(_return_of(form, order))

    return await _done(visit, "close", act)


async def _done(visit: Visit, name: str, act: Act) -> Response:
    """Do what a form says, on the order that its reader has seen; else show the form again.

    Has the order changed since, nothing is done: both are shown, and the form with what was typed,
    which now is about the order as it is. A hold is extended all the same, and every time: it is
    never shortened.
    """
    form, extends = await visit.form(name), name == "extend"
    seen = await visit.client.orders.get(visit.path("order_id"))

    async def done() -> Response:
        async with visit.turns.one_of(seen.order_id):
            order = await visit.client.orders.get(seen.order_id)
            is_same = form.text("version") == str(order.version)
            if not (is_same or extends or _is_repeat(form, order)):
                raise Stale
            await act(form, order)
        if form.errors:
            raise Flawed
        return to(f"/orders/{order.order_id}", said=name)

    async def again(status: int) -> Response:
        return await shown(visit, await _as_it_is(visit, seen), form, status)

    stale = visit.words.say("form.stale")
    return await answered(
        visit, form, done, again, fields=_FIELDS, stale=stale, remembers=not extends
    )


async def _as_it_is(visit: Visit, order: Order) -> Order:
    try:
        return await visit.client.orders.get(order.order_id)
    except HoldfastError:
        return order  # what was typed is worth more than the newest facts


def _is_repeat(form: Form, order: Order) -> bool:
    """Whether the form was sent before, and did what it says: the service tells so once more."""
    request_id = form.text("request_id")
    made = {one.shipment_id for one in order.shipments}
    made |= {receipt.request_id for one in order.returns for receipt in one.receipts}
    return bool(request_id) and request_id in made


def _some_units(form: Form) -> dict[int, int]:
    """Units by line; that there are none is told where nothing else is wrong."""
    units = form.units("units-")
    if not units and not form.errors:
        form.errors[""] = form.words.say("form.no_units")
    return units


def _payment(form: Form, *, optional: bool = False) -> PaymentKind | None:
    found = next((one for one in PaymentKind if one == form.text("kind")), None)
    if found is None and not (optional and not form.text("kind")):
        form.errors["kind"] = form.words.say("form.needed")
    return found


def _amount(form: Form, order: Order) -> Money | None:
    """An amount in the order's currency."""
    amount, currency = form.amount("amount"), order.total.currency
    try:
        return None if amount is None else Money.parse(f"{amount:f}", currency)
    except ValueError:
        form.errors["amount"] = form.words.say("form.amount_of", currency=currency)
        return None


def _return_of(form: Form, order: Order) -> str:
    """The return that a form is about, if it is of this order; "" is nobody's."""
    named = form.text("return_id")
    return next((one.return_id for one in order.returns if one.return_id == named), "")
