"""Products and stock in the console: seen, explained, and set right."""

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from holdfast.client import Money, StockReason
from holdfast.console.screens import movements
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Shop, colleague, walked

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
ODD = "A/1 & <b>%2F"
PAGE = f"{ROOT}/stock?id=LAMP"


def at(verb: str) -> str:
    return f"{ROOT}/stock/{verb}"


def rows(page: httpx2.Response) -> list[str]:
    """The rows of a page's table."""
    return re.findall(r"<tr>(.*?)</tr>", page.text.partition("<tbody>")[2], re.DOTALL)


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        for product_id in ("LAMP", ODD):
            await found.client.inventory.create_product(product_id, unit_price=Money("GBP", 1250))
        await found.client.inventory.set_stock("LAMP", 47)
        yield found


async def test_who_may_not_read_orders_is_not_led_to_them(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    for page in (PAGE, f"{ROOT}/movements"):
        async with colleague(shop, "stock:read", page) as (_, text):
            assert order_id in text, page
            assert f"{ROOT}/orders/" not in text, page


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

    page = await shop.browser.get(PAGE)

    assert "Why 47?" in page.text
    assert f'href="{ROOT}/orders/{order_id}"' in page.text
    assert "+0 / +5 → 47 / 5" in page.text


async def test_every_number_leads_to_the_movements_that_made_it(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    await shop.client.inventory.adjust_stock("LAMP", -2, reason="<i>broke</i>")
    page = await shop.browser.get(PAGE)
    links = [unescape(one) for one in re.findall(r'href="(/console/movements[^"]*)"', page.text)]

    async def made(**wanted: str) -> list[str]:
        """The rows behind the link that asks for this."""
        [link] = {one for one in links if dict(parse_qsl(urlsplit(one).query)) == wanted}
        return rows(await shop.browser.get(link))

    both = await made(id="LAMP", location="main", of="on_hand")
    [held] = await made(id="LAMP", location="main", of="reserved")
    [came] = await made(id="LAMP", location="main", kind="RECEIPT")

    assert len(both) == 2
    assert "&lt;i&gt;broke&lt;/i&gt;" in both[0]
    assert f"{ROOT}/orders/{order_id}" in held
    assert "+47 → 47" in came
    assert await made(id="LAMP", of="on_hand") == both
    assert await made(id="LAMP", location="main", of="on_hand", kind="ADJUSTMENT") == both[:1]
    assert len(await made(id="LAMP", location="main")) == 3


async def test_movements_are_shown_page_by_page_and_bad_filters_told(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(movements, "PAGE_MOVEMENTS", 2)
    monkeypatch.setattr(movements, "LOOKED_AT_ONCE", 3)
    for _ in range(4):
        await shop.client.inventory.adjust_stock("LAMP", 1, reason="found")
    for query in ("id=LAMP", "id=LAMP&of=on_hand", "id=LAMP&reason=&kind=RECEIPT"):
        seen = await walked(
            shop.browser,
            f"{ROOT}/movements?{query}",
            lambda page: re.findall(r"→ (\d+)<", page.text),
        )
        assert seen == ["51", "50", "49", "48", "47"], query

    for query in (
        "kind=X",
        "of=X",
        "before=X",
        "after=X",
        "order=X",
        "id=%00",
        "before=0001-01-01",
    ):
        told = await shop.browser.get(f"{ROOT}/movements?{query}")
        assert told.status_code == 200
        assert ("flaw" in told.text) == (query != "before=0001-01-01"), query


async def test_stock_is_adjusted_once_however_often_the_form_is_sent(shop: Shop) -> None:
    opened = await shop.browser.get(PAGE)
    typed = {"delta": "-3", "reason": "broke", "reason_code": "DAMAGED", "reference": "N 1"}

    first = await shop.browser.send(opened, at("adjust"), **typed)
    again = await shop.browser.send(opened, at("adjust"), **typed)
    page = await shop.browser.get(first.headers["location"])
    other = await shop.browser.send(opened, at("adjust"), **(typed | {"delta": "-4"}))

    assert (first.status_code, again.status_code, other.status_code) == (303, 303, 409)
    assert (await shop.client.inventory.get_stock("LAMP")).on_hand == 44
    for text in ("The stock is changed.", "broke", "N 1", "-3 / +0 → 44 / 0"):
        assert text in page.text
    meant = await shop.browser.send(other, at("adjust"))
    assert meant.status_code == 303, "the form that came back does something of its own"
    assert (await shop.client.inventory.get_stock("LAMP")).on_hand == 40


async def test_stock_comes_in_is_quarantined_and_released_where_it_was_said(shop: Shop) -> None:
    await shop.client.inventory.create_location("shop-1")

    async def done(verb: str, **typed: str) -> None:
        answer = await shop.browser.fill(PAGE, at(verb), **typed)
        assert answer.headers["location"] == f"{PAGE}&said={verb}", answer.text

    await done("receipt", quantity="10", location="shop-1", reference="N 2")
    await done("quarantine", quantity="4", location="shop-1", reason="wet", reason_code="DAMAGED")
    await done("release", quantity="1", location="shop-1", reason="dry")
    await done("release", quantity="2", location="shop-1", reason="ruined", become="gone")

    level = (await shop.client.inventory.get_stock("LAMP")).levels[1]
    assert (level.location_id, level.on_hand, level.quarantined) == ("shop-1", 8, 1)
    why = await shop.client.inventory.explain("LAMP", location="shop-1")
    codes = [moved.reason_code for moved in reversed(why.levels[0].movements)]
    assert codes == [StockReason.RECEIVED, StockReason.DAMAGED, None, None]


async def test_what_was_counted_is_set_unless_units_came_or_went_since(shop: Shop) -> None:
    opened = await shop.browser.get(PAGE)
    await shop.client.inventory.adjust_stock("LAMP", -1, reason="sold by hand")

    late = await shop.browser.send(opened, at("set"), quantity="45", reason_code="LOST")
    counted = await shop.browser.send(late, at("set"))
    again = await shop.browser.send(late, at("set"))

    assert late.status_code == 409
    assert "Units came or went since you counted" in late.text
    assert 'value="45"' in late.text
    assert (counted.status_code, again.status_code) == (303, 303)
    assert (await shop.client.inventory.get_stock("LAMP")).on_hand == 45


async def test_orders_give_way_only_where_that_is_said(shop: Shop) -> None:
    await shop.placed(quantity=40)

    refused = await shop.browser.fill(PAGE, at("set"), quantity="30")
    page = await shop.browser.send(refused, at("set"), displace="yes")

    assert refused.status_code == 409
    assert page.status_code == 303
    info = await shop.client.inventory.get_stock("LAMP")
    assert (info.on_hand, info.queued) == (30, 10)


FLAWED = [
    ("adjust", {"delta": "", "reason": "x"}, "delta"),
    ("adjust", {"delta": "0", "reason": "x"}, "delta"),
    ("adjust", {"delta": "1.5", "reason": "x"}, "delta"),
    ("adjust", {"delta": "9999999999999", "reason": "x"}, "delta"),
    ("adjust", {"delta": "5", "reason": ""}, "reason"),
    ("adjust", {"delta": "5", "reason": "x" * 501}, "reason"),
    ("adjust", {"delta": "-48", "reason": "x"}, ""),
    ("adjust", {"delta": "1", "reason": "x", "location": "nowhere"}, ""),
    ("receipt", {"quantity": "-1"}, "quantity"),
    ("receipt", {"quantity": "1", "reference": "x" * 201}, "reference"),
    ("receipt", {"quantity": "1", "location": ""}, "location"),
    ("set", {"quantity": ""}, "quantity"),
    ("quarantine", {"quantity": "48", "reason": "x"}, ""),
    ("adjust", {"delta": "1", "reason": "x", "request_id": "x" * 200}, ""),
    ("quarantine", {"quantity": "48", "reason": ""}, "reason"),
]


async def test_what_can_t_be_is_refused_where_it_stands_and_nothing_typed_is_lost(
    shop: Shop,
) -> None:
    opened = await shop.browser.get(PAGE)
    for verb, typed, flawed in FLAWED:
        refused = await shop.browser.send(opened, at(verb), **typed)

        assert refused.status_code in (400, 409), (verb, typed)
        assert refused.text.count('class="flaw"') == 1, (verb, typed)
        assert (f"{verb}-{flawed}-flaw" if flawed else 'role="alert"') in refused.text, typed
        for name in {"delta", "quantity", "reference"} & {*typed}:
            assert f'value="{typed[name]}"' in refused.text
    assert (await shop.client.inventory.get_stock("LAMP")).levels[0].version == 1


async def test_who_may_only_look_is_offered_no_form(shop: Shop) -> None:
    async with colleague(shop, "viewer", PAGE) as (reader, page):
        refused = await reader.post(at("adjust"), {"product_id": "LAMP", "delta": "1"})

    assert "Why 47?" in page
    assert f'action="{ROOT}/stock/' not in page
    assert f"{ROOT}/products/change" not in page
    assert refused.status_code == 403
