"""The independent witness: a queue of our own that hears every event of both services.

It is durable and replicated like theirs, and outlives what the broker suffers. A message is
acknowledged once what it said is on disk.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiormq.abc import AbstractChannel, DeliveredMessage

from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.messaging.cloudevents import NotAnEventBatch, decode_batch
from holdfast.chassis.messaging.rabbitmq_link import LINK_ERRORS, Link
from holdfast.chassis.messaging.rabbitmq_names import Topology
from proof.history import Journal
from proof.observed_events import observed_event
from proof.snapshot import ObservedEvent, Part

QUEUE = "audit"
EXCHANGES = ("holdfast.orders", "holdfast.inventory")
PREFETCH = 200
PAUSE_S = 0.5  # between two connections
READY_S_MAX = 60.0
LOSSES = (BrokerUnavailable, *LINK_ERRORS)
IDLE_S = 10.0  # a consumer that hears nothing for so long begins again: it may be forgotten


class Audit:
    """Writes down everything that passes through the broker, whatever happens to the broker.

    :param overhear: told of every message: its routing key and its body.
    """

    def __init__(
        self, url: str, path: Path, overhear: Callable[[str, bytes], None] = lambda _, __: None
    ) -> None:
        self._overhear = overhear
        self._url = url
        self._path = path
        self._journal = Journal(path)
        self._ready = asyncio.Event()
        self.losses = 0  # connections that broke
        self.unreadable: list[bytes] = []  # bodies that are no events

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Listen while the block runs; nothing that is published inside is missed."""
        listening = asyncio.create_task(self._listen())
        try:
            async with asyncio.timeout(READY_S_MAX):
                await self._ready.wait()
            yield
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            self._journal.close()

    def observed_events(self) -> list[ObservedEvent]:
        """Every event as often as it was heard, in order."""
        with self._path.open("rb") as lines:
            return [_observed_event(json.loads(line)) for line in lines]

    async def _listen(self) -> None:
        while True:
            # In a task of its own: a library that loses its connection cancels whoever waits.
            listening = asyncio.ensure_future(self._listen_once())
            try:
                await asyncio.wait([listening])
            finally:
                listening.cancel()
                await asyncio.wait([listening])
            if not listening.cancelled() and not isinstance(listening.exception(), LOSSES):
                listening.result()
            self.losses += 1
            await asyncio.sleep(PAUSE_S)

    async def _listen_once(self) -> None:
        link = await Link.open(self._url, "audit", Topology((), 0, 0))
        try:
            while True:
                await self._listen_until_idle(link)
        finally:
            await link.close()

    async def _listen_until_idle(self, link: Link) -> None:
        arrived: asyncio.Queue[DeliveredMessage | None] = asyncio.Queue()  # bounded by prefetch
        async with asyncio.timeout(READY_S_MAX):
            channel = await link.connection.channel(publisher_confirms=False)
            channel.closing.add_done_callback(lambda _: arrived.put_nowait(None))
            channel.on_consumer_cancel_callbacks.add(lambda _: arrived.put_nowait(None))
            await self._begin(channel, arrived)
        self._ready.set()
        try:
            while True:
                async with asyncio.timeout(IDLE_S):
                    message = await arrived.get()
                messages = [message] + [arrived.get_nowait() for _ in range(arrived.qsize())]
                await self._write_down([one for one in messages if one is not None])
                if None in messages:
                    raise BrokerUnavailable("the broker ended the audit")
                last = messages[-1]
                assert last is not None
                await channel.basic_ack(last.delivery_tag or 0, multiple=True)
        except TimeoutError:
            await channel.close()

    async def _begin(
        self, channel: AbstractChannel, arrived: "asyncio.Queue[DeliveredMessage | None]"
    ) -> None:
        async def arrive(message: DeliveredMessage) -> None:
            arrived.put_nowait(message)

        await channel.queue_declare(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        for exchange in EXCHANGES:
            await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
            await channel.queue_bind(QUEUE, exchange, routing_key="#")
        await channel.basic_qos(prefetch_count=PREFETCH)
        await channel.basic_consume(QUEUE, arrive)

    async def _write_down(self, messages: Sequence[DeliveredMessage]) -> None:
        at = asyncio.get_running_loop().time()
        for message in messages:
            try:
                events = decode_batch(message.body)
            except NotAnEventBatch:
                self.unreadable.append(message.body)
                continue
            self._overhear(message.routing_key or "", message.body)
            for event in events:
                self._journal.add({"at": at, **observed_event(event)._asdict()})
        await self._journal.on_disk()


def _observed_event(line: Mapping[str, Any]) -> ObservedEvent:
    content = line["content"]
    return ObservedEvent(
        line["event_id"],
        line["type"],
        line["subject"],
        line["sequence"],
        None if content is None else tuple(Part(*part) for part in content),
        line["happened_us"],
    )
