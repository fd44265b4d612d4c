"""What a webhook is sent next is read ahead: for a moment only, and never once sending ends."""

import asyncio
from typing import Any

import pytest

from holdfast.notifier.application import deliver
from holdfast.notifier.domain.delivery import Answer
from tests.integration import test_webhook_rules as rules
from tests.integration.notifying import FAILED, OK, PLACED, Arrival, Notifying, silent

engine, new_database, urls, told = rules.engine, rules.new_database, rules.urls, rules.told

OLD, NEW = "http://old/", "http://new/"
SOON_S = 0.1


async def orders(told: Notifying, count: int) -> list[str]:
    ids = await told.happen(*((PLACED, f"order-{number}", 1) for number in range(count)))
    await told.follow()
    return ids


async def test_what_was_read_a_while_ago_goes_where_its_webhook_is_now(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "FRESH_S", SOON_S)

    async def move(_: Arrival) -> Answer:
        await told.update(webhook_id, 1, {"url": NEW})
        await asyncio.sleep(2 * SOON_S)
        return OK

    told.outside.behave[OLD] = move
    webhook_id = await told.hook(OLD)
    first, *others = await orders(told, 4)
    await told.deliver_all()

    assert told.outside.ids(OLD) == [first]
    assert sorted(told.outside.ids(NEW)) == sorted(others)


async def test_what_was_read_ahead_of_a_failure_waits_for_its_turn(told: Notifying) -> None:
    """One after the other, and each once: who does not take the first is not sent the rest."""
    at_once, most = 0, 0

    async def fail(_: Arrival) -> Answer:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return FAILED

    told.outside.behave[OLD] = fail
    await told.hook(OLD)
    ids = await orders(told, 10)
    await told.deliver_all()

    assert sorted(told.outside.ids(OLD)) == sorted(ids)
    assert most == 1


async def test_nothing_that_was_read_ahead_is_sent_once_sending_ends(told: Notifying) -> None:
    begun = asyncio.Event()
    told.outside.behave[OLD] = silent(begun)
    await told.hook(OLD)
    first, *_ = await orders(told, 4)
    await told.deliver.look()
    await begun.wait()
    await told.deliver.stop()
    await asyncio.sleep(0.05)

    assert told.outside.ids(OLD) == [first]


async def test_however_slow_reading_is_what_was_read_is_sent(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "FRESH_S", SOON_S)
    read = told.store.due

    async def read_slowly(*asked: Any, **limits: Any) -> Any:
        found = await read(*asked, **limits)
        await asyncio.sleep(2 * SOON_S)
        return found

    monkeypatch.setattr(told.store, "due", read_slowly)
    await told.hook(OLD)
    ids = await orders(told, 1)
    async with asyncio.timeout(20):
        await told.deliver_all()

    assert told.outside.ids(OLD) == ids


async def test_nothing_is_read_ahead_for_who_has_not_answered(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "UNTRIED_MAX", 2)
    for number in range(4):
        url = f"http://dead-{number}/"
        told.outside.behave[url] = silent()
        await told.hook(url)
    await orders(told, 5)
    taken = [await told.deliver.look() for _ in range(3)]

    assert taken == [2, 0, 0], "as many as may be under way, and not more, though 20 are due"
    await told.deliver.stop()


async def test_what_was_read_ahead_is_forgotten_when_a_webhook_is_changed_here(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "EACH_MAX", 2)
    gate = asyncio.Event()

    async def wait_behind_two(_: Arrival) -> Answer:
        if len(told.outside.ids(OLD)) > 2:
            await gate.wait()
        return OK

    told.outside.behave[OLD] = wait_behind_two
    webhook_id = await told.hook(OLD)
    ids = await orders(told, 6)
    async with asyncio.timeout(20):
        while len(told.outside.ids(OLD)) < 4:
            await told.deliver.look()
            await asyncio.sleep(0.01)
    await told.update(webhook_id, 1, {"url": NEW})
    told.deliver.look_anew()
    gate.set()
    await told.deliver_all()

    assert len(told.outside.ids(OLD)) == 4, "those that had left"
    assert sorted(told.outside.ids(OLD) + told.outside.ids(NEW)) == sorted(ids)


@pytest.mark.parametrize("in_order", [False, True])
async def test_of_a_line_one_is_under_way_at_a_time_when_one_is_sent_again(
    told: Notifying, in_order: bool
) -> None:
    arrived, go = asyncio.Event(), asyncio.Event()
    under_way, most = set[str](), list[int]()

    async def wait_at_the_last(arrival: Arrival) -> Answer:
        under_way.add(arrival.event_id)
        most.append(len(under_way))
        if arrival.event_id == ids[-1]:
            arrived.set()
            await go.wait()
        under_way.remove(arrival.event_id)
        return OK

    told.outside.behave[OLD] = wait_at_the_last
    webhook_id = await told.hook(OLD, in_order=in_order)
    ids = await told.happen(*((PLACED, "a", number) for number in range(6)))
    await told.follow()
    while not arrived.is_set():
        await told.deliver.look()
    await told.redeliver(webhook_id, ids[0])
    told.deliver.look_anew()
    await told.deliver.look()
    go.set()
    await told.deliver_all()

    assert told.outside.ids(OLD) == [*ids, ids[0]]
    assert max(most) == 1
