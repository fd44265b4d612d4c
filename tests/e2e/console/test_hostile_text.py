"""What a customer writes is shown as text wherever it stands, and leaves pages whole: scripts, text
from right to left, ten thousand characters without a space, and pictures among letters.
"""

from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from holdfast.client import (
    Address,
    Backorder,
    BackorderMode,
    Customer,
    Details,
    OrderLine,
    ReturnLine,
    new_request_id,
)
from tests.e2e.console.journeys import AT_CONSOLE
from tests.e2e.console.window import TOO_WIDE, Desk

pytestmark = AT_CONSOLE
SCRIPT = (
    "\"'></textarea></title><script>document.hacked=1</script><img src=x onerror=document.hacked=1>"
)
HOSTILE = {
    "scripts": SCRIPT,
    "right to left": "\u202e\u0634\u0643\u0631\u0627\u2066 (gnp.exe)",
    "emoji": "👩\u200d👩\u200d👧🏽🇬🇧🏴\u200d☠️" * 8,
    "without a space": "W" * 10_000,
}
SCREENS = (
    "/",
    "/orders?product_id={product}",
    "/orders/{order}",
    "/orders/{order}?act=cancel",
    "/orders/{kept}",
    "/orders/{order}/confirmation",
    "/orders/{kept}/slip?id=parcel-1",
    "/to-ship?product_id={product}",
    "/pick-list?product_id={product}",
    "/stock?id={product}",
    "/backorders?id={product}",
    "/movements?id={product}",
    "/customers",
    "/customer?id={customer}",
    "/customer/erase?id={customer}",
)
DRAWN = "document.querySelectorAll('main img, main script, title img').length"
ON_A_TELEPHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 800}}


@pytest.mark.parametrize(
    "kind",
    [
        "scripts",
        "without a space",
        pytest.param("right to left", marks=pytest.mark.proof),
        pytest.param("emoji", marks=pytest.mark.proof),
    ],
)
async def test_what_a_customer_writes_is_text_and_leaves_pages_whole(desk: Desk, kind: str) -> None:
    text = HOSTILE[kind]
    there = await _written(desk, text)
    shown, flaws = set(), {}
    async with desk.window(**ON_A_TELEPHONE) as page:
        for path in SCREENS:
            await page.goto("/console" + path.format_map(there))
            told = await page.locator("main").inner_text()
            if text[:60] in told:
                shown.add(path)
            drawn = [await page.evaluate(DRAWN), await page.evaluate("document.hacked ?? 0")]
            flaws[path] = [*(await page.evaluate(TOO_WIDE)), *(one for one in drawn if one)]

    assert {path: found for path, found in flaws.items() if found} == {}
    assert {"/orders/{order}", "/orders/{kept}", "/customers", "/customer?id={customer}"} <= shown


async def test_ten_thousand_characters_in_a_field_are_refused_beside_it(desk: Desk) -> None:
    name = await desk.goods()
    await desk.client.customers.update(name, version=0, name="Ada")
    async with desk.window(**ON_A_TELEPHONE) as page:
        await page.goto(f"/console/customer?id={name}")
        await page.get_by_text("Change the profile").click()
        await page.get_by_label("Name").fill("W" * 10_000)
        await page.get_by_label("Address").fill(SCRIPT * 100)
        await page.get_by_role("button", name="Save").click()

        await expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("Address")).to_have_value(SCRIPT * 100)
        assert await page.evaluate(TOO_WIDE) == []


async def _written(desk: Desk, text: str) -> dict[str, str]:
    """Orders and a profile in which each field has as much of a text as it takes."""
    orders = desk.client.orders
    lamp = await desk.goods(5, backorder=Backorder(BackorderMode.UNLIMITED))
    visible = "".join(one for one in text if one.isprintable() and one not in " @\ufe0f")
    customer_id = f"{lamp}{visible}"[:128]
    customer = Customer(text[:200], f"{visible[:300]}@example.org", text[:50], text[:1_000])
    home = Address(text[:200], text[:200], text[:500], text[:200], text[:200], text[:50], "GB")
    attributes = {"gift": text[:500]}
    details = Details(visible[:128], visible[:128], text[:2_000], attributes, home, home)

    async def placed(quantity: int, hold_s: float | None = None) -> str:
        lines = [OrderLine(lamp, quantity)]
        made = await orders.create(
            customer_id, lines, customer=customer, details=details, hold_s=hold_s, wait_s=10.0
        )
        return made.order_id

    await desk.client.customers.update(customer_id, version=0, **asdict(customer))
    kept, order = await placed(1), await placed(2)
    await placed(1, hold_s=900.0)
    await placed(9)  # which waits
    await orders.ship(kept, shipment_id="parcel-1")
    await orders.open_return(kept, [ReturnLine(1, 1, text[:500])], request_id=new_request_id())
    version = (await orders.get(order)).version
    await orders.cancel(order, lines={1: 1}, version=version, reason=text[:500], wait_s=5.0)
    return {
        "product": lamp,
        "customer": quote(customer_id),
        "order": order,
        "kept": kept,
    }
