"""Many orders at once: chosen over pages, told in numbers, done once, each with its result."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from holdfast.client import Money, OrderStatus, PaymentKind
from holdfast.console.screens import orders_list
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Browser, Fields, Shop, shown

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
LIST, BULK, JOBS = f"{ROOT}/orders", f"{ROOT}/bulk?", f"{ROOT}/jobs"


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        await found.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
        await found.client.inventory.set_stock("LAMP", 1_000)
        yield found


@pytest.fixture
async def other(shop: Shop) -> AsyncIterator[Browser]:
    browser = Browser(shop.address)
    yield browser
    await browser.http.aclose()


def chosen(page: httpx2.Response, action: str = JOBS) -> dict[str, str]:
    """The orders that a form would send, and with what."""
    form = Fields(action)
    form.feed(page.text)
    return {name[6:]: value for name, value in form.found.items() if name.startswith("order-")}


async def asked(shop: Shop, verb: str, order_ids: list[str], **typed: str) -> httpx2.Response:
    fields = {"verb": verb, **{f"order-{one}": "1" for one in order_ids}, **typed}
    return await shop.browser.post(f"{ROOT}/bulk", fields)


async def over(shop: Shop, begun: httpx2.Response) -> httpx2.Response:
    """The page of a job when it is over."""
    assert begun.status_code == 303, begun.text
    async with asyncio.timeout(20.0):
        while True:
            page = await shop.browser.get(begun.headers["location"])
            if "It is over." in page.text:
                return page
            await asyncio.sleep(0.02)


async def statuses(shop: Shop, order_ids: list[str]) -> list[OrderStatus]:
    return [(await shop.client.orders.get(one)).status for one in order_ids]


async def test_what_is_chosen_goes_along_over_pages_and_is_told_in_numbers(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders_list, "PAGE_ORDERS", 2)
    orders = [await shop.placed(hold_s=600.0) for _ in range(3)]
    final = await shop.placed(quantity=5)
    await shop.client.orders.cancel(final)

    first = await shop.browser.get(LIST)
    older = re.search(r'formaction="([^"]+after=[^"]+)"', first.text)
    assert older is not None
    second = await shop.browser.send(first, BULK, **{f"order-{final}": "1"})
    assert second.status_code == 400, "no verb was said"
    second = await shop.browser.post(
        older[1].replace("&amp;", "&"), {f"order-{final}": "1", f"order-{orders[2]}": "1"}
    )
    whole_page = await shop.browser.send(second, BULK, page="1")
    assert shown(second) == [orders[1], orders[0]]
    assert list(chosen(second, BULK)) == [final, orders[2]]
    again = await shop.browser.post(
        older[1].replace("&amp;", "&"),
        {f"order-{final}": "1", f"order-{orders[2]}": "1", "page": "1"},
    )
    assert sorted(chosen(again, BULK)) == sorted([final, *orders])
    assert whole_page.status_code == 400

    told = await asked(shop, "confirm", list(chosen(again, BULK)))

    assert "3 orders will be confirmed." in told.text
    assert "75.00 GBP" in told.text
    assert "With 1 chosen orders it can&#39;t be done" in told.text
    assert set(chosen(told).values()) == {"2"}
    assert sorted(chosen(told)) == sorted(orders)
    assert await statuses(shop, orders) == 3 * [OrderStatus.RESERVED], "nothing is done by asking"


async def test_orders_are_confirmed_once_however_often_it_is_sent(shop: Shop) -> None:
    orders = [await shop.placed(hold_s=600.0) for _ in range(3)]
    told = await asked(shop, "confirm", orders)

    unnamed = await shop.browser.send(told, JOBS, reference="", kind="CAPTURED")
    both = await asyncio.gather(
        *(
            shop.browser.send(unnamed, JOBS, reference="bank/{order}", kind="CAPTURED")
            for _ in range(2)
        )
    )
    page = await over(shop, both[0])

    assert unnamed.status_code == 400
    assert "job-reference-flaw" in unnamed.text
    assert both[0].headers["location"] == both[1].headers["location"]
    assert "Done: 3 of 3. Failed: 0." in page.text
    for order_id in orders:
        order = await shop.client.orders.get(order_id)
        assert order.status is OrderStatus.CONFIRMED
        assert order.payment_reference == f"bank/{order_id}"
        assert [(one.kind, one.amount) for one in order.payments] == [
            (PaymentKind.CAPTURED, Money("GBP", 2500))
        ]


async def test_a_job_that_begins_again_elsewhere_ships_nothing_twice(
    shop: Shop, other: Browser
) -> None:
    orders = [await shop.placed(quantity=5) for _ in range(2)]
    told = await asked(shop, "ship", orders)
    await over(shop, await shop.browser.send(told, JOBS, carrier="Post"))
    await shop.browser.http.aclose()
    shop.browser = other  # as after a restart: its session knows of no job
    await shop.sign_in(KEY)

    page = await over(shop, await shop.browser.send(told, JOBS, carrier="Post"))

    assert "Done: 2 of 2. Failed: 0." in page.text
    for order_id in orders:
        order = await shop.client.orders.get(order_id)
        assert order.status is OrderStatus.SHIPPED
        assert [one.carrier for one in order.shipments] == ["Post"]


async def test_each_row_says_why_it_failed_and_only_those_are_done_again(shop: Shop) -> None:
    fine, changed, ended = [await shop.placed(quantity=2) for _ in range(3)]
    told = await asked(shop, "cancel", [fine, changed, ended])
    order = await shop.client.orders.get(changed)
    await shop.client.orders.cancel(changed, lines={1: 1}, version=order.version, wait_s=5.0)
    await shop.client.orders.ship(ended)

    page = await over(shop, await shop.browser.send(told, JOBS, reason="the <b>fair</b> is off"))
    told_again = await shop.browser.send(page, f"{ROOT}/bulk")
    done = await over(shop, await shop.browser.send(told_again, JOBS))

    assert "Done: 1 of 3. Failed: 2." in page.text
    assert page.text.count("It has changed since you looked") == 2
    assert "<b>fair" not in page.text
    assert list(chosen(told_again)) == [changed], "the other has left, and that is told"
    assert "1 chosen orders" in told_again.text
    assert "Done: 1 of 1." in done.text
    assert (await shop.client.orders.get(changed)).history[-1].reason == "the <b>fair</b> is off"
    assert (await shop.client.orders.get(ended)).status is OrderStatus.SHIPPED


async def test_what_can_not_go_whole_is_left_out_unless_that_is_wanted(shop: Shop) -> None:
    await shop.client.inventory.create_location("shop", name="The shop", priority=50)
    await shop.client.inventory.set_stock("LAMP", 3, location_id="shop")
    await shop.client.inventory.set_stock("LAMP", 2)
    order_id = await shop.placed(quantity=5)
    told = await shop.browser.post(
        f"{ROOT}/bulk", {"verb": "ship", "which": "all", "list": "to-ship", "location": "shop"}
    )

    kept = await over(shop, await shop.browser.send(told, JOBS))
    told = await shop.browser.send(kept, f"{ROOT}/bulk")
    loose = Fields(JOBS)
    loose.feed(told.text)
    del loose.found["whole_only"]
    gone = await over(shop, await shop.browser.post(JOBS, loose.found))

    assert "1 orders will be shipped: 3 of 5 units" in told.text
    assert "Only 3 of 5 units are held there." in kept.text
    assert "Done: 1 of 1." in gone.text
    shipped = (await shop.client.orders.get(order_id)).shipments
    assert [(one.location_id, one.quantity) for one in shipped[0].items] == [("shop", 3)]


async def test_all_that_a_list_shows_is_what_its_filter_finds_and_no_more(shop: Shop) -> None:
    mine = [await shop.placed(customer_id="c-1") for _ in range(3)]
    await shop.placed(customer_id="c-2")

    told = await shop.browser.post(
        f"{ROOT}/bulk?customer_id=c-1&after=rubbish", {"verb": "ship", "which": "all"}
    )
    cancelled = await shop.browser.post(
        f"{ROOT}/bulk?status=CANCELLED", {"verb": "ship", "which": "all"}
    )

    assert sorted(chosen(told)) == sorted(mine)
    assert chosen(cancelled) == {}
    assert cancelled.status_code == 400


async def test_progress_is_live_and_a_job_of_somebody_else_is_not_there(
    shop: Shop, other: Browser
) -> None:
    orders = [await shop.placed() for _ in range(9)]
    begun = await shop.browser.send(await asked(shop, "cancel", orders), JOBS)
    at = begun.headers["location"]

    live = await shop.browser.get(f"{at}/live")
    await other.post(f"{ROOT}/sign-in", {"key": KEY, "next": ""})
    theirs = [await other.get(at), await other.get(f"{at}/live")]

    assert "Done: 9 of 9." in live.text
    assert live.text.endswith("event: over\ndata:\n\n")
    assert [one.status_code for one in theirs] == [404, 200]
    assert orders[0] not in theirs[1].text


async def test_who_may_only_look_is_offered_nothing_and_refused(shop: Shop, other: Browser) -> None:
    order_id = await shop.placed()
    made = await shop.client.keys.create("reader", ["viewer"])
    opened = await asked(shop, "cancel", [order_id])
    await other.post(f"{ROOT}/sign-in", {"key": made.text, "next": ""})

    listed = await other.get(LIST)
    told = await other.post(f"{ROOT}/bulk", {"verb": "cancel", f"order-{order_id}": "1"})
    begun = await other.send(opened, JOBS)

    assert shown(listed) == [order_id]
    assert 'name="verb"' not in listed.text
    assert (told.status_code, begun.status_code) == (403, 403)
    assert await statuses(shop, [order_id]) == [OrderStatus.CONFIRMED]


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"verb": "burn", "order-00000000-0000-0000-0000-000000000000": "1"},
        {"verb": "ship", "order-../../x": "1"},
        {"verb": "ship", **{f"order-00000000-0000-0000-0000-{n:012}": "1" for n in range(1001)}},
    ],
    ids=["nothing", "no verb", "no order", "too many"],
)
async def test_rubbish_begins_nothing(shop: Shop, typed: dict[str, str]) -> None:
    told = await shop.browser.post(f"{ROOT}/bulk", typed)
    begun = await shop.browser.post(JOBS, {"job_id": "j", **typed})

    assert (told.status_code, begun.status_code) == (400, 400)
