"""Carry events inside one process: the publisher's outbox is the only store they need.

Events count as taken only when the far inbox has them durably, so nothing is lost between the two.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging.broker import EVENTS_PER_MESSAGE_MAX, Event, Receiver, Subscription
from holdfast.chassis.transient import Transient

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events on their way into one queue's receiver, and the answer whether it accepted them."""

    events: Sequence[Event]
    accepted: asyncio.Future[bool]


class LocalBroker:
    """The broker seam in memory: both services share the object."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._subscriptions = tuple(subscriptions)
        self._deliveries: dict[str, asyncio.Queue[Delivery]] = {}  # of the queues being consumed

    def is_up(self) -> bool:
        return True

    async def declare(self) -> None:
        """There is nothing that could be missing."""

    def names(self) -> Mapping[str, str]:
        return {}

    def waiting_types(self) -> frozenset[str]:
        return frozenset()

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        refused: set[str] = set()
        for subscription in self._subscriptions:
            meant = [event for event in events if event.type in subscription.types]
            accepted = await self._deliver_in_order(subscription.queue, meant)
            refused.update(event.event_id for event in meant[accepted:])
        return frozenset(event.event_id for event in events) - refused

    async def _deliver_in_order(self, queue: str, events: Sequence[Event]) -> int:
        """Deliver until the first refusal; return how many events were accepted."""
        for start in range(0, len(events), EVENTS_PER_MESSAGE_MAX):
            if not await self._deliver(queue, events[start : start + EVENTS_PER_MESSAGE_MAX]):
                return start
            await failpoint("message confirmed")
        return len(events)

    async def _deliver(self, queue: str, events: Sequence[Event]) -> bool:
        if queue not in self._deliveries:
            return False
        accepted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._deliveries[queue].put_nowait(Delivery(events, accepted))
        await failpoint("events published")
        return await accepted

    async def consume(self, queue: str, receiver: Receiver) -> None:
        # Not `publish` calls the receiver: it must end when its consumer is cancelled.
        assert queue not in self._deliveries, "a second consumer would break the order"
        deliveries = self._deliveries[queue] = asyncio.Queue()
        try:
            while True:  # until cancelled
                await self._receive(queue, await deliveries.get(), receiver)
                await failpoint("events acknowledged")
        finally:
            del self._deliveries[queue]
            while not deliveries.empty():
                answer(deliveries.get_nowait(), accepted=False)

    async def _receive(self, queue: str, delivery: Delivery, receiver: Receiver) -> None:
        accepted = False
        try:
            await receiver.receive(delivery.events)
            await failpoint("events handled")
            accepted = True
        except Transient as error:
            log.warning("receiver waits, the publisher keeps the events", error=str(error))
        except Exception:
            log.exception("receiver failed, the publisher keeps the events", queue=queue)
        finally:
            answer(delivery, accepted=accepted)


def answer(delivery: Delivery, *, accepted: bool) -> None:
    if not delivery.accepted.done():  # a publisher that was cancelled no longer listens
        delivery.accepted.set_result(accepted)
