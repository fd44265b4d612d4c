"""Carry events through RabbitMQ: none is sent before its confirm, none received before its ack.

A connection is never mended: whatever fails, it is dropped, and the next declares everything again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiormq
import structlog
from aiormq.abc import AbstractChannel, DeliveredMessage
from aiormq.exceptions import ChannelClosed, ChannelInvalidStateError

from holdfast.chassis.clock import backoff_s
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging import cloudevents
from holdfast.chassis.messaging.broker import (
    EVENTS_PER_MESSAGE_MAX,
    BrokerUnavailable,
    DeadLetter,
    Event,
    Receiver,
    Subscription,
)
from holdfast.chassis.messaging.rabbitmq_link import ANSWER_TIMEOUT_S, Link
from holdfast.chassis.messaging.rabbitmq_names import READ, REFUSALS, WRITE, Topology, dead_queue
from holdfast.chassis.process.lifecycle import end_all

QUEUE_MESSAGES_MAX = 1_000_000
# A crash loop counts against innocent messages in flight too, so the limit is generous.
DELIVERY_LIMIT = 50
IDLE_S = 10.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
PREFETCH_MESSAGES = 100
EVENTS_PER_BATCH_MAX = 1_000  # of whole messages

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
        self._prefetch_messages = prefetch_messages
        self._confirm_timeout_s = confirm_timeout_s
        self._names = self._topology.names
        self._publishing: Link | None = None
        self._connecting = asyncio.Lock()
        self._is_up = False

    def is_up(self) -> bool:
        return self._is_up

    def names(self) -> Mapping[str, str]:
        problems = self._names.problems
        return {name: problems.get(name, "") for name in self._topology.all_names}

    def waiting_types(self) -> frozenset[str]:
        types = {one for each in self._topology.subscriptions for one in each.types}
        return frozenset(filter(self._topology.is_kept_waiting, types))

    async def declare(self) -> None:
        try:
            link = await self._publishing_link()
            await link.do(link.declare_again())
        except BrokerUnavailable:
            self._is_up = False
            raise
        self._is_up = True

    async def close(self) -> None:
        """Close the publisher's connection; a consumer closes its own when cancelled."""
        link, self._publishing = self._publishing, None
        if link is not None:
            await link.close()

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        taken: set[str] = set()
        try:
            await self._publish_in_time(events, taken)
        except BrokerUnavailable as error:
            self._is_up = False
            if not taken:
                raise
            log.warning("broker lost while publishing", taken=len(taken), error=str(error))
        return frozenset(taken)

    async def _publish_in_time(self, events: Sequence[Event], taken: set[str]) -> None:
        link = await self._publishing_link()
        try:
            window = self._publish_window(link, events, taken)
            # Not all confirms within the time, but the next: to publish again what a slow broker
            # has taken already would make it slower.
            await link.do(window, self._confirm_timeout_s, progress=lambda: len(taken))
        except BaseException:
            # What has no confirm by now is unknown, and this connection won't tell any more.
            await link.close(politely=False)
            raise
        self._is_up = True

    async def _publishing_link(self) -> Link:
        async with self._connecting:
            if self._publishing is None or self._publishing.is_spent:
                await self.close()
                self._publishing = await self._open("publish")
            return self._publishing

    async def _open(self, purpose: str) -> Link:
        return await Link.open(self._url, purpose, self._topology)

    async def _publish_window(self, link: Link, events: Sequence[Event], taken: set[str]) -> None:
        """Publish everything at once on one channel, which keeps the order; gather the confirms."""
        await link.declare_exchanges({event.exchange for event in events})
        try:
            async with asyncio.TaskGroup() as group:
                for events_of_pack in cloudevents.packs(events):
                    if self._topology.is_kept_waiting(events_of_pack[0].type):
                        continue
                    pack = Pack(events_of_pack, cloudevents.encode_batch(events_of_pack))
                    for queue in self._topology.must_hear(pack.type):
                        group.create_task(self._publish_copy(link, pack, "", queue, taken))
                        pack.copies += 1
                    group.create_task(self._publish_copy(link, pack, pack.exchange, "", taken))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _publish_copy(
        self, link: Link, pack: "Pack", exchange: str, queue: str, taken: set[str]
    ) -> None:
        """Publish to one queue that must hear it, or to its exchange for whoever else listens.

        Were the queue one of many on the exchange, the broker would be content if any of them
        heard: a binding or a queue that was lost would not show.
        """
        if not queue and link.refuses_world(exchange):
            link.give_up(exchange)
            await self._count_copy(pack, taken)
            return
        # The library adds a message_id. No event's id: it finds returned messages by it, uniquely.
        properties = aiormq.spec.Basic.Properties(
            app_id=pack.exchange,
            content_type=cloudevents.CONTENT_TYPE,
            delivery_mode=2,
            message_type=pack.type,
            timestamp=pack.events[0].time,
        )
        channel = link.channel if queue else link.world
        assert channel is not None, "it was opened with the window"
        try:
            await channel.basic_publish(
                pack.body,
                exchange=exchange,
                routing_key=queue or pack.type,
                properties=properties,
                mandatory=bool(queue),
            )
        except aiormq.DeliveryError as error:
            # A nack, such as from a full queue, or a return; the library ignores the ack after it.
            self._refuse(link, pack, error)
        except (ChannelClosed, ChannelInvalidStateError) as error:
            if queue or link.connection.is_closed:
                raise
            if not link.refuses_world(exchange):
                self._refuse(link, pack, error)
                return
            link.give_up(exchange)
            await self._count_copy(pack, taken)
        else:
            if not queue:
                self._names.note(exchange, WRITE)
            await self._count_copy(pack, taken)

    @staticmethod
    def _refuse(link: Link, pack: "Pack", error: Exception) -> None:
        link.is_doubtful = True
        log.warning("events refused", type=pack.type, events=len(pack.events), error=repr(error))

    @staticmethod
    async def _count_copy(pack: "Pack", taken: set[str]) -> None:
        pack.copies -= 1
        if pack.copies == 0:
            taken.update(event.event_id for event in pack.events)
            await failpoint("message confirmed")

    async def consume(self, queue: str, receiver: Receiver) -> None:
        failures, clock = 0, asyncio.get_running_loop().time
        while True:  # until cancelled
            started = clock()
            try:
                await self._consume_once(queue, receiver)
            except* BrokerUnavailable as lost:
                reasons = dict.fromkeys(map(str, lost.exceptions))
                log.warning("broker lost while consuming", queue=queue, error="; ".join(reasons))
            except* Exception:
                log.exception("consumer failed, starting it again", queue=queue)
            self._is_up = False
            failures = 0 if clock() - started > RETRY_S_MAX else failures + 1
            await asyncio.sleep(retry_s(failures))

    async def _consume_once(self, queue: str, receiver: Receiver) -> None:
        link = await self._open("consume")
        self._is_up = True
        # No TaskGroup: Python 3.11 lets an error of a child hide that we were asked to stop.
        runs = [
            asyncio.ensure_future(
                Consumer(queue, receiver, is_dead=is_dead).run(link, self._prefetch_messages)
            )
            for is_dead in (False, True)
        ]
        try:
            await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
        finally:
            try:
                await end_all(runs)
            finally:
                # Looked at in any case: of an error that nobody has seen, asyncio complains.
                ended = [run for run in runs if run.done() and not run.cancelled()]
                errors = [error for run in ended if (error := run.exception())]
                await link.close()
        raise BaseExceptionGroup("consumers", errors or [BrokerUnavailable("it was abandoned")])


