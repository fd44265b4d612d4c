"""The promises of the feed, kept on both engines: dense, in order, once each, honest cursors."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging import feed as feed_module
from holdfast.chassis.messaging.broker import BrokerUnavailable, Event
from holdfast.chassis.messaging.feed import (
    EARLIEST,
    LATEST,
    CursorExpired,
    CursorMalformed,
    CursorUnknown,
    Feed,
    FeedSettings,
    Trimming,
)
from holdfast.chassis.messaging.outbox import Relay
from holdfast.chassis.messaging.sql import SQL
from tests.contract import post_office
from tests.contract.conftest import NewDatabase
from tests.contract.post_office import (
    PLACED,
    UPDATED,
    UPDATES,
    PostOffice,
    event,
    events,
    running,
)

office = post_office.office

DAY_S = 86_400.0
A_DAY = FeedSettings(feed_days=1)


@pytest.fixture
async def feed(office: PostOffice) -> AsyncIterator[Feed]:
    feed = Feed(office.database, "office")
    async with running(feed.run()):
        yield feed


async def publish(office: PostOffice, *new: Event) -> None:
    await office.append(new)
    async with office.consuming():
        while not await office.relay.relay_batch():
            pass


async def ids(feed: Feed, after: str = EARLIEST, types: Sequence[str] = ()) -> list[str]:
    page = await feed.read(after, types=types, limit=1_000)
    return [entry.event.event_id for entry in page.entries]


async def positions(office: PostOffice) -> list[int]:
    async with office.database.read() as reading:
        rows = await reading.fetch("SELECT position FROM feed ORDER BY position")
    return [row["position"] for row in rows]


async def cursor_after(feed: Feed, count: int) -> str:
    return (await feed.read(EARLIEST, limit=count)).next_cursor


async def test_what_leaves_the_outbox_enters_the_feed_as_it_was_written(
    office: PostOffice, feed: Feed
) -> None:
    written = [event(7, data=bytes(range(256))), event(3)._replace(traceparent="")]

    await publish(office, *written)
    page = await feed.read(EARLIEST, limit=9)

    assert [entry.event for entry in page.entries] == written
    assert await positions(office) == [1, 2]


async def test_nothing_enters_the_feed_before_it_is_published(
    office: PostOffice, feed: Feed
) -> None:
    await office.append(events(1))

    with pytest.raises(BrokerUnavailable):
        await office.relay.relay_batch()  # nobody takes it

    assert await ids(feed) == []


async def test_a_repeat_is_published_and_stays_out_of_the_feed(
    office: PostOffice, feed: Feed
) -> None:
    await publish(office, event(1), event(2)._replace(is_repeat=True), event(3))
    await publish(office, event(4)._replace(is_repeat=True))  # and nothing else

    assert office.batches == [["e-1", "e-2", "e-3"], ["e-4"]]
    assert await ids(feed) == ["e-1", "e-3"]
    assert await positions(office) == [1, 2]
    assert await office.waiting() == []


async def test_what_follows_a_refused_event_of_its_subject_waits_for_it(
    office: PostOffice, feed: Feed
) -> None:
    first, later = event(1), event(2, type=UPDATED)._replace(subject="o-1")
    other = event(3, type=UPDATED)

    await office.append([first, later, other])
    async with office.consuming(UPDATES):  # nobody takes the order placed
        with pytest.raises(BrokerUnavailable, match="1 of 3"):
            await office.relay.relay_batch()
        early = await ids(feed)
        async with office.consuming():
            assert await office.relay.relay_batch()

    assert early == ["e-3"]
    assert await ids(feed) == ["e-3", "e-1", "e-2"]


async def test_what_follows_an_event_that_a_broken_queue_keeps_is_not_even_read(
    office: PostOffice, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = event(1), event(2, type=UPDATED)._replace(subject="o-1")
    monkeypatch.setattr(office.broker, "waiting_types", lambda: frozenset({PLACED}))

    await office.append([first, later, event(3, type=UPDATED)])
    async with office.consuming(), office.consuming(UPDATES):
        await office.relay.relay_batch()
        early, waiting = await ids(feed), await office.waiting()
        monkeypatch.undo()
        await office.relay.relay_batch()

    assert (early, waiting) == (["e-3"], ["e-1", "e-2"])
    assert await ids(feed) == ["e-3", "e-1", "e-2"]


async def test_two_relays_at_once_give_every_event_one_place(
    office: PostOffice, feed: Feed
) -> None:
    """As after a failover that the old leader has not noticed."""
    relays = [office.relay, office.make_relay()]
    async with office.consuming():
        for start in range(0, 200, 10):
            await office.append(events(*range(start, start + 10)))
            await asyncio.gather(*(relay.relay_batch() for relay in relays))

    assert await ids(feed) == [f"e-{number}" for number in range(200)]
    assert await positions(office) == list(range(1, 201))


async def test_who_stamps_at_the_same_time_waits_for_the_head(
    office: PostOffice, feed: Feed
) -> None:
    await office.append(events(*range(50)))
    async with office.database.read() as reading:
        rows = await reading.fetch("SELECT position FROM outbox ORDER BY position")
    stamp = SQL[office.database.engine].STAMP_EVENTS

    await asyncio.gather(*(office.database.execute(stamp, [row["position"]]) for row in rows))

    assert sorted(await ids(feed)) == sorted(f"e-{number}" for number in range(50))
    assert await positions(office) == list(range(1, 51))


async def test_a_relay_that_was_stopped_before_it_stamps_stamps_nothing_twice(
    office: PostOffice, feed: Feed
) -> None:
    late = StoppingRelay(office)

    await office.append(events(1, 2))
    async with office.consuming(), asyncio.TaskGroup() as group:
        group.create_task(late.relay.relay_batch())
        await late.reached.wait()
        await office.append(events(3))
        await office.relay.relay_batch()  # the new leader has all three
        late.go.set()

    assert await ids(feed) == ["e-1", "e-2", "e-3"]
    assert await positions(office) == [1, 2, 3]


class StoppingRelay:
    """A relay that stops between the broker's confirm and its own statement."""

    def __init__(self, office: PostOffice) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()
        self._publish = office.broker.publish
        self.relay = Relay(
            office.database,
            office.outbox,
            self,  # type: ignore[arg-type]  # as far as a relay asks
            office.clock,
            office.leadership,
            service="late",
        )

    def waiting_types(self) -> frozenset[str]:
        return frozenset()

    async def publish(self, new: Sequence[Event]) -> frozenset[str]:
        taken = await self._publish(new)
        self.reached.set()
        await self.go.wait()
        return taken


