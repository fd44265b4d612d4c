"""What the Notifier promises of webhooks and mails, one step at a time: each event once recorded,
in its order, under its id, to whoever is to have it, whatever breaks between the steps.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging import feed
from holdfast.notifier.application import follow_feed
from holdfast.notifier.application.manage_webhooks import Place
from holdfast.notifier.application.ports import Attempt
from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.events import DeliveryState, FeedName, MailState
from holdfast.notifier.domain.webhook import WebhookState
from holdfast.notifier.infrastructure.store import StoreWork
from tests.contract import conftest as contract
from tests.contract.conftest import NewDatabase
from tests.integration.notifying import (
    CANCELLED,
    CONFIRMED,
    FAILED,
    HUNG_UP,
    OK,
    PLACED,
    Arrival,
    Notifying,
    always,
    notifying,
    silent,
    subjects,
)

engine, new_database = contract.engine, contract.new_database

SHOP, DEAD = "http://shop/", "http://dead/"
SERVICES = ("orders", "inventory", "notifier")
DUE_NOW = "UPDATE delivery SET next_at = $1 WHERE state = 'WAITING'"
EARLIEST = Place({FeedName.ORDERS: "earliest"})


@pytest.fixture
def urls(new_database: NewDatabase) -> dict[str, str]:
    return {service: new_database(service) for service in SERVICES}


@pytest.fixture
async def told(urls: dict[str, str]) -> AsyncIterator[Notifying]:
    async with AsyncExitStack() as opened:
        databases = {
            service: await opened.enter_async_context(connect(url)) for service, url in urls.items()
        }
        yield await opened.enter_async_context(notifying(databases, SystemClock()))


async def place(told: Notifying) -> str:
    (row,) = await told.rows("SELECT cursor FROM followed WHERE feed = 'orders'")
    return str(row["cursor"])


async def test_a_page_is_taken_as_a_whole_or_not_at_all(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told.hook(SHOP)
    ids = await told.happen(*subjects("a"))

    async def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as broken:
        broken.setattr(StoreWork, "add_deliveries", fail)
        with pytest.raises(RuntimeError, match="in the middle"):
            await told.follow()
    await told.follow()
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_a_page_that_many_are_told_of_is_taken_in_parts(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_feed, "DELIVERIES_MAX", 4)
    written, add = list[int](), StoreWork.add_deliveries

    async def count(work: StoreWork, deliveries: Any, at: Any) -> None:
        written.append(len(deliveries))
        if len(written) == 3:
            raise RuntimeError("in the middle")
        await add(work, deliveries, at)

    monkeypatch.setattr(StoreWork, "add_deliveries", count)
    urls = [f"http://{number}/" for number in range(5)]
    for url in urls[:3]:
        await told.hook(url)
    for url in urls[3:]:
        await told.hook(url, CANCELLED)
    ids = await told.happen(*subjects("a", "b"))
    with pytest.raises(RuntimeError, match="in the middle"):
        await told.follow()
    await told.follow()
    await told.deliver_all()

    assert written == [3, 3, 3, 3, 3, 5, 5], "one event at least, the third once more"
    for url in urls:
        its = ids if url in urls[:3] else ids[4:]
        assert sorted(told.outside.ids(url)) == sorted(its)


@pytest.mark.parametrize("behind_s", [0, 50])
async def test_who_asked_before_the_feed_was_reached_misses_nothing(
    told: Notifying, behind_s: int
) -> None:
    long_ago, at = (told.clock.now() - timedelta(seconds=one) for one in (3_600, behind_s))
    await told.happen(*subjects("old"), at=long_ago)
    await told.sql("DELETE FROM followed")
    await told.hook(SHOP)
    ids = await told.happen(*subjects("a"), at=at if behind_s else None)

    while await told.follow():
        pass
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_who_follows_more_slowly_moves_nothing_back(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told.hook(SHOP)
    await told.happen(*subjects("a"))
    slow, read = told.follows[FeedName.ORDERS], told.tables.read

    async def read_slowly(**asked: Any) -> Any:
        page = await read(**asked)
        monkeypatch.undo()
        await told.follow()  # another process, meanwhile
        await told.happen((PLACED, "b", 1))
        await told.follow()
        return page

    monkeypatch.setattr(told.tables, "read", read_slowly)
    await slow()

    assert (await place(told)).split("-")[1] == "4"


async def test_what_was_told_is_not_told_again_when_a_lost_feed_is_followed_anew(
    told: Notifying,
) -> None:
    await told.hook(SHOP)
    ids = await told.happen(*subjects("a", "b"))
    await told.follow()
    await told.deliver_all()
    await told.send_mails()
    await told.sql("UPDATE followed SET cursor = '0123456789ab-3-00000000' WHERE feed = 'orders'")
    ids += await told.happen((PLACED, "c", 1))
    while await told.follow():
        pass
    await told.deliver_all()
    await told.send_mails()

    assert len(told.lost) == 1
    assert Counter(told.outside.ids(SHOP)) == Counter(ids)
    assert len(told.outside.letters) == 4, "two confirmed, two cancelled"


async def test_who_is_new_hears_nothing_old_when_a_lost_feed_is_followed_anew(
    told: Notifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        feed, "SCANNED_MAX", 1
    )  # so that a page of few types has no event, at first
    long_ago = told.clock.now() - timedelta(hours=1)
    await told.happen((PLACED, "a", 1), (CANCELLED, "a", 2), at=long_ago)
    while await told.follow():
        pass
    await told.hook(SHOP, CANCELLED)
    await told.sql("UPDATE followed SET cursor = '0123456789ab-3-00000000' WHERE feed = 'orders'")
    for _ in range(5):
        await told.follow()
    await told.deliver_all()

    assert len(told.lost) == 1
    assert told.outside.ids(SHOP) == []


async def test_of_a_subject_one_event_is_under_way_at_a_time(told: Notifying) -> None:
    under_way, most, all_most = Counter[str](), Counter[str](), list[int]()

    async def slowly(arrival: Arrival) -> Answer:
        rows = await told.rows("SELECT subject FROM event WHERE event_id = $1", arrival.event_id)
        subject = rows[0]["subject"]
        under_way[subject] += 1
        most[subject] = max(most[subject], under_way[subject])
        all_most.append(under_way.total())
        await asyncio.sleep(0.01)
        under_way[subject] -= 1
        return OK

    told.outside.behave[SHOP] = slowly
    await told.hook(SHOP)
    ids = await told.happen(*subjects("a", "b", "c", "d"))
    await told.follow()
    await told.deliver_all()

    assert len(told.outside.ids(SHOP)) == len(ids), "and after each the next one came"
    assert set(most.values()) == {1}
    assert max(all_most) > 1


async def test_what_fails_is_sent_again_under_its_id_with_its_bytes(told: Notifying) -> None:
    told.outside.behave[SHOP] = always(FAILED)
    await told.hook(SHOP)
    ids = await told.happen(*subjects("a"))
    await told.follow()
    for _ in range(3):
        await told.deliver_all()
        await told.sql(DUE_NOW, told.clock.now())
    told.outside.behave[SHOP] = always(OK)
    await told.deliver_all()

    *tries, second, third = told.outside.arrivals
    assert len(tries) == 4
    assert {(one.event_id, one.body) for one in tries} == {(ids[0], tries[0].body)}
    assert [second.event_id, third.event_id] == ids[1:]


async def test_what_was_under_way_at_the_end_is_sent_again(told: Notifying) -> None:
    arrived = asyncio.Event()
    told.outside.behave[SHOP] = silent(arrived)
    await told.hook(SHOP)
    ids = await told.happen((PLACED, "a", 1))
    await told.follow()
    await told.deliver.look()
    await arrived.wait()
    await told.deliver.stop()
    told.outside.behave[SHOP] = always(OK)
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids * 2


async def test_a_late_failure_does_not_undo_a_delivery(told: Notifying) -> None:
    await told.hook(SHOP)
    ids = await told.happen((PLACED, "a", 1))
    await told.follow()
    (due,) = await told.store.due(
        told.clock.now(), busy=[], tried=[], under_way=[], each=1, webhooks=1, rows=1
    )
    await told.deliver_all()
    now = told.clock.now()
    async with told.store.begin() as work:
        await work.record([Attempt(due, HUNG_UP, now, now)])  # of a process that led before
    await told.deliver_all()

    assert told.outside.ids(SHOP) == ids


async def test_who_does_not_answer_has_room_for_one_and_others_go_on(told: Notifying) -> None:
    told.outside.behave[DEAD] = silent()
    await told.hook(DEAD)
    await told.hook(SHOP)
    ids = await told.happen(*((PLACED, f"order-{number}", 1) for number in range(5)))
    await told.follow()
    while len(told.outside.ids(SHOP)) < 5:
        await told.deliver.look()
        await told.deliver.wake.wait()
        told.deliver.wake.clear()

    assert sorted(told.outside.ids(SHOP)) == sorted(ids)
    assert len(told.outside.ids(DEAD)) == 1


async def test_who_was_made_inactive_is_sent_nothing_of_that_time(told: Notifying) -> None:
    told.outside.behave[SHOP] = always(FAILED)
    webhook_id = await told.hook(SHOP, PLACED)
    await told.happen((PLACED, "before", 1))
    await told.follow()
    await told.deliver_all()
    await told.activate(webhook_id, WebhookState.INACTIVE)
    tries = len(told.outside.arrivals)
    await told.happen((PLACED, "meanwhile", 1))
    await told.follow()
    await told.activate(webhook_id, WebhookState.ACTIVE)
    told.outside.behave[SHOP] = always(OK)
    after = await told.happen((PLACED, "after", 1))
    await told.follow()
    await told.sql(DUE_NOW, told.clock.now())
    await told.deliver_all()

    assert told.outside.ids(SHOP)[tries:] == after


async def test_what_was_given_up_is_kept_and_comes_when_asked_for(told: Notifying) -> None:
    told.outside.behave[SHOP] = always(FAILED)
    webhook_id = await told.hook(SHOP)
    ids = await told.happen(*subjects("a"))
    await told.follow()
    await told.deliver_all()
    await told.activate(webhook_id, WebhookState.INACTIVE)
    failed = await told.store.deliveries(webhook_id, DeliveryState.FAILED, before=99, limit=9)
    await told.activate(webhook_id, WebhookState.ACTIVE)
    told.outside.behave[SHOP] = always(OK)
    await told.replay(webhook_id, None)
    await told.deliver_all()

    assert [one.event_id for one in failed] == ids[::-1]
    assert told.outside.ids(SHOP)[1:] == ids


async def test_an_attempt_from_before_it_was_asked_for_again_takes_none_of_its_attempts(
    told: Notifying,
) -> None:
    webhook_id = await told.hook(SHOP)
    (event_id,) = await told.happen((PLACED, "a", 1))
    await told.follow()
    await told.sql("UPDATE delivery SET attempts = 9 WHERE state = $1", "WAITING")
    now = SystemClock().now()
    (due,) = await told.store.due(now, busy=[], tried=[], under_way=[], each=9, webhooks=9, rows=9)
    await told.activate(webhook_id, WebhookState.INACTIVE)
    await told.activate(webhook_id, WebhookState.ACTIVE)
    await told.replay(webhook_id, None)

    async with told.store.begin() as work:
        await work.record([Attempt(due, FAILED, now, None)])

    delivery = await told.store.delivery(webhook_id, event_id)
    assert delivery is not None
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 0)


async def test_one_event_that_is_sent_again_touches_no_other_line(told: Notifying) -> None:
    told.outside.behave[SHOP] = always(FAILED)
    webhook_id = await told.hook(SHOP)
    ids = await told.happen((PLACED, "a", 1), (CONFIRMED, "a", 2), (PLACED, "b", 1))
    await told.follow()
    await told.deliver_all()
    await told.sql("UPDATE delivery SET state = 'FAILED', ended_at = next_at WHERE delivery_id = 1")
    await told.sql("UPDATE delivery SET state = 'WAITING' WHERE delivery_id = 2")
    await told.sql("UPDATE delivery SET state = 'QUEUED' WHERE delivery_id = 3")

    await told.redeliver(webhook_id, ids[0])
    rows = await told.rows("SELECT state, attempts FROM delivery ORDER BY delivery_id")

    assert [tuple(row) for row in rows] == [("WAITING", 0), ("QUEUED", 0), ("QUEUED", 1)]


async def test_who_has_answered_well_comes_before_who_has_not(told: Notifying) -> None:
    webhooks = [await told.hook(SHOP) for _ in range(3)]
    await told.happen((PLACED, "a", 1))
    await told.follow()

    for tried in webhooks:
        (due,) = await told.store.due(
            SystemClock().now(), busy=[], tried=[tried], under_way=[], each=9, webhooks=1, rows=9
        )
        assert due.webhook_id == tried


async def test_who_was_erased_gets_no_mail(told: Notifying) -> None:
    ids = await told.happen((PLACED, "a", 1), (CONFIRMED, "a", 2))
    told.tables.erased.add("a")
    await told.follow()
    await told.send_mails()
    mail = await told.store.mail(ids[1])

    assert told.outside.letters == []
    assert mail is not None
    assert mail.state is MailState.SKIPPED


async def test_a_mail_that_was_sent_is_not_sent_again(told: Notifying) -> None:
    ids = await told.happen((PLACED, "a", 1), (CONFIRMED, "a", 2))
    await told.follow()
    for _ in range(3):
        await told.send_mails()
        async with told.store.begin() as work:
            await work.retry_mail(ids[1], told.clock.now())

    assert [letter.event_id for letter in told.outside.letters] == ids[1:]
