"""What the client takes and returns: frozen values that say what the wire says, in Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import uuid4

from holdfast.client._money import Money
from holdfast.client._shipping_types import Return, Shipment
from holdfast.client._stock_types import (
    AwaitedUnits,
    HeldStock,
    QueuedUnits,
    Sourcing,
    StockReason,
)


def new_request_id() -> str:
    """A fresh request id. Keep it for repeats: the same id and contents have their effect once."""
    return uuid4().hex


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"  # recorded, stock not decided; nothing stays here
    RESERVED = "RESERVED"  # the stock is held until `expires_time`; waits to be confirmed
    CONFIRMED = "CONFIRMED"  # the stock of every line is reserved, or waited for
    PARTIALLY_SHIPPED = "PARTIALLY_SHIPPED"  # some of its units have left the house
    SHIPPED = "SHIPPED"  # final, but for payments and returns: all of its units have left
    REJECTED = "REJECTED"  # final: short
    CANCELLED = "CANCELLED"  # final: by request
    EXPIRED = "EXPIRED"  # final: no decision came in time, or the hold ran out
    UNKNOWN = "UNKNOWN"  # a status that this version of the client does not know

    @property
    def is_final(self) -> bool:
        """Whether no other status can follow; payments and returns still may."""
        return self in (
            OrderStatus.SHIPPED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )


class PaymentKind(StrEnum):
    """What a payment provider did."""

    AUTHORIZED = "AUTHORIZED"  # promised: can be captured
    CAPTURED = "CAPTURED"  # taken
    REFUNDED = "REFUNDED"  # given back
    VOIDED = "VOIDED"  # a promise given up
    NAMED = "NAMED"  # only the reference is known; told, never recorded by `record_payment`
    UNKNOWN = "UNKNOWN"  # a kind that this version of the client does not know


class PaymentStatus(StrEnum):
    """Where an order's payment stands; it follows from its payments and its total."""

    NONE = "NONE"
    AUTHORIZED = "AUTHORIZED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    OVERPAID = "OVERPAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    UNKNOWN = "UNKNOWN"  # one that this version of the client does not know


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product asked for.

    :param unit_price: in the product's currency; a Decimal names none, and so is sure to be in it.
        None: the product's own price. In an `Order` it is always Money.
    :param line_no: names the line as long as its order lives; always set in an `Order`. In `edit` 0
        means a new line; `create` ignores it.
    :param shipped: units of it that have left the house; told only.
    """

    product_id: str
    quantity: int
    unit_price: Money | Decimal | None = None
    line_no: int = 0
    shipped: int = 0


@dataclass(frozen=True, slots=True)
class Customer:
    """Who receives the order and how to reach them; an empty text means not known."""

    name: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""


class ChargeKind(StrEnum):
    """What is added to the lines of an order, or taken off."""

    DISCOUNT = "DISCOUNT"  # taken off
    SHIPPING = "SHIPPING"
    FEE = "FEE"
    TAX = "TAX"
    TAX_INCLUDED = "TAX_INCLUDED"  # told only: it is in the prices
    UNKNOWN = "UNKNOWN"  # a kind that this version of the client does not know


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount beside the prices, given by the caller.

    :param amount: a Decimal is in the order's currency; in an `Order` it is always Money.
    :param line_no: the line that it belongs to, counted from 1; 0: the whole order.
    """

    kind: ChargeKind
    amount: Money | Decimal
    line_no: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something goes; every part may be empty. `country`: two letters, ISO 3166-1."""

    name: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of an order beside its lines; nothing is decided by it.

    :param reference: the caller's own number of the order; `search` finds it.
    :param channel: where it came from.
    """

    reference: str = ""
    channel: str = ""
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ship_to: Address | None = None
    bill_to: Address | None = None


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order to record. Its request id makes a repeat of the same value harmless, for ever.

    :param hold_s: seconds to hold its stock for `confirm`, up to 24 h; None: it needs none.
    :param sourcing: where its stock is to come from; None: by priority.
    """

    customer_id: str
    lines: Sequence[OrderLine]
    customer: Customer | None = None
    request_id: str = field(default_factory=new_request_id)
    hold_s: float | None = None
    charges: Sequence[Charge] = ()
    details: Details | None = None
    sourcing: Sourcing | None = None


@dataclass(frozen=True, slots=True)
class StockRequest:
    """A new on-hand quantity. Its request id makes a repeat of the same value harmless, for ever.

    With `expected_version` the change is refused unless the level still has this version.

    :param reason_code: why, for counting; None: not said.
    :param displace: below what orders were promised there, the youngest promises give up what is
        missing and wait for stock; without it such a quantity is refused.
    """

    product_id: str
    quantity: int
    location_id: str = "main"
    expected_version: int | None = None
    reason: str = ""
    request_id: str = field(default_factory=new_request_id)
    reason_code: StockReason | None = None
    displace: bool = False


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product, summed over the order's lines.

    :param expected_date: when more is expected, as the product says; None: not known. Only
        `check_availability` tells it.
    """

    product_id: str
    wanted: int
    available: int
    expected_date: date | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A recorded order in short; shortages when it was rejected, `expires_time` with a hold."""

    order_id: str
    status: OrderStatus
    shortages: tuple[Shortage, ...] = ()
    expires_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """One change of an order: what it became, when, why and by whom.

    :param action: what changed while the status stayed, such as HOLD_EXTENDED; empty: the status.
    :param credential_id: which key or token the actor came with; empty: a service's own work.
    """

    version: int
    status: OrderStatus
    change_time: datetime
    reason: str
    actor: str
    action: str = ""
    credential_id: str = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One fact about a payment, as it was recorded."""

    kind: PaymentKind
    reference: str
    amount: Money
    record_time: datetime


