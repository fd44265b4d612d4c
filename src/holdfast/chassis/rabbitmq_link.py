"""One connection to RabbitMQ and what is declared on it: never mended, only replaced."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import aiormq
from aiormq.abc import AbstractChannel
from aiormq.connection import TCPTransportFactory, TLSTransportFactory

from holdfast.chassis.broker import BrokerUnavailable, Subscription
from holdfast.chassis.clock import new_name, shuffled

DEAD_EXCHANGE = "holdfast.dead"
# RabbitMQ 4 drops what exceeds its default of 20, and from a dead queue there is nowhere to go.
DEAD_DELIVERY_LIMIT = 1_000_000

ANSWER_TIMEOUT_S = 10.0  # of a connect, of the next confirm of a publish
CLOSE_TIMEOUT_S = 1.0
HEARTBEAT_S = 10

# RuntimeError is what client library and event loop say of a connection that is closed already.
LINK_ERRORS = (aiormq.AMQPError, OSError, RuntimeError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topology:
    """Exchanges and queues, declared alike by both services: nobody has to start first."""

    subscriptions: tuple[Subscription, ...]
    delivery_limit: int
    queue_messages_max: int

    @property
    def kept_exchange(self) -> str:
        """An exchange whose being there says that `keep` was done."""
        return f"holdfast.kept.{'+'.join(sorted(one.queue for one in self.subscriptions))}"

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

    def must_hear(self, event_type: str) -> list[str]:
        """Queues that have to take every event of a type; others may listen at its exchange."""
        return [one.queue for one in self.subscriptions if event_type in one.types]

    async def keep(self, channel: AbstractChannel) -> None:
        """Have the queues' names written to disk, once in the life of a broker.

        RabbitMQ 3.10 writes the name of a quorum queue when another one is registered, or about a
        second later. Killed before, it loses what the queue has confirmed, and the queue never
        works again. So another one is registered, under a name that no other service has used.
        """
        last = f"holdfast.last.{new_name()}"
        await channel.queue_declare(last, durable=True, arguments={"x-queue-type": "quorum"})
        await channel.queue_delete(last)
        await channel.exchange_declare(self.kept_exchange, exchange_type="fanout", durable=True)

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
        # Something was refused. If a queue is missing, the next link declares it. And RabbitMQ 3.10
        # refuses all that comes on a channel whose first message found the leader's node just lost.
        self.is_doubtful = False
        self._exchanges: set[str] = set()

    @classmethod
    async def open(cls, url: str, purpose: str, topology: Topology) -> Self:
        """Connect to one of the hosts and declare the topology; a host that doesn't answer in its
        share of the time is passed over.

        :raises BrokerUnavailable: none answers.
        """
        hosts, refusals = shuffled(urls_by_host(url)), []
        for host in hosts:
            link = cls(host, purpose, topology)
            try:
                return await link._opened(ANSWER_TIMEOUT_S / len(hosts))
            except BrokerUnavailable as refusal:
                refusals.append(str(refusal))
        raise BrokerUnavailable("; ".join(refusals))

    async def _opened(self, timeout_s: float) -> Self:
        try:
            await in_time(self._open(), timeout_s)
        except BaseException:
            await self.close(politely=False)
            raise
        return self

    async def _open(self) -> None:
        await self.connection.connect()
        self.channel = await self.connection.channel()
        await self.topology.declare(self.channel)
        try:
            await self.channel.exchange_declare(self.topology.kept_exchange, passive=True)
        except aiormq.ChannelNotFoundEntity:  # which closed the channel
            self.channel = await self.connection.channel()
            await self.topology.keep(self.channel)

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

    async def do(
        self,
        work: Awaitable[T],
        timeout_s: float = ANSWER_TIMEOUT_S,
        *,
        progress: Callable[[], int] = lambda: 0,
    ) -> T:
        """Await what the library does on this link, for so long and while the link lives.

        :param progress: while it grows, the time begins anew.
        :raises BrokerUnavailable: the link is lost or silent; whether it was done is unknown.
        """
        lost = self.channel.closing
        try:
            return await in_time(work, timeout_s, lost, progress=progress)
        finally:
            lost.cancel()  # the library's name for: we no longer observe

    async def close(self, *, politely: bool = True) -> None:
        """Say goodbye if the broker listens, and hang up in any case."""
        if not politely:
            self._hang_up()
        # Without an error of ours, whoever waits for a confirm would look cancelled.
        error = aiormq.AMQPConnectionError("connection closed")
        try:
            with suppress(BrokerUnavailable):
                await in_time(self.connection.close(error), CLOSE_TIMEOUT_S)
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


async def in_time(
    work: Awaitable[T],
    timeout_s: float,
    *ends: "asyncio.Future[Any]",
    progress: Callable[[], int] = lambda: 0,
) -> T:
    """Await the library's work until it is done, or nothing comes, or one of the ends has come.

    In a task of its own, which is left to itself when it is late: the library takes no notice of
    some cancellations, for ever. It also cancels its own waiters when a connection is lost; a
    CancelledError that comes out of here was meant for us.

    :raises BrokerUnavailable: there is no result; whether it was done is unknown.
    """
    task, so_far = asyncio.ensure_future(work), -1
    task.add_done_callback(_look_at)
    come: set[asyncio.Future[Any]] = set()
    try:
        while not come and progress() > so_far:
            so_far = progress()
            come, _ = await asyncio.wait(
                [task, *ends], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
    finally:
        task.cancel()
    if not task.done():
        raise BrokerUnavailable("connection lost" if come else f"no answer for {timeout_s:g} s")
    if task.cancelled():
        raise BrokerUnavailable("connection closed")
    try:
        return task.result()
    except Exception as error:
        # A plain Exception is what the library tells its waiters when the far end hung up politely.
        if isinstance(error, LINK_ERRORS) or type(error) is Exception:
            raise BrokerUnavailable(str(error) or repr(error)) from error
        raise


def _look_at(left_alone: "asyncio.Future[Any]") -> None:
    """Take note of how it ended, which nobody minds any more, so that asyncio doesn't complain."""
    if not left_alone.cancelled():
        left_alone.exception()


def urls_by_host(url: str) -> list[str]:
    """Split amqp://USER:PASSWORD@HOST1:PORT1,HOST2:PORT2/VHOST into a URL of each host."""
    # By hand: the standard library takes several hosts for one, and brackets among them for none.
    scheme, slashes, rest = url.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    login, at, hosts = authority.rpartition("@")
    start, end = scheme + slashes + login + at, rest[len(authority) :]
    return [start + host + end for host in hosts.split(",")]


def dead_queue(queue: str) -> str:
    return f"{queue}.dead"
