"""Orders: what a customer asked for, where it stands, and how it got there.

PENDING ─┬─> CONFIRMED ─┐
         ├─> REJECTED   ├─> CANCELLED
         ├─> EXPIRED    │
         └──────────────┘
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    IllegalTransition,
    MixedCurrencies,
    Shortage,
    StaleVersion,
    TooManyChanges,
    TotalTooLarge,
)
from holdfast.orders.domain.events import (
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
    OrderUpdated,
    StockAskedAgain,
)
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted

LINES_MAX = 2_000  # one reservation locks at most this many products
QUANTITY_MAX = 1_000_000_000  # units on one line
UPDATES_MAX = 10_000  # versions up to which an order is updated: its history is told in one message


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"  # recorded, stock not decided
    CONFIRMED = "CONFIRMED"  # stock reserved
    REJECTED = "REJECTED"  # stock short
    CANCELLED = "CANCELLED"  # by request
    EXPIRED = "EXPIRED"  # no decision in time

    @property
    def is_final(self) -> bool:
        """Whether nothing can change the order any more."""
        return not _NEXT[self]


_NEXT: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(
        (OrderStatus.CONFIRMED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
    ),
    OrderStatus.CONFIRMED: frozenset((OrderStatus.CANCELLED,)),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
}

assert _NEXT.keys() == set(OrderStatus), "every status states what may follow it"


def may_follow(before: OrderStatus, now: OrderStatus) -> bool:
    """Whether an order may go from one status to the other."""
    return now in _NEXT[before]


class OrderLine(NamedTuple):
    """One product asked for, at its price. The same product may stand on several lines."""

    product_id: str
    quantity: int
    unit_price: Money


class OrderChange(NamedTuple):
    """One change of an order: a row of its history and an event for the world.

    :param event: None only in a history that was read.
    :param shortages: what was missing; only for a rejection.
    :param customer: the new customer information; only when that is what changed.
    """

    order_id: str
    version: int
    status: OrderStatus
    at: datetime
    caller: Caller
    reason: str = ""
    event: OrderEvent | None = None
    shortages: tuple[Shortage, ...] = ()
    customer: Customer | None = None


class OrderState(NamedTuple):
    """Where an order stands: all that its transitions depend on.

    :param asked: the revision of its newest question to Inventory.
    :param answered: the newest of its revisions that Inventory has answered.
    :param stock_sequence: of Inventory's newest answer; 0: none came yet.
    """

    order_id: str
    status: OrderStatus
    version: int
    asked: int = 1
    answered: int = 0
    stock_sequence: int = 0

    @property
    def waits(self) -> bool:
        """Whether Inventory's answer to the newest question is still to come."""
        return self.answered < self.asked

    def hear(self, answer: StockAnswer) -> "OrderState":
        """Know Inventory's newest answer; what the order itself becomes is for `settle`."""
        assert answer.sequence > self.stock_sequence, (
            "what is known is never replaced by older news"
        )
        answered = max(self.answered, answer.revision)
        return self._replace(answered=answered, stock_sequence=answer.sequence)

    def settle(self, answer: StockAnswer, at: datetime, caller: Caller) -> OrderChange | None:
        """Turn the answer to the question that the order is waiting for into its next status.

        Any other answer changes nothing: it is a repeat, or the order has asked anew since.
        """
        if self.status is not OrderStatus.PENDING or answer.revision != self.asked:
            return None
        if answer.missing:
            event = OrderRejected(answer.missing)
            reason = "stock short"
            return self._become(OrderStatus.REJECTED, at, caller, reason, event, answer.missing)
        return self._become(OrderStatus.CONFIRMED, at, caller, "stock reserved", OrderConfirmed())

    def cancel(self, reason: str, at: datetime, caller: Caller) -> OrderChange:
        """The caller does not want it any more."""
        event = OrderCancelled(reason, self._nothing_more())
        return self._become(OrderStatus.CANCELLED, at, caller, reason, event)

    def expire(self, at: datetime, caller: Caller) -> OrderChange:
        """No decision came in time."""
        event = OrderExpired(self._nothing_more())
        return self._become(OrderStatus.EXPIRED, at, caller, "no decision in time", event)

    def _nothing_more(self) -> StockWanted:
        return StockWanted(self.asked + 1, {})

    def ask_again(self, demand: Mapping[str, int]) -> StockAskedAgain:
        """The newest question once more.

        :param demand: units per product of the order's lines.
        """
        return StockAskedAgain(StockWanted(self.asked, {} if self.status.is_final else demand))

    def _become(
        self,
        status: OrderStatus,
        at: datetime,
        caller: Caller,
        reason: str,
        event: OrderEvent,
        shortages: tuple[Shortage, ...] = (),
    ) -> OrderChange:
        if not may_follow(self.status, status):
            raise IllegalTransition(self.order_id, now=self.status, wanted=status)
        version = self.version + 1
        return OrderChange(self.order_id, version, status, at, caller, reason, event, shortages)

    def update_customer(
        self, customer: Customer, expected_version: int, at: datetime, caller: Caller
    ) -> OrderChange:
        """Take new customer information.

        :raises StaleVersion: `expected_version` is not the current one.
        :raises IllegalTransition: the order is final.
        :raises TooManyChanges: it has reached version UPDATES_MAX.
        """
        if expected_version != self.version:
            raise StaleVersion(self.order_id, expected=expected_version, current=self.version)
        if self.status.is_final:
            raise IllegalTransition(self.order_id, now=self.status, wanted="changed")
        if self.version >= UPDATES_MAX:
            raise TooManyChanges(self.order_id, UPDATES_MAX)
        return OrderChange(
            self.order_id,
            self.version + 1,
            self.status,
            at,
            caller,
            "customer information updated",
            OrderUpdated(),
            customer=customer,
        )


