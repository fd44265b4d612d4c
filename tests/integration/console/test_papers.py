"""What is printed: a confirmation, a slip for each parcel, a pick list for each location."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from html import unescape

import pytest

from holdfast.client import (
    Address,
    Customer,
    Details,
    Money,
    ShipmentItem,
    Sourcing,
    SourcingStrategy,
)
from holdfast.console import barcodes
from holdfast.console.barcodes import barcode
from holdfast.console.screens import papers
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Browser, Shop, colleague

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
HOSTILE = "<script>alert(1)</script> \u202eolleh 🚚 " + "W" * 1_900


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        inventory = found.client.inventory
        await inventory.create_product("LAMP", unit_price=Money("GBP", 1250), name="Lamp, red")
        await inventory.create_product("MUG", unit_price=Money("GBP", 300))
        await inventory.create_location("shop", name="The shop", priority=50)
        for product in ("LAMP", "MUG"):
            await inventory.set_stock(product, 1_000)
            await inventory.set_stock(product, 1_000, location_id="shop")
        yield found


def only_from(location: str) -> Sourcing:
    return Sourcing(SourcingStrategy.PINNED, (location,))


async def read(browser: Browser, path: str) -> str:
    answer = await browser.get(f"{ROOT}{path}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_a_confirmation_tells_what_was_ordered_for_how_much_and_where_it_goes(
    shop: Shop,
) -> None:
    ship_to = Address("Ann & Sons", street="1 High St", city="Leeds", postal_code="LS1")
    order = await shop.placed(
        quantity=3,
        customer=Customer("Ann", address="elsewhere"),
        details=Details(reference="WEB-7", ship_to=ship_to, note="never shown to customers"),
    )

    page = await read(shop.browser, f"/orders/{order}/confirmation")

    for told in ("Lamp, red", "12.50 GBP", "37.50 GBP", "WEB-7", "Ann &amp; Sons\n1 High St"):
        assert told in page
    assert str(barcode(order)) in page
    assert "never shown" not in page
    assert "elsewhere" not in page


async def test_a_slip_is_of_one_parcel_and_says_what_is_still_to_come(shop: Shop) -> None:
    order = await shop.placed(quantity=5, details=Details(note=HOSTILE))
    for count, tracking in ((2, "T-1<b>"), (1, "T-2")):
        await shop.client.orders.ship(order, [ShipmentItem(1, count)], tracking_number=tracking)
    shipments = (await shop.client.orders.get(order)).shipments

    first, second = [
        await read(shop.browser, f"/orders/{order}/slip?id={one.shipment_id}") for one in shipments
    ]

    assert "T-1&lt;b&gt;" in first
    assert str(barcode("T-1<b>")) in first
    assert "T-2" not in first
    assert "GBP" not in first + second
    assert [units(page) for page in (first, second)] == [[2, 2], [1, 2]]
    nowhere = await shop.browser.get(f"{ROOT}/orders/{order}/slip?id=%3Cb%3E")
    assert nowhere.status_code == 404
    assert "no shipment &lt;b&gt;" in nowhere.text


async def test_a_slip_is_found_by_whatever_id_its_shipment_has(shop: Shop) -> None:
    order = await shop.placed(quantity=5)
    for name in ("a/b", ".", "..", "a?b&c#d", "é %25"):
        await shop.client.orders.ship(order, [ShipmentItem(1, 1)], shipment_id=name)

    page = await read(shop.browser, f"/orders/{order}")
    links = re.findall(rf'href="({ROOT}/orders/{order}/slip[^"]+)"', page)

    assert len(links) == 5
    for link in links:
        assert (await shop.browser.get(unescape(link))).status_code == 200


def units(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<td class="figure">(?:<strong>)?(\d+)', page)]


async def test_a_pick_list_sums_what_is_held_at_each_location_by_product(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await shop.placed(sourcing=only_from("shop"), quantity=7)
    first = await shop.placed(quantity=2, details=Details(note=HOSTILE))
    mugs = await shop.placed("MUG", quantity=4)
    second = await shop.placed(quantity=3)

    page = await read(shop.browser, "/pick-list")
    here = await read(shop.browser, "/pick-list?location=main")

    assert re.findall(r"<h1>Pick list: (\w+)</h1>", page) == ["main", "shop"]
    assert units(page) == [5, 4, 7]
    assert units(here) == [5, 4]
    assert here.index(str(barcode("LAMP"))) < here.index(str(barcode("MUG")))
    assert "&lt;script&gt;" in here
    assert "<script>alert" not in here
    assert there not in here
    chosen = await shop.browser.post(
        f"{ROOT}/pick-list?location=main", {f"order-{one}": "1" for one in (mugs, second, there)}
    )
    assert units(chosen.text) == [3, 4]
    assert first not in chosen.text
    await shop.client.orders.ship(mugs)
    late = await shop.browser.post(f"{ROOT}/pick-list", {f"order-{mugs}": "1"})
    assert "left out" in late.text
    monkeypatch.setattr(papers, "PICKED_MAX", 1)
    assert "more orders to ship" in await read(shop.browser, "/pick-list")
    many = {f"order-{one}": "1" for one in (first, second)}
    assert (await shop.browser.post(f"{ROOT}/pick-list", many)).status_code == 400


async def test_who_prints_a_long_list_holds_up_nobody_else(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, others_went_on = threading.Event(), threading.Event()

    def slow(text: str) -> str:
        begun.set()
        assert others_went_on.wait(20.0)
        return barcode(text)

    monkeypatch.setattr(barcodes, "barcode", slow)
    await shop.placed()
    printing = asyncio.create_task(read(shop.browser, "/pick-list"))

    assert await asyncio.to_thread(begun.wait, 20.0)
    await read(shop.browser, "/orders")
    others_went_on.set()

    assert barcode("LAMP") in await printing


async def test_the_field_on_top_leads_to_the_one_thing_of_that_name(shop: Shop) -> None:
    order = await shop.placed(
        details=Details(reference="WEB-7"), customer=Customer(email="ann@shop.example")
    )
    other = await shop.placed("MUG", details=Details(reference="MUG"))

    async def led(asked: str) -> str:
        answer = await shop.browser.get(f"{ROOT}/find", params={"q": asked})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix(ROOT)

    for asked in (order, f" {order.upper()}\r\n", "WEB-7", "ann@shop.example"):
        assert await led(asked) == f"/orders/{order}"
    assert await led("LAMP") == "/stock?id=LAMP"
    assert await led("c-17") == "/customer?id=c-17"
    assert await led("  ") == ""
    several = await shop.browser.get(f"{ROOT}/find", params={"q": "MUG"})
    assert f"{ROOT}/orders/{other}" in several.text
    assert f"{ROOT}/stock?id=MUG" in several.text
    for nothing in (
        "<b>nobody",
        "%",
        "x" * 5_000,
        "\u202e🚚",
        "ffff",
        "00000000-0000-0000-0000-000000000000",
    ):
        answer = await shop.browser.get(f"{ROOT}/find", params={"q": nothing})
        assert "No order, product, transfer or customer" in answer.text
        assert "<b>nobody" not in answer.text
    async with colleague(shop, "warehouse", f"{ROOT}/products") as (browser, _):
        answer = await browser.get(f"{ROOT}/find", params={"q": "LAMP"})
        assert answer.headers["location"] == f"{ROOT}/stock?id=LAMP"
