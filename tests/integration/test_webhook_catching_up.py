"""Webhooks are brought what they missed: all of it, in its order, at nobody else's cost."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from holdfast.notifier.application.manage_webhooks import Place
from holdfast.notifier.application.ports import ServiceAway
from holdfast.notifier.domain.webhook import WebhookState
from tests.integration import test_webhook_rules as rules
from tests.integration.notifying import (
    CONFIRMED,
    FAILED,
    GONE,
    INVENTORY,
    OK,
    PLACED,
    Notifying,
    always,
    subjects,
)

engine, new_database, urls, told = rules.engine, rules.new_database, rules.urls, rules.told
SHOP, DEAD, DUE_NOW, EARLIEST = rules.SHOP, rules.DEAD, rules.DUE_NOW, rules.EARLIEST

ADJUSTED = "holdfast.inventory.v1.StockAdjusted"


async def test_who_catches_up_gets_what_it_missed_and_then_what_is_new_in_order(
    told: Notifying,
) -> None:
    ids = await told.happen(*subjects("a"))
    await told.follow()
    webhook_id = await told.hook(SHOP, in_order=True)
    await told.replay(webhook_id, EARLIEST)
    ids += await told.happen(*subjects("b"))
    await told.follow()
    ids += await told.happen(*subjects("c"))
    while await told.catch_up():
        pass
    await told.follow()
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_who_catches_up_misses_nothing_while_a_lost_feed_is_followed_anew(
    told: Notifying,
) -> None:
    ids = await told.happen(*subjects("a"))
    await told.follow()
    await told.hook(DEAD)
    await told.sql("UPDATE followed SET cursor = '0123456789ab-3-00000000' WHERE feed = 'orders'")
    await told.follow()
    await told.replay(await told.hook(SHOP, in_order=True), EARLIEST)
    await told.catch_up()
    ids += await told.happen(*subjects("b"))
    while await told.follow() + await told.catch_up():
        pass
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_a_place_that_is_asked_for_while_a_webhook_joins_the_others_is_kept(
    told: Notifying,
) -> None:
    await told.start()
    webhook_id = await told.hook(SHOP)
    await told.happen((PLACED, "o-1", 1))
    await told.follow()
    await told.replay(webhook_id, EARLIEST)
    (place,) = await told.store.catching_up()
    another = place._replace(since=told.clock.now())

    async with asyncio.TaskGroup() as group, told.store.begin() as work:
        await work.lock_webhooks([webhook_id])
        joining = group.create_task(told.catch_up())
        await asyncio.sleep(0.2)  # until it waits
        await work.save_catch_up(another)

    assert joining.result()
    assert await told.store.catching_up() == [another]


async def test_a_feed_that_is_away_holds_up_nobody_who_is_behind_in_the_other(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = told.tables.read

    async def read_orders(**asked: Any) -> Any:
        told.tables.is_away = asked["feed"] != "orders"
        return await read(**asked)

    monkeypatch.setattr(told.tables, "read", read_orders)
    ids = await told.happen((PLACED, "a", 1))
    for url in (DEAD, SHOP):
        await told.replay(await told.hook(url), Place({}, told.clock.now() - timedelta(hours=1)))
    await told.follow()
    while len(await told.store.catching_up()) > 2:
        assert await told.catch_up()
    with pytest.raises(ServiceAway):
        await told.catch_up()
    ids += await told.happen((PLACED, "b", 1))
    await told.follow()
    await told.deliver_all()

    assert told.outside.ids(SHOP) == told.outside.ids(DEAD) == ids


@pytest.mark.parametrize("in_order", [False, True])
async def test_a_replay_of_one_feed_leaves_what_waits_of_the_other(
    told: Notifying, in_order: bool
) -> None:
    told.outside.behave[SHOP] = always(FAILED)
    webhook_id = await told.hook(SHOP, in_order=in_order)
    orders = await told.happen((PLACED, "a", 1))
    await told.follow()
    adjusted = await told.happen((ADJUSTED, "LAMP", 1), (ADJUSTED, "BULB", 1), feed=INVENTORY)
    await told.follow(INVENTORY)
    await told.deliver_all()
    await told.replay(webhook_id, EARLIEST)
    told.outside.behave[SHOP] = always(OK)
    tries = len(told.outside.arrivals)
    while await told.catch_up():
        pass
    await told.sql(DUE_NOW, told.clock.now())
    await told.deliver_all()

    assert Counter(told.outside.ids(SHOP)[tries:]) == Counter(orders + adjusted)


async def test_a_replay_passes_over_nothing_that_happens_after_it_was_asked_for(
    told: Notifying,
) -> None:
    """Whoever dates it: its own clock may be behind that of who asks."""
    await told.start()
    webhook_id = await told.hook(SHOP)
    await told.replay(webhook_id, Place({}, told.clock.now() + timedelta(seconds=30)))
    ids = await told.happen(*subjects("a"))
    while await told.follow() + await told.catch_up():
        pass
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_who_is_disabled_while_it_catches_up_is_behind_no_more(told: Notifying) -> None:
    told.outside.behave[SHOP] = always(GONE)
    webhook_id = await told.hook(SHOP)
    await told.happen(*((PLACED, f"order-{number}", 1) for number in range(600)))
    while await told.follow():
        pass
    await told.replay(webhook_id, EARLIEST)
    await told.catch_up()
    await told.deliver_all()

    webhook = await told.store.webhook(webhook_id)
    assert webhook is not None
    assert webhook.state is WebhookState.DISABLED
    assert not webhook.catching_up
    assert await told.store.catching_up() == []


async def test_who_was_mailed_so_long_ago_that_nobody_knows_is_not_mailed_again(
    told: Notifying,
) -> None:
    now = told.clock.now()
    await told.sql("UPDATE followed SET since = $1", now - 3 * told.kept)
    for age in (2 * told.kept, told.kept / 2):
        await told.happen((CONFIRMED, f"{age.days}", 2), at=now - age)
    while await told.follow():
        pass
    await told.send_mails()
    while await told.store.forget(now, told.kept):
        pass
    await told.sql("UPDATE followed SET cursor = '0123456789ab-3-00000000' WHERE feed = 'orders'")
    (new,) = await told.happen((CONFIRMED, "new", 2))
    while await told.follow():
        pass
    await told.send_mails()

    assert len(told.lost) == 1
    assert [letter.event_id for letter in told.outside.letters][2:] == [new]
