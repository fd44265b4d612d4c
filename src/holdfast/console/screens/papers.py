"""What is printed: an order's confirmation, the slip in a parcel, the list somebody picks by."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.responses import Response

from holdfast.client import HoldfastError, Money, Order, StockInfo
from holdfast.console.barcodes import barcodes
from holdfast.console.screens.beside import beside
from holdfast.console.screens.holdings import SHIPPABLE, ready, whole
from holdfast.console.screens.order_filter import read_filter
from holdfast.console.screens.selection import chosen_in
from holdfast.console.screens.to_ship import find_ready, known_locations
from holdfast.console.visit import Visit

PICKED_MAX = 200  # orders of a list: more is no walk


@dataclass(slots=True)
class Pick:
    """Units of a product to be taken from a shelf.

    :param orders: units by order.
    """

    product_id: str
    name: str
    orders: Counter[str] = field(default_factory=Counter)


async def confirmation(visit: Visit) -> Response:
    """An order as its customer may have it."""
    order = await visit.client.orders.get(visit.path("order_id"))
    names = await _names(visit, [line.product_id for line in order.lines])
    sums = {line.line_no: _times(line.unit_price, line.quantity) for line in order.lines}
    codes = await _codes(visit, [order.order_id])
    return visit.show("confirmation.html", order=order, names=names, sums=sums, codes=codes)


def _times(price: object, quantity: int) -> Money:
    assert isinstance(price, Money)  # always, in an order
    return Money(price.currency, price.minor * quantity)


async def slip(visit: Visit) -> Response:
    """What is in one parcel, and what of its order is still to come; without prices."""
    order = await visit.client.orders.get(visit.path("order_id"))
    named = visit.request.query_params.get("id", "")  # whatever somebody calls it
    shipment = next((one for one in order.shipments if one.shipment_id == named), None)
    if shipment is None:
        missing = visit.words.say("paper.no_shipment", given=named[:40])
        return visit.show("error.html", 404, detail=missing, again="")
    units: Counter[str] = Counter()
    for item in shipment.items:
        units[item.product_id] += item.quantity
    return visit.show(
        "slip.html",
        order=order,
        shipment=shipment,
        units=units,
        due=_due(order),
        names=await _names(visit, [line.product_id for line in order.lines]),
        codes=await _codes(visit, filter(None, (order.order_id, shipment.tracking_number))),
    )


def _due(order: Order) -> Counter[str]:
    """Units by product that have not left yet, of an order from which more may leave."""
    found: Counter[str] = Counter()
    if not order.status.is_final:
        for line in order.lines:
            found[line.product_id] += line.quantity - line.shipped
    return +found


async def pick_list(visit: Visit) -> Response:
    """What to take from the shelves of each location: for the orders that were chosen, or else for
    all that To ship shows, from its first page on.
    """
    form = await visit.form("chosen") if visit.request.method == "POST" else None
    wanted, location = read_filter(visit), visit.asked("location")
    more, order_ids = False, chosen_in(form) if form else []
    answers: Sequence[Order | HoldfastError]
    if not order_ids or (form and form.text("which") == "all"):
        wanted.after = None
        answers, more = await find_ready(visit, wanted, location, PICKED_MAX)
    elif len(order_ids) > PICKED_MAX:
        words = visit.words
        many = words.say("paper.many", most=words.number(PICKED_MAX))
        return visit.show("error.html", 400, detail=many, again="")
    else:
        answers = await whole(visit, order_ids)
    orders = [one for one in answers if isinstance(one, Order) and one.status in SHIPPABLE]
    places = [location] if location else sorted({s.location_id for o in orders for s in o.stock})
    names = await _names(visit, {line.product_id for one in orders for line in one.lines})
    known = await known_locations(visit)
    picks = {place: _picks(orders, place, names) for place in _in_order(places, known)}
    return visit.show(
        "pick_list.html",
        picks=picks,
        orders={one.order_id: one for one in orders},
        left_out=len(answers) - len(orders),
        more=more,
        codes=await _codes(visit, (one.product_id for some in picks.values() for one in some)),
        now=visit.now,
    )


async def _codes(visit: Visit, texts: Iterable[str]) -> Mapping[str, str]:
    """Codes of texts; one list of them is drawn at a time, the others wait."""
    async with visit.turns.one_of("barcodes"):
        return await barcodes(texts)


def _picks(orders: Iterable[Order], place: str, names: dict[str, str]) -> list[Pick]:
    found: dict[str, Pick] = {}
    for order in orders:
        units = ready(order, place)
        for line in order.lines:
            if count := units[line.line_no]:
                product_id = line.product_id
                pick = found.setdefault(product_id, Pick(product_id, names.get(product_id, "")))
                pick.orders[order.order_id] += count
    return [found[product_id] for product_id in sorted(found)]


def _in_order(places: Iterable[str], known: list[str]) -> list[str]:
    """Locations by priority, those that nobody knows last."""
    return sorted(places, key=lambda place: known.index(place) if place in known else len(known))


async def _names(visit: Visit, product_ids: Iterable[str]) -> dict[str, str]:
    """Names by product, of those that have one; none where products may not be seen, or Inventory
    is away.
    """
    asked = list(dict.fromkeys(product_ids))
    if not asked or not visit.may("stock:read"):
        return {}
    found = await beside(visit.client.inventory.get_stock_batch(asked), None)
    infos = [one.product for one in found or () if isinstance(one, StockInfo)]
    return {one.product_id: one.name for one in infos if one.name}
