"""What both databases hold, and what was seen on the way there: plain facts for the checker.

Reading is set-based and the same on both engines: a few statements a database, each of which reads
a table once, in one snapshot.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.chassis.times import EPOCH
from proof.customers import Profile
from proof.goods import Item, Return, Shipment, Sourcing, units_by_product
from proof.places import Location
from proof.transfers import Transfer


def since_1970_us(at: datetime) -> int:
    """A time as callers' histories have it."""
    return (at - EPOCH) // timedelta(microseconds=1)


class Line(NamedTuple):
    """One line of an order."""

    product_id: str
    quantity: int
    unit_price_minor: int
    line_no: int = 1


def goods_minor(lines: Iterable[Line]) -> int:
    """What lines cost, without charges."""
    return sum(line.quantity * line.unit_price_minor for line in lines)


class Change(NamedTuple):
    """One entry of an order's history."""

    version: int
    status: str
    at: datetime
    action: str = ""  # what changed beside the status; empty: the status


class Missing(NamedTuple):
    """What an order was short of, by its own account."""

    product_id: str
    wanted: int
    available: int


class Part(NamedTuple):
    """Units of a product that an event or a copy speaks of; `location_id` empty where it names
    none.
    """

    product_id: str
    location_id: str
    units: int


# What stands in an event beside units of products, as parts of their own.
REVISION = "the revision"  # in place of the product: of the question or its answer
MISSING = "missing"  # in place of the location
QUEUED = "queued"  # likewise
FROM = "from: "  # before where stock is to come from, in place of the product
QUARANTINED = "quarantined"  # in place of the product
RECEIPT = "\n"  # before a receipt's name among what is booked


class Payment(NamedTuple):
    """One fact about a payment; `version` is that of the order with it."""

    version: int
    kind: str
    reference: str
    amount_minor: int


class Edition(NamedTuple):
    """What an order was of, or was to be: its lines, and what they cost with all charges.

    :param revision: of the question that decides it; 0: it needed none.
    :param state: ASKED, APPLIED, REFUSED or DROPPED.
    :param ended_version: None: it is under way.
    """

    number: int
    revision: int
    state: str
    asked_version: int
    ended_version: int | None
    lines: tuple[Line, ...]
    charged_minor: int
    total_minor: int
    missing: tuple[Missing, ...] = ()
    sourcing: Sourcing = Sourcing()

    @property
    def demand(self) -> Counter[str]:
        """Units per product: lines of one product are summed."""
        units = Counter[str]()
        for line in self.lines:
            units[line.product_id] += line.quantity
        return units


