"""The nemesis of the services' queues: old messages again, later and out of order; nonsense.

Everything goes straight into the queues, so that the audit hears only what the services say.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import aiormq

from holdfast.chassis.messaging import cloudevents
from holdfast.chassis.messaging.broker import BrokerUnavailable, Event
from holdfast.chassis.messaging.rabbitmq_link import Link
from holdfast.chassis.messaging.rabbitmq_names import Topology
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.inventory.presentation.subscriptions import ORDERS_TO_INVENTORY
from holdfast.orders.presentation.subscriptions import INVENTORY_TO_ORDERS

REMEMBERED_MAX = 1_000  # messages; each may be said again any time later
SAY_AGAIN_MAX = 5  # messages at once, in any order
NONSENSE_SHARE = 0.05  # of what is said
PAUSE_S = 0.5  # on average
LOST_PAUSE_S = 1.0
CONFIRM_S_MAX = 10.0

SUBSCRIPTIONS = (ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS)
QUEUES = {type_: one.queue for one in SUBSCRIPTIONS for type_ in one.types}


class Nemesis:
    """Repeats messages and invents some, by a seed.

    :param url: of the broker; the audit's will do.
    """

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._chance = Random(f"{seed}/nemesis")
        self._overheard: list[tuple[str, bytes]] = []  # queue, body
        self.repeated = 0  # messages that the broker took once more
        self.poison: set[str] = set()
        self.parked: set[str] = set()  # what the broker took, and must be a dead letter in the end

    def overhear(self, event_type: str, body: bytes) -> None:
        """Remember a message, perhaps in place of another one."""
        if event_type not in QUEUES:
            return
        message = QUEUES[event_type], body
        if len(self._overheard) < REMEMBERED_MAX:
            self._overheard.append(message)
        else:
            self._overheard[self._chance.randrange(REMEMBERED_MAX)] = message

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Disturb the queues while the block runs."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    async def _work(self) -> None:
        while True:
            try:
                link = await Link.open(self._url, "nemesis", Topology((), 0, 0))
                try:
                    await self._talk(link)
                finally:
                    await link.close(politely=False)
            except BrokerUnavailable:
                await asyncio.sleep(LOST_PAUSE_S)

    async def _talk(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(0, 2 * PAUSE_S))
            if self._chance.random() < NONSENSE_SHARE:
                await self._talk_nonsense(link)
            elif self._overheard:
                count = self._chance.randint(1, SAY_AGAIN_MAX)
                said = self._chance.choices(self._overheard, k=count)
                self.repeated += await self._publish(link, said)

    async def _talk_nonsense(self, link: Link) -> None:
        queue = self._chance.choice(SUBSCRIPTIONS).queue
        match self._chance.randrange(3):
            case 0:
                body = self._chance.randbytes(self._chance.randint(0, 500))
                letter_id = cloudevents.unreadable(queue, body, "").letter_id
            case 1:
                event_type = self._chance.choice([*QUEUES, "holdfast.orders.v2.Unheard"])
                event = self._event(event_type, self._id(), self._chance.randbytes(50))
                body, letter_id = cloudevents.encode_batch([event]), event.event_id
            case _:
                await self._answer_for_nobody(link)
                return
        self.poison.add(letter_id)
        if await self._publish(link, [(queue, body)]):
            self.parked.add(letter_id)

    async def _answer_for_nobody(self, link: Link) -> None:
        """A fine answer to an order that was never placed: it is of no use, and harms nobody."""
        order_id = self._id()
        message = events_pb2.StockReserved(order_id=order_id)
        event = self._event(message.DESCRIPTOR.full_name, order_id, message.SerializeToString())
        self.poison |= {event.event_id, order_id}
        await self._publish(link, [(INVENTORY_TO_ORDERS.queue, cloudevents.encode_batch([event]))])

    def _event(self, event_type: str, subject: str, data: bytes) -> Event:
        at = datetime.now(UTC)
        return Event(self._id(), event_type, subject, sequence=1, time=at, data=data)

    def _id(self) -> str:
        return str(UUID(bytes=self._chance.randbytes(16), version=4))

    async def _publish(self, link: Link, messages: Sequence[tuple[str, bytes]]) -> int:
        """Return how many the broker has taken for certain."""
        taken = 0

        async def publish() -> None:
            nonlocal taken
            for queue, body in messages:
                with suppress(aiormq.DeliveryError):
                    await link.channel.basic_publish(
                        body, routing_key=queue, properties=properties, mandatory=True
                    )
                    taken += 1

        properties = aiormq.spec.Basic.Properties(
            content_type=cloudevents.CONTENT_TYPE, delivery_mode=2
        )
        await link.do(publish(), CONFIRM_S_MAX)
        return taken
