"""Customers, webhooks and keys in Chromium: used in one go, each page looked at with axe."""

import pytest
from playwright.async_api import Page, expect

from holdfast.client import Customer
from tests.e2e.console.window import Desk, flaws_of

LOOKS = [
    {"color_scheme": "dark", "viewport": {"width": 360, "height": 800}},
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
]


async def opened(page: Page, *names: str) -> None:
    """Open what is folded, one after the other, and look at each."""
    for name in names:
        await page.locator("summary", has_text=name).first.click()
        assert await flaws_of(page) == [], name


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_customers_webhooks_and_keys_are_for_everybody(
    desk: Desk, look: dict[str, object]
) -> None:
    await desk.client.customers.update("c-17", version=0, name="Ada", email="ada@example.org")
    await desk.client.customers.update("W" * 120, version=0, name="N" * 100)
    await desk.placed("c-17")
    async with desk.window(**look) as page:
        await page.get_by_role("link", name="Customers").click()
        assert await flaws_of(page) == []
        await page.get_by_role("link", name="c-17").click()
        await opened(page, "Change the profile")
        await page.get_by_role("link", name="Erase…").click()
        assert await flaws_of(page) == []
        await page.get_by_label("Type the id").fill("c-17")
        await page.get_by_role("button", name="Erase for good").click()
        assert await flaws_of(page) == [], "an order is not final"
        await page.get_by_label("Erase although").check()
        await page.get_by_role("button", name="Erase for good").click()
        await expect(page.get_by_text("Erased: orders 1, profiles 1.")).to_be_visible()
        assert await flaws_of(page) == []

        await page.get_by_role("link", name="Webhooks").click()
        assert await flaws_of(page) == []
        await page.get_by_label("URL").fill("https://10.0.0.1/hook")
        await page.get_by_label("OrderExpired").check()  # which never happens here
        await page.get_by_role("button", name="Make a webhook").click()
        assert await flaws_of(page) == [], "the address is private"
        await page.get_by_label("URL").fill("https://8.8.8.8/hook")
        await page.get_by_role("button", name="Make a webhook").click()
        await expect(page.get_by_text("whsec_")).to_be_visible()
        assert await flaws_of(page) == []
        await page.get_by_role("link", name="I have kept it").click()
        await opened(page, "Send again what was missed", "Change it", "Delete it")

        await page.get_by_role("link", name="Keys").click()
        await opened(page, "Make a key", "What roles may do")
        await page.get_by_label("Who uses it").fill("Ann")
        await page.get_by_label("support", exact=True).check()
        await page.get_by_role("button", name="Make a key").click()
        assert await flaws_of(page) == []
        await page.get_by_role("link", name="I have kept it").click()
        await opened(page, "Rotate it", "Revoke it")
        await page.get_by_role("link", name="System").click()
        await expect(page.get_by_text("Serves", exact=True)).to_have_count(3)
        assert await flaws_of(page) == []

    assert (await desk.client.customers.get("c-17")).customer == Customer()
