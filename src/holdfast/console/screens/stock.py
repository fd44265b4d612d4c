"""A product's stock: how much there is where, why, and how to set it right."""

from starlette.responses import Response

from holdfast.client import (
    InvalidRequest,
    NotFound,
    Refused,
    StockReason,
    new_request_id,
)
from holdfast.console.forms import Form
from holdfast.console.visit import Visit, to

REASONS = tuple(one for one in StockReason if one is not StockReason.UNKNOWN)


async def stock(visit: Visit) -> Response:
    """Show a product's stock, and why it is what it is."""
    return await _shown(visit, visit.asked("id"), Form(visit.words))


async def adjust(visit: Visit) -> Response:
    """Add units to a level, or take some away."""
    form = await visit.form("adjust")
    delta, reason = form.whole("delta", lowest=-999_999_999_999), form.needed("reason")
    if not delta:
        form.errors.setdefault("delta", visit.words.say("form.delta"))
    code = next((one for one in REASONS if one == form.text("reason_code")), None)
    product_id, status = form.text("product_id"), 400
    if not form.errors:
        try:
            await visit.client.inventory.adjust_stock(
                product_id,
                delta,
                reason=reason,
                reason_code=code,
                location_id=form.text("location") or "main",
                reference=form.text("reference"),
                request_id=form.text("request_id") or new_request_id(),
            )
        except InvalidRequest as error:
            form.refuse(error, {"location_id": "location"})
        except (Refused, NotFound) as error:
            form.errors[""], status = error.message, 409
    if form.errors:
        return await _shown(visit, product_id, form, status)
    return to("/stock", id=product_id, said="adjust")


async def _shown(visit: Visit, product_id: str, form: Form, status: int = 200) -> Response:
    inventory = visit.client.inventory
    info = await inventory.get_stock(product_id)
    why = await inventory.explain(product_id)
    locations = [one async for one in inventory.list_locations(limit=100)]
    return visit.show(
        "stock.html",
        status,
        info=info,
        why=why,
        form=form,
        locations=[one.location_id for one in locations],
        reasons=REASONS,
        new_id=new_request_id,
    )
