"""A link to RabbitMQ may be lost at any moment, and its library may do anything: nobody notices."""

import asyncio
import gc
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import aiormq
import pytest

from holdfast.chassis.messaging import rabbitmq, rabbitmq_link
from holdfast.chassis.messaging.broker import BrokerUnavailable, DeadLetter, Event
from holdfast.chassis.messaging.rabbitmq_link import in_time
from testbed.servers import RabbitmqServer
from tests.contract import test_broker
from tests.contract.far_brokers import FarBroker, Wire
from tests.contract.test_broker import (
    ARRIVE_S_MAX,
    CANCELLED,
    QUEUE,
    Inbox,
    consuming,
    order_events,
    rabbit,
    relay,
)

far = test_broker.far

WHOLE_S = 5.0  # below all the timeouts of the adapter, so that only what it bounds itself ends


class Deaf:
    """A library that hears no cancellation until it is let go."""

    def __init__(self) -> None:
        self._let_go = asyncio.Event()
        self.calls = 0

    async def call(self, *_: object, **__: object) -> Any:
        self.calls += 1
        while not self._let_go.is_set():
            with suppress(asyncio.CancelledError):
                await self._let_go.wait()

    async def __aenter__(self) -> "Deaf":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._let_go.set()
        await asyncio.sleep(0)


class Gates:
    """A receiver that keeps every event waiting at a gate of its own."""

    def __init__(self) -> None:
        self.come: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.opened: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def receive(self, events: Sequence[Event]) -> None:
        for event in events:
            self.come[event.event_id].set()
            await self.opened[event.event_id].wait()

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        raise AssertionError("nothing is given up here")

    async def has_come(self, event: Event) -> None:
        async with asyncio.timeout(ARRIVE_S_MAX):
            await self.come[event.event_id].wait()


async def taken_by_hand(far: FarBroker) -> None:
    """Take a message that comes back to the queue."""
    async with asyncio.timeout(ARRIVE_S_MAX), far.by_hand() as channel:
        while (await channel.basic_get(QUEUE, no_ack=True)).delivery_tag is None:
            await asyncio.sleep(0.01)


async def test_a_library_that_hears_no_cancellation_is_left_alone() -> None:
    lost = asyncio.get_running_loop().create_future()
    async with Deaf() as library, asyncio.timeout(WHOLE_S):
        with pytest.raises(BrokerUnavailable, match=r"no answer for 0.01 s"):
            await in_time(library.call(), 0.01)

        waiting = asyncio.ensure_future(in_time(library.call(), 60.0, lost))
        await asyncio.sleep(0.01)
        lost.set_result(None)
        with pytest.raises(BrokerUnavailable, match="connection lost"):
            await waiting

        waiting = asyncio.ensure_future(in_time(library.call(), 60.0))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert library.calls == 3


async def test_an_ack_settles_nothing_that_came_on_another_channel(
    far: FarBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "RETRY_S_MIN", 0.5)  # what comes back is taken by others first
    first, second = order_events(2)
    slow, next_one = Gates(), Inbox()

    async with far.way() as way, rabbit(far.url) as broker:
        async with rabbit(way.url) as slow_one, consuming(slow_one, slow):
            await relay(broker, [first])
            await slow.has_come(first)
            way.cut()
            await taken_by_hand(far)
            await relay(broker, [second])
            await slow.has_come(second)  # on a new channel, where it is the first
            slow.opened[first.event_id].set()
            await asyncio.sleep(0.2)  # for the first to be acknowledged
        async with consuming(broker, next_one):
            await next_one.has(1)

    assert next_one.events == [second]


@pytest.mark.parametrize("method", ["exchange_declare", "basic_consume", "basic_ack", "close"])
async def test_a_consumer_goes_on_with_a_new_link_when_the_library_hears_nothing(
    method: str, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbitmq, "IDLE_S", 0.3)
    monkeypatch.setattr(rabbitmq_link.Link.do, "__defaults__", (0.5,))
    monkeypatch.setattr(rabbitmq_link, "ANSWER_TIMEOUT_S", 0.5)
    inbox = Inbox()
    async with Deaf() as library, rabbit(rabbitmq_url) as publisher, rabbit(rabbitmq_url) as broker:
        await relay(publisher, order_events(1))
        with monkeypatch.context() as spell:
            spell.setattr(aiormq.Channel, method, library.call)
            consumer = asyncio.ensure_future(broker.consume(QUEUE, inbox))
            async with asyncio.timeout(WHOLE_S):
                while library.calls == 0:
                    await asyncio.sleep(0.01)

        await inbox.has(1)
        await relay(publisher, order_events(1, first=2))
        await inbox.until(lambda: len(inbox.first_seen) == 2)
        consumer.cancel()
        await asyncio.wait([consumer], timeout=WHOLE_S)
    assert consumer.cancelled()


