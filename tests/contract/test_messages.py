"""The promises of the outbox and its relay, kept on both engines."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain, count, islice

import pytest
from structlog.testing import capture_logs

from holdfast.chassis import clock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging import outbox
from holdfast.chassis.messaging.broker import BrokerUnavailable, Event
from holdfast.chassis.messaging.inbox import InboxReceiver
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.messaging.outbox import (
    POLL_S,
    RELAY_EVENTS_MAX,
    RETRY_S_MAX,
    Relay,
    WaitingSince,
)
from tests.contract import post_office
from tests.contract.conftest import CountingDatabase
from tests.contract.post_office import (
    PLACED,
    QUEUE,
    UPDATED,
    UPDATES,
    PostOffice,
    event,
    events,
    eventually,
    running,
)

office = post_office.office

FAILURES = 1_030  # a delay that doubles each time is more than a float by then


async def test_an_event_arrives_as_it_was_written(office: PostOffice) -> None:
    written = [event(1, data=bytes(range(256))), event(2**63 - 1)._replace(traceparent="")]
    received: list[Event] = []

    async def keep(new: Sequence[Event]) -> None:
        received.extend(new)

    receiver = InboxReceiver(
        office.database, office.clock, queue="queue", read=lambda event: event, handle=keep
    )
    async with office.consuming(receiver=receiver):
        await office.append(written)
        assert await office.relay.relay_batch()

    assert received == written


async def test_events_leave_in_the_order_of_their_writing_across_transactions(
    office: PostOffice,
) -> None:
    async with office.consuming():
        await office.append(events(3, 1))
        await office.append(events(2))
        await office.relay.relay_batch()

    assert office.batches == [["e-3", "e-1", "e-2"]]
    assert await office.waiting() == []


async def test_events_of_one_transaction_leave_in_the_order_in_which_they_were_appended(
    office: PostOffice,
) -> None:
    given = [number * 17 % 60 for number in range(60)]

    async with office.database.begin() as work:
        for start in range(0, 60, 3):
            office.outbox.append(work, events(*given[start : start + 3]))
            await office.inbox.first_seen(work, [f"seen {start}"])

    assert await office.waiting() == [f"e-{number}" for number in given]


async def test_what_a_transaction_that_rolls_back_had_to_tell_is_never_published(
    office: PostOffice,
) -> None:
    async def tell_and_fail() -> None:
        async with office.database.begin() as work:
            office.outbox.append(work, events(1))
            raise RuntimeError

    async with office.consuming():
        with pytest.raises(RuntimeError):
            await tell_and_fail()
        assert await office.relay.relay_batch()

    assert office.batches == []
    assert not office.outbox.filled.is_set()


async def test_an_event_stays_in_the_outbox_until_the_broker_confirmed_it(
    office: PostOffice,
) -> None:
    arrived, accept = asyncio.Event(), asyncio.Event()

    async def slowly(_events: Sequence[Event]) -> None:
        arrived.set()
        await accept.wait()

    receiver = InboxReceiver(
        office.database, office.clock, queue="queue", read=lambda event: event, handle=slowly
    )
    await office.append(events(1))
    async with office.consuming(receiver=receiver), asyncio.TaskGroup() as group:
        group.create_task(office.relay.relay_batch())
        await arrived.wait()
        while_under_way = await office.waiting()
        accept.set()

    assert while_under_way == ["e-1"]
    assert await office.waiting() == []


async def test_a_broker_that_takes_some_leaves_the_rest_in_order(office: PostOffice) -> None:
    mixed = [event(n, type=UPDATED if n % 2 else PLACED) for n in range(6)]
    await office.append(mixed)

    async with office.consuming(UPDATES):  # nobody takes the orders placed
        with pytest.raises(BrokerUnavailable, match="3 of 6"):
            await office.relay.relay_batch()
        left = await office.waiting()
        async with office.consuming():
            assert await office.relay.relay_batch()

    assert left == ["e-0", "e-2", "e-4"]
    assert office.batches == [["e-1", "e-3", "e-5"], ["e-0", "e-2", "e-4"]]


async def test_a_crash_between_publishing_and_deleting_publishes_again_with_one_effect(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Crash(BaseException):
        pass

    async def crash(*_: object) -> None:
        raise Crash

    await office.append(events(1, 2))
    crashing = CountingDatabase(office.database)
    monkeypatch.setattr(crashing, "execute", crash)  # the relay executes only to delete
    doomed = Relay(
        crashing, office.outbox, office.broker, office.clock, office.leadership, service="doomed"
    )

    async with office.consuming():
        with pytest.raises(Crash):
            await doomed.relay_batch()
        await office.relay.relay_batch()

    assert office.batches == [["e-1", "e-2"]] * 2
    assert await office.effects() == ["e-1", "e-2"]
    assert await office.waiting() == []


async def test_an_event_whose_transaction_commits_late_is_not_skipped(
    office: PostOffice, url: str
) -> None:
    if office.database.engine == "sqlite":
        return  # one writer: positions are given in the order of commits
    async with office.consuming():
        async with office.database.begin() as slow:
            office.outbox.append(slow, events(1))
            await office.append(events(2))
            await office.relay.relay_batch()
        await office.relay.relay_batch()

    assert office.batches == [["e-2"], ["e-1"]]


async def test_more_events_than_a_relay_takes_at_once_leave_batch_by_batch(
    office: PostOffice,
) -> None:
    many = events(*range(RELAY_EVENTS_MAX + 1))
    await office.append(many)

    async with office.consuming():
        assert not await office.relay.relay_batch()
        assert await office.relay.relay_batch()

    assert list(chain(*office.batches)) == [event.event_id for event in many]


async def test_a_commit_wakes_the_relay_at_once(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "POLL_S", 30.0)
    async with office.consuming(), running(office.relay.run()):
        await eventually(office.relay.is_empty)
        await asyncio.sleep(0.1)  # it naps
        before = asyncio.get_running_loop().time()
        await office.append(events(1))
        await eventually(office.relay.is_empty)
        took_s = asyncio.get_running_loop().time() - before

    assert await office.effects() == ["e-1"]
    assert took_s < 20  # the poll alone would take longer


async def test_what_is_committed_while_the_relay_rests_leaves_together(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("RESTS", 1e6), ("REST_S_MAX", 1.0)):
        monkeypatch.setattr(outbox, name, value)
    async with office.consuming(), running(office.relay.run()):
        await office.append(events(1))
        await eventually(office.relay.is_empty)
        for number in (2, 3, 4):
            await office.append(events(number))
            await asyncio.sleep(0.05)  # without a rest it would be gone by now
        await eventually(office.relay.is_empty)

    assert office.batches == [["e-1"], ["e-2", "e-3", "e-4"]]


async def test_of_two_relays_on_one_database_only_one_publishes(
    office: PostOffice, url: str
) -> None:
    if office.database.engine == "sqlite":
        return  # one process owns the file
    async with connect(url) as elsewhere:
        second = PostOffice(elsewhere, office.clock, broker=office.broker)
        async with office.consuming(), running(office.relay.run(), second.relay.run()):
            for number in range(30):
                await (office, second)[number % 2].append(events(number))
            await eventually(office.relay.is_empty)
        await second.leadership.release()

    assert list(chain(*office.batches)) == [f"e-{number}" for number in range(30)]


async def test_an_outbox_is_measured_also_under_a_load_that_never_empties_it(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RELAY_EVENTS_MAX", 2)
    numbers = count()

    async def fill(published: Sequence[object]) -> None:
        """One event more for each that leaves: the batches of the relay are always full."""
        now = office.clock.now()
        more = events(*islice(numbers, len(published)))
        await office.append([one._replace(time=now) for one in more])

    receiver = InboxReceiver(
        office.database, office.clock, queue="queue", read=lambda event: event, handle=fill
    )
    by_number, by_age = office.make_relay(events_max=5), office.make_relay(age_s_max=60)
    await fill(range(4))
    for relay in (by_number, by_age):
        await relay.is_empty()
    office.clock.advance(61)
    before = by_number.is_too_long(), by_age.is_too_long()
    await fill(range(4))

    async with asyncio.timeout(20 * POLL_S), office.consuming(receiver=receiver):
        for relay, seen in ((by_number, True), (by_age, False)):
            async with running(relay.run()):
                while relay.is_too_long() is not seen:
                    await asyncio.sleep(0.01)

    assert before == (False, True)


async def test_a_broker_that_is_away_for_days_is_tried_again_and_again(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def at_once(seconds: float) -> float:
        pauses.append(seconds)
        return 0.0

    await office.append(events(1))
    with monkeypatch.context() as patch, capture_logs():
        patch.setattr(clock, "jitter", at_once)
        async with asyncio.timeout(10), running(office.relay.run()):
            while len(pauses) < FAILURES:
                await asyncio.sleep(0)
    async with office.consuming(), running(office.relay.run()):
        await eventually(office.relay.is_empty)

    assert max(pauses) == RETRY_S_MAX
    assert await office.effects() == ["e-1"]


async def test_an_outbox_is_too_long_by_number_or_by_age_until_it_has_drained(
    office: PostOffice,
) -> None:
    by_number, by_age = office.make_relay(events_max=2), office.make_relay(age_s_max=60)
    await office.append(events(1, 2))
    office.clock.advance(59)
    assert not await by_number.is_empty()
    assert not await by_age.is_empty()
    assert (by_number.is_too_long(), by_age.is_too_long()) == (False, False)

    await office.append(events(3))
    office.clock.advance(2)
    assert not await by_number.is_empty()
    assert (by_number.is_too_long(), by_age.is_too_long()) == (True, True)

    async with office.consuming():
        await office.relay.relay_batch()
    assert await by_number.is_empty()
    assert await by_age.is_empty()
    assert (by_number.is_too_long(), by_age.is_too_long()) == (False, False)


async def test_an_event_that_a_slow_clock_has_dated_is_not_old_when_it_comes(
    office: PostOffice,
) -> None:
    """Half of all orders were refused while the clocks of two processes were two minutes apart."""
    relay = office.make_relay(age_s_max=60)
    await relay.is_empty()

    await office.append([one._replace(time=one.time - timedelta(days=1)) for one in events(1)])
    is_old = await relay.is_empty(), relay.is_too_long(), relay.is_stuck()
    found_at_its_start = office.make_relay(age_s_max=60)
    is_old_there = await found_at_its_start.is_empty(), found_at_its_start.is_too_long()

    assert is_old == (False, False, False)
    assert is_old_there == (False, True)


@pytest.mark.parametrize(
    ("looks", "seen_at"),
    [
        pytest.param([(0.0, 5, 9)], None, id="it was there before"),
        pytest.param([(0.0, None, None), (1.0, 1, 3)], 1.0, id="it came"),
        pytest.param([(0.0, 5, 9), (1.0, 5, 12), (9.0, 10, 12)], 1.0, id="it came behind others"),
        pytest.param([(0.0, 5, 9), (1.0, None, 12), (9.0, 13, 14)], 9.0, id="after a repeat"),
        pytest.param([(0.0, 5, 9), (1.0, 5, 12), (2.0, None, None), (3.0, 13, 13)], 3.0, id="anew"),
    ],
)
def test_an_event_waits_since_it_was_first_seen(
    looks: list[tuple[float, int | None, int | None]], seen_at: float | None
) -> None:
    waiting_since = WaitingSince()

    *_, seen = [waiting_since.at(*look) for look in looks]

    assert seen == seen_at


class Picky(LocalBroker):
    """A broker with a queue that is not as it should be."""

    def waiting_types(self) -> frozenset[str]:
        return frozenset({PLACED})


async def test_what_waits_for_a_broken_queue_holds_up_nothing_that_comes_after_it(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RELAY_EVENTS_MAX", 5)
    office.broker = Picky([QUEUE])
    relay = office.make_relay()
    await office.append(events(*range(1, 11)))
    await office.append([event(number, type=UPDATED) for number in range(11, 23)])

    while not await relay.relay_batch():
        continue

    assert await office.waiting() == [f"e-{number}" for number in range(1, 11)]
    assert not await relay.is_empty()
