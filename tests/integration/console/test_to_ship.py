"""What can be shipped now: by location, page by page, each order with the way to its form."""

import re
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from holdfast.client import Money, ReturnLine, Sourcing, SourcingStrategy
from holdfast.console.screens import to_ship
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Fields, Shop, shown

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
PAGE = f"{ROOT}/to-ship"


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        inventory = found.client.inventory
        await inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
        await inventory.create_location("shop", name="The shop", priority=50)
        await inventory.set_stock("LAMP", 1_000)
        await inventory.set_stock("LAMP", 1_000, location_id="shop")
        yield found


def only_from(location: str) -> Sourcing:
    return Sourcing(SourcingStrategy.PINNED, (location,))


async def test_what_is_held_at_a_location_is_listed_there_and_nothing_else(shop: Shop) -> None:
    plain = await shop.placed()
    there = await shop.placed(sourcing=only_from("shop"), quantity=7)
    begun = await shop.placed(quantity=5)
    await shop.browser.fill(
        f"{ROOT}/orders/{begun}", f"{ROOT}/orders/{begun}/ship", **{"units-1": "2"}
    )
    await shop.placed(hold_s=600.0)
    gone = await shop.placed()
    await shop.client.orders.ship(gone)

    async def listed(query: str) -> list[str]:
        return shown(await shop.browser.get(f"{PAGE}?{query}"))

    assert await listed("") == [begun, there, plain]
    assert await listed("location=shop") == [there]
    assert await listed("location=main&created_before=2999-01-01") == [begun, plain]
    assert await listed("customer_id=nobody") == []
    assert "3 of 3" in (await shop.browser.get(PAGE)).text
    flawed = await shop.browser.get(
        f"{PAGE}?location=%3Cb%3Emoon&status=SHIPPED&after=9999-12-31_x"
    )
    assert shown(flawed) == [begun, there, plain]
    assert "There is no location &lt;b&gt;moon." in flawed.text


async def test_a_page_tells_it_all_in_one_question(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_ship, "PAGE_ORDERS", 2)
    wanted = [await shop.placed(sourcing=only_from("shop")) for _ in range(2)]
    for _ in range(5):
        await shop.placed()
    wanted.append(await shop.placed(sourcing=only_from("shop")))
    seen: list[str] = []
    page, pages = f"{PAGE}?location=shop", 0
    while page:
        with capture_logs() as logs:
            answer = await shop.browser.get(page)
        asked = [one["method"] for one in logs if one["event"] == "rpc"]
        assert asked.count("ListOrders") == 1
        assert "GetOrderDetails" not in asked
        seen, pages = seen + shown(answer), pages + 1
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        page = link[1].replace("&amp;", "&") if link else ""

    assert (seen, pages) == (wanted[::-1], 2)


async def test_a_row_leads_to_its_form_filled_in_with_what_is_there(shop: Shop) -> None:
    await shop.client.inventory.set_stock("LAMP", 1_997, location_id="shop")
    await shop.client.inventory.set_stock("LAMP", 3)
    order_id = await shop.placed(quantity=5)  # 3 in main, 2 in the shop
    listed = await shop.browser.get(f"{PAGE}?location=shop")
    link = re.search(r'href="([^"]+act=ship[^"]+)"', listed.text)
    assert link is not None

    opened = await shop.browser.get(link[1].replace("&amp;", "&"))
    form = Fields(f"{ROOT}/orders/{order_id}/ship")
    form.feed(opened.text)
    done = await shop.browser.send(opened, f"{ROOT}/orders/{order_id}/ship")

    assert (form.found["units-1"], form.found["location"]) == ("2", "shop")
    assert done.status_code == 303
    shipped = (await shop.client.orders.get(order_id)).shipments[0]
    assert [(one.location_id, one.quantity) for one in shipped.items] == [("shop", 2)]


async def test_what_is_held_where_nothing_is_sold_any_more_leaves_from_there(shop: Shop) -> None:
    inventory = shop.client.inventory
    await inventory.set_stock("LAMP", 1_997, location_id="shop")
    await inventory.set_stock("LAMP", 3)
    order_id = await shop.placed(quantity=5)  # 3 in main, 2 in the shop
    [there] = [one async for one in inventory.list_locations() if one.location_id == "shop"]
    await inventory.update_location("shop", version=there.version, active=False)
    at = f"{ROOT}/orders/{order_id}"

    opened = await shop.browser.get(f"{at}?act=ship&location=shop")
    flawed = await shop.browser.send(opened, f"{at}/ship", **{"units-1": "two"})
    done = await shop.browser.send(flawed, f"{at}/ship", **{"units-1": "2"})

    assert (flawed.status_code, done.status_code) == (400, 303)
    shipped = (await shop.client.orders.get(order_id)).shipments[0]
    assert [(one.location_id, one.quantity) for one in shipped.items] == [("shop", 2)]


async def test_a_location_that_nobody_has_is_told_and_no_other_is_taken(shop: Shop) -> None:
    at = f"{ROOT}/orders/{await shop.placed(quantity=5)}"

    opened = await shop.browser.get(f"{at}?act=ship&location=moon")
    refused = await shop.browser.send(opened, f"{at}/ship", **{"units-1": "1"})

    assert refused.status_code == 409


async def test_all_locations_are_known_however_many_there_are(shop: Shop) -> None:
    for number in range(100):
        await shop.client.inventory.create_location(f"L{number}", priority=10)
    order_id = await shop.placed(sourcing=only_from("shop"))

    listed = await shop.browser.get(f"{PAGE}?location=shop")
    order = await shop.client.orders.ship(order_id)
    await shop.client.orders.open_return(order_id, [ReturnLine(order.lines[0].line_no, 1)])
    opened = await shop.browser.get(f"{ROOT}/orders/{order_id}")

    assert shown(listed) == [order_id]
    assert "There is no location" not in listed.text
    assert '<option value="shop"' in opened.text, "what comes back can be received there"


async def test_a_time_that_can_t_be_one_is_left_out_and_told(shop: Shop) -> None:
    order_id = await shop.placed()
    late = "created_from=9999-12-31T23:59:59-14:00"
    for query in (
        "created_from=0001-01-01T00:00%2B14:00",
        late,
        "after=0001-01-01T00:00%2B14:00_x",
    ):
        for path in ("orders", "to-ship"):
            listed = await shop.browser.get(f"{ROOT}/{path}?{query}")
            assert (listed.status_code, shown(listed)) == (200, [order_id]), query
            assert 'class="flaw"' in listed.text, query
        asked = await shop.browser.post(f"{ROOT}/bulk?{query}", {"verb": "ship", "which": "all"})
        assert asked.status_code == 200, query
