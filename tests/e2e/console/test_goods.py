"""A storekeeper's day in Chromium: a product is made, comes in, is sent on, and is missed."""

from playwright.async_api import Page, expect

from holdfast.client import Backorder, BackorderMode
from tests.e2e.console.window import Desk, flaws_of

TELEPHONE = {"color_scheme": "dark", "viewport": {"width": 360, "height": 800}}


async def test_goods_are_made_received_and_sent_on_a_telephone(desk: Desk) -> None:
    await desk.client.inventory.create_location("shop-1")
    async with desk.window(**TELEPHONE) as page:
        await page.goto(desk.url("/console/products/new"))
        await page.get_by_label("Product id").fill("SHADE")
        await page.get_by_role("button", name="Make it").click()
        await expect(page.get_by_label("Unit price")).to_have_attribute("aria-invalid", "true")
        assert await flaws_of(page) == []
        await page.get_by_label("Unit price").fill("4.50")
        await page.get_by_role("button", name="Make it").click()
        await expect(page.get_by_text("The product is made.")).to_be_visible()

        await page.get_by_text("Receive", exact=True).first.click()
        await page.get_by_label("Units", exact=True).first.fill("12")
        assert await flaws_of(page) == []
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("What came in is recorded.")).to_be_visible()

        await page.get_by_role("link", name="New transfer").click()
        await page.get_by_label("From").select_option("main")
        await page.get_by_label("To", exact=True).select_option("shop-1")
        await page.get_by_label("Units 1").fill("13")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Units 1")).to_have_attribute("aria-invalid", "true")
        assert await flaws_of(page) == []
        await page.get_by_label("Units 1").fill("5")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("They are on their way.")).to_be_visible()
        assert await flaws_of(page) == []
        await page.get_by_role("button", name="Receive what came").click()
        await expect(page.get_by_text("What came is recorded.")).to_be_visible()

    levels = (await desk.client.inventory.get_stock("SHADE")).levels
    assert [(one.location_id, one.on_hand) for one in levels] == [("main", 7), ("shop-1", 5)]


async def test_what_is_about_goods_is_for_everybody(desk: Desk) -> None:
    inventory = desk.client.inventory
    await inventory.create_location("shop-1", active=False)
    await inventory.quarantine("LAMP-RED", 40, reason="damp")
    lamp = (await inventory.get_stock("LAMP-RED")).product
    policy = Backorder(BackorderMode.UNLIMITED)
    await inventory.update_product("LAMP-RED", version=lamp.version, backorder=policy)
    await desk.placed("W" * 120)
    async with desk.window(viewport={"width": 1280, "height": 800}) as page:
        await _seen(desk, page, ("", "/products?id=L&low=x", "/backorders?id=LAMP-RED"))
        await _seen(desk, page, ("/products/change?id=LAMP-RED", "/stock?id=LAMP-RED"))
        await _seen(desk, page, ("/movements?kind=X", "/locations", "/locations/change?id=shop-1"))
        await _seen(desk, page, ("/transfers", "/transfers/new"))


async def _seen(desk: Desk, page: Page, paths: tuple[str, ...]) -> None:
    for path in paths:
        await page.goto(desk.url(f"/console{path}"))
        assert await flaws_of(page) == [], path
