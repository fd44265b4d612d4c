"""What somebody sends to do harm: bytes that are no events, events that can't be, and strangers."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from holdfast.chassis.clock import uuid7
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.cloudevents import unreadable
from holdfast.contracts.inventory.v1 import events_pb2
from proof.simulation.clock import EPOCH

PLACED, RESERVED = "holdfast.orders.v1.OrderPlaced", "holdfast.inventory.v1.StockReserved"


@dataclass
class Poison:
    """Makes it, and remembers what was made.

    :param ids: everything that a judge has to expect: of letters, of events.
    """

    chance: Random
    ids: set[str] = field(default_factory=set)

    def _new_id(self) -> str:
        poison_id = uuid7(0, self.chance.randbytes(10))
        self.ids.add(poison_id)
        return poison_id

    def garbage(self) -> tuple[str, bytes]:
        """Bytes that are no batch of events, and the id under which they have to be parked."""
        body = b"\xff" + self.chance.randbytes(20)
        letter_id = unreadable("", body, "").letter_id
        self.ids.add(letter_id)
        return letter_id, body

    def broken(self) -> Event:
        """An event whose data is none; it has to be parked under its id."""
        return self._event(PLACED, b"\xff" + self.chance.randbytes(20))

    def unheard_of(self) -> Event:
        """An event of a type that nobody knows; it has to be parked under its id."""
        return self._event("holdfast.orders.v1.OrderForeseen", b"")

    def stranger(self) -> Event:
        """An answer for an order that nobody placed; it changes nothing."""
        message = events_pb2.StockReserved(order_id=uuid7(0, self.chance.randbytes(10)))
        message.state.revision = 1
        return self._event(RESERVED, message.SerializeToString())

    def _event(self, event_type: str, data: bytes) -> Event:
        at = EPOCH + timedelta(seconds=self.chance.random())
        return Event(self._new_id(), event_type, "somebody", 1, at, data)
