"""Rules about orders: none lost, none invented, one per request, each with its books in order."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from proof.goods import Sourcing
from proof.history import Call, Facts
from proof.run_record import RunRecord, Violation, precedes
from proof.snapshot import Edition, Order, goods_minor

# Written down here a second time: who shares a mistake cannot find it.
LEGAL_STEPS = frozenset(
    {
        ("PENDING", "RESERVED"),
        ("PENDING", "CONFIRMED"),
        ("PENDING", "REJECTED"),
        ("PENDING", "CANCELLED"),
        ("PENDING", "EXPIRED"),
        ("RESERVED", "CONFIRMED"),
        ("RESERVED", "CANCELLED"),
        ("RESERVED", "EXPIRED"),
        ("CONFIRMED", "CANCELLED"),
        ("CONFIRMED", "PARTIALLY_SHIPPED"),
        ("CONFIRMED", "SHIPPED"),
        ("PARTIALLY_SHIPPED", "SHIPPED"),
    }
)
# What may change while the status stays, and where.
OPEN = frozenset({"PENDING", "RESERVED", "CONFIRMED", "PARTIALLY_SHIPPED"})
HELD = frozenset({"PENDING", "RESERVED"})
PROMISED = OPEN - {"PENDING"}
LEFT = frozenset({"PARTIALLY_SHIPPED", "SHIPPED"})
CAME_TO_NOTHING = frozenset({"REJECTED", "CANCELLED", "EXPIRED"})
LEGAL_ACTIONS = {
    "CUSTOMER_UPDATED": OPEN,
    "DETAILS_UPDATED": OPEN,
    "HOLD_EXTENDED": HELD,
    "PAYMENT_RECORDED": OPEN | LEFT | CAME_TO_NOTHING,
    "EDIT_ASKED": PROMISED,
    "EDITED": PROMISED,
    "EDIT_REFUSED": PROMISED,
    "SHIPPED": frozenset({"PARTIALLY_SHIPPED"}),
    "SHIPMENT_UPDATED": LEFT,
    "RETURN_OPENED": LEFT,
    "RETURN_RECEIVED": LEFT,
    "RETURN_CLOSED": LEFT,
}
EDITING = ("EditOrder", "CancelUnits")
# Which calls ask for such a change.
ASKED_BY = {
    "CUSTOMER_UPDATED": ("UpdateOrder",),
    "DETAILS_UPDATED": ("UpdateOrder",),
    "HOLD_EXTENDED": ("ExtendHold",),
    "PAYMENT_RECORDED": ("RecordPayment", "ConfirmOrder"),
    "EDIT_ASKED": EDITING,
    "EDITED": EDITING,
    "EDIT_REFUSED": EDITING,
    "SHIPPED": ("ShipOrder",),
    "SHIPMENT_UPDATED": ("UpdateShipment",),
    "RETURN_OPENED": ("OpenReturn",),
    "RETURN_RECEIVED": ("ReceiveReturn",),
    "RETURN_CLOSED": ("CloseReturn",),
}
# What a repeat may meet although its first try succeeded: refused before anybody looked.
LOAD_SHED = "RESOURCE_EXHAUSTED"

Asked = tuple[tuple[str, int], ...]


def asked_of(request: Facts) -> Asked:
    """The lines that a CreateOrder asks for."""
    return tuple((product_id, quantity) for product_id, quantity in request["lines"])


def sourcing_of(request: Facts) -> Sourcing:
    """Where the stock of an order is to come from, as a call wants it."""
    strategy, location_ids, *wishes = request.get("sourcing", ("PRIORITY", ()))
    return Sourcing(strategy, tuple(location_ids), *wishes)


def lines_of(edition: Edition) -> Asked:
    """The lines of an edition, in the same form."""
    return tuple((line.product_id, line.quantity) for line in edition.lines)


def no_lost_order(record: RunRecord) -> Iterator[Violation]:
    """3. Every order that a caller was told of exists with exactly the lines asked for; its history
    is a legal path from PENDING to where it stands, each step once. Whoever was told that an order
    is cancelled, or that stock was changed, finds it so.
    """
    for call in record.calls_of("CreateOrder"):
        if call.outcome != "ok":
            continue
        assert call.value is not None, "an `ok` has its answer"
        order = record.snapshot.orders.get(call.value["order_id"])
        if order is None:
            text = f"call {call.number} of {call.client} was told of it, it is not there"
            yield Violation(3, call.value["order_id"], text)
        elif not record.is_compared(order, call):
            continue
        elif lines_of(order.first) != asked_of(call.request):
            text = f"asked for {asked_of(call.request)}, recorded {lines_of(order.first)}"
            yield Violation(3, order.order_id, text)
        elif order.first.sourcing != sourcing_of(call.request):
            text = f"asked for {call.request}, its stock is to come by {order.first.sourcing}"
            yield Violation(3, order.order_id, text)
    for order in record.snapshot.orders.values():
        yield from _path(order)
    for order_id, calls in record.cancellings.items():
        told = {call.value["status"] for call in calls if call.outcome == "ok" and call.value}
        order = record.snapshot.orders.get(order_id)
        status = order.status if order else "not there"
        if told and (status not in ("CANCELLED", "SHIPPED") or told != {status}):
            text = f"callers were told that it is {sorted(told)} by cancelling, it is {status}"
            yield Violation(3, order_id, text)
    yield from _told_of_payment(record)
    for request_id, calls in record.stock_changes.items():
        was_told = any(call.outcome == "ok" for call in calls)
        if was_told and request_id not in record.snapshot.stock_requests:
            yield Violation(3, request_id, "a caller was told of the change, it is not recorded")


def _told_of_payment(record: RunRecord) -> Iterator[Violation]:
    for call in record.calls_of("ConfirmOrder"):
        order = record.snapshot.orders.get(call.request["order_id"])
        reference = call.request["payment_reference"]
        by = order.confirmed_by if order else None
        if call.outcome == "ok" and by != reference:
            text = f"a caller was told that {reference} confirmed it, {by} did"
            yield Violation(3, call.request["order_id"], text)
        known = [by, *(one.reference for one in order.payments)] if order else []
        if order and call.code == "FAILED_PRECONDITION" and reference not in known:
            yield Violation(3, order.order_id, f"{reference} did not confirm it, and was forgotten")
    for call in record.calls_of("RecordPayment"):
        order = record.snapshot.orders.get(call.request["order_id"])
        wanted = tuple(call.request[name] for name in ("kind", "reference", "amount_minor"))
        facts = [one[1:] for one in order.payments] if order else []
        if call.outcome == "ok" and wanted not in facts:
            text = f"a caller was told that {wanted} is recorded, it is not"
            yield Violation(3, call.request["order_id"], text)


def _path(order: Order) -> Iterator[Violation]:
    history = order.history
    if not history or history[0].status != "PENDING":
        yield Violation(3, order.order_id, "its history does not begin with PENDING")
    if [change.version for change in history] != list(range(1, len(history) + 1)):
        versions = [change.version for change in history]
        yield Violation(3, order.order_id, f"its history has the versions {versions}")
    for before, now in pairwise(history):
        if now.action:
            legal = before.status == now.status and now.status in LEGAL_ACTIONS[now.action]
        else:
            legal = (before.status, now.status) in LEGAL_STEPS
        if not legal:
            text = f"it went from {before.status} to {now.status} {now.action}".rstrip()
            yield Violation(3, order.order_id, text)


def no_phantom(record: RunRecord) -> Iterator[Violation]:
    """4. Every order was asked for, by a call with these lines under its request id that was not
    refused; a request whose every call was refused left nothing. Nobody's order is cancelled or
    updated without a call for it that was not refused.
    """
    asked_for = {
        action: {call.request["order_id"] for method in by for call in record.calls_of(method)}
        for action, by in ASKED_BY.items()
    }
    confirmed = {
        (call.request["order_id"], call.request["payment_reference"])
        for call in record.calls_of("ConfirmOrder")
    }
    paid = confirmed | {
        (call.request["order_id"], call.request["reference"])
        for call in record.calls_of("RecordPayment")
    }
    for order in record.snapshot.orders.values():
        key = order.customer_id, order.request_id
        calls = record.placings.get(key, [])
        same = [call for call in calls if asked_of(call.request) == lines_of(order.first)]
        if not calls:
            yield Violation(4, order.order_id, f"nobody asked for {key}")
        elif not same and order.lines:
            text = f"nobody asked for {lines_of(order.first)} as {key}"
            yield Violation(4, order.order_id, text)
        elif all(call.outcome == "fail" for call in same or calls):
            yield Violation(4, order.order_id, f"every call for it was refused: {key}")
        cancellings = record.cancellings.get(order.order_id, [])
        if order.status == "CANCELLED" and all(call.outcome == "fail" for call in cancellings):
            text = f"cancelled, {len(cancellings)} calls asked for it and all were refused"
            yield Violation(4, order.order_id, text)
        for change in order.history:
            if change.action and order.order_id not in asked_for[change.action]:
                yield Violation(4, order.order_id, f"{change.action}, nobody asked for it")
        for payment in order.payments:
            if (order.order_id, payment.reference) not in paid:
                yield Violation(4, order.order_id, f"paid by {payment}, nobody told of it")
        by = order.confirmed_by
        if by is not None and (order.order_id, by) not in confirmed:
            yield Violation(4, order.order_id, f"confirmed by {by}, nobody asked for it")


def idempotency(record: RunRecord) -> Iterator[Violation]:
    """5. There is one order per customer and request id, and all who were told of one were told of
    that one; other contents under the id are refused, and a repeat is not, once its first try was
    answered.
    """
    for key, orders in record.orders_by_key.items():
        if len(orders) > 1:
            text = f"{key} has {len(orders)} orders: {sorted(order.order_id for order in orders)}"
            yield Violation(5, orders[0].order_id, text)
    for key, calls in record.placings.items():
        told = [call for call in calls if call.outcome == "ok"]
        ids = {call.value["order_id"] for call in told if call.value is not None}
        recorded = {order.order_id for order in record.orders_by_key.get(key, [])}
        if len(ids) > 1:
            yield Violation(5, min(ids), f"{key} was answered with {sorted(ids)}")
        for order_id in sorted(ids - recorded):
            if order_id in record.snapshot.orders:
                yield Violation(5, order_id, f"{key} was answered with the order of somebody else")
        orders = record.orders_by_key.get(key, [])
        compared = [call for call in told if all(record.is_compared(one, call) for one in orders)]
        if len({asked_of(call.request) for call in compared}) > 1:
            yield Violation(5, min(ids), f"{key} was answered for two contents")
        yield from refused_repeats(calls, told, str(key))
    for request_id, calls in record.stock_changes.items():
        told = [call for call in calls if call.outcome == "ok"]
        yield from refused_repeats(calls, told, request_id)


def refused_repeats(calls: list[Call], told: list[Call], subject: str) -> Iterator[Violation]:
    for call in calls:
        if call.outcome != "fail" or call.code == LOAD_SHED:
            continue
        if any(precedes(first, call) and first.request == call.request for first in told):
            text = f"call {call.number} of {call.client} repeats what was done: {call.code}"
            yield Violation(5, subject, text)


def books(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: an order stands where its history ends; its total is the sum of its lines, in
    whole minor units; it waits for an answer while its newest question has none; only a rejected
    one names what was missing.
    """
    snapshot = record.snapshot
    for order in snapshot.orders.values():
        last = order.history[-1] if order.history else None
        if last is None or (last.version, last.status) != (order.version, order.status):
            text = f"it is {order.status} at {order.version}, its history ends with {last}"
            yield Violation(10, order.order_id, text)
        amounts = [order.total_minor, *(line.unit_price_minor for line in order.lines)]
        total = goods_minor(order.lines) + order.charged_minor
        if not order.lines or order.total_minor != total:
            text = f"it totals {order.total_minor}, its {len(order.lines)} lines {total}"
            yield Violation(10, order.order_id, text)
        elif not all(isinstance(amount, int) and amount >= 0 for amount in amounts):
            yield Violation(10, order.order_id, f"no whole minor units: {amounts}")
        waits = order.order_id in snapshot.unanswered
        if waits != (order.answered < order.asked):
            text = f"asked {order.asked}, answered {order.answered}: {waits} that it waits"
            yield Violation(10, order.order_id, text)
        yield from _hold_and_payments(order, order.order_id in snapshot.holds)
        if bool(order.shortages) != (order.status == "REJECTED"):
            text = f"it is {order.status}, short of {order.shortages}"
            yield Violation(10, order.order_id, text)
    nowhere = (snapshot.unanswered | snapshot.holds) - snapshot.orders.keys()
    for order_id in sorted(snapshot.strays | nowhere):
        yield Violation(10, order_id, "it has lines, a history or a wait but is no order")


