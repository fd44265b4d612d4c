"""What a service must hear reaches its queue, whoever else listens and whatever becomes of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
import pytest

from holdfast.chassis.messaging.broker import Event, Subscription
from holdfast.chassis.messaging.cloudevents import decode_batch
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from tests.contract.conftest import START

PLACED, UPDATED = "holdfast.orders.v1.OrderPlaced", "holdfast.orders.v1.OrderUpdated"
EXCHANGE = "holdfast.orders"
QUEUE, SECOND = "queue", "second"
SUBSCRIPTIONS = [Subscription(QUEUE, (PLACED,)), Subscription(SECOND, (PLACED,))]
ARRIVE_S_MAX = 20.0


def events(first: int, last: int, event_type: str = PLACED) -> list[Event]:
    return [Event(f"e-{n}", event_type, f"o-{n}", n, START, b"") for n in range(first, last + 1)]


@pytest.fixture
async def broker(rabbitmq_url: str) -> AsyncIterator[RabbitMQ]:
    broker = RabbitMQ(rabbitmq_url, subscriptions=SUBSCRIPTIONS)
    yield broker
    await broker.close()


@asynccontextmanager
async def by_hand(url: str) -> AsyncIterator[aiormq.abc.AbstractChannel]:
    async with aiormq.connect(url) as connection:
        yield await connection.channel()


@asynccontextmanager
async def somebody_listening(url: str) -> AsyncIterator[list[str]]:
    """Whoever hears all that Orders tells the world; the ids of what they have heard so far."""
    heard: list[str] = []

    async def hear(message: aiormq.abc.DeliveredMessage) -> None:
        heard.extend(event.event_id for event in decode_batch(message.body))

    async with by_hand(url) as channel:
        await channel.exchange_declare(EXCHANGE, exchange_type="topic", durable=True)
        await channel.queue_declare("listener", exclusive=True)
        await channel.queue_bind("listener", EXCHANGE, routing_key="#")
        await channel.basic_consume("listener", hear, no_ack=True)
        yield heard


async def arrived(url: str, queue: str, count: int) -> list[str]:
    """The ids of the events in a queue, once there are so many."""
    found: list[str] = []
    async with by_hand(url) as channel, asyncio.timeout(ARRIVE_S_MAX):
        while len(found) < count:
            message = await channel.basic_get(queue, no_ack=True)
            if message.body:
                found += [event.event_id for event in decode_batch(message.body)]
            else:
                await asyncio.sleep(0.05)
    return found


async def test_an_event_is_not_taken_without_a_queue_that_must_hear_it_though_others_do(
    broker: RabbitMQ, rabbitmq_url: str
) -> None:
    async with somebody_listening(rabbitmq_url) as heard, by_hand(rabbitmq_url) as channel:
        assert await broker.publish(events(1, 1)) == {"e-1"}
        await channel.queue_delete(QUEUE)

        assert await broker.publish(events(2, 2)) == frozenset()
        assert await broker.publish(events(2, 2)) == {"e-2"}
        assert await arrived(rabbitmq_url, QUEUE, 1) == ["e-2"]
    assert heard == ["e-1", "e-2", "e-2"], "what comes again is heard again"


async def test_no_binding_stands_between_an_event_and_those_who_must_hear_it(
    broker: RabbitMQ, rabbitmq_url: str
) -> None:
    async with somebody_listening(rabbitmq_url), by_hand(rabbitmq_url) as channel:
        await broker.publish(events(1, 1))
        for queue in (QUEUE, SECOND):
            await channel.queue_unbind(queue, EXCHANGE, routing_key=PLACED)

        assert await broker.publish(events(2, 2)) == {"e-2"}

        for queue in (QUEUE, SECOND):
            assert await arrived(rabbitmq_url, queue, 2) == ["e-1", "e-2"]


async def test_everybody_hears_every_event_once_and_in_order(
    broker: RabbitMQ, rabbitmq_url: str
) -> None:
    sent = [one for n in range(0, 1_000, 10) for one in _mixed(n)]
    async with somebody_listening(rabbitmq_url) as heard:
        assert await broker.publish(sent) == {one.event_id for one in sent}

        must = [one.event_id for one in sent if one.type == PLACED]
        assert await arrived(rabbitmq_url, QUEUE, len(must)) == must
        assert await arrived(rabbitmq_url, SECOND, len(must)) == must
        async with asyncio.timeout(ARRIVE_S_MAX):
            while len(heard) < len(sent):
                await asyncio.sleep(0.05)
    assert heard == [one.event_id for one in sent]


def _mixed(first: int) -> list[Event]:
    return events(first, first + 4) + events(first + 5, first + 9, UPDATED)


async def test_an_event_is_taken_when_all_who_must_hear_it_have_it(
    broker: RabbitMQ, rabbitmq_url: str
) -> None:
    await broker.publish(events(1, 1))
    async with by_hand(rabbitmq_url) as channel:
        await channel.queue_delete(SECOND)

    taken = await broker.publish(events(2, 3) + events(4, 4, UPDATED))

    assert taken == {"e-4"}
    assert await arrived(rabbitmq_url, QUEUE, 3) == ["e-1", "e-2", "e-3"], "one of them has it"
    assert await broker.publish(events(2, 3)) == {"e-2", "e-3"}
    assert await arrived(rabbitmq_url, SECOND, 2) == ["e-2", "e-3"]
