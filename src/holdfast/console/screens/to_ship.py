"""What can be shipped now, by location: each order leads to its form."""

from dataclasses import dataclass, replace

from starlette.responses import Response

from holdfast.client import HoldfastError, Order
from holdfast.console.screens.holdings import SHIPPABLE, can_ship, left, ready, whole
from holdfast.console.screens.order_filter import Filter, page_of, place_after, read_filter
from holdfast.console.screens.selection import chosen
from holdfast.console.visit import Visit

PAGE_ORDERS = 50
ROUND = 50  # orders that are read at once
LOOKED_MAX = 300  # orders of a page; it goes on from there where few of them can be shipped
LOCATIONS_MAX = 100


@dataclass(slots=True)
class Ready:
    """Orders of which something can be shipped, newest first.

    :param looked: how many were looked at for it.
    :param after: the place to go on from; "": these are the last.
    """

    orders: list[Order]
    looked: int = 0
    after: str = ""


async def to_ship(visit: Visit) -> Response:
    """Show a page of what can be shipped; with those chosen, if its form was sent."""
    wanted, location = read_filter(visit), visit.asked("location")
    locations = await known_locations(visit)
    if location and locations and location not in locations:
        wanted.flaws["location"] = visit.words.say("ship.nowhere", given=location[:40])
        location = ""
    found = await find_ready(visit, wanted, location, size=PAGE_ORDERS, most=LOOKED_MAX)
    return visit.show(
        "to_ship.html",
        chosen=await chosen(visit, [one.order_id for one in found.orders]),
        place=visit.asked("after"),
        found=found,
        wanted=wanted,
        location=location,
        locations=locations,
        units={one.order_id: sum(ready(one, location).values()) for one in found.orders},
        left=left,
        asked=[*wanted.query(), *([("location", location)] if location else [])],
    )


async def known_locations(visit: Visit) -> list[str]:
    """All locations, by priority; none where they may not be seen."""
    if not visit.may("stock:read"):
        return []
    listed = visit.client.inventory.list_locations(limit=LOCATIONS_MAX)
    return [one.location_id async for one in listed]


async def find_ready(visit: Visit, wanted: Filter, location: str, *, size: int, most: int) -> Ready:
    """Orders of which something can leave a location, from the filter's place in the list on.

    :param size: at most so many.
    :param most: about so many are looked at; then it is said where to go on.
    """
    wanted.statuses = [one for one in wanted.statuses if one in SHIPPABLE]
    found, more, place = Ready([]), True, wanted.after
    while more and len(found.orders) < size and found.looked < most:
        listed, more = await page_of(visit, replace(wanted, after=place), ROUND, among=SHIPPABLE)
        for number, order in enumerate(await whole(visit, [one.order_id for one in listed])):
            if isinstance(order, HoldfastError):
                raise order
            found.looked += 1
            place = order.create_time, order.order_id
            if can_ship(order, location):
                found.orders.append(order)
            if len(found.orders) == size:
                more = more or number + 1 < len(listed)
                break
    if more and place is not None:
        found.after = place_after(*place)
    return found
