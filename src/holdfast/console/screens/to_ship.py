"""What can be shipped now, by location: each order leads to its form."""

from starlette.responses import Response

from holdfast.client import Order
from holdfast.console.screens.beside import beside
from holdfast.console.screens.holdings import SHIPPABLE, left, ready
from holdfast.console.screens.order_filter import Filter, page_of, place_after, read_filter
from holdfast.console.screens.selection import chosen
from holdfast.console.visit import Visit

PAGE_ORDERS = 50


async def to_ship(visit: Visit) -> Response:
    """Show a page of what can be shipped; with those chosen, if its form was sent."""
    wanted, location = read_filter(visit), visit.asked("location")
    locations = await known_locations(visit)
    if location and locations and location not in locations:
        wanted.flaws["location"] = visit.words.say("ship.nowhere", given=location[:40])
        location = ""
    orders, more = await find_ready(visit, wanted, location, PAGE_ORDERS)
    location = wanted.texts.get("location_id", "")
    return visit.show(
        "to_ship.html",
        chosen=await chosen(visit, [one.order_id for one in orders]),
        place=visit.asked("after"),
        after=place_after(orders[-1].create_time, orders[-1].order_id) if more else "",
        orders=orders,
        wanted=wanted,
        location=location,
        locations=locations,
        units={one.order_id: sum(ready(one, location).values()) for one in orders},
        left=left,
        asked=[*wanted.query(), *([("location", location)] if location else [])],
    )


async def known_locations(visit: Visit) -> list[str]:
    """All locations, by priority; none where they may not be seen, or Inventory is away."""

    async def listed() -> list[str]:
        return [one.location_id async for one in visit.client.inventory.list_locations()]

    return await beside(listed(), []) if visit.may("stock:read") else []


async def find_ready(
    visit: Visit, wanted: Filter, location: str, size: int
) -> tuple[list[Order], bool]:
    """Orders of which something can leave a location, from the filter's place in the list on,
    newest first; and whether there are more.

    :param location: "": any; what the service does not understand becomes a flaw.
    """
    wanted.statuses = [one for one in wanted.statuses if one in SHIPPABLE]
    if location:
        wanted.texts["location_id"] = location
    return await page_of(visit, wanted, size, to_ship=True)
