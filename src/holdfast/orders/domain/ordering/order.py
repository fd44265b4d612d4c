"""Orders: what a customer asked for, where it stands, and how it got there.

PENDING ─┬──────────────> CONFIRMED ──> CANCELLED
         ├─> RESERVED ──> CONFIRMED, CANCELLED, EXPIRED
         └─> REJECTED, CANCELLED, EXPIRED
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import (
    ConfirmedOtherwise,
    EditUnderWay,
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
    OrderEdited,
    OrderEditRefused,
    OrderEditRequested,
    OrderEvent,
    OrderExpired,
    OrderRejected,
    OrderReserved,
    OrderUpdated,
    PaymentRecorded,
    StockAskedAgain,
    question_in,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.details import NO_DETAILS, Details
from holdfast.orders.domain.ordering.edits import (
    EDITS_MAX,
    FIRST_EDITION,
    Contents,
    Edit,
    EditEnd,
    Editions,
    EditState,
)
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.status import WAITING, Action, OrderStatus, may_follow
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted
from holdfast.orders.domain.payments.payment import Payment, PaymentStatus, RecordedPayment

HOLD_MAX = timedelta(hours=24)
UPDATES_MAX = 10_000  # versions up to which an order is updated: its history is told in one message


class OrderState(NamedTuple):
    """Where an order stands: all that its transitions depend on.

    :param asked: the revision of its newest question to Inventory.
    :param answered: the newest of its revisions that Inventory has answered.
    :param stock_sequence: of Inventory's newest answer; 0: none came yet.
    :param expires_at: when its hold ends or ended; None: it never had one.
    :param confirmed_by: the reference that confirmed it; None: nothing did.
    :param editions: of its lines and charges.
    """

    order_id: str
    status: OrderStatus
    version: int
    asked: int = 1
    answered: int = 0
    stock_sequence: int = 0
    expires_at: datetime | None = None
    confirmed_by: str | None = None
    editions: Editions = FIRST_EDITION

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
        where = self.order_id, self.status, self.version, self.asked
        held = self.expires_at, self.confirmed_by, self.editions
        return OrderState(*where, answered, answer.sequence, *held)

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
                raise StillPending(self.order_id, wanted="confirmed")
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

        :param demand: units per product of the order's lines, or of those that an edit under way
            wants.
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
        ends_hold = self.expires_at is not None and status not in WAITING
        change = OrderChange(
            self.order_id,
            self.version + 1,
            status,
            at,
            caller,
            reason,
            event,
            shortages,
            ends_hold=ends_hold,
        )
        if status.is_final and self.editions.revision is not None:
            change = self._ending_edit(change, EditEnd(EditState.DROPPED))
        return change

    def _change(
        self, action: Action, reason: str, event: OrderEvent, at: datetime, caller: Caller
    ) -> OrderChange:
        """A change of something beside the status, of which there are not too many."""
        if self.version >= UPDATES_MAX:
            raise TooManyChanges(self.order_id, UPDATES_MAX)
        return self._next(at, caller, reason, event, action)

    def _next(
        self,
        at: datetime,
        caller: Caller,
        reason: str,
        event: OrderEvent,
        action: Action = Action.STATUS,
    ) -> OrderChange:
        """A change after which the order stands where it stood."""
        so_far = self.order_id, self.version + 1, self.status
        return OrderChange(*so_far, at, caller, reason, event, action=action)

    def after(self, change: OrderChange) -> "OrderState":
        """Where the order stands once a change of it is made."""
        question = question_in(change.event) if change.event else None
        return OrderState(
            self.order_id,
            change.status,
            change.version,
            question.revision if question else self.asked,
            self.answered,
            self.stock_sequence,
            change.expires_at or self.expires_at,
            change.confirmed_by or self.confirmed_by,
            change.editions or self.editions,
        )

    def refuse_edit(self, expected_version: int) -> None:
        """Let pass what can be edited.

        :raises IllegalTransition: the order is final.
        :raises EditUnderWay: another edit waits for Inventory.
        :raises StaleVersion: `expected_version` is not the current one.
        :raises StillPending: its stock is not decided.
        :raises TooManyChanges: it has reached edition EDITS_MAX, or version UPDATES_MAX.
        """
        if self.status.is_final:
            raise IllegalTransition(self.order_id, now=self.status, wanted="edited")
        if self.editions.revision is not None:
            raise EditUnderWay(self.order_id)
        if expected_version != self.version:
            raise StaleVersion(self.order_id, expected=expected_version, current=self.version)
        if self.status is OrderStatus.PENDING:
            raise StillPending(self.order_id, wanted="edited")
        if self.editions.newest > EDITS_MAX:
            raise TooManyChanges(self.order_id, EDITS_MAX)
        if self.version >= UPDATES_MAX:
            raise TooManyChanges(self.order_id, UPDATES_MAX)

    def edit(
        self,
        before: Contents,
        after: Contents,
        expected_version: int,
        reason: str,
        at: datetime,
        caller: Caller,
    ) -> OrderChange:
        """Take other contents: at once where the units of every product stay as they are, else once
        Inventory holds what they want.

        :raises OrdersError: see `refuse_edit`.
        """
        self.refuse_edit(expected_version)
        number, version = self.editions.newest + 1, self.version + 1
        if before.demand == after.demand:
            edited = self._change(Action.EDITED, reason, OrderEdited(after.total), at, caller)
            edit = Edit(number, 0, EditState.APPLIED, after, (), version, version)
            editions = Editions(number, number)
            return edited._replace(edit=edit, editions=editions, total=after.total)
        revision = self.asked + 1
        event = OrderEditRequested(StockWanted(revision, after.demand))
        asked = self._change(Action.EDIT_ASKED, reason, event, at, caller)
        edit = Edit(number, revision, EditState.ASKED, after, (), version, None)
        editions = Editions(self.editions.current, number, revision)
        return asked._replace(edit=edit, editions=editions)

    def settle_edit(
        self, answer: StockAnswer, total: Money, at: datetime, caller: Caller
    ) -> OrderChange:
        """Turn the answer to the question of the edit under way into its end.

        :param total: what the order costs with the edit.
        """
        assert answer.revision == self.editions.revision, "it answers the edit"
        end = EditEnd(EditState.REFUSED if answer.missing else EditState.APPLIED, answer.missing)
        if answer.missing:
            refused = self._next(
                at, caller, "edit refused, stock short", OrderEditRefused(answer.missing)
            )
            return self._ending_edit(refused._replace(action=Action.EDIT_REFUSED), end)
        edited = self._next(at, caller, "stock held as edited", OrderEdited(total))
        return self._ending_edit(edited._replace(action=Action.EDITED, total=total), end)

    def _ending_edit(self, change: OrderChange, end: EditEnd) -> OrderChange:
        is_applied = end.state is EditState.APPLIED
        current = self.editions.newest if is_applied else self.editions.current
        editions = Editions(current, self.editions.newest)
        return change._replace(edit_end=end, editions=editions)

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
    edit: Edit | None = None  # the newest

    @property
    def contents(self) -> Contents:
        """The edition that counts."""
        return Contents(self.lines, self.charges, self.total)
