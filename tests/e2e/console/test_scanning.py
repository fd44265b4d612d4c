"""Goods are counted by a scanner, which types an id and Enter, into forms that need none."""

from playwright.async_api import Page, expect

from holdfast.client import Money, OrderLine
from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.window import Desk

pytestmark = AT_CONSOLE
HOSTILE = "<b>{count}$&\"'"


async def scan(page: Page, *codes: str) -> None:
    for code in codes:
        await page.keyboard.type(code)
        await page.keyboard.press("Enter")


async def test_what_is_scanned_is_counted_up_to_what_there_is_and_nothing_else(desk: Desk) -> None:
    await desk.client.inventory.create_product(HOSTILE, unit_price=Money("GBP", 100))
    await desk.client.inventory.set_stock(HOSTILE, 10)
    lamp = await desk.goods()
    lines = [OrderLine(lamp, 2), OrderLine(HOSTILE, 3), OrderLine(lamp, 1)]
    order = await desk.client.orders.create("c-17", lines, wait_s=10.0)
    async with desk.window() as page:
        await page.goto(f"/console/orders/{order.order_id}?act=ship")
        form = page.locator("form[action$='/ship']")
        told, units = form.get_by_role("status"), form.locator("input.units")
        field = form.get_by_label("Count by scanning products")
        await expect(units.nth(0)).to_have_value("2")
        await field.focus()

        await scan(page, "NOTHING", "")
        await expect(told).to_contain_text("NOTHING is not among these lines")
        await expect(units.nth(0)).to_have_value("2")
        await scan(page, f" {HOSTILE}")
        await expect(told).to_have_text(f"{HOSTILE}: 1 of 3")
        await expect(units.nth(0)).to_have_value("")
        await scan(page, *[lamp] * 3)
        await expect(told).to_have_text(f"{lamp}: 3 of 3")
        await scan(page, lamp)
        await expect(told).to_contain_text("all 3 are counted")
        await expect(field).to_have_value("")
        assert [await units.nth(row).input_value() for row in range(3)] == ["2", "1", "1"]
        await form.get_by_role("button", name="Ship").click()
        await expect(page.get_by_text("The shipment is recorded.")).to_be_visible()

    (shipment,) = (await desk.client.orders.get(order.order_id)).shipments
    assert {one.line_no: one.quantity for one in shipment.items} == {1: 2, 2: 1, 3: 1}


async def test_a_transfer_is_counted_in_and_without_scripts_no_field_asks_for_scans(
    desk: Desk,
) -> None:
    inventory, lamp = desk.client.inventory, await desk.goods()
    await inventory.create_location("scanned", name="The shop", priority=50)
    made = await inventory.create_transfer({lamp: 5}, origin="main", target="scanned")
    path = f"/console/transfers/{made.transfer_id}"
    async with desk.window(java_script_enabled=False) as page:
        await page.goto(path)
        await expect(page.get_by_label("Count by scanning products")).to_be_hidden()
    async with desk.window() as page:
        await page.goto(path)
        await page.get_by_label("Count by scanning products").focus()
        await scan(page, lamp, lamp)
        await page.get_by_role("button", name="Receive").click()
        await page.wait_for_url("**said=transfer_received")

    (line,) = (await inventory.transfer(made.transfer_id)).lines
    assert line.received == 2
