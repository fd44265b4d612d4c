"""Orders in the console: found, looked at, and worked on, by forms that need no script."""

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx2
import pytest

from holdfast.client import Details, Money, OrderLine, OrderStatus, PaymentKind, ReturnLine
from holdfast.console.screens import orders_list
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Shop, brought, shown

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        await found.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
        await found.client.inventory.set_stock("LAMP", 1_000)
        yield found


def at(order_id: str) -> str:
    return f"{ROOT}/orders/{order_id}"


async def test_a_list_goes_on_where_it_ended_and_misses_none_made_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_list, "PAGE_ORDERS", 7)
    from holdfast.client import OrderRequest

    made = await shop.client.orders.create_batch(
        [OrderRequest("c-17", [OrderLine("LAMP", 1)]) for _ in range(20)]
    )
    first = [getattr(one, "order_id", "") for one in made]
    await shop.client.orders.cancel(first[3])
    seen, page = [], f"{ROOT}/orders?status=CONFIRMED&status=CANCELLED&status=PENDING"
    for _ in range(3):
        answer = await shop.browser.get(page)
        seen += shown(answer)
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        page = link[1].replace("&amp;", "&") if link else ""

    assert seen == sorted(first, reverse=True)
    assert page == "", "the last page says so"


async def test_filters_live_in_the_url_and_narrow_the_list(shop: Shop) -> None:
    plain = await shop.placed(customer_id="c-1")
    other = await shop.placed(customer_id="c-2", details=Details(reference="A/1 & more"))
    held = await shop.placed(customer_id="c-2", hold_s=600.0)
    await shop.client.orders.cancel(plain)

    async def found(**query: object) -> list[str]:
        return shown(await shop.browser.get(f"{ROOT}/orders", params=query))

    assert await found() == [held, other, plain]
    assert await found(status="CANCELLED") == [plain]
    assert await found(status=["RESERVED", "CANCELLED"]) == [held, plain]
    assert await found(customer_id="c-2", status="CONFIRMED") == [other]
    assert await found(reference="A/1 & more") == [other]
    assert await found(product_id="LAMP", created_from="2999-01-01") == []
    assert await found(id=held[:13].upper(), customer_id="c-2") in ([held], [held, other])
    whole = await shop.browser.get(f"{ROOT}/orders", params={"id": held})
    assert whole.headers["location"] == at(held)


@pytest.mark.parametrize(
    ("query", "flawed"),
    [
        ("status=NOWHERE", "NOWHERE"),
        ("created_from=yesterday", "created_from-flaw"),
        ("created_from=2026-02-01&created_before=2026-01-01", "created_before-flaw"),
        ("after=rubbish", 'role="alert"'),
        ("id=zz", "id-flaw"),
        ("customer_id=" + 300 * "x", "customer_id-flaw"),
        ("reference=%00", "reference-flaw"),
        ("status=%3Cscript%3E", "&lt;script&gt;"),
    ],
)
async def test_a_bad_filter_shows_the_list_and_says_so(shop: Shop, query: str, flawed: str) -> None:
    order_id = await shop.placed()

    page = await shop.browser.get(f"{ROOT}/orders?{query}")

    assert page.status_code == 200
    assert shown(page) == [order_id]
    assert flawed in page.text
    assert "<script>" not in page.text


