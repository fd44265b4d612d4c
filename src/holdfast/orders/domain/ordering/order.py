"""Orders: what a customer asked for, where it stands, and how it got there.

PENDING ─┬──────────────> CONFIRMED ──> CANCELLED
         ├─> RESERVED ──> CONFIRMED, CANCELLED, EXPIRED
         └─> REJECTED, CANCELLED, EXPIRED
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    ConfirmedOtherwise,
    HoldExpired,
    IllegalTransition,
    Shortage,
    StaleVersion,
    StillPending,
    TooManyChanges,
)
from holdfast.orders.domain.events import (
    HoldExtended,
    OrderCancelled,
    OrderConfirmed,
    OrderEvent,
    OrderExpired,
    OrderRejected,
    OrderReserved,
    OrderUpdated,
    PaymentRecorded,
    StockAskedAgain,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted
from holdfast.orders.domain.payments.payment import Payment, PaymentStatus, RecordedPayment

HOLD_MAX = timedelta(hours=24)
UPDATES_MAX = 10_000  # versions up to which an order is updated: its history is told in one message


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "PENDING"  # recorded, stock not decided
    RESERVED = "RESERVED"  # stock held until the hold ends, or the order is confirmed
    CONFIRMED = "CONFIRMED"  # stock reserved
    REJECTED = "REJECTED"  # stock short
    CANCELLED = "CANCELLED"  # by request
    EXPIRED = "EXPIRED"  # no decision in time, or the hold ran out

    @property
    def is_final(self) -> bool:
        """Whether nothing can change the order any more."""
        return not _NEXT[self]


_NEXT: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset(
        (
            OrderStatus.RESERVED,
            OrderStatus.CONFIRMED,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.EXPIRED,
        )
    ),
    OrderStatus.RESERVED: frozenset(
        (OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.EXPIRED)
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


WAITING = frozenset((OrderStatus.PENDING, OrderStatus.RESERVED))  # where a hold may run


class Action(StrEnum):
    """What changed of an order: its status, or something beside it."""

    STATUS = ""
    CUSTOMER_UPDATED = "CUSTOMER_UPDATED"
    DETAILS_UPDATED = "DETAILS_UPDATED"  # beside the customer information, maybe
    HOLD_EXTENDED = "HOLD_EXTENDED"
    PAYMENT_RECORDED = "PAYMENT_RECORDED"


def may_happen(action: Action, status: OrderStatus) -> bool:
    """Whether something beside the status may change while an order has that status."""
    match action:
        case Action.PAYMENT_RECORDED:
            return True
        case Action.HOLD_EXTENDED:
            return status in WAITING
        case Action.CUSTOMER_UPDATED | Action.DETAILS_UPDATED:
            return not status.is_final
        case Action.STATUS:
            return False


class OrderChange(NamedTuple):
    """One change of an order: a row of its history and an event for the world.

    :param event: None only in a history that was read.
    :param shortages: what was missing; only for a rejection.
    :param customer: the new customer information; only when that is what changed.
    :param expires_at: the new end of its hold; only when that is what changed.
    :param confirmed_by: the payment's reference; only when that confirmed it.
    :param payment: only when one was recorded; `payment_status` follows from it and the others.
    :param details: the new ones; only when they changed.
    :param ends_hold: it had a hold, and has none any more.
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
    action: Action = Action.STATUS
    expires_at: datetime | None = None
    confirmed_by: str | None = None
    payment: Payment | None = None
    payment_status: PaymentStatus | None = None
    details: Details | None = None
    ends_hold: bool = False

    @property
    def is_news(self) -> bool:
        """Whether the customer is to be notified: of a new status, and of money for nothing."""
        is_late_payment = self.payment is not None and self.status.is_final
        return self.action is Action.STATUS or is_late_payment


