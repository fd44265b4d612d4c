"""Products and stock in the console: seen, explained, and set right."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from holdfast.client import Money
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
ODD = "A/1 & <b>%2F"


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        for product_id in ("LAMP", ODD):
            await found.client.inventory.create_product(product_id, unit_price=Money("GBP", 1250))
        await found.client.inventory.set_stock("LAMP", 47)
        yield found


async def test_a_product_with_any_id_has_its_page(shop: Shop) -> None:
    page = await shop.browser.get(f"{ROOT}/stock", params={"id": ODD})
    led = await shop.browser.get(f"{ROOT}/products", params={"id": "LAMP"})
    none = await shop.browser.get(f"{ROOT}/stock", params={"id": "NONE"})

    assert page.status_code == 200
    assert "A/1 &amp; &lt;b&gt;%2F" in page.text
    assert "There never was any of it." in page.text
    assert led.headers["location"] == f"{ROOT}/stock?id=LAMP"
    assert none.status_code == 404


async def test_why_there_are_so_many_is_told_and_who_holds_them(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)

    page = await shop.browser.get(f"{ROOT}/stock?id=LAMP")

    assert "Why 47?" in page.text
    assert f'href="{ROOT}/orders/{order_id}"' in page.text
    assert "+0 / +5 → 47 / 5" in page.text


async def test_stock_is_adjusted_once_however_often_the_form_is_sent(shop: Shop) -> None:
    opened = await shop.browser.get(f"{ROOT}/stock?id=LAMP")
    typed = {"delta": "-3", "reason": "broke", "reason_code": "DAMAGED", "reference": "N 1"}

    first = await shop.browser.send(opened, f"{ROOT}/stock", **typed)
    again = await shop.browser.send(opened, f"{ROOT}/stock", **typed)
    page = await shop.browser.get(first.headers["location"])

    assert (first.status_code, again.status_code) == (303, 303)
    assert (await shop.client.inventory.get_stock("LAMP")).on_hand == 44
    for text in ("The stock is changed.", "broke", "N 1", "-3 / +0 → 44 / 0"):
        assert text in page.text


@pytest.mark.parametrize(
    ("typed", "flawed"),
    [
        ({"delta": "", "reason": "x"}, "adjust-delta-flaw"),
        ({"delta": "0", "reason": "x"}, "adjust-delta-flaw"),
        ({"delta": "1.5", "reason": "x"}, "adjust-delta-flaw"),
        ({"delta": "9999999999999", "reason": "x"}, "adjust-delta-flaw"),
        ({"delta": "5", "reason": ""}, "adjust-reason-flaw"),
        ({"delta": "-48", "reason": "x"}, 'role="alert"'),
        ({"delta": "1", "reason": "x", "location": "nowhere"}, 'role="alert"'),
    ],
)
async def test_what_can_t_be_is_refused_where_it_stands(
    shop: Shop, typed: dict[str, str], flawed: str
) -> None:
    opened = await shop.browser.get(f"{ROOT}/stock?id=LAMP")

    refused = await shop.browser.send(opened, f"{ROOT}/stock", **typed)

    assert refused.status_code in (400, 409)
    assert flawed in refused.text
    assert f'value="{typed["delta"]}"' in refused.text
    assert (await shop.client.inventory.get_stock("LAMP")).on_hand == 47


async def test_who_may_only_look_is_offered_no_form(shop: Shop) -> None:
    made = await shop.client.keys.create("reader", ["viewer"])
    reader = Browser(shop.address)

    async def seen() -> httpx2.Response:
        """Until Inventory has heard of the key, it knows nobody by it."""
        await reader.post(f"{ROOT}/sign-in", {"key": made.text})
        return await reader.get(f"{ROOT}/stock?id=LAMP")

    page = await eventually(seen, lambda page: page.status_code == 200)
    refused = await reader.post(f"{ROOT}/stock", {"product_id": "LAMP", "delta": "1"})
    await reader.http.aclose()

    assert "Why 47?" in page.text
    assert f'action="{ROOT}/stock"' not in page.text
    assert refused.status_code == 403
