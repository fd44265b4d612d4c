"""A product's stock: how much there is where, and why."""

from starlette.responses import Response

from holdfast.client import StockReason, new_request_id
from holdfast.console.forms import Form
from holdfast.console.stock_history import DAY, DAYS_MAX, MOVEMENTS_MAX, by_day, chart_of
from holdfast.console.visit import Visit

REASONS = tuple(one for one in StockReason if one is not StockReason.UNKNOWN)


async def stock(visit: Visit) -> Response:
    """Show a product's stock, and why it is what it is."""
    return await shown(visit, visit.asked("id"), Form(visit.words))


async def shown(visit: Visit, product_id: str, form: Form, status: int = 200) -> Response:
    """Show a product's stock with a form as somebody filled it in.

    :param form: the one that was sent; the others are empty.
    """
    inventory = visit.client.inventory
    info = await inventory.get_stock(product_id)
    moved, more = await inventory.movement_page(product_id=product_id, page_size=MOVEMENTS_MAX)
    history = by_day(info.levels, moved, more=bool(more), today=visit.now.date())
    why = await inventory.explain(product_id)
    locations = [one async for one in inventory.list_locations()]
    return visit.show(
        "stock.html",
        status,
        info=info,
        why=why,
        history=history,
        drawn=chart_of(visit.words, history),
        history_of={"count": MOVEMENTS_MAX, "days": DAYS_MAX},
        day=DAY,
        form=form,
        everywhere=[one.location_id for one in locations],
        active=[one.location_id for one in locations if one.active],
        versions={one.location_id: one.version for one in info.levels},
        quarantined=[one.location_id for one in info.levels if one.quarantined],
        reasons=REASONS,
        new_id=new_request_id,
    )
