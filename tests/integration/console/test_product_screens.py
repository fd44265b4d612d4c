"""Products in the console: looked for, made and changed."""

import re
from collections.abc import AsyncIterator
from datetime import date

import pytest

from holdfast.client import Backorder, BackorderMode, Money
from holdfast.console.screens import products
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Shop, goods, walked

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
NEW, CHANGE, LIST = f"{ROOT}/products/new", f"{ROOT}/products/change", f"{ROOT}/products"


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        inventory = found.client.inventory
        for product_id in ("LAMP", "LAMP-BLUE", "LAMP-RED", "SHADE"):
            await inventory.create_product(product_id, unit_price=Money("GBP", 1250))
        await inventory.set_stock("LAMP-RED", 3)
        await inventory.set_stock("LAMP-BLUE", 30)
        shade = (await inventory.get_stock("SHADE")).product
        await inventory.update_product("SHADE", version=shade.version, active=False)
        yield found


async def test_products_are_all_shown_page_by_page(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "PAGE_PRODUCTS", 2)

    async def found(page: str) -> list[str]:
        return await walked(shop.browser, page, goods)

    assert await found(LIST) == ["LAMP", "LAMP-BLUE", "LAMP-RED", "SHADE"]
    assert await found(f"{LIST}?active=yes") == ["LAMP", "LAMP-BLUE", "LAMP-RED"]
    assert await found(f"{LIST}?id=LAMP") == ["LAMP", "LAMP-BLUE", "LAMP-RED"]
    assert await found(f"{LIST}?active=no") == ["SHADE"]
    more = re.search(r"after=[^&\"]+", (await shop.browser.get(LIST)).text)
    assert more is not None
    for bad in ("after=rubbish", f"{more[0]}&active=yes"):
        page = await shop.browser.get(f"{LIST}?{bad}")
        assert goods(page) == ["LAMP", "LAMP-BLUE"]
        assert 'role="alert"' in page.text


async def test_filters_live_in_the_url_and_bad_ones_are_told(shop: Shop) -> None:
    async def found(**query: str) -> list[str]:
        return goods(await shop.browser.get(LIST, params=query))

    assert await found(low="3") == ["LAMP-RED"]  # of the others nothing ever was there
    assert await found(low="30", active="yes", id="LAMP-") == ["LAMP-BLUE", "LAMP-RED"]
    assert await found(id="NONE") == []
    assert await found(id="SHAD") == ["SHADE"]
    only = await shop.browser.get(LIST, params={"id": "SHADE"})
    assert only.headers["location"] == f"{ROOT}/stock?id=SHADE"
    for query, flawed in (
        ({"low": "few"}, "low-flaw"),
        ({"low": "-1"}, "low-flaw"),
        ({"low": "9" * 15}, "low-flaw"),
        ({"active": "<b>"}, 'role="alert"'),
        ({"id": "x" * 200}, "id-flaw"),
        ({"id": "a\0"}, "id-flaw"),
    ):
        page = await shop.browser.get(LIST, params=query)
        assert len(goods(page)) == 4
        assert flawed in page.text


async def test_a_product_is_made_once_however_often_the_form_is_sent(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)
    typed = {
        "product_id": "A/1 & <b>",
        "name": "Lamp <i>",
        "price": "12.50",
        "mode": "LIMITED",
        "units_max": "20",
        "expected": "2027-01-15",
        "safety_stock": "2",
        "description": "two\r\nlines",
    }

    first = await shop.browser.send(opened, NEW, **typed)
    again = await shop.browser.send(opened, NEW, **typed)
    other = await shop.browser.send(opened, NEW, **(typed | {"price": "13"}))
    page = await shop.browser.get(first.headers["location"])

    assert (first.status_code, again.status_code, other.status_code) == (303, 303, 409)
    assert "product-product_id-flaw" in other.text
    made = (await shop.client.inventory.get_stock("A/1 & <b>")).product
    assert (made.name, made.unit_price, made.active) == ("Lamp <i>", Money("GBP", 1250), True)
    assert made.backorder == Backorder(BackorderMode.LIMITED, 20, date(2027, 1, 15))
    assert (made.safety_stock, made.description, made.version) == (2, "two\nlines", 1)
    assert "The product is made." in page.text
    assert "<i>" not in page.text


