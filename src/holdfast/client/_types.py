"""What the client takes and returns: frozen values that say what the wire says, in Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import uuid4

from holdfast.client._money import Money


def new_request_id() -> str:
    """A fresh request id. Keep it for repeats: the same id and contents have their effect once."""
    return uuid4().hex


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"  # recorded, stock not decided; nothing stays here
    RESERVED = "RESERVED"  # the stock is held until `expires_time`; waits to be confirmed
    CONFIRMED = "CONFIRMED"  # the stock of every line is reserved
    REJECTED = "REJECTED"  # final: short
    CANCELLED = "CANCELLED"  # final: by request
    EXPIRED = "EXPIRED"  # final: no decision came in time, or the hold ran out
    UNKNOWN = "UNKNOWN"  # a status that this version of the client does not know

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in (OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)


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


class MovementKind(StrEnum):
    """Why a stock level changed."""

    RECEIPT = "RECEIPT"  # goods came in
    ADJUSTMENT = "ADJUSTMENT"  # goods went without an order
    RESERVATION = "RESERVATION"  # promised to an order
    RELEASE = "RELEASE"  # a promise taken back
    UNKNOWN = "UNKNOWN"  # a kind that this version of the client does not know


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One product asked for.

    :param unit_price: in the product's currency; a Decimal names none, and so is sure to be in it.
        None: the product's own price. In an `Order` it is always Money.
    :param line_no: names the line as long as its order lives; always set in an `Order`. In `edit` 0
        means a new line; `create` ignores it.
    """

    product_id: str
    quantity: int
    unit_price: Money | Decimal | None = None
    line_no: int = 0


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
    """

    customer_id: str
    lines: Sequence[OrderLine]
    customer: Customer | None = None
    request_id: str = field(default_factory=new_request_id)
    hold_s: float | None = None
    charges: Sequence[Charge] = ()
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class StockRequest:
    """A new on-hand quantity. Its request id makes a repeat of the same value harmless, for ever.

    With `expected_version` the change is refused unless the level still has this version.
    """

    product_id: str
    quantity: int
    location_id: str = "main"
    expected_version: int | None = None
    reason: str = ""
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product, summed over the order's lines."""

    product_id: str
    wanted: int
    available: int


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
    """

    version: int
    status: OrderStatus
    change_time: datetime
    reason: str
    actor: str
    action: str = ""


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
    APPLIED = "APPLIED"  # its lines and charges are the order's
    REFUSED = "REFUSED"  # stock was short: the order stays as it was
    DROPPED = "DROPPED"  # the order ended before the answer
    UNKNOWN = "UNKNOWN"  # a state that this version of the client does not know


@dataclass(frozen=True, slots=True)
class OrderEdit:
    """A change of an order's lines or charges.

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
    """An order with everything known about it. Lists leave `history` empty. Times are UTC.

    :param edit: the newest change of its lines or charges; None: there was none.
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
class Product:
    """A sellable thing. New orders may contain it while it is active."""

    product_id: str
    name: str
    description: str
    unit_price: Money
    active: bool
    version: int


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The stock of one product at one location, in units; available is on hand minus reserved."""

    location_id: str
    on_hand: int
    reserved: int
    available: int
    version: int


@dataclass(frozen=True, slots=True)
class StockInfo:
    """A product with its stock over all locations, and by location."""

    product: Product
    on_hand: int
    reserved: int
    available: int
    levels: tuple[StockLevel, ...]


@dataclass(frozen=True, slots=True)
class Movement:
    """The immutable record of one change of one level. `order_id` is empty for receipts."""

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
