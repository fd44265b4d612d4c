"""Several locations for a replay: make them, deal out the stock, and count what came from where."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from holdfast.cli.replay_report import SourcingReport
from holdfast.cli.replay_returns import FILLED
from holdfast.client import AlreadyExists, Holdfast, Order
from holdfast.exchange.patience import patiently

MAIN = "main"
LOCATIONS_MAX = 20


def location_ids(count: int) -> list[str]:
    """The first so many locations of a shop: main, warehouse-2, warehouse-3 and so on."""
    return [MAIN, *(f"warehouse-{number}" for number in range(2, count + 1))]


def dealt(units: int, location_ids: Sequence[str]) -> dict[str, int]:
    """Units dealt out evenly; the first locations get one more where it does not come out even."""
    each, more = divmod(units, len(location_ids))
    return {one: each + (n < more) for n, one in enumerate(location_ids)}


async def make_locations(client: Holdfast, location_ids: Sequence[str], patience_s: float) -> None:
    """Make those that are missing; stock is taken from them in their turn. Others stay as they are.

    :raises HoldfastError: one can't be made, or not be asked for.
    """
    for number, location_id in enumerate(location_ids, 1):
        if location_id == MAIN:
            continue
        name = location_id.replace("-", " ").capitalize()
        create = partial(client.inventory.create_location, location_id, name=name, priority=number)
        with suppress(AlreadyExists):  # somebody made it otherwise, as they may
            await patiently(patience_s, create)


def sourced(orders: Mapping[str, Order]) -> SourcingReport:
    """From how many locations, and from which, the orders that are filled have their units."""
    orders_by_count: Counter[int] = Counter()
    units: Counter[str] = Counter()
    for order in orders.values():
        if order.status in FILLED:
            places = _places(order)
            orders_by_count[len(places)] += 1
            units.update(places)
    return SourcingReport(dict(sorted(orders_by_count.items())), dict(sorted(units.items())))


def _places(order: Order) -> Counter[str]:
    """Units by the location where they are held, or that they left from."""
    places: Counter[str] = Counter()
    for shipment in order.shipments:
        for item in shipment.items:
            places[item.location_id] += item.quantity
    for held in order.stock:
        places[held.location_id] += held.quantity
    return places
