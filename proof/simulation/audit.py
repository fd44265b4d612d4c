"""The broker of embedded mode with somebody listening: every event that it took is written down."""

from collections.abc import Callable, Sequence

from holdfast.chassis.broker import Broker, Event, Receiver


class AuditedBroker:
    """The broker seam, unchanged; tells of the events that were taken, in their order."""

    def __init__(self, broker: Broker, taken: Callable[[Event], None]) -> None:
        self._broker, self._taken = broker, taken
        self.is_up = broker.is_up

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        held = await self._broker.publish(events)
        for event in events:
            if event.event_id in held:
                self._taken(event)
        return held

    async def consume(self, queue: str, receiver: Receiver) -> None:
        await self._broker.consume(queue, receiver)
