"""Forms that are sent twice, and people who act at the same moment: each thing is done once."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from holdfast.client import Money, ReturnLine, TransferState, WebhookState
from testbed.keys import KEY
from tests.integration.conftest import ANYWHERE, EMBEDDED, Ground, eventually, running
from tests.integration.console.people import ROOT, Fields, Shop

pytestmark = pytest.mark.parametrize("ground", [EMBEDDED], indirect=True)
SOME = {"which": "some", "units-1": "1"}
PAID = {"kind": "CAPTURED", "reference": "p-1", "amount": "1"}


@pytest.fixture
async def shop(ground: Ground) -> AsyncIterator[Shop]:
    async with running(ground, http_at=ANYWHERE) as holdfast, Shop(holdfast) as found:
        await found.sign_in(KEY)
        await found.client.inventory.create_product("LAMP", unit_price=Money("GBP", 1250))
        await found.client.inventory.set_stock("LAMP", 1_000)
        yield found


async def an_order(shop: Shop, action: str) -> str:
    """An order with which something can be done."""
    is_held = action in ("confirm", "extend")
    order_id = await shop.placed(quantity=5, hold_s=600.0 if is_held else None)
    if action in ("return", "receive", "close"):
        await shop.client.orders.ship(order_id)
    if action in ("receive", "close"):
        await shop.client.orders.open_return(order_id, [ReturnLine(1, 3)])
    return order_id


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(
    ("action", "typed"),
    [
        ("confirm", {"reference": "p-1", "kind": "CAPTURED", "amount": "25"}),
        ("extend", {"minutes": "90"}),
        ("pay", PAID),
        ("ship", {"units-1": "2"}),
        ("cancel", SOME),
        ("cancel", {}),
        ("return", {"units-1": "1"}),
        ("receive", {"units-1": "1", "disposition": "QUARANTINE"}),
        ("close", {}),
    ],
)
async def test_whoever_clicks_twice_is_told_twice_what_was_done_once(
    shop: Shop, action: str, typed: dict[str, str], at_once: bool
) -> None:
    order_id = await an_order(shop, action)
    page = f"{ROOT}/orders/{order_id}"
    opened = await shop.browser.get(page)

    async def sent() -> httpx2.Response:
        return await shop.browser.send(opened, f"{page}/{action}", **typed)

    both = await asyncio.gather(sent(), sent()) if at_once else [await sent(), await sent()]

    assert [one.headers.get("location") for one in both] == 2 * [f"{page}?said={action}"]
    order = await shop.client.orders.get(order_id)
    assert len(order.payments) <= 1
    assert len(order.returns) <= 1
    assert order.lines[0].quantity == (4 if typed is SOME else 5)
    assert order.lines[0].shipped in (0, 2, 5)
    assert sum(line.received for one in order.returns for line in one.lines) <= 1


@pytest.mark.parametrize(
    ("action", "mine", "theirs"),
    [
        ("ship", {"units-1": "1"}, {"units-1": "1"}),
        ("pay", PAID, PAID | {"reference": "p-2"}),
        ("return", {"units-1": "1"}, {"units-1": "2"}),
        ("cancel", SOME, SOME),
    ],
)
async def test_of_two_who_act_at_the_same_moment_the_second_is_shown_what_the_first_did(
    shop: Shop, action: str, mine: dict[str, str], theirs: dict[str, str]
) -> None:
    order_id = await an_order(shop, action)
    page = f"{ROOT}/orders/{order_id}"
    first, second = [await shop.browser.get(page) for _ in range(2)]

    both = await asyncio.gather(
        shop.browser.send(first, f"{page}/{action}", **mine),
        shop.browser.send(second, f"{page}/{action}", **theirs),
    )

    assert sorted(one.status_code for one in both) == [303, 409]
    order = await shop.client.orders.get(order_id)
    cancelled = 5 - order.lines[0].quantity
    assert len(order.payments) + len(order.returns) + cancelled + order.lines[0].shipped in (1, 6)


async def test_a_job_and_a_person_don_t_both_act_on_what_one_of_them_saw(shop: Shop) -> None:
    order_id = await shop.placed(quantity=5)
    page = f"{ROOT}/orders/{order_id}"
    opened = await shop.browser.get(page)
    chosen = {"verb": "ship", f"order-{order_id}": "1"}
    job = Fields(f"{ROOT}/jobs")
    job.feed((await shop.browser.post(f"{ROOT}/bulk", chosen)).text)

    begun, _ = await asyncio.gather(
        shop.browser.post(f"{ROOT}/jobs", job.found),
        shop.browser.send(opened, f"{page}/ship", **{"units-1": "1"}),
    )
    where = begun.headers["location"]
    await eventually(
        lambda: shop.browser.get(f"{where}/live"), lambda told: "event: over" in told.text
    )

    assert len((await shop.client.orders.get(order_id)).shipments) == 1


@pytest.mark.parametrize(("action", "told"), [("ship", 1), ("return", 2)])
async def test_a_form_that_was_sent_and_is_changed_is_told_so_and_can_be_sent_again(
    shop: Shop, action: str, told: int
) -> None:
    """Of a return no order says by which form it was opened: first the order is another one."""
    order_id = await an_order(shop, action)
    page = f"{ROOT}/orders/{order_id}"
    opened = await shop.browser.get(page)

    await shop.browser.send(opened, f"{page}/{action}", **{"units-1": "1"})
    for _ in range(told):
        opened = await shop.browser.send(opened, f"{page}/{action}", **{"units-1": "2"})
        assert opened.status_code == 409
    again = await shop.browser.send(opened, f"{page}/{action}")

    assert again.status_code == 303
    order = await shop.client.orders.get(order_id)
    made = order.shipments if action == "ship" else order.returns
    assert len(made) == 2


async def test_two_who_unpack_one_parcel_at_the_same_moment_don_t_count_it_twice(
    shop: Shop,
) -> None:
    inventory = shop.client.inventory
    await inventory.create_location("shop-1")
    sent = await inventory.create_transfer({"LAMP": 10}, origin="main", target="shop-1")
    page = f"{ROOT}/transfers/{sent.transfer_id}"
    mine, theirs = [await shop.browser.get(page) for _ in range(2)]

    async def received(opened: httpx2.Response, units: str) -> int:
        answer = await shop.browser.send(opened, f"{page}/receive", **{"units-1": units})
        return answer.status_code

    two = await asyncio.gather(received(mine, "4"), received(theirs, "4"))
    later = await shop.browser.get(page)
    one_twice = await asyncio.gather(received(later, "3"), received(later, "3"))

    assert sorted(two) == [303, 409]
    assert list(one_twice) == [303, 303]
    assert (await inventory.transfer(sent.transfer_id)).lines[0].received == 7
    last = await shop.browser.get(page)
    await asyncio.gather(received(last, "1"), shop.browser.send(last, f"{page}/close"))
    ended = await inventory.transfer(sent.transfer_id)
    assert (ended.state, ended.lines[0].received) in (
        (TransferState.CLOSED, 7),
        (TransferState.IN_TRANSIT, 8),
    ), "what comes is not closed unseen"


async def test_what_sets_a_state_sets_it_again_where_others_have_set_another(shop: Shop) -> None:
    users, page = shop.client.users, f"{ROOT}/user?name=ann"
    await users.create("ann", ["support"], "correct horse battery")
    opened = await shop.browser.get(page)
    for _ in range(2):
        locked = await shop.browser.send(opened, f"{ROOT}/user/lock")
        assert locked.status_code == 303
        assert [one.lock_time is None for one in await users.list()] == [False]
        await users.update("ann", locked=False, grants=["viewer"])
    for _ in range(2):
        given = await shop.browser.send(opened, f"{ROOT}/user/rights")
        assert given.status_code == 303
        assert [tuple(one.grants) for one in await users.list()] == [("support",)]
        await users.update("ann", grants=["viewer"])


async def test_a_webhook_is_not_told_to_be_off_when_others_have_switched_it_on(shop: Shop) -> None:
    hooks = shop.client.webhooks
    made = await hooks.create("https://93.184.216.34/x", request_id="w")
    hook_id = made.webhook.webhook_id
    page = f"{ROOT}/webhooks/{hook_id}"
    opened = await shop.browser.get(page)

    twice = [await shop.browser.send(opened, f"{page}/switch") for _ in range(2)]
    changed = [await shop.browser.send(await shop.browser.get(page), f"{page}/change")]
    found = await hooks.get(hook_id)
    await hooks.update(hook_id, version=found.version, active=True, description="another")
    late = await shop.browser.send(opened, f"{page}/switch")
    form = await shop.browser.get(page)
    changed += [await shop.browser.send(form, f"{page}/change") for _ in range(2)]

    assert [one.headers.get("location") for one in twice] == 2 * [f"{page}?said=hook_off"]
    assert late.status_code == 409
    assert (await hooks.get(hook_id)).state is WebhookState.ACTIVE
    assert [one.status_code for one in changed] == [303, 303, 303]