class OrderState(NamedTuple):
    """Where an order stands: all that its transitions depend on.

    :param asked: the revision of its newest question to Inventory.
    :param answered: the newest of its revisions that Inventory has answered.
    :param stock_sequence: of Inventory's newest answer; 0: none came yet.
    :param expires_at: when its hold ends or ended; None: it never had one.
    :param confirmed_by: the reference that confirmed it; None: nothing did.
    """

    order_id: str
    status: OrderStatus
    version: int
    asked: int = 1
    answered: int = 0
    stock_sequence: int = 0
    expires_at: datetime | None = None
    confirmed_by: str | None = None

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
        if self.expires_at is None:
            return self._become(
                OrderStatus.CONFIRMED, at, caller, "stock reserved", OrderConfirmed()
            )
        reserved = OrderReserved(self.expires_at)
        return self._become(OrderStatus.RESERVED, at, caller, "stock held", reserved)

    def confirm(self, reference: str, at: datetime, caller: Caller) -> OrderChange | None:
        """It is paid for, or will be. None: it was confirmed by this reference already.

        Times are not compared: while it is RESERVED its units are held, and to refuse who has paid
        would gain nothing.

        :raises StillPending: its stock is not decided.
        :raises HoldExpired: the hold has ended.
        :raises IllegalTransition: it is over, or was confirmed otherwise.
        """
        match self.status:
            case OrderStatus.RESERVED:
                reason = f"confirmed by payment {reference}"
                confirmed = OrderConfirmed()
                change = self._become(OrderStatus.CONFIRMED, at, caller, reason, confirmed)
                return change._replace(confirmed_by=reference)
            case OrderStatus.PENDING if self.expires_at is not None:
                raise StillPending(self.order_id)
            case OrderStatus.EXPIRED:
                raise HoldExpired(self.order_id)
            case OrderStatus.REJECTED | OrderStatus.CANCELLED:
                raise IllegalTransition(self.order_id, now=self.status, wanted="confirmed")
            case _ if self.confirmed_by != reference:
                by = self.confirmed_by
                raise ConfirmedOtherwise(self.order_id, now=self.status, reference=by)
        return None

    def extend_hold(self, until: datetime, at: datetime, caller: Caller) -> OrderChange | None:
        """Let the hold end later. None: it ends then or later already.

        :raises HoldExpired: it has ended.
        :raises IllegalTransition: the order has no hold, or needs none any more.
        :raises TooManyChanges: it has reached version UPDATES_MAX.
        """
        if self.status is OrderStatus.EXPIRED:
            raise HoldExpired(self.order_id)
        if self.expires_at is None or self.status not in WAITING:
            raise IllegalTransition(self.order_id, now=self.status, wanted="held for longer")
        if until <= self.expires_at:
            return None
        change = self._change(
            Action.HOLD_EXTENDED, "hold extended", HoldExtended(until), at, caller
        )
        return change._replace(expires_at=until)

    def record_payment(
        self, payment: Payment, status: PaymentStatus, at: datetime, caller: Caller
    ) -> OrderChange:
        """Keep a fact about its payment, wherever it stands.

        :param status: of all its payments, this one among them.
        """
        reason = f"{payment.reference} {payment.kind.lower()}"
        event = PaymentRecorded(payment)
        change = self._change(Action.PAYMENT_RECORDED, reason, event, at, caller)
        return change._replace(payment=payment, payment_status=status)

    def cancel(self, reason: str, at: datetime, caller: Caller) -> OrderChange:
        """The caller does not want it any more."""
        event = OrderCancelled(self._nothing_more())
        return self._become(OrderStatus.CANCELLED, at, caller, reason, event)

    def expire(self, at: datetime, caller: Caller) -> OrderChange:
        """No decision came in time, or the hold ran out."""
        event = OrderExpired(self._nothing_more())
        reason = "the hold ran out" if self.expires_at else "no decision in time"
        return self._become(OrderStatus.EXPIRED, at, caller, reason, event)

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
        change = self._next(at, caller, reason, event)._replace(status=status)
        ends_hold = self.expires_at is not None and status not in WAITING
        return change._replace(shortages=shortages, ends_hold=ends_hold)

    def _change(
        self, action: Action, reason: str, event: OrderEvent, at: datetime, caller: Caller
    ) -> OrderChange:
        """A change of something beside the status, of which there are not too many."""
        if self.version >= UPDATES_MAX:
            raise TooManyChanges(self.order_id, UPDATES_MAX)
        return self._next(at, caller, reason, event)._replace(action=action)

    def _next(self, at: datetime, caller: Caller, reason: str, event: OrderEvent) -> OrderChange:
        return OrderChange(self.order_id, self.version + 1, self.status, at, caller, reason, event)

    def after(self, change: OrderChange) -> "OrderState":
        """Where the order stands once a change of it is made."""
        return self._replace(
            status=change.status,
            version=change.version,
            expires_at=change.expires_at or self.expires_at,
            confirmed_by=change.confirmed_by or self.confirmed_by,
        )

    def update(
        self,
        customer: Customer | None,
        details: Details | None,
        expected_version: int,
        at: datetime,
        caller: Caller,
    ) -> OrderChange:
        """Take new customer information, new details, or both; None stays as it is.

        :raises StaleVersion: `expected_version` is not the current one.
        :raises IllegalTransition: the order is final.
        :raises TooManyChanges: it has reached version UPDATES_MAX.
        """
        if expected_version != self.version:
            raise StaleVersion(self.order_id, expected=expected_version, current=self.version)
        if self.status.is_final:
            raise IllegalTransition(self.order_id, now=self.status, wanted="changed")
        action = Action.CUSTOMER_UPDATED if details is None else Action.DETAILS_UPDATED
        reason = f"{'customer information' if details is None else 'details'} updated"
        change = self._change(action, reason, OrderUpdated(), at, caller)
        return change._replace(customer=customer, details=details)


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
    payments: tuple[RecordedPayment, ...] = ()
    charges: tuple[Charge, ...] = ()
    details: Details = NO_DETAILS