class EditState(StrEnum):
    """What became of an edit."""

    ASKED = "ASKED"  # under way: Inventory has not answered
    APPLIED = "APPLIED"  # what it wants is the order's
    REFUSED = "REFUSED"  # stock was short: the order stays as it was
    DROPPED = "DROPPED"  # the order ended before the answer
    UNKNOWN = "UNKNOWN"  # a state that this version of the client does not know


@dataclass(frozen=True, slots=True)
class OrderEdit:
    """A change of an order's lines, charges or sourcing.

    :param edition: counts from 2, as an order is recorded with edition 1.
    :param lines: those that it wants, or wanted; empty once they are the order's own. So are
        `charges`.
    :param total: what the order costs with it.
    :param missing: what was short, when it was REFUSED.
    :param request_version: the order's version with which it was asked for.
    :param end_version: the order's version that ended it; 0: it is under way.
    """

    edition: int
    state: EditState
    lines: tuple[OrderLine, ...]
    charges: tuple[Charge, ...]
    total: Money
    missing: tuple[Shortage, ...]
    request_version: int
    end_version: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order with everything known about it. Lists leave `history` and `returns` empty.
    Times: UTC.

    :param edit: the newest change of its lines, charges or sourcing; None: there was none.
    :param sourcing: where its stock is to come from.
    :param stock: what can be shipped from where: what Inventory holds for it, as it last told, less
        what has left since. Empty also where it would take more than 2 MiB.
    :param shipments: what has left the house, in the order of recording.
    :param returns: what may come back, or came, in the order of opening.
    :param queued: what waits for stock, as Inventory last told.
    """

    order_id: str
    request_id: str
    customer_id: str
    status: OrderStatus
    lines: tuple[OrderLine, ...]
    total: Money
    customer: Customer
    shortages: tuple[Shortage, ...]
    version: int
    create_time: datetime
    update_time: datetime
    history: tuple[OrderChange, ...] = ()
    expires_time: datetime | None = None
    payment_reference: str = ""
    payment_status: PaymentStatus = PaymentStatus.NONE
    payments: tuple[Payment, ...] = ()
    charges: tuple[Charge, ...] = ()
    details: Details = field(default_factory=Details)
    edit: OrderEdit | None = None
    sourcing: Sourcing = field(default_factory=Sourcing)
    stock: tuple[HeldStock, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()
    queued: tuple[QueuedUnits, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """A customer as they are known beside their orders. Times are UTC.

    :param version: give it back in `update`; 0: there are orders only, and no times.
    :param erase_time: when the customer was last erased; the profile stays empty.
    """

    customer_id: str
    customer: Customer
    version: int
    create_time: datetime | None = None
    update_time: datetime | None = None
    erase_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Erased:
    """How many orders and profiles were erased; those that were before don't count."""

    orders: int
    profiles: int


@dataclass(frozen=True, slots=True)
class Availability:
    """What could be promised at one moment.

    :param available: whether all of it could be, now or later (`queued`).
    :param stock: from where; empty unless all of it could be, and where it would take more than 4
        MiB.
    :param shipments: from how many locations.
    :param missing: what is missing, by product; `available` there counts all locations that may be
        taken from, or the one that lacks least where they must not share it.
    :param queued: what would have to wait for stock; empty unless all could be promised.
    """

    available: bool
    stock: tuple[HeldStock, ...]
    shipments: int
    missing: tuple[Shortage, ...]
    queued: tuple[AwaitedUnits, ...] = ()
