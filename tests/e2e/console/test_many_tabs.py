"""Many pages that show what is new are open at once, as whoever opens orders in tabs has them."""

from playwright.async_api import Page, expect

from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE
TABS = 8  # browsers have six connections for a server
# Chromium without a window never hides a page: it is told so.
HIDDEN = "Object.defineProperty(document, 'hidden', {get: () => !window.looked_at})"
LOOK = "window.looked_at = true; document.dispatchEvent(new Event('visibilitychange'))"


async def test_orders_that_are_open_where_nobody_looks_hold_up_no_other(desk: Desk) -> None:
    goods = await desk.goods(units=TABS)
    orders = [await desk.placed(goods, 1) for _ in range(TABS)]
    tabs: list[Page] = []
    async with desk.window() as page:
        await page.context.add_init_script(HIDDEN)
        for order_id in orders:
            tabs.append(await page.context.new_page())
            desk.listen(tabs[-1])
            async with tabs[-1].expect_response("**/live"):
                await tabs[-1].goto(f"/console/orders/{order_id}")

        await tabs[0].evaluate(LOOK)
        await desk.client.orders.cancel(orders[0])
        await expect(tabs[0].locator("#facts").get_by_text("Cancelled").first).to_be_visible()
