"""Scripts of a page come one by one, and any of them late: the page works as if all were there."""

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE
LATE_S = 0.5


@pytest.mark.parametrize("late", ["hx-sse.min", "console"])
async def test_an_order_shows_what_is_new_however_late_a_script_comes(
    desk: Desk, late: str
) -> None:
    order_id = await desk.placed(await desk.goods(units=5), 2)

    delayed: list[str] = []

    async def delay(route: Route) -> None:
        delayed.append(route.request.url)
        await asyncio.sleep(LATE_S)
        await route.continue_()

    async with desk.window() as page:
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await page.context.route(f"**/static/{late}.*.js", delay)
        async with page.expect_response("**/live", timeout=10_000):
            await page.goto(f"/console/orders/{order_id}")
        await desk.client.orders.cancel(order_id)

        await expect(page.locator("#facts").get_by_text("Cancelled").first).to_be_visible()
        assert delayed
