"""Shipments: facts about what has left. A parcel that has left can't be refused by a database, so a
shipment is told to Inventory, not asked for; it takes only what the order is known to hold.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.orders.domain.errors import LocationSpelledOtherwise, WrongLines, refuse_wrong
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.stock import HeldStock, ShippedUnits
from holdfast.orders.domain.shipping.errors import (
    BelowShipped,
    NotHeldThere,
    NothingToShip,
    OverShipment,
    StillQueued,
    WrongDelivery,
)

SHIPMENTS_MAX = 200  # of one order: all are told with it
ITEMS_MAX = 2_000  # that a request names
CLOCKS_DIFFER = timedelta(minutes=1)
NONE_WAIT: Mapping[str, int] = {}


class ShipmentItem(NamedTuple):
    """Units of a line that left from one location."""

    line_no: int
    product_id: str
    location_id: str
    quantity: int


class Shipment(NamedTuple):
    """Goods that left, and how they travel.

    :param revision: of the question to Inventory that first told of it.
    :param request_hash: digest of what was asked for, to tell a repeat from another shipment.
    :param delivered_at: None: not known.
    """

    shipment_id: str
    revision: int
    items: tuple[ShipmentItem, ...]
    carrier: str
    tracking_number: str
    tracking_url: str
    request_hash: str
    shipped_at: datetime
    delivered_at: datetime | None = None

    def refuse_delivery(self, placed_at: datetime, now: datetime) -> None:
        """Let pass that it arrived after its order was placed and not in the future, as clocks that
        differ by CLOCKS_DIFFER tell the time. It may have left before it was recorded.

        :raises WrongDelivery: it did not.
        """
        if self.delivered_at is None:
            return
        if self.delivered_at > now + CLOCKS_DIFFER:
            raise WrongDelivery(f"is in the future, after {now.isoformat()}")
        if self.delivered_at < placed_at - CLOCKS_DIFFER:
            raise WrongDelivery(f"is before the order was placed, at {placed_at.isoformat()}")


class AskedItem(NamedTuple):
    """Units of a line that are to leave; `location_id` "": from wherever they are held."""

    line_no: int
    quantity: int
    location_id: str


def shipped_by_line(shipments: Iterable[Shipment]) -> Counter[int]:
    """Units that have left, by line number."""
    units = Counter[int]()
    for shipment in shipments:
        for item in shipment.items:
            units[item.line_no] += item.quantity
    return units


def shipped_by_product(shipments: Iterable[Shipment]) -> Counter[str]:
    """Units that have left, by product."""
    units = Counter[str]()
    for shipment in shipments:
        for item in shipment.items:
            units[item.product_id] += item.quantity
    return units


def unanswered(shipments: Iterable[Shipment], answered: int) -> tuple[ShippedUnits, ...]:
    """What has left and Inventory has not answered for: every question tells all of it."""
    units = Counter[tuple[str, str, str]]()
    for shipment in shipments:
        if shipment.revision > answered:
            for _, product_id, location_id, quantity in shipment.items:
                units[shipment.shipment_id, product_id, location_id] += quantity
    return tuple(ShippedUnits(*key, quantity) for key, quantity in units.items())


def still_held(
    stock: Sequence[HeldStock], revision: int, shipments: Iterable[Shipment]
) -> tuple[HeldStock, ...]:
    """What Inventory holds as it last told, less what has left since it was asked.

    :param revision: of the question that it answered then.
    """
    if not stock:  # nothing is held, or it was not read
        return ()
    units = {(part.product_id, part.location_id): part for part in stock}
    for shipment in shipments:
        if shipment.revision > revision:
            for _, product_id, location_id, quantity in shipment.items:
                # It is not there if Inventory had to find the rest elsewhere.
                if part := units.get((product_id, location_id)):
                    left = part.quantity - quantity
                    units[product_id, location_id] = part._replace(quantity=left)
    return tuple(part for part in units.values() if part.quantity > 0)


def pick(
    order_id: str,
    lines: Sequence[OrderLine],
    shipped: Mapping[int, int],
    held: Sequence[HeldStock],
    asked: Sequence[AskedItem],
    location_id: str,
    queued: Mapping[str, int] = NONE_WAIT,
) -> tuple[ShipmentItem, ...]:
    """Choose what leaves, and from where.

    :param shipped: units that have left, by line number.
    :param held: what can leave.
    :param asked: empty: all that is held.
    :param location_id: only from there; "": from anywhere.
    :param queued: units that wait for stock, by product.
    :raises WrongLines: there is no such line.
    :raises LocationSpelledOtherwise: see `refuse_other_spellings`.
    :raises OverShipment, NotHeldThere, StillQueued, NothingToShip: see there.
    """
    units: dict[str, dict[str, int]] = defaultdict(dict)
    for part in held:
        units[part.product_id][part.location_id] = part.quantity
    left = {line.line_no: line.quantity - shipped.get(line.line_no, 0) for line in lines}
    products = {line.line_no: line.product_id for line in lines}
    whole = not asked
    if whole:
        asked = [AskedItem(number, quantity, "") for number, quantity in left.items()]
    unknown = {
        place: f"there is no line {one.line_no}"
        for place, one in enumerate(asked)
        if one.line_no not in products
    }
    refuse_wrong(WrongLines(unknown, "items"))
    refuse_other_spellings({location_id, *(one.location_id for one in asked)}, held)
    picked: dict[int, list[ShipmentItem]] = {}
    # Those of a location first: what may come from anywhere leaves them what is held there.
    for place, one in sorted(enumerate(asked), key=lambda numbered: not numbered[1].location_id):
        line_no, quantity, at = one
        if quantity > left[line_no]:
            raise OverShipment(order_id, line_no, wanted=quantity, left=left[line_no])
        name, at = products[line_no], at or location_id
        if not whole:
            _refuse_short(units[name], name, at, quantity, queued.get(name, 0))
        taken = _take(units[name], at, quantity)
        picked[place] = [ShipmentItem(line_no, name, *part) for part in taken]
        left[line_no] -= quantity
    items = [item for place in range(len(asked)) for item in picked[place]]
    if not items:
        raise NothingToShip(order_id, location_id)
    return tuple(items)


def refuse_other_spellings(location_ids: Iterable[str], held: Sequence[HeldStock]) -> None:
    """Let pass locations, unless something is held at one that is them in other letters' case.

    :raises LocationSpelledOtherwise: it is.
    """
    places = {part.location_id for part in held}
    spelled = {place.casefold(): place for place in sorted(places)}
    for location_id in sorted({*location_ids} - places):
        if known := spelled.get(location_id.casefold()):
            raise LocationSpelledOtherwise(location_id, known)


def _refuse_short(
    units: Mapping[str, int], product_id: str, location_id: str, quantity: int, queued: int
) -> None:
    """Let pass so many units of a product, at one location or at all of them.

    :param units: of the product, by location.
    :raises NotHeldThere: there are fewer.
    :raises StillQueued: there are fewer, and others wait for stock.
    """
    held = {at: here for at, here in units.items() if here}
    if quantity <= (held.get(location_id, 0) if location_id else sum(held.values())):
        return
    if queued:
        raise StillQueued(product_id, location_id, wanted=quantity, held=held, queued=queued)
    raise NotHeldThere(product_id, location_id, wanted=quantity, held=held)


def _take(units: dict[str, int], location_id: str, quantity: int) -> list[tuple[str, int]]:
    """Take up to so many units of a product, at one location or by the names of locations.

    :param units: of the product, by location.
    """
    taken = []
    for at in [location_id] if location_id else sorted(units):
        part = min(units.get(at, 0), quantity)
        if part > 0:
            taken.append((at, part))
            units[at] -= part
            quantity -= part
    return taken


def refuse_below(lines: Sequence[OrderLine], shipped: Mapping[int, int]) -> None:
    """Let pass lines that have what has left of them.

    :raises BelowShipped: one has less.
    """
    units = {line.line_no: line.quantity for line in lines}
    for line_no, quantity in sorted(shipped.items()):
        if units.get(line_no, 0) < quantity:
            raise BelowShipped(line_no, shipped=quantity)
