"""The client library is asked for what a caller wants of products and lists; see `asking.py`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from holdfast.client import Holdfast, Order, TransferState
from proof.catalogue_wishes import NEWEST
from proof.goods_asking import backorder_of
from proof.history import Facts
from proof.workload import Wanted


async def ask_for_catalogue(client: Holdfast, wanted: Wanted) -> Facts:
    """Change or list products.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, inventory = wanted.request, client.inventory
    if wanted.method == "ListProducts":
        rows = [one async for one in inventory.list_products()]
        return {"products": [[one.product_id, one.version] for one in rows]}
    product = await inventory.update_product(
        asked["product_id"],
        version=asked["version"],
        description=asked.get("description"),
        backorder=backorder_of(asked),
    )
    return {"products": [[product.product_id, product.version]]}


async def ask_for_pages(client: Holdfast, wanted: Wanted) -> Facts:
    """Read the newest of what there is many of.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked = wanted.request
    match wanted.method:
        case "ListOrders":
            return await _rows(client.orders.list(**asked, limit=NEWEST, page_size=NEWEST))
        case "SearchOrders":
            return await _rows(client.orders.search(**asked, limit=NEWEST, page_size=NEWEST))
        case "ListMovements":
            found = client.inventory.list_movements(**asked, limit=NEWEST, page_size=NEWEST)
            moved = [
                [one.movement_id, one.location_id, one.on_hand_delta, one.reserved_delta]
                async for one in found
            ]
            return {"movements": moved}
        case "ListTransfers":
            transfers = client.inventory.list_transfers(limit=NEWEST, page_size=NEWEST)
            told = [[one.transfer_id, one.state is TransferState.CLOSED] async for one in transfers]
            return {"transfers": told, "is_whole": len(told) < NEWEST}
        case "GetOrderFigures":
            today = datetime.now(UTC).date()
            (day,) = (await client.orders.figures(today, today)).days
            return {"placed": day.orders}
    raise AssertionError(f"no caller knows how to call {wanted.method}")


async def _rows(found: AsyncIterator[Order]) -> Facts:
    rows = [[one.order_id, one.status.value, one.version] async for one in found]
    return {"orders": rows, "is_whole": len(rows) < NEWEST}
