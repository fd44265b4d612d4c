"""The promises of the broker seam, kept by both adapters, and what only a far broker can do.

The far broker is RabbitMQ, and the simulator's: what holds for one holds for the other.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.chassis.messaging import rabbitmq
from holdfast.chassis.messaging.broker import (
    Broker,
    BrokerUnavailable,
    DeadLetter,
    Event,
    Receiver,
    Subscription,
)
from holdfast.chassis.messaging.cloudevents import decode_batch
from holdfast.chassis.messaging.local_broker import LocalBroker
from tests.contract.far_brokers import (
    TROUBLES,
    FarBroker,
    far_broker,
    in_trouble,
)

PLACED = "holdfast.orders.v1.OrderPlaced"
CANCELLED = "holdfast.orders.v1.OrderCancelled"
UNHEARD = "holdfast.orders.v1.OrderUpdated"
QUEUE = "inventory.orders"
SUBSCRIPTIONS = [Subscription(QUEUE, (PLACED, CANCELLED))]

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
START = datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC)
ARRIVE_S_MAX = 30.0


def order_events(count: int, *, first: int = 1, type: str = PLACED) -> list[Event]:
    return [
        Event(f"e-{n}", type, f"o-{n}", n, START + timedelta(microseconds=n), b"%d" % n, TRACE)
        for n in range(first, first + count)
    ]


class Inbox:
    """A receiver that remembers, and that fails or waits when told to."""

    def __init__(self, *, failures: int = 0, is_open: bool = True) -> None:
        self.events: list[Event] = []
        self.letters: list[DeadLetter] = []
        self.sizes: list[int] = []
        self.failures, self.knocks = failures, 0
        self.opened, self._changed = asyncio.Event(), asyncio.Condition()
        if is_open:
            self.opened.set()

    async def receive(self, events: Sequence[Event]) -> None:
        await self._take(events, self.events)

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        await self._take(letters, self.letters)

    async def _take(self, new: Sequence[Any], kept: list[Any]) -> None:
        self.knocks += 1
        await self._tell()
        await self.opened.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the inbox was told to fail")
        kept += new
        self.sizes.append(len(new))
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(ARRIVE_S_MAX), self._changed:
            await self._changed.wait_for(condition)

    async def has(self, count: int) -> None:
        await self.until(lambda: len(self.events) >= count)

    @property
    def first_seen(self) -> list[Event]:
        return list(dict.fromkeys(self.events))


@asynccontextmanager
async def consuming(broker: Broker, inbox: Receiver, queue: str = QUEUE) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        consumer = group.create_task(broker.consume(queue, inbox))
        yield
        consumer.cancel()
    assert consumer.cancelled(), "cancellation must come through"


async def relay(broker: Broker, events: Sequence[Event]) -> None:
    """Publish again what was not taken, as the outbox does."""
    left = list(events)
    async with asyncio.timeout(ARRIVE_S_MAX):
        while left:
            with suppress(BrokerUnavailable):
                taken = await broker.publish(left)
                left = [event for event in left if event.event_id not in taken]
            await asyncio.sleep(0.02 if left else 0)


@asynccontextmanager
async def rabbit(url: str, **settings: Any) -> AsyncIterator[rabbitmq.RabbitMQ]:
    broker = rabbitmq.RabbitMQ(url, subscriptions=SUBSCRIPTIONS, **settings)
    try:
        yield broker
    finally:
        await broker.close()


@pytest.fixture(params=["rabbitmq", "simulated"])
def far(request: pytest.FixtureRequest) -> Iterator[FarBroker]:
    with far_broker(request.param, request) as far:
        yield far


@pytest.fixture(params=["local", "rabbitmq", "simulated"])
async def broker(request: pytest.FixtureRequest) -> AsyncIterator[Broker]:
    if request.param == "local":
        yield LocalBroker(SUBSCRIPTIONS)
        return
    with far_broker(request.param, request) as far:
        async with rabbit(far.url) as broker:
            yield broker


async def test_ten_thousand_events_arrive_whole_in_order_and_once(broker: Broker) -> None:
    events = order_events(5_000) + order_events(5_000, first=5_001, type=CANCELLED)
    later = order_events(1, first=10_001)
    inbox, next_one = Inbox(), Inbox()

    async with consuming(broker, inbox):
        for start in range(0, len(events), 2_000):
            await relay(broker, events[start : start + 2_000])
        await inbox.has(len(events))
        await asyncio.sleep(0.1)  # for the acknowledgement to be sent
    async with consuming(broker, next_one):
        await relay(broker, later)
        await next_one.has(1)

    assert inbox.events == events
    assert next_one.events == later


async def test_what_the_receiver_refuses_comes_again_before_anything_later(broker: Broker) -> None:
    events, inbox = order_events(5), Inbox(failures=3)

    async with consuming(broker, inbox):
        for event in events:
            await relay(broker, [event])
        await inbox.has(5)

    assert inbox.events == events


async def test_nothing_counts_as_received_before_the_receiver_accepted_it(broker: Broker) -> None:
    events = order_events(20)
    slow, next_one = Inbox(is_open=False), Inbox()

    async with asyncio.TaskGroup() as group:
        async with consuming(broker, slow):
            group.create_task(relay(broker, events))
            await slow.until(lambda: slow.knocks > 0)
        async with consuming(broker, next_one):
            await next_one.has(20)

    assert next_one.first_seen == events


async def test_what_waits_comes_in_batches_of_bounded_size(broker: Broker) -> None:
    events, inbox = order_events(3_000), Inbox(is_open=False)

    async with asyncio.TaskGroup() as group, consuming(broker, inbox):
        group.create_task(relay(broker, events))
        await inbox.until(lambda: inbox.knocks > 0)
        await asyncio.sleep(0.2)  # for more to arrive meanwhile
        inbox.opened.set()
        await inbox.has(3_000)

    assert inbox.first_seen == events
    assert 1 < max(inbox.sizes) <= rabbitmq.EVENTS_PER_BATCH_MAX


async def test_types_that_nobody_hears_are_taken(broker: Broker) -> None:
    elsewhere = order_events(1, first=2, type="holdfast.inventory.v1.StockAdjusted")

    assert await broker.publish(order_events(1, type=UNHEARD) + elsewhere) == {"e-1", "e-2"}
    assert await broker.publish([]) == frozenset()


async def test_locally_an_event_is_taken_when_every_queue_that_must_hear_it_has_it() -> None:
    broker = LocalBroker([*SUBSCRIPTIONS, Subscription("audit", (PLACED,))])
    events = order_events(2) + order_events(1, first=3, type=UNHEARD)

    assert await broker.publish(events) == {"e-3"}
    async with consuming(broker, Inbox()), consuming(broker, Inbox(failures=1), "audit"):
        await asyncio.sleep(0)
        assert await broker.publish(events) == {"e-3"}
        assert await broker.publish(events) == {"e-1", "e-2", "e-3"}


async def test_locally_publishers_learn_that_the_consumer_has_gone() -> None:
    broker, inbox = LocalBroker(SUBSCRIPTIONS), Inbox(is_open=False)
    async with asyncio.TaskGroup() as group, consuming(broker, inbox):
        await asyncio.sleep(0)
        publishers = [group.create_task(broker.publish(order_events(1))) for _ in "ab"]
        await inbox.until(lambda: inbox.knocks > 0)

    assert [publisher.result() for publisher in publishers] == [frozenset(), frozenset()]


async def test_every_event_arrives_in_order_although_connections_are_cut(far: FarBroker) -> None:
    events, inbox = order_events(4_000), Inbox()

    async with far.way() as way, rabbit(way.url) as broker, consuming(broker, inbox):
        for start in range(0, len(events), 100):
            asyncio.get_running_loop().call_later(0.003, way.cut)
            await relay(broker, events[start : start + 100])
        await inbox.until(lambda: len(inbox.first_seen) == len(events))

    assert inbox.first_seen == events


@pytest.mark.parametrize("is_made_anew", [False, True])
async def test_a_consumer_goes_on_when_its_queue_is_deleted(
    is_made_anew: bool, far: FarBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.5)
    inbox = Inbox()
    async with rabbit(far.url) as broker, consuming(broker, inbox):
        await relay(broker, order_events(1))
        await inbox.has(1)

        async with far.by_hand() as channel:
            await channel.queue_delete(QUEUE)
            if is_made_anew:  # RabbitMQ 3.10 then forgets to tell the consumer
                await broker._topology.declare(channel)

        await relay(broker, order_events(1, first=2))
        await inbox.has(2)


async def test_a_must_hear_event_is_not_taken_without_its_queue(far: FarBroker) -> None:
    async with rabbit(far.url) as broker, far.by_hand() as channel:
        assert await broker.publish(order_events(1)) == {"e-1"}
        await channel.queue_delete(QUEUE)

        taken = await broker.publish(order_events(2) + order_events(1, first=3, type=UNHEARD))

        assert taken == {"e-3"}
        assert await broker.publish(order_events(2)) == {"e-1", "e-2"}


@pytest.mark.parametrize("name", TROUBLES)
async def test_publishing_to_a_broker_in_trouble_ends_in_time_and_works_afterwards(
    name: str, far: FarBroker
) -> None:
    events = order_events(2_000)
    async with far.way() as way, rabbit(way.url, confirm_timeout_s=1.0) as broker:
        assert len(await broker.publish(events)) == 2_000

        async with in_trouble(far, name, way):
            with pytest.raises(BrokerUnavailable):
                async with asyncio.timeout(2.5):
                    await broker.publish(events)
            assert not broker.is_up()

        await relay(broker, events)
        assert broker.is_up()


async def test_closing_leaves_a_frozen_broker_alone(far: FarBroker) -> None:
    async with far.way() as way:
        async with rabbit(way.url) as broker, consuming(broker, Inbox()):
            await broker.publish(order_events(1))
            way.freeze()
        await asyncio.sleep(0.1)
        assert not [task for task in asyncio.all_tasks() if "aiormq" in repr(task)]


async def test_bytes_that_are_no_event_are_parked_and_the_queue_goes_on(far: FarBroker) -> None:
    inbox = Inbox(failures=2)
    async with rabbit(far.url) as broker, far.by_hand() as channel:
        await broker.publish(order_events(1))
        await channel.basic_publish(b"hello", routing_key=QUEUE)
        await channel.basic_publish(b"bye", routing_key=f"{QUEUE}.dead")
        await broker.publish(order_events(1, first=2))

        async with consuming(broker, inbox):
            await inbox.until(lambda: len(inbox.events) == 2 and len(inbox.letters) == 2)

    assert inbox.events == order_events(2)
    assert {letter.body for letter in inbox.letters} == {b"hello", b"bye"}
    for letter in inbox.letters:
        assert (letter.queue, letter.event) == (QUEUE, None)
        assert "not a CloudEvents batch" in letter.reason


async def test_what_the_broker_gives_up_is_parked_event_by_event(far: FarBroker) -> None:
    events, crashing = order_events(3), Inbox(is_open=False)
    async with rabbit(far.url, delivery_limit=2) as broker:
        await broker.publish(events)
        for crash in range(1, 4):
            async with consuming(broker, crashing):
                await crashing.until(lambda: crashing.knocks >= crash)  # noqa: B023

        crashing.opened.set()
        async with consuming(broker, crashing):
            await crashing.until(lambda: len(crashing.letters) == 3)

    assert crashing.events == []
    assert [letter.event for letter in crashing.letters] == events
    assert [letter.letter_id for letter in crashing.letters] == ["e-1", "e-2", "e-3"]
    told = {(letter.queue, letter.reason) for letter in crashing.letters}
    assert told == {(QUEUE, "given up by the broker: delivery_limit")}


async def test_a_full_queue_takes_no_more_until_there_is_room(far: FarBroker) -> None:
    inbox = Inbox()
    async with rabbit(far.url, queue_messages_max=3) as broker:
        taken = [await broker.publish([event]) for event in order_events(100)]
        assert (len(taken[0]), len(taken[-1])) == (1, 0)

        async with consuming(broker, inbox):
            await relay(broker, order_events(100))
            await inbox.until(lambda: inbox.first_seen == order_events(100))


async def test_a_message_is_persistent_and_says_what_it_carries(far: FarBroker) -> None:
    async with rabbit(far.url) as broker, far.by_hand() as channel:
        await broker.publish(order_events(2))
        message = await channel.basic_get(QUEUE, no_ack=True)

    about = message.header.properties
    assert about.content_type == "application/cloudevents-batch+protobuf"
    assert (about.message_type, about.app_id, about.delivery_mode) == (PLACED, "holdfast.orders", 2)
    assert decode_batch(message.body) == order_events(2)
