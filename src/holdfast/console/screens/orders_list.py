"""The list of orders: its filters live in the URL, and it goes on where the last page ended."""

import re

from starlette.responses import Response

from holdfast.console.screens.order_filter import STATUSES, page_of, place_after, read_filter
from holdfast.console.screens.selection import chosen
from holdfast.console.visit import Visit, to

PAGE_ORDERS = 50
_WHOLE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


async def orders(visit: Visit) -> Response:
    """Show a page of orders, newest first; with those that were chosen, if its form was sent."""
    wanted = read_filter(visit)
    if _WHOLE_ID.fullmatch(wanted.texts.get("id", "")):
        return to(f"/orders/{wanted.texts['id']}")
    page, more = await page_of(visit, wanted, PAGE_ORDERS)
    after = place_after(page[-1].create_time, page[-1].order_id) if more else ""
    return visit.show(
        "orders.html",
        orders=page,
        wanted=wanted,
        statuses=STATUSES,
        after=after,
        chosen=await chosen(visit, [one.order_id for one in page]),
        asked=wanted.query(),
        place=visit.asked("after"),
    )
