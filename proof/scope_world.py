"""What matters of both services and of the network between them, in a small scope: values only."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar

from holdfast.inventory.domain.reservations.reservation import Reservation
from holdfast.inventory.domain.stock.movements import MovementKind
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.stock import (
    ReceivedUnits,
    ShippedUnits,
    StockAnswer,
    StockWanted,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCT = "LAMP"

Item = TypeVar("Item")
Levels = tuple[tuple[str, int, int], ...]  # location, on hand, reserved


class Violated(AssertionError):
    """A promise is broken; what it was and the state in which it shows."""


class Question(NamedTuple):
    """A question of Orders on its way."""

    order: int
    revision: int
    units: int  # none: the order is over
    sourcing: Sourcing = BY_PRIORITY
    shipped: tuple[ShippedUnits, ...] = ()
    received: tuple[ReceivedUnits, ...] = ()

    @property
    def asked_at(self) -> datetime:
        """When it was asked first: each order and each question has its time, whoever is heard
        first.
        """
        return AT + timedelta(minutes=self.revision, seconds=self.order)

    @classmethod
    def of(cls, order: int, wanted: StockWanted) -> "Question":
        """As the wire carries it."""
        units, facts = sum(wanted.products.values()), (wanted.shipped, wanted.received)
        return cls(order, wanted.revision, units, wanted.sourcing, *facts)

    @property
    def turn(self) -> tuple[int, ...]:
        """Where it stands when all is delivered in turn."""
        return self.order, self.revision, 0


class Answer(NamedTuple):
    """An answer of Inventory on its way; or, without a question, what it changed by itself."""

    order: int
    answer: StockAnswer
    is_asked: bool = True

    @property
    def turn(self) -> tuple[int, ...]:
        """Where it stands when all is delivered in turn."""
        return self.order, self.answer.revision, self.answer.sequence


Message = Question | Answer


class Booked(NamedTuple):
    """A movement of units that left for an order, or came back."""

    order: int
    kind: MovementKind
    fact: str
    location: str
    units: int  # fewer than none: they left


class Queue(NamedTuple):
    """What Inventory keeps of the queue beside the reservations, and what became of the stock.

    :param units: that orders wait for, by the gate; `units_max`: that they may.
    :param is_due: whether the queue is to be served.
    :param received, lost: units that came to `main` from outside, and units that turned out not to
        be there; `found`: of which the book was wrong, as a shipment showed.
    """

    units: int = 0
    units_max: int = 0
    is_due: bool = False
    received: int = 0
    lost: int = 0
    found: int = 0


NO_QUEUE = Queue()


class World(NamedTuple):
    """Everything that matters: equal worlds have the same future.

    :param facts: by order, what Inventory knows to be booked.
    :param ledger: sorted; all that left or came back.
    :param queue: what is waited for.
    """

    orders: tuple[Order | None, ...]
    reservations: tuple[Reservation | None, ...]
    facts: tuple[frozenset[str], ...]
    levels: Levels
    ledger: tuple[Booked, ...] = ()
    network: frozenset[Message] = frozenset()
    cancelled: frozenset[int] = frozenset()
    queue: "Queue" = NO_QUEUE

    def saying(self, message: Message) -> "World":
        """The same with one more message on its way; the very same if it is already."""
        if message in self.network:
            return self
        return self._replace(network=self.network | {message})

    def with_order(self, number: int, order: Order) -> "World":
        return self._replace(orders=put(self.orders, number, order))


class Scope(NamedTuple):
    """What there is to explore.

    :param units: wanted by each order.
    :param levels: units on hand by location at first.
    :param expires: whether orders that are PENDING may expire.
    :param edits: units that an edit may want, once an order is CONFIRMED.
    :param edits_max: of each order.
    :param sourcings: that an edit may want.
    :param cancels: the orders that may be cancelled; None: all.
    :param shipments_max: of each order.
    :param receipts_max: of each order; each of one unit, which comes to `returned_to`.
    :param waits_max: units that orders may wait for.
    :param supply: units that may come to `main`, one by one.
    :param losses_max: units that may turn out not to be there, one by one; promises give way.
    """

    units: Sequence[int]
    levels: Mapping[str, int]
    expires: bool = True
    edits: Sequence[int] = ()
    edits_max: int = 1
    sourcings: Sequence[Sourcing] = (BY_PRIORITY,)
    cancels: Sequence[int] | None = None
    shipments_max: int = 0
    receipts_max: int = 0
    returned_to: str = "main"
    waits_max: int = 0
    supply: int = 0
    losses_max: int = 0

    def start(self) -> World:
        """The world before anything has happened."""
        nothing, levels = (None,) * len(self.units), sorted(self.levels.items())
        at_first = tuple((at, units, 0) for at, units in levels)
        queue = Queue(units_max=self.waits_max)
        return World(nothing, nothing, (frozenset(),) * len(self.units), at_first, queue=queue)


def put(items: tuple[Item, ...], place: int, item: Item) -> tuple[Item, ...]:
    return (*items[:place], item, *items[place + 1 :])


def units_at(ledger: Iterable[Booked], location: str) -> int:
    """What came to a location, less what left from there."""
    return sum(one.units for one in ledger if one.location == location)


def require(holds: bool, promise: str, world: World) -> None:
    """:raises Violated: it does not hold."""
    if not holds:
        raise Violated(promise, world)