class Order(NamedTuple):
    """An order with its lines and its history, oldest first.

    :param asked: the revision of its newest question to Inventory.
    :param answered: the newest revision that was answered.
    :param sequence: of the newest answer; `revision` and `stock` are what it told.
    :param charged_minor: what is added to its lines, less what is taken off.
    :param has_hold: it was placed with one, whether that is over or not.
    :param edition: whose lines and total these are; `edition_newest` and `edit_revision` as kept.
    :param placed: its first edition; None: it is the only one.
    :param edits: the editions after it.
    :param reasons: why `stock` is held where it is, in the same order.
    :param shipments: in the order of recording; `returns` in that of opening.
    :param queued: what waits for stock, as the newest answer told; at no location.
    :param paid: where its payments stand, by what it is sought by.
    :param is_erased: what it said of people is gone, and what was asked for can't be compared.
    """

    order_id: str
    customer_id: str
    request_id: str
    status: str
    version: int
    total_minor: int
    shortages: tuple[Missing, ...]
    lines: tuple[Line, ...]
    history: tuple[Change, ...]
    asked: int = 1
    answered: int = 1
    sequence: int = 1
    revision: int = 1
    stock: tuple[Part, ...] = ()
    has_hold: bool = False
    charged_minor: int = 0
    confirmed_by: str | None = None
    payments: tuple[Payment, ...] = ()
    edition: int = 1
    edition_newest: int = 1
    edit_revision: int | None = None
    placed: Edition | None = None
    edits: tuple[Edition, ...] = ()
    reasons: tuple[str, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    queued: tuple[Part, ...] = ()
    paid: str = "NONE"
    is_erased: bool = False

    @property
    def first(self) -> Edition:
        """What it was placed with."""
        costs = self.charged_minor, self.total_minor
        return self.placed or Edition(1, 1, "APPLIED", 1, 1, self.lines, *costs)

    @property
    def sourcings(self) -> tuple[Sourcing, ...]:
        """Where its stock was ever to come from, by every edition."""
        return self.first.sourcing, *(edit.sourcing for edit in self.edits)

    @property
    def questions(self) -> tuple[Edition, ...]:
        """The editions that Inventory was asked about, after the first."""
        return tuple(edit for edit in self.edits if edit.revision)

    def edition_at(self, version: int) -> Edition:
        """The edition that counted at a version."""
        applied = [
            edit
            for edit in self.edits
            if edit.state == "APPLIED" and (edit.ended_version or version + 1) <= version
        ]
        return applied[-1] if applied else self.first

    def shipped_at(self, version: int) -> tuple[Item, ...]:
        """What had left at a version."""
        return tuple(item for one in self.shipments if one.version <= version for item in one.items)

    @property
    def shipped(self) -> tuple[Item, ...]:
        """What has left."""
        return self.shipped_at(self.version)

    @property
    def received(self) -> tuple[Item, ...]:
        """What has come back."""
        return tuple(
            item for one in self.returns for receipt in one.receipts for item in receipt.items
        )

    @property
    def rest(self) -> Edition | None:
        """What it came down to when its rest was cancelled; None: it was not."""
        ended = {now.version for now in self.history if now.status == "SHIPPED" and not now.action}
        left = {one.version for one in self.shipments}
        for edit in self.edits:
            if edit.state == "APPLIED" and edit.ended_version in ended - left:
                return edit
        return None

    def to_hold(self, edition: Edition, version: int) -> Counter[str]:
        """Units per product that an edition wants and that had not left at a version."""
        units = Counter(edition.demand)
        units.subtract(units_by_product(self.shipped_at(version)))
        return +units


class Product(NamedTuple):
    """A sellable thing."""

    product_id: str
    price_minor: int
    is_active: bool
    version: int
    waits_max: int = 0  # units that orders may wait for
    safety_stock: int = 0


class Level(NamedTuple):
    """Units of one product at one location."""

    product_id: str
    location_id: str
    on_hand: int
    reserved: int
    version: int
    quarantined: int = 0


class Movement(NamedTuple):
    """One entry of the ledger.

    :param order_id: empty: goods came or went without an order.
    :param moved_at_us: by the clock of who wrote it, since 1970.
    """

    movement_id: int
    product_id: str
    location_id: str
    kind: str
    on_hand_delta: int
    reserved_delta: int
    on_hand_after: int
    reserved_after: int
    order_id: str
    quarantined_delta: int = 0
    quarantined_after: int = 0
    reference: str = ""
    reason: str = ""
    moved_at_us: int = 0


class Waiting(NamedTuple):
    """Units of a product that an order waits for, since it asked for them."""

    product_id: str
    units: int
    since: datetime


class Gate(NamedTuple):
    """What a product's gate says of its queue; `is_due`: it is to be served."""

    units: int = 0
    units_max: int = 0
    is_due: bool = False


class Reservation(NamedTuple):
    """What Inventory holds for one order.

    :param revision: of the newest question that it decided.
    :param reasons: why `stock` is held where it is, in the same order.
    :param queued: what waits for stock.
    """

    order_id: str
    state: str
    version: int
    revision: int
    stock: tuple[Part, ...]
    missing: tuple[Missing, ...]
    reasons: tuple[str, ...] = ()
    sourcing: Sourcing = Sourcing()
    queued: tuple[Waiting, ...] = ()

    @property
    def waits(self) -> Counter[str]:
        """Units that wait, by product."""
        units = Counter[str]()
        for one in self.queued:
            units[one.product_id] += one.units
        return units


class StockRequest(NamedTuple):
    """A recorded change of stock: the level as it was after it."""

    request_id: str
    product_id: str
    location_id: str
    on_hand: int
    reserved: int
    version: int
    quarantined: int = 0


class Letter(NamedTuple):
    """A dead letter."""

    service: str
    letter_id: str
    type: str
    reason: str


class Sample(NamedTuple):
    """One look at all levels and their ledger while the system was busy."""

    contradictions: tuple[str, ...]


class ObservedEvent(NamedTuple):
    """An event as it was seen on the audit queue.

    :param content: what it says of products; None: its data can't be read.
    :param happened_us: its own time, since 1970; None: not known.
    """

    event_id: str
    type: str
    subject: str
    sequence: int
    content: tuple[Part, ...] | None
    happened_us: int | None = None


class Feed(NamedTuple):
    """One service's feed: its newest position, as its head says; positions with their events."""

    head: int
    entries: tuple[tuple[int, ObservedEvent], ...]


@dataclass(frozen=True)
class Snapshot:
    """What both databases hold. Made to be read after everything has come to rest.

    :param strays: ids that lines or histories name, but no order has.
    :param unanswered: orders that wait for an answer of Inventory.
    :param holds: orders for which a hold runs.
    :param booked: shipments and receipts that Inventory has booked, by order; a receipt's name
        begins with RECEIPT.
    :param gates: by product, where anything waits or may.
    :param emails: that orders keep, by order.
    :param queues: by order, what waits by the products' queues.
    :param ledger: all movements, by their id.
    :param outboxes: events that still wait, by service.
    :param feeds: by service; none: they are not judged.
    :param inboxes: ids of the events that had their effect, by service.
    """

    orders: Mapping[str, Order]
    strays: frozenset[str]
    unanswered: frozenset[str]
    products: Mapping[str, Product]
    levels: tuple[Level, ...]
    ledger: tuple[Movement, ...]
    reservations: Mapping[str, Reservation]
    stock_requests: Mapping[str, StockRequest]
    inboxes: Mapping[str, frozenset[str]]
    outboxes: Mapping[str, int]
    letters: tuple[Letter, ...]
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    holds: frozenset[str] = frozenset()
    booked: frozenset[tuple[str, str]] = frozenset()
    gates: Mapping[str, Gate] = field(default_factory=dict)
    queues: Mapping[str, tuple[Waiting, ...]] = field(default_factory=dict)
    locations: Mapping[str, Location] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    emails: Mapping[str, str] = field(default_factory=dict)
