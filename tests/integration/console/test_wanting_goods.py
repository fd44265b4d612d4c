"""Goods that are wanted, in the console: who waits for them, and what is left of none."""

from collections.abc import AsyncIterator

import pytest

from holdfast.client import Backorder, BackorderMode, Money
from holdfast.console.screens import backorders, today, wanting
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Shop, colleague, goods, shown

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
QUEUE = f"{ROOT}/backorders?id=LAMP"


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    """Orders may wait for a lamp; of shades there are enough, of <b> none, and never were."""
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        inventory, price = found.client.inventory, Money("GBP", 1250)
        policy = Backorder(BackorderMode.UNLIMITED)
        await inventory.create_product("LAMP", unit_price=price, backorder=policy)
        await inventory.create_product("SHADE", unit_price=price, safety_stock=3)
        await inventory.create_product("<b>", unit_price=price)
        await inventory.set_stock("SHADE", 5)
        yield found


async def test_today_tells_who_waits_for_what_and_the_queue_shows_them_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backorders, "PAGE_WAITING", 2)
    made = [await shop.placed(customer_id=f"c-{one} <i>", quantity=one) for one in (1, 2, 3, 4)]

    today = await shop.browser.get(ROOT)
    first = await shop.browser.get(QUEUE)
    more = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await shop.browser.get(more)
    bad = await shop.browser.get(f"{QUEUE}&after=rubbish")

    for text in ("Orders wait for stock", "c-1 &lt;i&gt;", f'href="{QUEUE}">LAMP</a>'):
        assert text in today.text
    assert shown(today) == made[:3]
    assert "Nothing left to sell" not in today.text
    assert "Nothing needs you now." not in today.text
    assert shown(first) + shown(second) == made
    assert 'rel="next"' not in second.text
    assert "c-4 &lt;i&gt;" in second.text
    assert shown(bad) == made[:2]
    assert 'role="alert"' in bad.text

    await shop.client.inventory.set_stock("LAMP", 20)
    await eventually(
        lambda: shop.browser.get(QUEUE), lambda page: "Nobody waits for it." in page.text
    )
    assert "Nothing needs you now." in (await shop.browser.get(ROOT)).text
    assert (await shop.browser.get(f"{ROOT}/backorders?id=NONE")).status_code == 404


async def test_today_tells_what_is_at_its_safety_stock_and_what_waits_is_found(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.client.inventory.set_stock("LAMP", 1)
    await shop.placed("SHADE", quantity=2)
    await shop.placed("LAMP", quantity=2)

    monkeypatch.setattr(wanting, "ROWS_MAX", 1)  # what is waited for takes none of its room

    today = await shop.browser.get(ROOT)
    waits = await shop.browser.get(f"{ROOT}/products?waits=yes")

    low = today.text.partition("Nothing left to sell")[2]
    assert f'href="{ROOT}/stock?id=SHADE">SHADE</a>' in low
    assert "&lt;b&gt;" not in today.text, "of what never was there nothing is missed"
    assert goods(waits) == ["LAMP"]
    shade = (await shop.client.inventory.get_stock("SHADE")).product
    await shop.client.inventory.update_product("SHADE", version=shade.version, active=False)
    assert "Nothing left to sell" not in (await shop.browser.get(ROOT)).text


async def test_today_tells_of_orders_while_inventory_does_not_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanting, "INVENTORY_S_MAX", 0.0)
    held = await shop.placed("LAMP", hold_s=600.0)
    without = await shop.browser.get(ROOT)
    assert "Inventory does not answer" in without.text
    assert "Nothing needs you now." not in without.text
    assert shown(without) == [held], "orders still need people"


async def test_rows_are_few_and_the_rest_is_a_click_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wanting, "ROWS_MAX", 1)
    for product_id in ("OTHER", "MORE"):
        await shop.client.inventory.create_product(product_id, unit_price=Money("GBP", 1))
        await shop.client.inventory.set_stock(product_id, 1)
        await shop.client.inventory.set_stock(product_id, 0)

    today = await shop.browser.get(ROOT)

    assert "MORE" in today.text
    assert "OTHER" not in today.text
    assert f'href="{ROOT}/products?active=yes&amp;low=0"' in today.text


async def test_who_may_not_read_orders_sees_how_many_wait_but_not_whose(shop: Shop) -> None:
    await shop.placed(customer_id="c-secret")

    async with colleague(shop, "merchandiser", QUEUE) as (reader, page):
        today = await reader.get(ROOT)

    assert "c-secret" not in page + today.text
    assert "Orders wait for stock" in today.text


async def test_today_shows_the_holds_that_end_next_and_not_the_newest(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(today, "ROWS_MAX", 2)
    await shop.client.inventory.set_stock("LAMP", 20)
    made = [await shop.placed(quantity=1, hold_s=60.0 * one) for one in (20, 30, 10)]

    page = await shop.browser.get(ROOT)

    assert shown(page) == [made[2], made[0]]
    assert 'href="/console/orders?status=RESERVED"' in page.text