@dataclass(slots=True)
class Pack:
    """Events of one type in one message, and how many copies of it have no confirm yet."""

    events: Sequence[Event]
    body: bytes
    copies: int = 1

    @property
    def type(self) -> str:
        return self.events[0].type

    @property
    def exchange(self) -> str:
        return self.events[0].exchange


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
        while True:  # until the link is lost
            await self._run_until_idle(link, prefetch_messages)

    async def _run_until_idle(self, link: Link, prefetch_messages: int) -> None:
        # When a quorum queue is deleted and made anew, RabbitMQ 3.10 may forget its consumers, or
        # what it has sent them, and tell nobody. So an idle consumer starts again on a new channel.
        arrived: Arrivals = asyncio.Queue()  # bounded by the prefetch
        channel = await link.do(self._start(link, arrived, prefetch_messages))
        if channel is None:
            await link.do(asyncio.sleep(IDLE_S), 2 * IDLE_S)
            return
        while batch := await self._next_batch(arrived):
            await self._hand_over(batch, channel)
            await failpoint("events handled")
            await link.do(channel.basic_ack(batch.last_tag, multiple=True))
            await failpoint("events acknowledged")
        await link.do(channel.close())

    async def _start(self, link: Link, arrived: Arrivals, prefetch: int) -> AbstractChannel | None:
        """Return the channel on which messages come, or None: the broker refuses to give any."""

        async def arrive(message: DeliveredMessage) -> None:
            arrived.put_nowait(message)

        def end(_: object) -> None:
            arrived.put_nowait(None)

        channel = await link.connection.channel(publisher_confirms=False)
        # Again and again: of a binding that was lost nobody tells.
        channel = await link.topology.declare(channel)
        channel.closing.add_done_callback(end)
        channel.on_consumer_cancel_callbacks.add(end)  # the queue was deleted
        await channel.basic_qos(prefetch_count=prefetch)
        source = dead_queue(self._queue) if self._is_dead else self._queue
        try:
            # A queue that others have declared otherwise is heard, too: it may hold what is ours.
            await channel.basic_consume(source, arrive)
        except REFUSALS as refusal:
            link.topology.names.note(source, READ, refusal)
            return None
        link.topology.names.note(source, READ)
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
            events = cloudevents.decode_batch(body)
        except cloudevents.NotAnEventBatch as error:
            reason = f"{death} {error}".lstrip()
            batch.letters.append(cloudevents.unreadable(queue, body, reason))
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


def retry_s(failures: int) -> float:
    return backoff_s(failures, first_s=RETRY_S_MIN, longest_s=RETRY_S_MAX)
