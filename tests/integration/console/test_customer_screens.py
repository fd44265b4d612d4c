"""Customers in the console: found, changed by two at once, told what is known, and erased."""

import json
import re

import httpx2
import pytest

from holdfast.client import Address, Customer, Details, HoldfastError, Money
from holdfast.console.screens import customers
from tests.integration.conftest import EMBEDDED
from tests.integration.console.people import ROOT, Browser, Shop, shown

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
ODD = "a/1 & <b>%2F"
HOSTILE = '"><script>alert(1)</script>'
PAGE, ERASE = f"{ROOT}/customer", f"{ROOT}/customer/erase"


async def lamps(shop: Shop) -> None:
    await shop.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
    await shop.client.inventory.set_stock("LAMP", 40)


async def test_customers_are_found_page_by_page_by_id_and_by_address(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "PAGE_CUSTOMERS", 2)
    names = ["c-1", "c-2", "c-3", "c-4", ODD]
    for name in names:
        email = "ada@example.org" if name == "c-2" else ""
        await shop.client.customers.update(name, version=0, name=HOSTILE, email=email)
    seen, page = [], f"{ROOT}/customers"
    while page:
        answer = await shop.browser.get(page)
        assert HOSTILE not in answer.text
        seen += re.findall(r"/console/customer\?id=[^>]+>([^<]+)</a>", answer.text)
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        page = link[1].replace("&amp;", "&") if link else ""
    by_email = await shop.browser.get(f"{ROOT}/customers", params={"email": "ada@example.org"})
    by_id = await shop.browser.get(f"{ROOT}/customers", params={"id": ODD})
    nobody = await shop.browser.get(f"{ROOT}/customers", params={"id": "c-9"})
    lost = await shop.browser.get(f"{ROOT}/customers?after=rubbish")
    long = await shop.browser.get(f"{ROOT}/customers", params={"email": "x" * 5_000})

    assert seen == ["a/1 &amp; &lt;b&gt;%2F", *names[:4]]
    assert re.findall(r">(c-\d)</a>", by_email.text) == ["c-2"]
    assert by_id.headers["location"] == f"{PAGE}?id=a%2F1+%26+%3Cb%3E%252F"
    assert (nobody.status_code, lost.status_code, long.status_code) == (200, 200, 200)
    assert 'value="c-9"' in nobody.text
    assert 'aria-invalid="true"' in nobody.text
    assert "The place in the list" in lost.text
    assert 'aria-invalid="true"' in long.text
    assert (await shop.browser.get(by_id.headers["location"])).status_code == 200


async def test_customers_are_found_page_by_page_by_how_their_name_begins(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "PAGE_CUSTOMERS", 2)
    update, erase = shop.client.customers.update, shop.client.customers.erase
    for number, name in enumerate(("Ada Lovelace", "adam", "ÁDA", "ADA  L. 2", "Ada gone", "Bob")):
        await update(f"c-{number}", version=0, name=name, email="all@example.org")
    await erase("c-4")

    seen, page = [], f"{ROOT}/customers?name=AdA"
    while page:
        answer = await shop.browser.get(page)
        seen += re.findall(r">(c-\d)</a>", answer.text)
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        page = link[1].replace("&amp;", "&") if link else ""
    assert seen == ["c-3", "c-0", "c-1"]
    both = await shop.browser.get(f"{ROOT}/customers?name=ada+l&email=all%40example.org")
    assert re.findall(r">(c-\d)</a>", both.text) == ["c-3", "c-0"]
    for rubbish in ("%", "_da", "\u202e", "x" * 5_000):
        answer = await shop.browser.get(f"{ROOT}/customers", params={"name": rubbish})
        assert answer.status_code == 200
        assert "c-0" not in answer.text or 'aria-invalid="true"' in answer.text
    profile = await shop.client.customers.get("c-1")
    await update("c-1", version=profile.version, name="Zoe")
    assert [one.customer_id async for one in shop.client.customers.list(name="zo")] == ["c-1"]


async def test_a_customer_has_orders_addresses_and_a_link_from_each_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lamps(shop)
    monkeypatch.setattr(customers, "ORDERS_SHOWN", 2)
    where = Details(ship_to=Address(street="Mill Lane 1", city=HOSTILE))
    orders = [await shop.placed(customer_id=ODD, details=where) for _ in range(3)]
    await shop.placed(customer_id="c-2")

    order = await shop.browser.get(f"{ROOT}/orders/{orders[0]}")
    link = re.search(r'href="(/console/customer\?[^"]+)"', order.text)
    page = await shop.browser.get(link[1].replace("&amp;", "&") if link else "")

    assert shown(page) == [orders[2], orders[1]]
    assert "All their orders" in page.text
    assert page.text.count("Mill Lane 1") == 1
    assert "25.00 GBP" in page.text
    assert "There is no profile, only orders." in page.text
    assert HOSTILE not in page.text
    assert (await shop.browser.get(f"{PAGE}?id=c-9")).status_code == 404


