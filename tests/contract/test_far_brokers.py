"""What the simulator makes of RabbitMQ and of its client library, asked of the real ones as well.

These are no promises of ours. Should a new version of either break one, the simulated one has to
follow, or what it proves is about a broker that nobody has.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import aiormq
import pytest
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import (
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
)

from tests.contract.far_brokers import far_broker

QUORUM = {"x-queue-type": "quorum"}
ARRIVE_S_MAX = 10.0
QUIET_S = 0.2


@pytest.fixture(params=["rabbitmq", "simulated"])
async def channel(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A channel on which the queue `q` is declared, and bound to the exchange `x` by `a.*`."""
    with far_broker(request.param, request) as far:
        async with far.by_hand() as channel:
            await prepare(channel)
            yield channel


async def prepare(channel: Any, **settings: object) -> None:
    await channel.queue_declare("q", durable=True, arguments={**QUORUM, **settings})
    await channel.exchange_declare("x", exchange_type="topic", durable=True)
    await channel.queue_bind("q", "x", routing_key="a.#")


async def publish(channel: Any, *bodies: str) -> None:
    for body in bodies:
        await channel.basic_publish(body.encode(), exchange="x", routing_key="a.b", mandatory=True)


class Listener:
    """A consumer on a channel of its own, which keeps what comes."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self.came: asyncio.Queue[DeliveredMessage] = asyncio.Queue()
        self.cancelled = asyncio.Event()

    @classmethod
    async def on(cls, neighbour: Any, prefetch: int = 10, queue: str = "q") -> "Listener":
        listener = cls(await neighbour.connection.channel(publisher_confirms=False))
        listener.channel.on_consumer_cancel_callbacks.add(lambda _: listener.cancelled.set())
        await listener.channel.basic_qos(prefetch_count=prefetch)
        await listener.channel.basic_consume(queue, listener.arrive)
        return listener

    async def arrive(self, message: DeliveredMessage) -> None:
        self.came.put_nowait(message)

    async def gets(self, count: int) -> list[DeliveredMessage]:
        async with asyncio.timeout(ARRIVE_S_MAX):
            messages = [await self.came.get() for _ in range(count)]
        await asyncio.sleep(QUIET_S)
        assert self.came.empty(), "more came than was meant to"
        return messages


def texts(messages: Sequence[DeliveredMessage]) -> str:
    return " ".join(message.body.decode() for message in messages)


async def ending(channel: Any) -> BaseException | None:
    async with asyncio.timeout(ARRIVE_S_MAX):
        await asyncio.wait([channel.closing])
    error: BaseException | None = channel.closing.exception()
    return error


async def test_what_is_published_comes_in_order_up_to_the_prefetch(channel: Any) -> None:
    listener = await Listener.on(channel, prefetch=2)
    await publish(channel, *"abcd")

    first = await listener.gets(2)
    await listener.channel.basic_ack(first[0].delivery_tag)
    third = await listener.gets(1)
    await listener.channel.basic_ack(third[0].delivery_tag, multiple=True)
    last = await listener.gets(1)

    assert texts(first + third + last) == "a b c d"
    assert [message.delivery_tag for message in first + third + last] == [1, 2, 3, 4]
    assert not any(message.redelivered for message in first + third + last)
    assert (last[0].exchange, last[0].routing_key) == ("x", "a.b")


async def test_two_consumers_take_turns(channel: Any) -> None:
    listeners = [await Listener.on(channel) for _ in "ab"]

    await publish(channel, *"abcdef")

    shares = [texts(await listener.gets(3)) for listener in listeners]
    assert sorted(shares) == ["a c e", "b d f"]


async def test_what_a_lost_channel_had_comes_again_first_and_in_order(channel: Any) -> None:
    first = await Listener.on(channel, prefetch=3)
    await publish(channel, *"abcde")
    acked, _, _ = await first.gets(3)
    await first.channel.basic_ack(acked.delivery_tag)
    await first.gets(1)

    await first.channel.close()
    second = await Listener.on(channel)

    again = await second.gets(4)
    assert texts(again) == "b c d e"
    assert [message.redelivered for message in again] == [True, True, True, False]


async def test_an_ack_belongs_to_its_channel(channel: Any) -> None:
    listener, other = await Listener.on(channel), await channel.connection.channel()
    await publish(channel, "a")
    (message,) = await listener.gets(1)

    await other.basic_ack(message.delivery_tag)

    assert isinstance(await ending(other), ChannelPreconditionFailed)
    assert not listener.channel.is_closed
    with pytest.raises(ChannelInvalidStateError):
        await other.basic_ack(message.delivery_tag)


async def test_what_is_acked_twice_ends_the_channel_and_its_other_messages_come_again(
    channel: Any,
) -> None:
    listener = await Listener.on(channel)
    await publish(channel, *"abc")
    first, second, _ = await listener.gets(3)

    await listener.channel.basic_ack(second.delivery_tag, multiple=True)
    await listener.channel.basic_ack(first.delivery_tag, multiple=True)

    assert isinstance(await ending(listener.channel), ChannelPreconditionFailed)
    assert texts(await (await Listener.on(channel)).gets(1)) == "c"


async def test_what_nobody_would_get_is_returned_if_it_must_be_heard(channel: Any) -> None:
    await channel.basic_publish(b"unheard", exchange="x", routing_key="b")
    with pytest.raises(aiormq.PublishError):
        await channel.basic_publish(b"returned", exchange="x", routing_key="b", mandatory=True)

    await publish(channel, "a")
    assert not channel.is_closed


async def test_publishing_to_an_exchange_that_is_missing_ends_the_channel(channel: Any) -> None:
    with pytest.raises(ChannelNotFoundEntity):
        await channel.basic_publish(b"lost", exchange="y", routing_key="a")

    assert isinstance(await ending(channel), ChannelNotFoundEntity)
    with pytest.raises(ChannelInvalidStateError):
        await channel.basic_publish(b"lost", exchange="x", routing_key="a")


async def test_a_full_queue_refuses_without_returning(channel: Any) -> None:
    limits = {"x-max-length": 2, "x-overflow": "reject-publish"}
    await channel.queue_declare("small", durable=True, arguments={**QUORUM, **limits})

    outcomes = [await outcome(channel.basic_publish(b"x", routing_key="small")) for _ in range(20)]

    assert outcomes[:2] == [None, None]
    assert {type(one) for one in outcomes[10:]} == {aiormq.DeliveryError}


async def outcome(publishing: Awaitable[object]) -> Exception | None:
    try:
        await publishing
    except aiormq.AMQPError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("name", "settings", "error"),
    [
        ("missing", {"passive": True}, ChannelNotFoundEntity),
        ("q", {"durable": True, "arguments": {**QUORUM, "x-max-length": 7}}, None),
    ],
)
async def test_a_declaration_that_is_refused_ends_the_channel(
    name: str, settings: dict[str, Any], error: type[Exception] | None, channel: Any
) -> None:
    error = error or ChannelPreconditionFailed
    with pytest.raises(error):
        await channel.queue_declare(name, **settings)

    assert isinstance(await ending(channel), error)


async def test_to_declare_again_alike_changes_nothing(channel: Any) -> None:
    await publish(channel, "a")

    await prepare(channel)

    assert (await channel.basic_get("q", no_ack=True)).body == b"a"


async def test_a_deleted_queue_tells_its_consumers_and_takes_its_messages_along(
    channel: Any,
) -> None:
    listener = await Listener.on(channel, prefetch=1)
    await publish(channel, *"ab")
    (message,) = await listener.gets(1)

    await channel.queue_delete("q")
    async with asyncio.timeout(ARRIVE_S_MAX):
        await listener.cancelled.wait()
    await prepare(channel)
    await listener.channel.basic_ack(message.delivery_tag)

    assert await (await Listener.on(channel)).gets(0) == []
    assert not listener.channel.is_closed


async def test_what_came_too_often_is_given_to_the_dead(channel: Any) -> None:
    await channel.exchange_declare("dead", exchange_type="direct", durable=True)
    await channel.queue_declare("grave", durable=True, arguments=QUORUM)
    await channel.queue_bind("grave", "dead", routing_key="why")
    where = {"x-dead-letter-exchange": "dead", "x-dead-letter-routing-key": "why"}
    how = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
    limit = {"x-delivery-limit": 1}
    await channel.queue_declare("ill", durable=True, arguments={**QUORUM, **where, **how, **limit})

    await channel.basic_publish(b"x", routing_key="ill")
    for _ in range(2):
        listener = await Listener.on(channel, queue="ill")
        await listener.gets(1)
        await listener.channel.close()

    (buried,) = await (await Listener.on(channel, queue="grave")).gets(1)
    assert buried.body == b"x"
    assert (buried.header.properties.headers or {})["x-first-death-reason"] == "delivery_limit"


async def test_a_request_that_is_given_up_ends_its_channel(channel: Any) -> None:
    channel = await channel.connection.channel()
    request = asyncio.ensure_future(channel.queue_declare("other", durable=True, arguments=QUORUM))
    for _ in range(5):  # until it is sent
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.wait([request])

    if request.cancelled():  # the simulated broker may have answered at once
        await ending(channel)
        with pytest.raises(ChannelInvalidStateError):
            await channel.basic_qos(prefetch_count=1)


async def test_closing_a_connection_closes_its_channels(channel: Any) -> None:
    await channel.connection.close(aiormq.AMQPConnectionError("enough"))

    assert await ending(channel)
    assert channel.connection.is_closed
    with pytest.raises(RuntimeError):
        await channel.connection.channel()
