"""What Orders tells: facts in the past tense, each about one order at one version.

A closed union: whatever happens to an order is one of these, decided with the change itself.
"""

from datetime import datetime
from typing import NamedTuple, get_args

from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.stock import StockWanted
from holdfast.orders.domain.payments.payment import Payment
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping.shipment import Shipment


class OrderPlaced(NamedTuple):
    """An order was recorded and waits for its stock."""

    customer_id: str
    wanted: StockWanted
    total: Money


class OrderReserved(NamedTuple):
    """The stock is held until the hold ends."""

    expires_at: datetime


class HoldExtended(NamedTuple):
    """The hold ends later than it did."""

    expires_at: datetime


class OrderConfirmed(NamedTuple):
    """The stock is reserved, and nothing more is waited for."""


class PaymentRecorded(NamedTuple):
    """A fact about a payment became known."""

    payment: Payment


class OrderEditRequested(NamedTuple):
    """Lines with other units are wanted; nothing changes before Inventory answers."""

    wanted: StockWanted


class OrderEdited(NamedTuple):
    """The order has other lines or charges."""

    total: Money


class OrderEditRefused(NamedTuple):
    """The stock was short for an edit; the order stays as it was."""

    missing: tuple[Shortage, ...]


class OrderShipped(NamedTuple):
    """Units have left."""

    wanted: StockWanted
    shipment: Shipment


class ShipmentUpdated(NamedTuple):
    """More is known of how a shipment travels."""

    shipment: Shipment


class OrderRestCancelled(NamedTuple):
    """What has not left is not wanted any more; Inventory gives its stock back."""

    wanted: StockWanted
    total: Money


class ReturnOpened(NamedTuple):
    """Units may come back."""

    goods_return: Return


class ReturnReceived(NamedTuple):
    """Units came back."""

    wanted: StockWanted
    goods_return: Return


class ReturnClosed(NamedTuple):
    """Nothing more comes by this return."""

    goods_return: Return


class OrderRejected(NamedTuple):
    """The stock was short; the order is final."""

    shortages: tuple[Shortage, ...]


class OrderCancelled(NamedTuple):
    """The order is not wanted any more; Inventory gives its stock back. It carries no reason: that
    is free text, and what has been told to the world can't be erased.
    """

    wanted: StockWanted


class OrderExpired(NamedTuple):
    """No decision came in time, or the hold ran out; Inventory gives back what it may hold."""

    wanted: StockWanted


class OrderUpdated(NamedTuple):
    """The customer information changed. No personal data is told: read the order."""


class StockAskedAgain(NamedTuple):
    """Inventory has not answered the order's newest question in time."""

    wanted: StockWanted


OrderEvent = (
    OrderPlaced
    | OrderReserved
    | HoldExtended
    | OrderConfirmed
    | PaymentRecorded
    | OrderEditRequested
    | OrderEdited
    | OrderEditRefused
    | OrderShipped
    | ShipmentUpdated
    | OrderRestCancelled
    | ReturnOpened
    | ReturnReceived
    | ReturnClosed
    | OrderRejected
    | OrderCancelled
    | OrderExpired
    | OrderUpdated
    | StockAskedAgain
)


# Those that have `wanted`; every order's way asks for it several times.
_QUESTIONS = (
    OrderPlaced,
    OrderEditRequested,
    OrderShipped,
    OrderRestCancelled,
    ReturnReceived,
    OrderCancelled,
    OrderExpired,
    StockAskedAgain,
)

assert set(_QUESTIONS) == {kind for kind in get_args(OrderEvent) if "wanted" in kind._fields}, (
    "an event that says what is wanted is a question"
)


def question_in(event: OrderEvent) -> StockWanted | None:
    """What the event asks Inventory; None if it asks nothing."""
    return event.wanted if isinstance(event, _QUESTIONS) else None