async def test_a_profile_is_made_and_two_who_change_it_see_both(shop: Shop) -> None:
    await shop.client.customers.update("c-1", version=0, name="Ada")
    mine = await shop.browser.get(f"{PAGE}?id=c-1")
    theirs = await shop.browser.get(f"{PAGE}?id=c-1")
    await shop.browser.send(theirs, PAGE, name="Ada", phone="+44 1 <b>", address="Mill Lane 1\nX")

    late = await shop.browser.send(mine, PAGE, name="Ada Lovelace", phone="+44 2")
    known = (await shop.client.customers.get("c-1")).customer
    again = await shop.browser.send(late, PAGE)
    twice = await shop.browser.send(late, PAGE)
    odd = await shop.browser.send(mine, PAGE, version="x")
    long = await shop.browser.send(mine, PAGE, name="N" * 5_000, email="kept@example.org")

    assert late.status_code == 409
    assert known == Customer("Ada", phone="+44 1 <b>", address="Mill Lane 1\nX")
    assert 'value="Ada Lovelace"' in late.text
    assert "It says now: +44 1 &lt;b&gt;" in late.text
    assert "Mill Lane 1\nX" in late.text, "their address is told"
    assert (again.status_code, twice.status_code) == (303, 303)
    profile = await shop.client.customers.get("c-1")
    assert (profile.customer.name, profile.version) == ("Ada Lovelace", 3)
    assert (odd.status_code, long.status_code) == (400, 400)
    assert "profile-name-flaw" in long.text
    assert 'value="kept@example.org"' in long.text


async def test_all_that_is_known_is_a_file(shop: Shop) -> None:
    await lamps(shop)
    await shop.client.customers.update(ODD, version=0, name="Ada", email="ada@example.org")
    orders = [await shop.placed(customer_id=ODD) for _ in range(2)]

    sent = await shop.browser.get(f"{PAGE}/export", params={"id": ODD})
    nobody = await shop.browser.get(f"{PAGE}/export", params={"id": "c-9"})
    told = json.loads(sent.text)

    assert told["profile"]["customer"]["email"] == "ada@example.org"
    assert [one["order_id"] for one in told["orders"]] == orders[::-1]
    assert told["orders"][0]["history"]
    assert sent.headers["content-disposition"].startswith("attachment; filename*=UTF-8''customer-")
    assert sent.headers["cache-control"] == "no-store"
    assert nobody.status_code == 404


async def test_an_export_that_breaks_off_is_no_whole_file(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lamps(shop)
    await shop.placed(customer_id="c-1")
    whole = customers._json

    def breaks(value: object) -> str:
        if hasattr(value, "order_id"):
            raise HoldfastError.__new__(HoldfastError)
        return whole(value)

    monkeypatch.setattr(customers, "_json", breaks)

    with pytest.raises(httpx2.RemoteProtocolError):
        await shop.browser.get(f"{PAGE}/export?id=c-1")


async def test_erasing_tells_its_numbers_before_and_wants_the_id(shop: Shop) -> None:
    await lamps(shop)
    await shop.client.customers.update("c-1", version=0, name="Ada", email="ada@example.org")
    orders = [await shop.placed(customer_id="c-1") for _ in range(2)]
    await shop.client.orders.ship(orders[0])

    asked = await shop.browser.get(f"{ERASE}?id=c-1")
    mistyped = await shop.browser.send(asked, ERASE, typed="c-2", force="yes")
    unforced = await shop.browser.send(asked, ERASE, typed="c-1")
    third = await shop.placed(customer_id="c-1")
    changed = await shop.browser.send(asked, ERASE, typed="c-1", force="yes")
    name = (await shop.client.customers.get("c-1")).customer.name
    done = await shop.browser.send(changed, ERASE, force="yes")
    again = await shop.browser.send(changed, ERASE, force="yes")

    assert "This touches orders: 2." in asked.text
    assert "Orders that are not final: 1" in asked.text
    assert shown(asked) == [orders[1]]
    assert (mistyped.status_code, unforced.status_code, changed.status_code) == (400, 409, 409)
    assert 'value="c-2"' in mistyped.text
    assert "so nothing was erased" in unforced.text
    assert "This touches orders: 3." in changed.text
    assert name == "Ada", "nothing was erased until it was meant"
    assert (done.status_code, again.status_code) == (200, 200)
    for page in (done, again):
        assert "Erased: orders 3, profiles 1." in page.text
        assert f'action="{PAGE}"' not in page.text, "an erased profile stays empty"
    assert (await shop.client.customers.get("c-1")).customer == Customer()
    assert (await shop.client.orders.get(third)).status.name == "CONFIRMED"


async def test_who_may_only_look_is_offered_no_more(shop: Shop) -> None:
    await shop.client.customers.update("c-1", version=0, name="Ada")
    made = await shop.client.keys.create("reader", ["viewer"])
    packer = await shop.client.keys.create("packer", ["warehouse"])
    reader = Browser(shop.address)
    await reader.post(f"{ROOT}/sign-in", {"key": made.text})

    page = await reader.get(f"{PAGE}?id=c-1")
    refused = [
        await reader.get(f"{ERASE}?id=c-1"),
        await reader.post(ERASE, {"customer_id": "c-1", "typed": "c-1"}),
        await reader.post(PAGE, {"customer_id": "c-1", "version": "1", "name": "Eve"}),
    ]
    await reader.post(f"{ROOT}/sign-in", {"key": packer.text})
    first = await reader.get(ROOT)
    refused.append(await reader.get(f"{PAGE}?id=c-1"))
    await reader.http.aclose()

    assert "Ada" in page.text
    assert "Change the profile" not in page.text
    assert "/customer/erase" not in page.text
    assert [one.status_code for one in refused] == [403] * 4
    assert f"{ROOT}/customers" not in first.text
    assert (await shop.client.customers.get("c-1")).customer.name == "Ada"