@dataclass(frozen=True, slots=True)
class Order:
    """An order with all that is known; `history`, oldest first, may be missing (empty) in lists."""

    order_id: str
    customer_id: str
    request_id: str
    lines: tuple[OrderLine, ...]
    total: Money
    customer: Customer
    state: OrderState
    shortages: tuple[Shortage, ...]
    placed_at: datetime
    updated_at: datetime
    history: tuple[OrderChange, ...] = ()


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order about to be recorded.

    :param request_hash: digest of the request's contents, to tell a repeat from a reused request
        id.
    """

    order_id: str
    customer_id: str
    request_id: str
    request_hash: str
    lines: tuple[OrderLine, ...]
    total: Money
    customer: Customer
    placed: OrderChange

    @classmethod
    def place(
        cls,
        order_id: str,
        *,
        customer_id: str,
        request_id: str,
        request_hash: str,
        lines: tuple[OrderLine, ...],
        customer: Customer,
        at: datetime,
        caller: Caller,
    ) -> "NewOrder":
        """Make a PENDING order of its lines.

        :raises MixedCurrencies: the lines have more than one currency.
        :raises TotalTooLarge: the total does not fit into 64 bits.
        """
        total = total_of(lines)
        demand = demand_of([(line.product_id, line.quantity) for line in lines])
        event = OrderPlaced(customer_id, StockWanted(1, demand), total)
        placed = OrderChange(order_id, 1, OrderStatus.PENDING, at, caller, "order placed", event)
        return cls(order_id, customer_id, request_id, request_hash, lines, total, customer, placed)


def total_of(lines: Sequence[OrderLine]) -> Money:
    """Return the sum of quantity x unit price.

    :raises MixedCurrencies: the lines have more than one currency.
    :raises TotalTooLarge: the sum does not fit into 64 bits.
    """
    assert 1 <= len(lines) <= LINES_MAX, "the edge has checked the number of lines"
    for line in lines:
        assert 1 <= line.quantity <= QUANTITY_MAX, "the edge has checked the quantity"
        assert line.unit_price.minor >= 0, "the edge has checked the price"
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) > 1:
        raise MixedCurrencies(currencies)
    minor = sum(line.quantity * line.unit_price.minor for line in lines)
    if minor > MINOR_MAX:
        raise TotalTooLarge
    return Money(currencies.pop(), minor)


def demand_of(lines: Sequence[tuple[str, int]]) -> Counter[str]:
    """Return units per product: lines of the same product are summed for stock."""
    demand: Counter[str] = Counter()
    for product_id, quantity in lines:
        demand[product_id] += quantity
    return demand
