"""Carry events through RabbitMQ: none is sent before its confirm, none received before its ack.

A connection is never mended: whatever fails, it is dropped, and the next declares everything again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import aiormq
import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.connection import TCPTransportFactory, TLSTransportFactory

from holdfast.chassis import event_codec
from holdfast.chassis.broker import (
    EVENTS_PER_MESSAGE_MAX,
    BrokerUnavailable,
    DeadLetter,
    Event,
    Receiver,
    Subscription,
)
from holdfast.chassis.clock import jitter

DEAD_EXCHANGE = "holdfast.dead"
QUEUE_MESSAGES_MAX = 1_000_000
# A crash loop counts against innocent messages in flight too, so the limit is generous.
DELIVERY_LIMIT = 50
# RabbitMQ 4 drops what exceeds its default of 20, and from a dead queue there is nowhere to go.
DEAD_DELIVERY_LIMIT = 1_000_000

ANSWER_TIMEOUT_S = 10.0  # of a connect, of all the confirms of one publish
CLOSE_TIMEOUT_S = 1.0
HEARTBEAT_S = 10
IDLE_S = 30.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
PREFETCH_MESSAGES = 100
EVENTS_PER_BATCH_MAX = 1_000  # of whole messages

# RuntimeError is what client library and event loop say of a connection that is closed already.
LINK_ERRORS = (aiormq.AMQPError, OSError, RuntimeError)

log = structlog.get_logger()
Arrivals = asyncio.Queue[DeliveredMessage | None]  # None comes when nothing more can come


class RabbitMQ:
    """The broker seam on RabbitMQ: one connection for publishing, and one for every consumer."""

    def __init__(
        self,
        url: str,
        *,
        subscriptions: Sequence[Subscription],
        prefetch_messages: int = PREFETCH_MESSAGES,
        confirm_timeout_s: float = ANSWER_TIMEOUT_S,
        delivery_limit: int = DELIVERY_LIMIT,
        queue_messages_max: int = QUEUE_MESSAGES_MAX,
    ) -> None:
        self._url = url
        self._topology = Topology(tuple(subscriptions), delivery_limit, queue_messages_max)
        self._must_hear = {event_type for one in subscriptions for event_type in one.types}
        self._prefetch_messages = prefetch_messages
        self._confirm_timeout_s = confirm_timeout_s
        self._publishing: Link | None = None
        self._connecting = asyncio.Lock()
        self._is_up = False

    def is_up(self) -> bool:
        return self._is_up

    async def close(self) -> None:
        """Close the publisher's connection; a consumer closes its own when cancelled."""
        link, self._publishing = self._publishing, None
        if link is not None:
            await link.close()

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        taken: set[str] = set()
        try:
            with link_loss():
                await self._publish_in_time(events, taken)
        except BrokerUnavailable as error:
            self._is_up = False
            if not taken:
                raise
            log.warning("broker lost while publishing", taken=len(taken), error=str(error))
        return frozenset(taken)

    async def _publish_in_time(self, events: Sequence[Event], taken: set[str]) -> None:
        link: Link | None = None
        try:
            async with asyncio.timeout(self._confirm_timeout_s):
                link = await self._publishing_link()
                async with link.watched():
                    await self._publish_window(link, events, taken)
            self._is_up = True
        except BaseException:
            # What has no confirm by now is unknown, and this connection won't tell any more.
            if link is not None:
                await link.close(politely=False)
            raise

    async def _publishing_link(self) -> "Link":
        async with self._connecting:
            if self._publishing is None or self._publishing.is_spent:
                await self.close()
                self._publishing = await Link.open(self._url, "publish", self._topology)
            return self._publishing

    async def _publish_window(self, link: "Link", events: Sequence[Event], taken: set[str]) -> None:
        """Publish everything at once on one channel, which keeps the order; gather the confirms."""
        await link.declare_exchanges({event.exchange for event in events})
        try:
            async with asyncio.TaskGroup() as group:
                for pack in event_codec.packs(events):
                    group.create_task(self._publish_pack(link, pack, taken))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _publish_pack(self, link: "Link", pack: Sequence[Event], taken: set[str]) -> None:
        event_type, exchange = pack[0].type, pack[0].exchange
        # The library adds a message_id. No event's id: it finds returned messages by it, uniquely.
        properties = aiormq.spec.Basic.Properties(
            app_id=exchange,
            content_type=event_codec.CONTENT_TYPE,
            delivery_mode=2,
            message_type=event_type,
            timestamp=pack[0].time,
        )
        try:
            await link.channel.basic_publish(
                event_codec.encode_batch(pack),
                exchange=exchange,
                routing_key=event_type,
                properties=properties,
                mandatory=event_type in self._must_hear,
            )
        except aiormq.DeliveryError as error:
            # A nack, such as from a full queue, or a return; the library ignores the ack after it.
            link.is_doubtful |= isinstance(error, aiormq.PublishError)
            log.warning("events refused", type=event_type, events=len(pack), error=repr(error))
        else:
            taken.update(event.event_id for event in pack)

    async def consume(self, queue: str, receiver: Receiver) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while True:  # until cancelled
            started = clock()
            try:
                await self._consume_once(queue, receiver)
            except* BrokerUnavailable as lost:
                log.warning("broker lost while consuming", queue=queue, error=str(lost.exceptions))
            except* Exception:
                log.exception("consumer failed, starting it again", queue=queue)
            self._is_up = False
            failures = 0 if clock() - started > RETRY_S_MAX else failures + 1
            await asyncio.sleep(retry_s(failures))

    async def _consume_once(self, queue: str, receiver: Receiver) -> None:
        with link_loss():
            link = await Link.open(self._url, "consume", self._topology)
        self._is_up = True
        try:
            async with asyncio.TaskGroup() as group:
                for is_dead in (False, True):
                    consumer = Consumer(queue, receiver, is_dead=is_dead)
                    group.create_task(consumer.run(link, self._prefetch_messages))
        finally:
            await link.close()


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

    def __init__(self, url: str, purpose: str) -> None:
        settings = f"{'&' if '?' in url else '?'}heartbeat={HEARTBEAT_S}&name=holdfast-{purpose}"
        self.connection = aiormq.Connection(url + settings, transport_factory=self)
        self.channel: AbstractChannel
        self._writer: asyncio.StreamWriter | None = None
        self.is_doubtful = False  # a queue is missing, which the next link declares again
        self._exchanges: set[str] = set()

    @classmethod
    async def open(cls, url: str, purpose: str, topology: Topology) -> Self:
        link = cls(url, purpose)
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
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    # Without an error of ours, whoever waits for a confirm would look cancelled.
                    await self.connection.close(aiormq.AMQPConnectionError("connection closed"))
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


