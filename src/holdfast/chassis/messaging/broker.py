"""The broker seam: what a service asks of whatever carries its events to the other service.

Two adapters fill it: `rabbitmq.py` for the cluster and `local_broker.py` for embedded mode. Both
deliver at least once; receivers make repeats harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from holdfast.chassis.transient import Transient

EVENTS_PER_MESSAGE_MAX = 500


def exchange_of(event_type: str) -> str:
    """Return the exchange of a type's owner: its first two words, such as holdfast.orders."""
    return ".".join(event_type.split(".")[:2])


class Event(NamedTuple):
    """Something that happened, ready for the wire (CloudEvents 1.0 attributes under our names)."""

    event_id: str
    type: str  # full name of the protobuf message in `data`, such as holdfast.orders.v1.OrderPlaced
    subject: str  # id of the aggregate
    sequence: int  # the aggregate's version after the change
    time: datetime
    data: bytes
    traceparent: str = ""
    is_repeat: bool = False  # told before: it is published, and not in the feed

    @property
    def exchange(self) -> str:
        """The topic exchange that it is published to."""
        return exchange_of(self.type)


def span_attributes(event: Event) -> dict[str, str | int]:
    """Say which event a span is about."""
    return {
        "messaging.message.id": event.event_id,
        "cloudevents.event_type": event.type,
        "cloudevents.event_subject": event.subject,
    }


@dataclass(frozen=True, slots=True)
class Subscription:
    """A durable queue and the event types that it must receive."""

    queue: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event, or bytes that are none, that can't be handled: kept, with why, for a person."""

    letter_id: str  # the event's id; for bytes that are no event, a digest of them
    queue: str
    reason: str
    body: bytes
    event: Event | None


class BrokerUnavailable(Transient):
    """The broker did not answer in time or refused; whether it has the events is unknown."""


class Receiver(Protocol):
    """The far end of a queue: one service's inbox."""

    async def receive(self, events: Sequence[Event]) -> None:
        """Return when every event is durably handled or parked; only then acknowledge them.

        A repeat changes nothing. Any error means that nothing is certain: deliver the same events
        again later.
        """

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        """Return when every event is durably handled or parked; only then acknowledge them."""


class Broker(Protocol):
    """Carries events from one service's outbox to the other's inbox."""

    async def publish(self, events: Sequence[Event]) -> frozenset[str]:
        """Hand events over in this order; return the ids of those that the broker holds durably.

        Ids not returned were refused or could not be routed: publish them again. Repeating an
        event is harmless.

        :raises BrokerUnavailable: no event is known to be taken.
        """

    async def consume(self, queue: str, receiver: Receiver) -> None:
        """Deliver what arrives on the queue to the receiver, in order, until cancelled.

        The broker being away is waited out with back-off, and so is a receiver that raises: nothing
        is acknowledged that the receiver did not accept.
        """

    async def declare(self) -> None:
        """Have everything there that events travel through, so that others can bind to it.

        A name that somebody else uses otherwise is no error here: `names` tells. Repeating it is
        harmless, and finds out what has become wrong, or right again.

        :raises BrokerUnavailable: no answer; what is missing is declared when the broker is back.
        """

    def names(self) -> Mapping[str, str]:
        """Every name used at the broker, and what is wrong with it: nothing is ""."""

    def waiting_types(self) -> frozenset[str]:
        """Types that can't be handed over for now, because a queue that must hear them is not as
        it should be; `publish` would not take them.
        """

    def is_up(self) -> bool:
        """Whether the last contact with the broker succeeded; for the health report only."""
