"""Who waits for a product, in the order in which they are served."""

import asyncio
from collections.abc import Iterable, Mapping

from starlette.responses import Response

from holdfast.client import InvalidRequest
from holdfast.console.visit import Visit

PAGE_WAITING = 25


async def backorders(visit: Visit) -> Response:
    """Show a page of a product's queue."""
    inventory, product_id = visit.client.inventory, visit.asked("id")
    info, flaw = await inventory.get_stock(product_id), ""
    try:
        page, after = await inventory.backorder_page(
            product_id, visit.asked("after"), page_size=PAGE_WAITING
        )
    except InvalidRequest:
        flaw = visit.words.say("filter.after")
        page, after = await inventory.backorder_page(product_id, page_size=PAGE_WAITING)
    return visit.show(
        "backorders.html",
        info=info,
        waiting=page,
        customers=await customers_of(visit, (one.order_id for one in page)),
        after=after,
        flaw=flaw,
    )


async def customers_of(visit: Visit, order_ids: Iterable[str]) -> Mapping[str, str]:
    """Whose orders these are; empty for whoever may not read orders."""
    if not visit.may("orders:read"):
        return {}
    found = await asyncio.gather(*map(visit.client.orders.get, {*order_ids}))
    return {order.order_id: order.customer_id for order in found}