async def test_publishing_goes_on_with_a_new_link_when_the_library_hears_nothing(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = order_events(3)
    async with Deaf() as library, rabbit(rabbitmq_url, confirm_timeout_s=0.5) as broker:
        await relay(broker, events[:1])
        with monkeypatch.context() as spell:
            spell.setattr(aiormq.Channel, "basic_publish", library.call)
            async with asyncio.timeout(WHOLE_S):
                with pytest.raises(BrokerUnavailable):
                    await broker.publish(events[1:])

        assert await broker.publish(events[1:]) == {"e-2", "e-3"}


async def test_a_broker_that_confirms_slowly_is_waited_for(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, turn = aiormq.Channel.basic_publish, asyncio.Lock()

    async def slow(*arguments: Any, **named: Any) -> Any:
        async with turn:
            await asyncio.sleep(0.2)
        return await quick(*arguments, **named)

    monkeypatch.setattr(aiormq.Channel, "basic_publish", slow)
    one_by_one = order_events(6)
    for other in (1, 3, 5):  # a message carries events of one type
        one_by_one[other] = one_by_one[other]._replace(type=CANCELLED)
    async with rabbit(rabbitmq_url, confirm_timeout_s=0.6) as broker:
        assert await broker.publish(one_by_one) == {event.event_id for event in one_by_one}


async def cancelled_by_the_library(*_: object, **__: object) -> None:
    raise asyncio.CancelledError("the library cancels its own waiters")


async def hung_up(*_: object, **__: object) -> None:
    raise Exception  # noqa: TRY002 - what the library raises when the far end hung up politely


@pytest.mark.parametrize("failure", [cancelled_by_the_library, hung_up])
async def test_however_many_links_were_lost_the_library_cannot_end_who_waits(
    failure: Callable[..., Awaitable[None]], rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Python 3.11 a TaskGroup whose child fails leaves its parent counted as cancelled."""
    inbox = Inbox()
    async with Wire(rabbitmq_url) as wire, rabbit(wire.url) as broker, consuming(broker, inbox):
        await relay(broker, order_events(1))
        await inbox.has(1)
        asyncio.get_running_loop().call_soon(wire.cut)
        with suppress(BrokerUnavailable):
            await broker.publish(order_events(100, first=2))
        with monkeypatch.context() as spell:
            spell.setattr(aiormq.Connection, "connect", failure)
            for _ in range(3):
                wire.cut()
                with pytest.raises(BrokerUnavailable):
                    await broker.publish(order_events(1))
                await asyncio.sleep(0.2)

        await relay(broker, order_events(1, first=200))
        await inbox.until(lambda: order_events(1, first=200)[0] in inbox.events)


async def test_who_is_asked_to_stop_stops_also_while_the_link_is_being_lost(
    rabbitmq_url: str,
) -> None:
    async with Wire(rabbitmq_url) as wire, rabbit(wire.url) as broker:
        for turns in range(20):
            inbox = Inbox()
            consumer = asyncio.ensure_future(broker.consume(QUEUE, inbox))
            await relay(broker, order_events(1))
            await inbox.has(1)

            wire.cut()
            for _ in range(turns):
                await asyncio.sleep(0)
            consumer.cancel()

            await asyncio.wait([consumer], timeout=WHOLE_S)
            assert consumer.cancelled(), f"it goes on when cancelled after {turns} turns"


@pytest.mark.timeout(120)
async def test_a_broker_killed_right_after_its_first_events_loses_none_and_goes_on(
    rabbitmq_url: str, rabbitmq_server: RabbitmqServer
) -> None:
    inbox = Inbox()
    async with rabbit(rabbitmq_url) as broker:
        await relay(broker, order_events(10))

        await asyncio.to_thread(rabbitmq_server.kill)
        await asyncio.to_thread(rabbitmq_server.start)

        async with consuming(broker, inbox):
            await relay(broker, order_events(1, first=11))
            await inbox.until(lambda: len(inbox.first_seen) == 11)


async def test_who_is_stopped_as_the_library_fails_leaves_no_error_unseen() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))

    for turns in range(6):
        await stop_as_the_library_fails(turns)
        gc.collect()  # asyncio complains when a task that failed is forgotten

    assert complaints == []


async def stop_as_the_library_fails(turns: int) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("connection closed")

    waiting = asyncio.ensure_future(in_time(fail(), WHOLE_S))
    await asyncio.sleep(0)  # it has begun
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError, BrokerUnavailable):
        await waiting


async def test_a_consumer_that_is_stopped_as_its_queue_goes_leaves_no_error_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))

    with monkeypatch.context() as patched:
        await stop_as_its_queue_goes(patched)
    gc.collect()  # asyncio complains when a task that failed is forgotten

    assert complaints == []


async def stop_as_its_queue_goes(patched: pytest.MonkeyPatch) -> None:
    class Idle:
        async def close(self) -> None:
            return

    async def opened(*_: object) -> Idle:
        return Idle()

    async def lost(*_: object) -> None:
        stopped.cancel()
        raise BrokerUnavailable("the broker ended the consumer")

    patched.setattr(rabbitmq_link.Link, "open", opened)
    patched.setattr(rabbitmq.Consumer, "run", lost)
    broker = rabbitmq.RabbitMQ("amqp://127.0.0.1/", subscriptions=[])
    stopped = asyncio.ensure_future(broker.consume(QUEUE, Inbox()))
    await asyncio.wait([stopped])
    assert stopped.cancelled()
