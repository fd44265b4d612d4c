"""Products and their stock: where it is, by what rule it is taken from there, why it moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from holdfast.client._money import Money


class StockReason(StrEnum):
    """Why units came or went, as one of few, so that they can be counted by it."""

    RECEIVED = "RECEIVED"  # goods came in
    DAMAGED = "DAMAGED"  # broken or spoilt
    LOST = "LOST"  # not where it should be
    FOUND = "FOUND"  # where it should not be
    THEFT = "THEFT"
    CORRECTION = "CORRECTION"  # the number was wrong
    SAMPLE = "SAMPLE"  # given away to be looked at
    EXPIRED = "EXPIRED"  # too old to be sold
    RECALLED = "RECALLED"  # called back by its maker
    OWN_USE = "OWN_USE"  # used in the house
    OTHER = "OTHER"  # anything else: the reason in words tells
    UNKNOWN = "UNKNOWN"  # a reason that this version of the client does not know


class LocationKind(StrEnum):
    """What a location is."""

    WAREHOUSE = "WAREHOUSE"  # stock is kept and sent from there
    SHOP = "SHOP"  # customers come there
    SUPPLIER = "SUPPLIER"  # somebody else's, who sends for the merchant
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"  # a kind that this version of the client does not know


@dataclass(frozen=True, slots=True)
class LocationAddress:
    """Where a location is; every part may be empty. `country`: two letters, ISO 3166-1."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place that stock is kept at.

    :param priority: stock is taken from the lowest number first, 0 to 1,000,000; of equal ones by
        id.
    :param active: whether stock may be received and promised there.
    :param address: None: not said.
    :param version: rises by one with every change; give it back in `update_location`.
    """

    location_id: str
    name: str
    kind: LocationKind
    priority: int
    active: bool
    address: LocationAddress | None
    version: int


class SourcingStrategy(StrEnum):
    """By what rule the locations of an order's stock are chosen."""

    PRIORITY = "PRIORITY"  # from each what it has, by the locations' priority
    FEWEST_SHIPMENTS = "FEWEST_SHIPMENTS"  # from as few as can be; then by priority
    NEAREST = "NEAREST"  # from each what it has: the named first, in their order, then by priority
    PINNED = "PINNED"  # only from the named, in their order
    UNKNOWN = "UNKNOWN"  # a strategy that this version of the client does not know


@dataclass(frozen=True, slots=True)
class Sourcing:
    """Where an order's stock is to come from; by default by priority.

    :param locations: ids; for NEAREST and PINNED 1 to 100, each once, the best first; else none.
    :param may_split: whether several locations may share it; False: all from one, or nothing.
    :param in_stock_only: refuse what is not there, also where the product may be back-ordered. An
        order that must not be split never waits.
    """

    strategy: SourcingStrategy = SourcingStrategy.PRIORITY
    locations: Sequence[str] = ()
    may_split: bool = True
    in_stock_only: bool = False


class SourcingReason(StrEnum):
    """Why stock is taken from a location."""

    PRIORITY = "PRIORITY"  # it has some, and none of a higher priority had enough
    NEAREST = "NEAREST"  # it has some, and none that the order names before it had enough
    PINNED = "PINNED"  # the order names it, and none that it names before it had enough
    HAS_ALL = "HAS_ALL"  # the first, by priority or in the order's own list, that has all of it
    FEWEST = "FEWEST"  # one of the fewest found to have all of it together
    UNKNOWN = "UNKNOWN"  # a reason that this version of the client does not know


@dataclass(frozen=True, slots=True)
class HeldStock:
    """Units of a product at one location, held for an order or free for one, and why there.

    :param quantity: units, 1 or more.
    """

    product_id: str
    location_id: str
    quantity: int
    reason: SourcingReason


class BackorderMode(StrEnum):
    """Whether orders may wait for units that are not there."""

    NONE = "NONE"  # they may not: what is short is refused
    LIMITED = "LIMITED"  # so many units may be waited for at the same time
    UNLIMITED = "UNLIMITED"  # any number of units
    UNKNOWN = "UNKNOWN"  # a mode that this version of the client does not know