async def test_an_order_is_confirmed_paid_shipped_and_comes_back(shop: Shop) -> None:
    order_id = await shop.placed(hold_s=600.0)
    page, browser, orders = at(order_id), shop.browser, shop.client.orders

    done = await browser.fill(
        page, f"{page}/confirm", reference="pay-1", kind="AUTHORIZED", amount="25.00"
    )
    assert done.headers["location"] == f"{page}?said=confirm"
    assert (await orders.get(order_id)).status is OrderStatus.CONFIRMED
    done = await browser.fill(page, f"{page}/pay", kind="CAPTURED", reference="pay-1", amount="25")
    assert done.status_code == 303
    done = await browser.fill(
        page,
        f"{page}/ship",
        **{"units-1": "1"},
        carrier="Post",
        tracking_number="T-1",
        tracking_url="https://post.example/T-1",
    )
    assert done.status_code == 303
    order = await orders.get(order_id)
    assert order.status is OrderStatus.PARTIALLY_SHIPPED
    assert [payment.kind for payment in order.payments] == [
        PaymentKind.AUTHORIZED,
        PaymentKind.CAPTURED,
    ]
    assert order.shipments[0].tracking_number == "T-1"

    done = await browser.fill(page, f"{page}/return", **{"units-1": "1"}, reason="too bright")
    assert done.status_code == 303
    done = await browser.fill(page, f"{page}/receive", disposition="QUARANTINE")
    assert done.status_code == 303
    done = await browser.fill(page, f"{page}/close")
    assert done.status_code == 303
    order = await orders.get(order_id)
    assert [(one.state, one.lines[0].received) for one in order.returns] == [("CLOSED", 1)]
    told = await browser.get(done.headers["location"])
    for text in ("The return is closed.", "T-1", "too bright", "Captured", "Post"):
        assert text in told.text


