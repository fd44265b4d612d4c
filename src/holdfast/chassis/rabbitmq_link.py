"""One connection to RabbitMQ and what is declared on it: never mended, only replaced."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Self

import aiormq
from aiormq.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory

from holdfast.chassis.broker import BrokerUnavailable, Subscription

DEAD_EXCHANGE = "holdfast.dead"
# RabbitMQ 4 drops what exceeds its default of 20, and from a dead queue there is nowhere to go.
DEAD_DELIVERY_LIMIT = 1_000_000

ANSWER_TIMEOUT_S = 10.0  # of a connect, of all the confirms of one publish
CLOSE_TIMEOUT_S = 1.0
HEARTBEAT_S = 10

# RuntimeError is what client library and event loop say of a connection that is closed already.
LINK_ERRORS = (aiormq.AMQPError, OSError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Topology:
    """Exchanges and queues, declared alike by both services: nobody has to start first."""

    subscriptions: tuple[Subscription, ...]
    delivery_limit: int
    queue_messages_max: int

    async def declare(self, channel: AbstractChannel) -> None:
        await channel.exchange_declare(DEAD_EXCHANGE, exchange_type="direct", durable=True)
        for one in self.subscriptions:
            dead, settings = dead_queue(one.queue), self._settings(DEAD_DELIVERY_LIMIT)
            await channel.queue_declare(dead, durable=True, arguments=settings)
            await channel.queue_bind(dead, DEAD_EXCHANGE, routing_key=dead)
            settings = self._settings(self.delivery_limit) | {
                "x-dead-letter-exchange": DEAD_EXCHANGE,
                "x-dead-letter-routing-key": dead,
                # Without reject-publish RabbitMQ would fall back to at-most-once, and not say so.
                "x-dead-letter-strategy": "at-least-once",
            }
            await channel.queue_declare(one.queue, durable=True, arguments=settings)
            for event_type in one.types:
                exchange = ".".join(event_type.split(".")[:2])
                await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
                await channel.queue_bind(one.queue, exchange, routing_key=event_type)

    def _settings(self, delivery_limit: int) -> dict[str, Any]:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": delivery_limit,
            "x-max-length": self.queue_messages_max,
            "x-overflow": "reject-publish",
        }


class Link(aiormq.TransportFactory):
    """One connection with a channel to publish on. It dies only once."""

    def __init__(self, url: str, purpose: str, topology: Topology) -> None:
        self.topology = topology
        settings = f"{'&' if '?' in url else '?'}heartbeat={HEARTBEAT_S}&name=holdfast-{purpose}"
        self.connection = aiormq.Connection(url + settings, transport_factory=self)
        self.channel: AbstractChannel
        self._writer: asyncio.StreamWriter | None = None
        self.is_doubtful = False  # a queue is missing, which the next link declares again
        self._exchanges: set[str] = set()

    @classmethod
    async def open(cls, url: str, purpose: str, topology: Topology) -> Self:
        link = cls(url, purpose, topology)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await link.connection.connect()
                link.channel = await link.connection.channel()
                await topology.declare(link.channel)
        except BaseException:
            await link.close(politely=False)
            raise
        return link

    async def create(self, url: Any, **kwargs: Any) -> Any:
        """Connect for the library, keeping the socket: it can't leave a far end that is frozen."""
        factory = TLSTransportFactory() if url.scheme == "amqps" else TCPTransportFactory()
        reader, self._writer = await factory.create(url, **kwargs)
        return reader, self._writer

    @property
    def is_spent(self) -> bool:
        return self.is_doubtful or self.connection.is_closed or self.channel.is_closed

    async def declare_exchanges(self, exchanges: set[str]) -> None:
        """Declare what no subscription names: to publish to nothing would close the channel."""
        for exchange in sorted(exchanges - self._exchanges):
            await self.channel.exchange_declare(exchange, exchange_type="topic", durable=True)
            self._exchanges.add(exchange)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """End whatever is awaited inside when the link is lost: the library may wait for ever."""
        lost = self.channel.closing
        async with asyncio.timeout(None) as deadline:
            lost.add_done_callback(end := lambda _: deadline.reschedule(0))
            try:
                yield
            finally:
                lost.remove_done_callback(end)
                lost.cancel()  # the library's name for: we no longer observe

    async def close(self, *, politely: bool = True) -> None:
        """Say goodbye if the broker listens, and hang up in any case."""
        if not politely:
            self._hang_up()
        # Without an error of ours, whoever waits for a confirm would look cancelled.
        error = aiormq.AMQPConnectionError("connection closed")
        goodbye = asyncio.ensure_future(self.connection.close(error))
        try:
            # No timeout, which cancels and waits: the library may take no notice for ever.
            await asyncio.wait([goodbye], timeout=CLOSE_TIMEOUT_S)
        finally:
            goodbye.cancel()
            goodbye.add_done_callback(_look_at)
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


def _look_at(goodbye: "asyncio.Future[Any]") -> None:
    """Take note of how a goodbye ended, which nobody minds, so that asyncio doesn't complain."""
    if not goodbye.cancelled():
        goodbye.exception()


@contextmanager
def link_loss() -> Iterator[None]:
    """Say BrokerUnavailable for whatever the library raises on a connection that is lost."""
    try:
        yield
    except asyncio.CancelledError as error:
        # The library cancels its own waiters; only a task asked to stop is really cancelled.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnavailable("connection closed") from error
    except LINK_ERRORS as error:
        raise BrokerUnavailable(str(error) or repr(error)) from error


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"