@dataclass(frozen=True, slots=True)
class Backorder:
    """Whether orders may wait for units of a product. A pre-order is the same with a date.

    :param units_max: for LIMITED, 1 to 999,999,999,999; else 0.
    :param expected_date: when more is expected, for people to read; None: not known.
    """

    mode: BackorderMode = BackorderMode.NONE
    units_max: int = 0
    expected_date: date | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A sellable thing. New orders may contain it while it is active.

    :param safety_stock: units that are not promised, at each location.
    """

    product_id: str
    name: str
    description: str
    unit_price: Money
    active: bool
    version: int
    backorder: Backorder = field(default_factory=Backorder)
    safety_stock: int = 0


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The stock of one product at one location, in units.

    :param reserved: promised to orders and not shipped.
    :param available: on hand minus reserved, quarantined and the product's safety stock; never
        below 0, and 0 where the location is not active.
    :param quarantined: on hand, and can't be promised.
    :param in_transit: on their way there by transfers; told by `get_stock`,
        `get_stock_batch` and `explain`.
    """

    location_id: str
    on_hand: int
    reserved: int
    available: int
    version: int
    quarantined: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class StockInfo:
    """A product with its stock over all locations, and by location, in units.

    :param available: free to promise, less what orders wait for already.
    :param queued: what orders wait for.
    :param backorder_room: what orders may wait for beside that, by the product's policy;
        1,000,000,000,000 where it sets no limit.
    """

    product: Product
    on_hand: int
    reserved: int
    available: int
    levels: tuple[StockLevel, ...]
    quarantined: int = 0
    queued: int = 0
    backorder_room: int = 0
    in_transit: int = 0


@dataclass(frozen=True, slots=True)
class QueuedUnits:
    """Units of a product that an order waits for.

    :param quantity: units, 1 or more.
    """

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class AwaitedUnits:
    """Units of a product that would have to be waited for.

    :param quantity: units, 1 or more.
    :param expected_date: when more is expected, as the product says; None: not known.
    """

    product_id: str
    quantity: int
    expected_date: date | None = None


@dataclass(frozen=True, slots=True)
class BackorderedUnits:
    """Units of one order in a product's queue; an order has several where edits added to it.

    :param position: from 1, the place in the queue.
    :param quantity: units, 1 or more.
    :param units_ahead: units that are waited for before it.
    :param since_time: since when, in UTC.
    """

    position: int
    order_id: str
    quantity: int
    units_ahead: int
    since_time: datetime


class MovementKind(StrEnum):
    """Why a stock level changed."""

    RECEIPT = "RECEIPT"  # goods came in
    ADJUSTMENT = "ADJUSTMENT"  # goods went without an order
    RESERVATION = "RESERVATION"  # promised to an order
    RELEASE = "RELEASE"  # a promise taken back
    SHIPMENT = "SHIPMENT"  # units of an order that left the house
    RETURN = "RETURN"  # units of an order that came back
    WRITE_OFF = "WRITE_OFF"  # gone: they came back, or were in quarantine
    QUARANTINE = "QUARANTINE"  # on hand, and taken out of sale
    UNQUARANTINE = "UNQUARANTINE"  # put back on sale
    TRANSFER_OUT = "TRANSFER_OUT"  # left for another location
    TRANSFER_IN = "TRANSFER_IN"  # came from another location, or should have
    TRANSFER_LOSS = "TRANSFER_LOSS"  # should have come, and has not
    UNKNOWN = "UNKNOWN"  # a kind that this version of the client does not know


@dataclass(frozen=True, slots=True)
class Movement:
    """The immutable record of one change of one level, in units. `order_id`: empty for receipts.

    :param reason_code: why, as one of few; None: not said.
    :param credential_id: which key or token the actor came with; empty: a service's own work.
    """

    movement_id: int
    product_id: str
    location_id: str
    kind: MovementKind
    on_hand_delta: int
    reserved_delta: int
    on_hand_after: int
    reserved_after: int
    order_id: str
    reason: str
    reference: str
    actor: str
    create_time: datetime
    reason_code: StockReason | None = None
    quarantined_delta: int = 0
    quarantined_after: int = 0
    credential_id: str = ""
