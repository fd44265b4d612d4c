"""The broker of embedded mode, heard by somebody, and with the faults that brokers have."""

from collections.abc import Callable, Sequence

from holdfast.chassis.messaging.broker import Broker, BrokerUnavailable, Event, Receiver
from proof.simulation.fault_rates import FaultRates


class AuditedBroker:
    """The broker seam around another.

    :param heard: called with every event that was taken, in their order.
    :param refused: called when not all of a window was taken.
    :param extra: what somebody else sends: published with what comes next, and then removed.
    """

    def __init__(
        self,
        broker: Broker,
        heard: Callable[[Event], None],
        refused: Callable[[], None],
        fault_rates: FaultRates,
        extra: list[Event],
    ) -> None:
        self._broker, self._heard, self._refused = broker, heard, refused
        self._fault_rates, self._extra = fault_rates, extra
        self.is_up, self.names = broker.is_up, broker.names
        self.declare, self.waiting_types = broker.declare, broker.waiting_types

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        if self._fault_rates.strikes("publish refused"):
            raise BrokerUnavailable("refused by chance")
        everything = [*self._extra, *events]
        taken = await self._broker.publish(everything)
        for event in everything:
            if event.event_id in taken:
                self._heard(event)
        if len(taken) < len({event.event_id for event in everything}):
            self._refused()
        self._extra[:] = [event for event in self._extra if event.event_id not in taken]
        if self._fault_rates.strikes("confirm lost"):
            raise BrokerUnavailable("no confirm, by chance")
        return taken & {event.event_id for event in events}

    async def consume(self, queue: str, receiver: Receiver) -> None:
        await self._broker.consume(queue, receiver)