FLAWED = [
    ({"product_id": ""}, "product_id"),
    ({"product_id": "x" * 200}, "product_id"),
    ({"price": ""}, "price"),
    ({"price": "-1"}, "price"),
    ({"price": "cheap"}, "price"),
    ({"price": "1.255"}, "price"),
    ({"price": "9" * 18}, "price"),
    ({"currency": "ZZZ"}, "currency"),
    ({"currency": ""}, "currency"),
    ({"mode": "LIMITED", "units_max": ""}, "units_max"),
    ({"mode": "LIMITED", "units_max": "0"}, "units_max"),
    ({"expected": "soon"}, "expected"),
    ({"safety_stock": "-1"}, "safety_stock"),
    ({"name": "x" * 501}, "name"),
    ({"description": "x" * 10_001}, "description"),
]


async def test_what_can_t_be_is_refused_at_its_field_and_nothing_typed_is_lost(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)
    for typed, flawed in FLAWED:
        filled = {"product_id": "NEW", "price": "7.77", "name": "My lamp"} | typed

        refused = await shop.browser.send(opened, NEW, **filled)

        assert refused.status_code == 400, typed
        assert f"product-{flawed}-flaw" in refused.text, typed
        assert refused.text.count('class="flaw"') == 1, typed
        for name in ("product_id", "price", "name"):
            assert f'value="{filled[name]}"' in refused.text, typed
    assert len(goods(await shop.browser.get(LIST))) == 4


async def test_two_people_on_one_product_see_each_other_s_changes(shop: Shop) -> None:
    page = f"{CHANGE}?id=LAMP"
    mine, theirs = await shop.browser.get(page), await shop.browser.get(page)

    done = await shop.browser.send(theirs, CHANGE, price="20", mode="UNLIMITED")
    late = await shop.browser.send(mine, CHANGE, price="15", name="Lamp")
    twice = await shop.browser.send(theirs, CHANGE, price="20", mode="UNLIMITED")

    assert done.headers["location"] == f"{ROOT}/stock?id=LAMP&said=product_changed"
    assert late.status_code == 409
    assert 'value="15"' in late.text
    assert re.search(r"<dt>Unit price</dt><dd>20.00</dd>", late.text)
    assert twice.status_code == 303, "it is what the form wants"
    changed = (await shop.client.inventory.get_stock("LAMP")).product
    assert (changed.unit_price, changed.version) == (Money("GBP", 2000), 2)
    after = await shop.browser.send(late, CHANGE)
    assert after.status_code == 303
    changed = (await shop.client.inventory.get_stock("LAMP")).product
    assert (changed.unit_price, changed.name) == (Money("GBP", 1500), "Lamp")
    assert changed.backorder.mode is BackorderMode.NONE, "as the form said, which showed both"


async def test_a_product_is_taken_out_of_sale(shop: Shop) -> None:
    opened = await shop.browser.get(f"{CHANGE}?id=LAMP")
    ticked = {"product_id": "LAMP", "version": "1", "price": "12.50", "currency": "gbp"}

    done = await shop.browser.post(CHANGE, ticked)
    flawed = await shop.browser.post(CHANGE, ticked | {"version": "2", "safety_stock": "x"})

    made_up = await shop.browser.post(CHANGE, ticked | {"version": "new"})

    assert made_up.status_code == 400
    assert 'role="alert"' in made_up.text
    assert 'name="active" value="yes" checked' in opened.text
    assert done.status_code == 303
    assert not (await shop.client.inventory.get_stock("LAMP")).product.active
    assert 'name="active" value="yes" checked' not in flawed.text, "what was not ticked stays so"
