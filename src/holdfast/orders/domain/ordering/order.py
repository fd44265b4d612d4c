"""Orders: what a customer asked for, where it stands, and how it got there.

PENDING ─┬──────────────> CONFIRMED ──> CANCELLED; PARTIALLY_SHIPPED ──> SHIPPED
         ├─> RESERVED ──> CONFIRMED, CANCELLED, EXPIRED
         └─> REJECTED, CANCELLED, EXPIRED
"""

from collections import Counter
from collections.abc import Mapping
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
    OrderRestCancelled,
    OrderUpdated,
    PaymentRecorded,
    StockAskedAgain,
    question_in,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.details import Details
from holdfast.orders.domain.ordering.edits import (
    EDITS_MAX,
    FIRST_EDITION,
    Contents,
    Edit,
    EditEnd,
    Editions,
    EditState,
)
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing
from holdfast.orders.domain.ordering.status import WAITING, Action, OrderStatus, may_follow
from holdfast.orders.domain.ordering.stock import StockAnswer, StockWanted
from holdfast.orders.domain.payments.payment import Payment, PaymentStatus
from holdfast.orders.domain.shipping.goods import NO_GOODS, Goods

HOLD_MAX = timedelta(hours=24)
PART_WAITS = "stock promised, some of it waits"  # by which it is counted, too
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
            return self.become(OrderStatus.REJECTED, at, caller, reason, event, answer.missing)
        if self.expires_at is None:
            reason = PART_WAITS if answer.queued else "stock reserved"
            return self.become(OrderStatus.CONFIRMED, at, caller, reason, OrderConfirmed())
        reason = PART_WAITS if answer.queued else "stock held"
        reserved = OrderReserved(self.expires_at)
        return self.become(OrderStatus.RESERVED, at, caller, reason, reserved)

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
                change = self.become(OrderStatus.CONFIRMED, at, caller, reason, confirmed)
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
        change = self.change_beside(
            Action.HOLD_EXTENDED, "hold extended", HoldExtended(until), at, caller
        )
        return change._replace(expires_at=until)

    def record_payment(
        self, payment: Payment, status: PaymentStatus, at: datetime, caller: Caller
    ) -> OrderChange:
        """Keep a fact about its payment, wherever it stands and however often it was changed: of
        payments there are never too many.

        :param status: of all its payments, this one among them.
        """
        reason = f"{payment.reference} {payment.kind.lower()}"
        event = PaymentRecorded(payment)
        change = self.next_change(at, caller, reason, event, Action.PAYMENT_RECORDED)
        return change._replace(payment=payment, payment_status=status)

    def cancel(self, reason: str, at: datetime, caller: Caller) -> OrderChange:
        """The caller does not want it any more."""
        event = OrderCancelled(self._nothing_more())
        return self.become(OrderStatus.CANCELLED, at, caller, reason, event)

    def expire(self, at: datetime, caller: Caller) -> OrderChange:
        """No decision came in time, or the hold ran out."""
        event = OrderExpired(self._nothing_more())
        is_held = self.status is OrderStatus.RESERVED
        reason = "the hold ran out" if is_held else "no decision in time"
        return self.become(OrderStatus.EXPIRED, at, caller, reason, event)

    def _nothing_more(self) -> StockWanted:
        return StockWanted(self.asked + 1, {})

    def ask_again(
        self,
        demand: Mapping[str, int],
        sourcing: Sourcing = BY_PRIORITY,
        goods: Goods = NO_GOODS,
        asked_at: datetime | None = None,
    ) -> StockAskedAgain:
        """The newest question once more.

        :param demand: units per product of the order's lines, or of those that an edit under way
            wants; and so is `sourcing`. `asked_at`: when it was asked first.
        """
        wanted: Mapping[str, int] = {} if self.status.is_final else demand
        asked = self.wants(self.asked, wanted, sourcing, goods)
        return StockAskedAgain(asked._replace(asked_at=asked_at))

    def wants(
        self,
        revision: int,
        demand: Mapping[str, int],
        sourcing: Sourcing,
        goods: Goods,
    ) -> StockWanted:
        """What is wanted of stock, with the facts that have no answer yet."""
        if goods is NO_GOODS:
            return StockWanted(revision, demand, sourcing)
        left = Counter(demand)
        left.subtract(goods.shipped())
        facts = goods.unanswered(self.answered)
        return StockWanted(revision, dict(+left), sourcing, *facts)

    def become(
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
        so_far = self.order_id, self.version + 1, status
        change = OrderChange(*so_far, at, caller, reason, event, shortages, ends_hold=ends_hold)
        if status.is_final and self.editions.revision is not None:
            change = self._ending_edit(change, EditState.DROPPED)
        return change

    def change_beside(
        self, action: Action, reason: str, event: OrderEvent, at: datetime, caller: Caller
    ) -> OrderChange:
        """A change of something beside the status, of which there are not too many."""
        self.refuse_more()
        return self.next_change(at, caller, reason, event, action)

    def refuse_more(self) -> None:
        """:raises TooManyChanges: it has reached version UPDATES_MAX."""
        if self.version >= UPDATES_MAX:
            raise TooManyChanges(self.order_id, UPDATES_MAX)

    def next_change(
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
        self.refuse_more()

    def edit(
        self,
        before: Contents,
        after: Contents,
        expected_version: int,
        reason: str,
        at: datetime,
        caller: Caller,
        goods: Goods = NO_GOODS,
    ) -> OrderChange:
        """Take other contents: at once where they want the same of stock, or nothing that has not
        left; else once Inventory holds what they want.

        :raises OrdersError: see `refuse_edit`.
        """
        self.refuse_edit(expected_version)
        if before.wants_as(after):
            number, version = self.editions.newest + 1, self.version + 1
            edited = self.change_beside(Action.EDITED, reason, OrderEdited(after.total), at, caller)
            edit = Edit(number, 0, EditState.APPLIED, after, (), version, version)
            editions = Editions(number, number)
            return edited._replace(edit=edit, editions=editions, total=after.total)
        wanted = self.wants(self.asked + 1, after.demand, after.sourcing, goods)
        if wanted.over:
            return self.end_with(after, goods, reason, at, caller)
        number, version = self.editions.newest + 1, self.version + 1
        asked = self.change_beside(
            Action.EDIT_ASKED, reason, OrderEditRequested(wanted), at, caller
        )
        edit = Edit(number, wanted.revision, EditState.ASKED, after, (), version, None)
        editions = Editions(self.editions.current, number, wanted.revision)
        return asked._replace(edit=edit, editions=editions)

    def end_with(
        self,
        shipped: Contents,
        goods: Goods,
        reason: str,
        at: datetime,
        caller: Caller,
    ) -> OrderChange:
        """Nothing but what has left is of the order any more; an edit under way is dropped.

        :param shipped: what has left, as its lines.
        :raises IllegalTransition: nothing has left, or the order is over.
        """
        wanted = self.wants(self.asked + 1, {}, shipped.sourcing, goods)
        event = OrderRestCancelled(wanted, shipped.total)
        change = self.become(OrderStatus.SHIPPED, at, caller, reason, event)
        number, version = self.editions.newest + 1, self.version + 1
        edit = Edit(number, 0, EditState.APPLIED, shipped, (), version, version)
        return change._replace(edit=edit, editions=Editions(number, number), total=shipped.total)

    def settle_edit(
        self, answer: StockAnswer, total: Money, at: datetime, caller: Caller
    ) -> OrderChange:
        """End the edit under way by its answer; `total` is what the order costs with it."""
        assert answer.revision == self.editions.revision, "it answers the edit"
        if answer.missing:
            refused = self.next_change(
                at, caller, "edit refused, stock short", OrderEditRefused(answer.missing)
            )
            refused = refused._replace(action=Action.EDIT_REFUSED)
            return self._ending_edit(refused, EditState.REFUSED, answer.missing)
        edited = self.next_change(at, caller, "stock held as edited", OrderEdited(total))
        edited = edited._replace(action=Action.EDITED, total=total)
        return self._ending_edit(edited, EditState.APPLIED)

    def _ending_edit(
        self, change: OrderChange, state: EditState, missing: tuple[Shortage, ...] = ()
    ) -> OrderChange:
        newest = self.editions.newest
        current = newest if state is EditState.APPLIED else self.editions.current
        end = EditEnd(newest, state, missing)
        return change._replace(edit_end=end, editions=Editions(current, newest))

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
        change = self.change_beside(action, reason, OrderUpdated(), at, caller)
        return change._replace(customer=customer, details=details)