@dataclass(slots=True)
class Batch:
    """What is settled at once: all that came on one channel up to a tag."""

    last_tag: int = 0
    events: list[Event] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)


class Consumer:
    """Hands what arrives on one channel to the receiver, then acknowledges it on that channel."""

    def __init__(self, queue: str, receiver: Receiver, *, is_dead: bool) -> None:
        self._queue, self._receiver, self._is_dead = queue, receiver, is_dead

    async def run(self, link: Link, prefetch_messages: int) -> None:
        with link_loss():
            while True:  # until the link is lost
                await self._run_until_idle(link, prefetch_messages)

    async def _run_until_idle(self, link: Link, prefetch_messages: int) -> None:
        # When a quorum queue is deleted and made anew, RabbitMQ 3.10 may forget its consumers, or
        # what it has sent them, and tell nobody. So an idle consumer starts again on a new channel.
        arrived: Arrivals = asyncio.Queue()  # bounded by the prefetch
        channel = await self._start(link, arrived, prefetch_messages)
        while batch := await self._next_batch(arrived):
            await self._hand_over(batch, channel)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await channel.basic_ack(batch.last_tag, multiple=True)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await channel.close()

    async def _start(self, link: Link, arrived: Arrivals, prefetch: int) -> AbstractChannel:
        async def arrive(message: DeliveredMessage) -> None:
            arrived.put_nowait(message)

        def end(_: object) -> None:
            arrived.put_nowait(None)

        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            channel = await link.connection.channel(publisher_confirms=False)
            channel.closing.add_done_callback(end)
            channel.on_consumer_cancel_callbacks.add(end)  # the queue was deleted
            await channel.basic_qos(prefetch_count=prefetch)
            source = dead_queue(self._queue) if self._is_dead else self._queue
            await channel.basic_consume(source, arrive)
        return channel

    async def _next_batch(self, arrived: Arrivals) -> Batch | None:
        """Wait for a message and take what came meanwhile: so a busy receiver makes batches."""
        try:
            async with asyncio.timeout(IDLE_S):
                message = await arrived.get()
        except TimeoutError:
            return None
        batch = Batch()
        while message is not None:
            self._sort(message, batch)
            batch.last_tag = message.delivery_tag or 0
            room = EVENTS_PER_BATCH_MAX - len(batch.events) - len(batch.letters)
            if arrived.empty() or room < EVENTS_PER_MESSAGE_MAX:
                return batch
            message = arrived.get_nowait()
        raise BrokerUnavailable("the broker ended the consumer")

    def _sort(self, message: DeliveredMessage, batch: Batch) -> None:
        queue, body, death = self._queue, message.body, ""
        if self._is_dead:
            headers = message.header.properties.headers or {}
            death = f"given up by the broker: {headers.get('x-first-death-reason')!s}"
        try:
            events = event_codec.decode_batch(body)
        except event_codec.NotAnEventBatch as error:
            reason = f"{death} {error}".lstrip()
            batch.letters.append(event_codec.unreadable(queue, body, reason))
            return
        if self._is_dead:
            batch.letters += [DeadLetter(e.event_id, queue, death, e.data, e) for e in events]
        else:
            batch.events += events

    async def _hand_over(self, batch: Batch, channel: AbstractChannel) -> None:
        """Return when the receiver has accepted all; try again for as long as the channel lives."""
        failures = 0
        while not channel.is_closed:
            try:
                if batch.letters:
                    await self._receiver.park(batch.letters)
                if batch.events:
                    await self._receiver.receive(batch.events)
            except Exception:
                log.exception("receiver failed, delivering again", queue=self._queue)
            else:
                return
            failures += 1
            await asyncio.sleep(retry_s(failures))
        raise BrokerUnavailable("the channel closed; the broker delivers again")


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


def retry_s(failures: int) -> float:
    return jitter(min(RETRY_S_MIN * 2**failures, RETRY_S_MAX))
