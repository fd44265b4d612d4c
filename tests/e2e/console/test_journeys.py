"""A day's work in Chromium: each journey with scripts, one without, one by the keyboard alone."""

import os

import pytest
from playwright.async_api import expect

from holdfast.client import OrderStatus
from tests.e2e.console.window import Desk, flaws_of, picture

LOOKS = [
    pytest.param({"color_scheme": scheme, "viewport": {"width": width, "height": 800}})
    for scheme in ("light", "dark")
    for width in (360, 800, 1280)
]
PICTURES_WANTED = "HOLDFAST_PICTURES" in os.environ


async def test_the_printed_link_opens_the_console(desk: Desk) -> None:
    page = await desk.browser.new_page()

    await page.goto(desk.url(desk.at.console))

    await expect(page.get_by_role("heading", level=1)).to_have_text("What needs a person today")
    await page.close()


async def test_an_order_is_found_paid_and_shipped(desk: Desk) -> None:
    order_id = await desk.placed(hold_s=900.0)
    async with desk.window() as page:
        await page.get_by_role("search").get_by_role("textbox").fill(order_id)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(order_id)
        await page.get_by_text("Confirm", exact=True).first.click()
        await page.get_by_label("Payment reference").first.fill("pay-1")
        await page.get_by_role("button", name="Confirm").click()
        await expect(page.get_by_text("The order is confirmed.")).to_be_visible()
        await page.get_by_text("Ship", exact=True).first.click()
        await page.get_by_label("Carrier").fill("Post")
        await page.get_by_label("Tracking number").fill("T-1")
        await page.get_by_role("button", name="Ship").click()
        await expect(page.get_by_text("The shipment is recorded.")).to_be_visible()

    order = await desk.client.orders.get(order_id)
    assert order.status is OrderStatus.SHIPPED
    assert order.shipments[0].tracking_number == "T-1"


async def test_a_change_elsewhere_shows_here_and_leaves_what_is_typed(desk: Desk) -> None:
    order_id = await desk.placed(quantity=5)
    async with desk.window() as page:
        await page.goto(desk.url(f"/console/orders/{order_id}"))
        await page.get_by_text("Ship", exact=True).first.click()
        await page.get_by_label("Carrier").fill("Parcel & Co")

        order = await desk.client.orders.get(order_id)
        await desk.client.orders.cancel(
            order_id, lines={1: 1}, version=order.version, reason="one less"
        )

        await expect(page.get_by_text("one less").first).to_be_visible()
        await expect(page.locator("#changed")).to_be_visible()
        await expect(page.get_by_label("Carrier")).to_have_value("Parcel & Co")
        await page.get_by_role("button", name="Ship").click()
        await expect(page.get_by_text("Somebody was faster")).to_be_visible()
        await expect(page.get_by_label("Carrier")).to_have_value("Parcel & Co")
        assert await flaws_of(page) == []


async def test_all_of_it_works_without_scripts(desk: Desk) -> None:
    order_id = await desk.placed(quantity=3)
    async with desk.window(java_script_enabled=False) as page:
        await page.get_by_role("link", name="Orders", exact=True).click()
        await page.get_by_role("link", name=order_id).click()
        await page.get_by_text("Cancel", exact=True).first.click()
        await page.get_by_label("Only these:").check()
        await page.locator(".actions form[action$=cancel] input.units").fill("1")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_text("It is cancelled.")).to_be_visible()

    assert (await desk.client.orders.get(order_id)).lines[0].quantity == 2


async def test_the_keyboard_is_enough(desk: Desk) -> None:
    order_id = await desk.placed()
    async with desk.window() as page:
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.name === 'id'"):
                break
        await page.keyboard.type(order_id)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(order_id)
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim() === 'Ship'"):
                break
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")  # in the first field of the form: sends it
        await expect(page.get_by_text("The shipment is recorded.")).to_be_visible()

    assert (await desk.client.orders.get(order_id)).status is OrderStatus.SHIPPED


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_screen_is_for_everybody(desk: Desk, look: dict[str, object]) -> None:
    shipped = await desk.placed("c-42")
    await desk.client.orders.ship(shipped, carrier="Post", tracking_number="T-1")
    held = await desk.placed("c-17", hold_s=600.0)
    wide = await desk.placed("W" * 120, quantity=1)
    name = {1280: "wide", 800: "", 360: "phone"}[look["viewport"]["width"]]  # type: ignore[index]
    wanted = PICTURES_WANTED and look["color_scheme"] == ("dark" if name == "phone" else "light")
    async with desk.window(**look) as page:
        for path, screen in (
            ("", "today"),
            ("/orders?status=NOWHERE&created_from=x", "flawed"),
            ("/orders", "orders"),
            (f"/orders/{shipped}", "shipped"),
            (f"/orders/{held}", "order"),
            (f"/orders/{wide}", "long"),
            ("/products", "products"),
            ("/stock?id=LAMP-RED", "stock"),
            ("/nowhere", "nowhere"),
        ):
            await page.goto(desk.url(f"/console{path}"))
            if screen == "order":
                await page.get_by_text("Confirm", exact=True).first.click()
            assert await flaws_of(page) == [], (path, look)
            if wanted and name and screen in ("today", "orders", "order", "stock"):
                await picture(page, f"{screen}-{name}")