def _hold_and_payments(order: Order, is_held: bool) -> Iterator[Violation]:
    """Holds run for those that wait for a confirmation; payments never exceed each other, and where
    they stand follows from them.
    """
    if is_held != (order.has_hold and order.status in HELD):
        text = f"it is {order.status}, placed with a hold: {order.has_hold}; one runs: {is_held}"
        yield Violation(10, order.order_id, text)
    was = {change.status for change in order.history}
    if ("RESERVED" in was and not order.has_hold) or (
        "CONFIRMED" in was and (order.has_hold != (order.confirmed_by is not None))
    ):
        text = f"it was {sorted(was)}, has_hold {order.has_hold}, confirmed by {order.confirmed_by}"
        yield Violation(10, order.order_id, text)
    recorded = [change.version for change in order.history if change.action == "PAYMENT_RECORDED"]
    if recorded != [payment.version for payment in order.payments]:
        text = f"its history has payments at {recorded}, recorded are {order.payments}"
        yield Violation(10, order.order_id, text)
    sums, seen, direct = Counter[str](), set[tuple[str, str]](), 0
    for _, kind, reference, amount_minor in order.payments:
        sums[kind] += amount_minor
        promised = sums["AUTHORIZED"] - sums["VOIDED"]
        if not sums["AUTHORIZED"]:
            direct = sums["CAPTURED"]
        if (
            (kind, reference) in seen
            or sums["REFUNDED"] > sums["CAPTURED"]
            or (
                kind in ("CAPTURED", "VOIDED")
                and sums["AUTHORIZED"]
                and promised < sums["CAPTURED"] - direct
            )
            or sums["VOIDED"] > sums["AUTHORIZED"]
        ):
            text = f"{kind} {reference} of {amount_minor} can't be: {order.payments}"
            yield Violation(10, order.order_id, text)
        seen.add((kind, reference))
    if order.paid != (follows := _paid(sums, order.total_minor)):
        text = f"it is {order.paid} where it is sought, {follows} by {order.payments}"
        yield Violation(10, order.order_id, text)


def _paid(sums: Counter[str], total_minor: int) -> str:
    """Where payments stand that come to such sums, by their kinds."""
    taken, given_back = sums["CAPTURED"], sums["REFUNDED"]
    if given_back:
        return "REFUNDED" if given_back == taken else "PARTIALLY_REFUNDED"
    if taken:
        if taken < total_minor:
            return "PARTIALLY_PAID"
        return "PAID" if taken == total_minor else "OVERPAID"
    return "AUTHORIZED" if sums["AUTHORIZED"] > sums["VOIDED"] else "NONE"