async def test_units_or_all_of_an_order_are_cancelled(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    page = at(order_id)

    none = await shop.browser.fill(page, f"{page}/cancel", which="some")
    some = await shop.browser.fill(page, f"{page}/cancel", which="some", **{"units-1": "2"})
    left = (await shop.client.orders.get(order_id)).lines[0].quantity
    rest = await shop.browser.fill(page, f"{page}/cancel", reason="changed their mind")

    assert (none.status_code, some.status_code, rest.status_code) == (400, 303, 303)
    assert "at least one line" in none.text
    assert left == 3
    order = await shop.client.orders.get(order_id)
    assert order.status is OrderStatus.CANCELLED
    assert order.history[-1].reason == "changed their mind"


async def test_a_hold_is_extended(shop: Shop) -> None:
    order_id = await shop.placed(hold_s=60.0)
    before = (await shop.client.orders.get(order_id)).expires_time

    done = await shop.browser.fill(at(order_id), f"{at(order_id)}/extend", minutes="90")

    after = (await shop.client.orders.get(order_id)).expires_time
    assert done.status_code == 303
    assert before is not None
    assert after is not None
    assert (after - before).total_seconds() > 80 * 60


async def test_the_second_of_two_is_shown_both_versions_and_loses_nothing(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    page = at(order_id)
    opened = await shop.browser.get(page)
    await shop.browser.fill(page, f"{page}/cancel", which="some", **{"units-1": "1"})

    second = await shop.browser.send(
        opened, f"{page}/ship", carrier="Parcel & Co", tracking_number="T-9", **{"units-1": "2"}
    )

    assert second.status_code == 409
    assert (await shop.client.orders.get(order_id)).shipments == ()
    assert "Somebody was faster" in second.text
    for typed in ("Parcel &amp; Co", "T-9"):
        assert f'value="{typed}"' in second.text
    again = await shop.browser.send(second, f"{page}/ship")
    assert again.status_code == 303
    shipped = (await shop.client.orders.get(order_id)).shipments[0]
    assert (shipped.carrier, shipped.items[0].quantity) == ("Parcel & Co", 2)


async def test_a_form_that_is_sent_twice_ships_once(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    page = at(order_id)
    opened = await shop.browser.get(page)

    first = await shop.browser.send(opened, f"{page}/ship", **{"units-1": "2"})
    second = await shop.browser.send(opened, f"{page}/ship", **{"units-1": "2"})

    assert (first.status_code, second.status_code) == (303, 303)
    assert len((await shop.client.orders.get(order_id)).shipments) == 1


@pytest.mark.parametrize(
    ("action", "typed", "flawed"),
    [
        ("pay", {"amount": "ten", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "1.234", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "999999999999999999", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "0", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "-5", "reference": "r"}, "pay-amount-flaw"),
        ("pay", {"amount": "5", "reference": ""}, "pay-reference-flaw"),
        ("pay", {"amount": "5", "reference": "r", "kind": "STOLEN"}, "pay-kind-flaw"),
        ("ship", {"units-1": "two"}, "ship-units-1-flaw"),
        ("ship", {"units-1": "99"}, 'role="alert"'),
        ("ship", {"units-1": ""}, 'role="alert"'),
        ("ship", {"units-1": "1", "carrier": 300 * "x"}, "ship-carrier-flaw"),
        ("ship", {"units-1": "1", "tracking_url": "javascript:alert(1)"}, "flaw"),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    shop: Shop, action: str, typed: dict[str, str], flawed: str
) -> None:
    order_id = await shop.placed()

    refused = await shop.browser.fill(at(order_id), f"{at(order_id)}/{action}", **typed)

    assert refused.status_code in (400, 409)
    assert flawed in refused.text
    for value in filter(None, typed.values()):
        assert value == "STOLEN" or f'value="{value}"' in refused.text
    order = await shop.client.orders.get(order_id)
    assert (order.payments, order.shipments) == ((), ())


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp.\u2067 🧨' + 900 * "W"


async def test_what_a_customer_wrote_is_shown_as_text(shop: Shop) -> None:
    from holdfast.client import Customer

    order_id = await shop.placed(
        customer_id="c<script>alert(1)</script>",
        customer=Customer(name=HOSTILE[:190], address=HOSTILE[:900]),
        details=Details(note=HOSTILE, reference="<b>1</b>"),
    )

    order = await shop.browser.get(at(order_id))
    listed = await shop.browser.get(f"{ROOT}/orders")

    for page in (order, listed):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<b>1" not in page.text


@pytest.mark.parametrize("order_id", ["nonsense", "00000000-0000-0000-0000-000000000000", "%00"])
async def test_an_order_that_is_not_there_is_said_so(shop: Shop, order_id: str) -> None:
    page = await shop.browser.get(at(order_id))

    assert page.status_code in (400, 404)
    assert 'role="alert"' in page.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{}", "application/json"),
        (b"version=\xff\xfe", "application/x-www-form-urlencoded"),
        (b"a=1&" * 20_000, "application/x-www-form-urlencoded"),
        (b"note=" + 1_100_000 * b"x", "application/x-www-form-urlencoded"),
        (b"version=%zz&units-1=%00", "application/x-www-form-urlencoded"),
        (b"version=2&units-99999=1", "application/x-www-form-urlencoded"),
        (b"version=2&units-" + 5_000 * b"9" + b"=1", "application/x-www-form-urlencoded"),
        (b"version=" + 5_000 * b"9" + b"&units-1=1", "application/x-www-form-urlencoded"),
    ],
)
async def test_rubbish_in_place_of_a_form_is_refused(shop: Shop, body: bytes, kind: str) -> None:
    order_id = await shop.placed()

    answer = await shop.browser.http.post(
        f"{at(order_id)}/ship",
        content=body,
        headers={"content-type": kind, "sec-fetch-site": "same-origin"},
    )

    assert answer.status_code in (400, 409)
    assert (await shop.client.orders.get(order_id)).shipments == ()


async def test_each_field_of_a_page_has_a_name_of_its_own(shop: Shop) -> None:
    order_id = await shop.placed(quantity=2)
    await shop.client.orders.ship(order_id)
    for _ in range(2):
        await shop.client.orders.open_return(order_id, [ReturnLine(1, 1)])

    page = await shop.browser.get(at(order_id))

    names = re.findall(r' id="([^"]+)"', page.text)
    assert sorted(names) == sorted(set(names))


async def test_a_page_is_live_until_the_order_is_final(shop: Shop) -> None:
    order_id = await shop.placed()
    heard: list[str] = []

    async with shop.browser.http.stream("GET", f"{at(order_id)}/live") as stream:
        async for line in stream.aiter_lines():
            heard.append(line)
            if line == "id: 2":
                await shop.client.orders.cancel(order_id, reason="not any more")

    assert "id: 3" in heard
    assert any("not any more" in line for line in heard)
    assert "event: over" in heard, "the browser is told to stop asking"


async def test_a_stream_ends_when_its_session_does(shop: Shop) -> None:
    order_id = await shop.placed()

    async with shop.browser.http.stream("GET", f"{at(order_id)}/live") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "id: 2"
        await shop.browser.post(f"{ROOT}/sign-out", {})
        async for _ in lines:
            pass
    after = await shop.browser.get(f"{at(order_id)}/live")

    assert after.text.startswith("event: over")


async def test_the_first_page_shows_what_needs_somebody_and_nothing_else(shop: Shop) -> None:
    quiet = await shop.browser.get(ROOT)
    held = await shop.placed(hold_s=600.0)
    fine = await shop.placed()

    page = await shop.browser.get(ROOT)

    assert "Nothing needs you now." in quiet.text
    assert shown(page) == [held]
    assert fine not in page.text


async def test_pages_are_in_the_language_of_whoever_reads_them(shop: Shop) -> None:
    order_id = await shop.placed(quantity=100)
    german = await shop.browser.get(at(order_id), headers={"accept-language": "de"})
    chosen = await shop.browser.post(f"{ROOT}/language/de", {})
    later = await shop.browser.get(at(order_id))

    assert '<html lang="de">' in german.text
    assert "1.250,00 GBP" in german.text
    assert chosen.status_code == 303
    assert "Bestätigt" in later.text


async def test_who_chooses_a_language_after_a_flaw_comes_back_to_the_form(shop: Shop) -> None:
    order_id = await shop.placed()
    page, browser = at(order_id), shop.browser
    await shop.client.users.create("ann", ["support"], "correct horse battery")

    async def led(answer: httpx2.Response) -> str:
        assert answer.status_code < 500
        assert answer.headers["content-type"].startswith("text/html")
        action = re.search(rf'action="({ROOT}/language/de[^"]*)"', answer.text)
        assert action is not None
        headers = {"sec-fetch-site": "same-origin", "referer": str(answer.url)}
        chosen = await browser.http.post(unescape(action[1]), headers=headers)
        browser.http.cookies.delete("holdfast-language")
        assert (await browser.get(chosen.headers["location"])).status_code == 200
        return chosen.headers["location"]

    assert await led(await browser.fill(page, f"{page}/pay", amount="ten")) == page
    stock = f"{ROOT}/stock?id=LAMP"
    assert await led(await browser.fill(stock, f"{ROOT}/stock/adjust", delta="x")) == stock
    ann = f"{ROOT}/user?name=ann"
    assert await led(await browser.fill(ann, f"{ROOT}/user/delete")) == ann
    bulk = {"verb": "ship", f"order-{order_id}": "1"}
    assert await led(await browser.post(f"{ROOT}/bulk?status=CONFIRMED", bulk)) == (
        f"{ROOT}/orders?status=CONFIRMED"
    )
    assert await led(await brought(browser, "nothing", b"x")) == f"{ROOT}/files"
    product = f"{ROOT}/products/change?id=LAMP"
    flawed = await browser.fill(product, f"{ROOT}/products/change", price="x")
    assert await led(flawed) == product
    location = f"{ROOT}/locations/change?id=main"
    flawed = await browser.fill(location, f"{ROOT}/locations/change", priority="x")
    assert await led(flawed) == location
    for customer in (f"{ROOT}/customer?id=c-17", f"{ROOT}/customer/erase?id=c-17"):
        path = customer.partition("?")[0]
        flawed = await browser.fill(customer, path, email="x" * 2_000, typed="no")
        assert await led(flawed) == customer
    assert await led(await browser.get(f"{ROOT}/orders?status=CONFIRMED")) == (
        f"{ROOT}/orders?status=CONFIRMED"
    )
