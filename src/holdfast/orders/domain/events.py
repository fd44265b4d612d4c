"""What Orders tells: facts in the past tense, each about one order at one version.

A closed union: whatever happens to an order is one of these, decided with the change itself.
"""

from typing import NamedTuple

from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.stock import StockWanted


class OrderPlaced(NamedTuple):
    """An order was recorded and waits for its stock."""

    customer_id: str
    wanted: StockWanted
    total: Money


class OrderConfirmed(NamedTuple):
    """The stock is reserved."""


class OrderRejected(NamedTuple):
    """The stock was short; the order is final."""

    shortages: tuple[Shortage, ...]


class OrderCancelled(NamedTuple):
    """The order is not wanted any more; Inventory gives its stock back."""

    reason: str
    wanted: StockWanted


class OrderExpired(NamedTuple):
    """No decision came in time; Inventory gives back what it may have reserved."""

    wanted: StockWanted


class OrderUpdated(NamedTuple):
    """The customer information changed. No personal data is told: read the order."""


class StockAskedAgain(NamedTuple):
    """Inventory has not answered the order's newest question in time."""

    wanted: StockWanted


OrderEvent = (
    OrderPlaced
    | OrderConfirmed
    | OrderRejected
    | OrderCancelled
    | OrderExpired
    | OrderUpdated
    | StockAskedAgain
)


def question_in(event: OrderEvent) -> StockWanted | None:
    """What the event asks Inventory; None if it asks nothing."""
    match event:
        case OrderPlaced() | OrderCancelled() | OrderExpired() | StockAskedAgain():
            return event.wanted
        case OrderConfirmed() | OrderRejected() | OrderUpdated():
            return None
