"""Figures in the console: each chart and the table say the same, of the days that a URL names."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.client import Backorder, BackorderMode, Money, OrderLine, ShortOfStock
from tests.integration.conftest import EMBEDDED
from tests.integration.console.people import ROOT, Browser, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
PAGE = f"{ROOT}/figures"
HOSTILE = '"><script>alert(1)</script>'


async def sold(shop: Shop) -> None:
    """Two orders that get their stock, one that waits for it, and one that was never an order."""
    inventory = shop.client.inventory
    for product, currency in (("LAMP", "GBP"), ("FAN & <b>", "JPY")):
        await inventory.create_product(
            product,
            unit_price=Money(currency, 1250),
            backorder=Backorder(BackorderMode.LIMITED, 10),
        )
        await inventory.set_stock(product, 4)
    await inventory.create_product("DESK", unit_price=Money("GBP", 9900))
    for _ in range(2):
        await shop.placed()
    await shop.placed("FAN & <b>", 7)
    with pytest.raises(ShortOfStock):
        await shop.client.orders.create("c-1", [OrderLine("DESK", 1)])


async def test_the_table_says_what_the_charts_show(shop: Shop) -> None:
    await sold(shop)
    today = datetime.now(UTC).date()

    page = await shop.browser.get(PAGE)
    found = await shop.client.orders.figures(today, today)

    assert page.status_code == 200
    assert (found.days[0].orders, found.days[0].at_once, found.days[0].waited) == (3, 2, 1)
    text = re.sub(r"\s*\n\s*", "", page.text)
    row = re.search(rf'<th scope="row">{today}</th>(.*?)</tr>', text)
    assert row
    cells = [re.sub("<[^>]+>", "", one) for one in re.findall(r"<td[^>]*>(.*?)</td>", row[1])]
    assert cells[:7] == ["3", "50.00 GBP", "8,750 JPY", "2", "1", "0", "66.7 %"]
    assert f"<title>{today}: Orders 3</title>" in page.text
    assert f"<title>{today}: Revenue 50.00 GBP</title>" in page.text
    assert f"<title>{today}: At once 2, Waited 1, Rejected 0</title>" in page.text
    assert re.search(rf"<title>{today}: p50 [\d.]+ s, p95 [\d.]+ s</title>", page.text)
    assert page.text.count('role="img"') == 5
    short = text[text.index('id="short"') :]
    assert '<a href="/console/stock?id=FAN+%26+%3Cb%3E">FAN &amp; &lt;b&gt;</a>' in short
    assert re.findall(r'<td class="figure">(\d+)</td>', short) == ["0", "0", "1", "3"]
    assert "charts" in page.text
    assert "charts" not in (await shop.browser.get(f"{ROOT}/orders")).text


async def test_days_are_in_the_url_and_what_is_none_is_said(shop: Shop) -> None:
    await sold(shop)
    today = datetime.now(UTC).date()
    day = timedelta(days=1)

    async def shown(first: object, last: object = "") -> tuple[str, int]:
        page = await shop.browser.get(PAGE, params={"from": str(first), "to": str(last)})
        assert page.status_code == 200
        return page.text, len(re.findall(r'<th scope="row">\d{4}-\d\d-\d\d</th>', page.text))

    assert (await shown(today - 6 * day, today))[1] == 7
    assert (await shown(today - day))[1] == 2
    assert (await shown(""))[1] == 30
    before, rows = await shown(today - 9 * day, today - day)
    assert "No order was placed in these days" in before
    assert rows == 0
    for first, last, told in (
        ("rubbish", "", "day"),
        (HOSTILE, HOSTILE, "day"),
        (today, today - day, "before the beginning"),
        ("0001-01-01", "", "more than 92 days"),
        ("9999-12-31", "9999-12-31", "before the beginning"),
        ("", "0001-01-01", "No order"),
    ):
        text, _ = await shown(first, last)
        assert told in text, (first, last)
        assert HOSTILE not in text


async def test_who_may_not_read_orders_is_shown_no_figures(shop: Shop) -> None:
    key = await shop.client.keys.create("stock only", ["stock:read"])
    async with Browser(shop.address) as browser:
        await browser.post(f"{ROOT}/sign-in", {"key": key.text, "next": ""})
        assert (await browser.get(PAGE)).status_code == 403
        assert PAGE not in (await browser.get(ROOT)).text


async def test_a_product_s_stock_is_drawn_by_day_from_its_movements(shop: Shop) -> None:
    await sold(shop)
    never = await shop.browser.get(f"{ROOT}/stock?id=DESK")
    page = await shop.browser.get(f"{ROOT}/stock?id=LAMP")
    today = datetime.now(UTC).date()

    assert f"<title>{today}: On hand 4, Free 0</title>" in page.text
    assert re.search(rf"before={today + timedelta(days=1)}\">{today}</a></th>", page.text)
    assert (never.status_code, page.status_code) == (200, 200)
    assert "Stock by day" not in never.text
