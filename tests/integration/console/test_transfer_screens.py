"""Transfers in the console: several products sent, received in parts, closed, and told."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest

from holdfast.client import Money, Transfer, TransferState
from holdfast.console.screens import transfers
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, running
from tests.integration.console.people import ROOT, Shop, colleague, walked

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
LIST, NEW = f"{ROOT}/transfers", f"{ROOT}/transfers/new"
ENDS = {"origin": "main", "target": "shop-1"}


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        inventory = found.client.inventory
        for product_id in ("LAMP", "S/1 <b>"):
            await inventory.create_product(product_id, unit_price=Money("GBP", 1250))
            await inventory.set_stock(product_id, 20)
        await inventory.create_location("shop-1")
        await inventory.create_location("shut", active=False)
        yield found


async def sent(shop: Shop, **units: int) -> Transfer:
    return await shop.client.inventory.create_transfer(
        units or {"LAMP": 10}, origin="main", target="shop-1"
    )


async def all_of(shop: Shop) -> list[Transfer]:
    return [one async for one in shop.client.inventory.list_transfers()]


def listed(page: httpx2.Response) -> list[str]:
    return re.findall(rf'<a class="code" href="{LIST}/([0-9a-f-]+)">', page.text)


async def test_several_products_are_sent_once_however_often_the_form_is_sent(shop: Shop) -> None:
    opened = await shop.browser.get(f"{NEW}?product=LAMP")
    typed = ENDS | {
        "units-1": "3",
        "product-2": "S/1 <b>",
        "units-2": "2",
        "product-5": "LAMP",
        "units-5": "4",
        "expected": "2026-01-15T12:00",
        "reference": "N 1 <i>",
    }

    first = await shop.browser.send(opened, NEW, **typed)
    again = await shop.browser.send(opened, NEW, **typed)
    page = await shop.browser.get(first.headers["location"])

    assert first.headers["location"] == again.headers["location"]
    [made] = await all_of(shop)
    assert {line.product_id: line.sent for line in made.lines} == {"LAMP": 7, "S/1 <b>": 2}
    assert (made.origin, made.target, made.reference) == ("main", "shop-1", "N 1 <i>")
    assert made.expected_time == datetime(2026, 1, 15, 12, tzinfo=UTC)
    for text in ("They are on their way.", "late", "S/1 &lt;b&gt; -2", "N 1 &lt;i&gt;"):
        assert text in page.text
    origin = await shop.browser.get(f"{ROOT}/stock?id=LAMP")
    assert listed(origin) == [made.transfer_id], "the movement leads to its transfer"
    listing = await shop.browser.get(LIST)
    assert listed(listing) == [made.transfer_id]
    assert "late" in listing.text


async def test_more_rows_are_given_and_nothing_typed_is_lost(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)

    more = await shop.browser.send(opened, NEW, **{"product-2": "LAMP", "units-2": "1"}, more="yes")
    done = await shop.browser.send(more, NEW, **ENDS, **{"product-9": "LAMP", "units-9": "2"})

    assert 'name="product-10"' in more.text
    assert 'class="flaw"' not in more.text
    assert done.status_code == 303
    assert (await all_of(shop))[0].lines[0].sent == 3


FLAWED: list[tuple[dict[str, str], set[str]]] = [
    ({}, {'role="alert"'}),
    ({"product-1": "LAMP"}, {"units-1-flaw"}),
    ({"units-2": "1"}, {"product-2-flaw"}),
    ({"product-1": "LAMP", "units-1": "0"}, {"units-1-flaw"}),
    ({"product-1": "LAMP", "units-1": "many"}, {"units-1-flaw"}),
    ({"product-2": "x" * 200, "units-2": "1"}, {"product-2-flaw"}),
    (
        {
            "product-1": "LAMP",
            "units-1": "21",
            "product-2": "S/1 <b>",
            "units-2": "20",
            "product-3": "S/1 <b>",
            "units-3": "1",
        },
        {"units-1-flaw", "units-2-flaw"},
    ),
    (
        {"product-1": "LAMP", "units-1": "1", "product-3": "NONE", "units-3": "1"},
        {"product-3-flaw"},
    ),
    ({"product-1": "LAMP", "units-1": "1", "target": "main"}, {"transfer-target-flaw"}),
    ({"product-1": "LAMP", "units-1": "1", "target": "nowhere"}, {"transfer-target-flaw"}),
    ({"product-1": "LAMP", "units-1": "1", "target": "shut"}, {'role="alert"'}),
    ({"product-1": "LAMP", "units-1": "1", "target": ""}, {"transfer-target-flaw"}),
    ({"product-1": "LAMP", "units-1": "1", "expected": "soon"}, {"transfer-expected-flaw"}),
    ({"product-1": "LAMP", "units-1": "1", "reference": "x" * 201}, {"transfer-reference-flaw"}),
]


async def test_a_refusal_names_its_line_and_nothing_typed_is_lost(shop: Shop) -> None:
    opened = await shop.browser.get(NEW)
    for typed, flawed in FLAWED:
        refused = await shop.browser.send(opened, NEW, **(ENDS | typed))

        assert refused.status_code in (400, 409), typed
        assert refused.text.count('class="flaw"') == len(flawed), typed
        for flaw in flawed:
            assert flaw in refused.text, typed
        if typed.get("product-1"):
            assert 'value="LAMP"' in refused.text
    assert await all_of(shop) == []


async def test_what_came_is_received_in_parts_and_never_more_than_was_sent(shop: Shop) -> None:
    one = await sent(shop, LAMP=10)
    page = f"{LIST}/{one.transfer_id}"
    opened, before = await shop.browser.get(page), await shop.browser.get(page)

    too_many = await shop.browser.send(opened, f"{page}/receive", **{"units-1": "11"})
    some = await shop.browser.send(opened, f"{page}/receive", **{"units-1": "4"})
    again = await shop.browser.send(before, f"{page}/receive", **{"units-1": "4"})
    told = await shop.browser.get(page)

    assert too_many.status_code == 409
    assert "receive-units-1-flaw" in too_many.text
    assert 'value="11"' in too_many.text
    assert (some.status_code, again.status_code) == (303, 409)
    assert "nothing was done now" in again.text
    assert "LAMP +4 · shop-1" in told.text
    assert (await shop.client.inventory.transfer(one.transfer_id)).lines[0].received == 4

    closed = await shop.browser.send(told, f"{page}/close")
    twice = await shop.browser.send(told, f"{page}/close")
    late = await shop.browser.send(told, f"{page}/receive", **{"units-1": "6"})
    end = await shop.browser.get(page)

    assert (closed.status_code, twice.status_code, late.status_code) == (303, 303, 409)
    assert 'role="alert"' in late.text
    after = await shop.client.inventory.transfer(one.transfer_id)
    assert after.state is TransferState.CLOSED
    assert (after.lines[0].received, after.lines[0].missing) == (4, 6)
    assert "Lost in transfer" in end.text
    assert '<form method="post" action="/console/transfers' not in end.text


async def test_two_who_unpack_one_parcel_don_t_count_it_twice(shop: Shop) -> None:
    page = f"{LIST}/{(await sent(shop)).transfer_id}"
    mine, theirs = await shop.browser.get(page), await shop.browser.get(page)

    await shop.browser.send(theirs, f"{page}/receive", **{"units-1": "5"})
    refused = await shop.browser.send(mine, f"{page}/receive", **{"units-1": "5"})
    unseen = await shop.browser.send(mine, f"{page}/close")

    for answer in (refused, unseen):
        assert answer.status_code == 409
        assert 'role="alert"' in answer.text
        assert "LAMP +5 · shop-1" in answer.text
    level = (await shop.client.inventory.get_stock("LAMP")).levels[1]
    assert (level.on_hand, level.in_transit) == (5, 5)


async def test_filters_live_in_the_url_and_the_list_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "PAGE_TRANSFERS", 2)
    monkeypatch.setattr(transfers, "LOOKED_AT_ONCE", 2)
    made = [(await sent(shop, LAMP=1)).transfer_id for _ in range(3)]
    other = (await sent(shop, **{"S/1 <b>": 1})).transfer_id
    await shop.client.inventory.close_transfer(made[0])

    async def found(query: str) -> list[str]:
        return await walked(shop.browser, f"{LIST}?{query}", listed)

    assert await found("") == [other, *reversed(made)]
    assert await found("state=CLOSED") == [made[0]]
    assert await found("product=LAMP") == [*reversed(made)]
    assert await found("product=LAMP&state=IN_TRANSIT&origin=main") == [made[2], made[1]]
    assert await found("target=main") == []
    for query in ("state=X", "after=X"):
        told = await shop.browser.get(f"{LIST}?{query}")
        assert listed(told) == [other, made[2]]
        assert 'role="alert"' in told.text
    assert (await shop.browser.get(f"{LIST}/nonsense")).status_code == 400


async def test_who_may_only_look_is_offered_no_form(shop: Shop) -> None:
    page = f"{LIST}/{(await sent(shop)).transfer_id}"

    async with colleague(shop, "viewer", page) as (reader, text):
        refused = [await reader.post(f"{page}/{verb}", {}) for verb in ("receive", "close")]
        refused.append(await reader.post(NEW, {}))

    assert f'action="{page}/' not in text
    assert {one.status_code for one in refused} == {403}
