"""The client library is asked for what a caller wants of locations; see `asking.py`."""

from holdfast.client import Holdfast, Location, OrderLine
from proof.goods_asking import sourcing_of
from proof.history import Facts
from proof.workload import Wanted


async def ask_for_places(client: Holdfast, wanted: Wanted) -> Facts:
    """Switch or list locations, or ask what could be promised from them.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, inventory = wanted.request, client.inventory
    match wanted.method:
        case "UpdateLocation":
            switched = await inventory.update_location(
                asked["location_id"], version=asked["version"], active=asked["active"]
            )
            return _told([switched])
        case "ListLocations":
            return _told([one async for one in inventory.list_locations()])
        case "CheckAvailability":
            lines = [OrderLine(product_id, units) for product_id, units in asked["lines"]]
            found = await inventory.check_availability(lines, sourcing=sourcing_of(asked))
            return {
                "available": found.available,
                "stock": [[one.product_id, one.location_id, one.quantity] for one in found.stock],
                "shipments": found.shipments,
                "missing": [[one.product_id, one.wanted, one.available] for one in found.missing],
                "queued": [[one.product_id, one.quantity] for one in found.queued],
            }
    raise AssertionError(f"no caller knows how to call {wanted.method}")


def _told(locations: list[Location]) -> Facts:
    return {"locations": [[one.location_id, one.active, one.version] for one in locations]}