async def test_pages_follow_each_other_without_a_gap(office: PostOffice, feed: Feed) -> None:
    await publish(office, *events(*range(25)))

    cursor, pages = EARLIEST, []
    while (page := await feed.read(cursor, limit=10)).entries:
        pages.append([entry.event.sequence for entry in page.entries])
        assert page.entries[-1].cursor == page.next_cursor
        cursor = page.next_cursor

    assert pages == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    assert page.next_cursor == cursor


async def test_large_events_make_short_pages_and_one_of_any_size_comes(
    office: PostOffice, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PAGE_BYTES_MAX", 5_000)
    await publish(
        office, *(event(n, data=bytes(2_000)) for n in range(3)), event(3, data=bytes(9_999))
    )

    cursor, pages = EARLIEST, []
    while (page := await feed.read(cursor, limit=10)).entries:
        pages.append([entry.event.sequence for entry in page.entries])
        cursor = page.next_cursor

    assert pages == [[0, 1], [2], [3]]


async def test_a_reader_of_few_types_goes_on_past_all_others(
    office: PostOffice, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "SCANNED_MAX", 10)
    async with office.consuming(UPDATES):
        await publish(office, *events(*range(25)), event(25, type=UPDATED))

    cursor, found = EARLIEST, []
    for _ in range(3):
        page = await feed.read(cursor, types=[UPDATED], limit=5)
        cursor = page.next_cursor
        found.append([entry.event.sequence for entry in page.entries])

    assert found == [[], [], [25]]
    assert page.position == page.newest


async def test_each_event_s_own_cursor_goes_on_behind_it(office: PostOffice, feed: Feed) -> None:
    await publish(office, *events(1, 2, 3))

    page = await feed.read(EARLIEST, limit=9)

    assert [await ids(feed, entry.cursor) for entry in page.entries] == [
        ["e-2", "e-3"],
        ["e-3"],
        [],
    ]


async def test_the_newest_place_is_known_before_anything_was_told(
    office: PostOffice, feed: Feed
) -> None:
    start = (await feed.read(LATEST, limit=1)).next_cursor
    await publish(office, *events(1))
    then = (await feed.read(LATEST, limit=1)).next_cursor
    await publish(office, *events(2))

    assert await ids(feed, start) == ["e-1", "e-2"]
    assert await ids(feed, then) == ["e-2"]


@pytest.mark.parametrize(
    "text",
    ["", "0", "now", "x" * 10_000, "0123456789ab-1", "0123456789AB-1-00000000"]
    + ["0123456789ab--1-00000000", "0123456789ab-01-00000000", "0123456789ab-\u0661-00000000"]
    + [f"0123456789ab-{2**63}-00000000", "0123456789ab-1-00000000\n", "earliest "],
)
async def test_what_is_no_cursor_is_refused(feed: Feed, text: str) -> None:
    with pytest.raises(CursorMalformed):
        await feed.read(text, limit=1)


async def test_a_cursor_of_another_feed_is_refused(office: PostOffice, feed: Feed) -> None:
    await publish(office, *events(1))
    _, position, check = (await cursor_after(feed, 1)).split("-")

    with pytest.raises(CursorUnknown, match="another feed"):
        await feed.read(f"0123456789ab-{position}-{check}", limit=1)


async def test_a_cursor_of_a_lost_future_is_refused_and_stays_so_when_the_feed_grows(
    office: PostOffice, feed: Feed
) -> None:
    """A restored database has the feed's id and its past, and another future."""
    await publish(office, *events(1, 2, 3))
    past, future = await cursor_after(feed, 1), await cursor_after(feed, 3)
    await restore(office, position=1)

    with pytest.raises(CursorUnknown, match="restored"):
        await feed.read(future, limit=1)
    await publish(office, *events(4, 5, 6))
    with pytest.raises(CursorUnknown, match="restored"):
        await feed.read(future, limit=1)
    assert await ids(feed, past) == ["e-4", "e-5", "e-6"]


async def restore(office: PostOffice, *, position: int) -> None:
    await office.database.execute(f"DELETE FROM feed WHERE position > {position}")
    await office.database.execute(f"UPDATE feed_head SET last = {position}")


async def test_a_made_up_cursor_is_refused(office: PostOffice, feed: Feed) -> None:
    await publish(office, *events(1, 2))
    feed_id, _, check = (await cursor_after(feed, 2)).split("-")

    for made_up in (f"{feed_id}-1-{check}", f"{feed_id}-0-{check}", f"{feed_id}-2-00000000"):
        with pytest.raises(CursorUnknown):
            await feed.read(made_up, limit=1)


async def test_what_is_older_than_it_is_kept_is_cut_off_a_bite_at_a_time(
    office: PostOffice, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "CUT_EVENTS", 4)
    trimming = Trimming(office.database, office.clock, A_DAY)
    now = office.clock.now()
    await publish(office, *events(*range(1, 7)))
    await publish(office, *(one._replace(time=now + timedelta(days=1)) for one in events(7, 8)))
    old, last_old, young = [await cursor_after(feed, count) for count in (1, 6, 7)]

    office.clock.advance(DAY_S + 1)
    cut = [await trimming(), await trimming(), await trimming()]

    assert cut == [4, 2, 0]
    assert await ids(feed) == ["e-7", "e-8"]
    for gone in (old, last_old):
        with pytest.raises(CursorExpired):
            await feed.read(gone, limit=1)
    assert await ids(feed, young) == ["e-8"]


async def test_the_newest_event_is_kept_however_old_so_that_its_cursor_lasts(
    office: PostOffice, feed: Feed
) -> None:
    start = (await feed.read(LATEST, limit=1)).next_cursor
    long_ago = timedelta(days=400)
    await publish(office, *(one._replace(time=one.time - long_ago) for one in events(1, 2, 3)))
    newest = await cursor_after(feed, 3)

    trimming = Trimming(office.database, office.clock, A_DAY)
    while await trimming():
        pass

    assert await ids(feed) == ["e-3"]
    assert await ids(feed, newest) == []
    with pytest.raises(CursorExpired):
        await feed.read(start, limit=1)
    await publish(office, *events(4))
    assert await ids(feed, newest) == ["e-4"]
    assert await positions(office) == [3, 4]


async def test_who_waits_is_woken_by_what_another_process_stamps(
    office: PostOffice, feed: Feed
) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        waiting = group.create_task(feed.beyond(0, within_s=60))
        await publish(office, *events(1))

    assert waiting.done()
    assert await ids(feed) == ["e-1"]


async def test_nobody_waits_for_a_feed_that_is_closed(feed: Feed) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(feed.beyond(0, within_s=60))
        await asyncio.sleep(0)
        feed.close()
        group.create_task(feed.beyond(0, within_s=60))


async def test_each_database_has_a_feed_of_its_own_name(
    office: PostOffice, feed: Feed, new_database: NewDatabase
) -> None:
    url = await asyncio.to_thread(new_database, "inventory")
    async with connect(url) as other:
        theirs = (await Feed(other, "other").read(LATEST, limit=1)).next_cursor

    with pytest.raises(CursorUnknown, match="another feed"):
        await feed.read(theirs, limit=1)
