"""Confirm an order whose stock is held: it is paid for, or will be."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ordering.change_orders import Decision
from holdfast.orders.application.ports import KnownPayments
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrdersError, StillPending
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.payments.errors import (
    PaymentExceeds,
    PaymentReused,
    PaymentsTooLarge,
    TooManyPayments,
)
from holdfast.orders.domain.payments.payment import (
    PAYMENTS_MAX,
    Payment,
    PaymentKind,
    is_news,
    status_of,
)


class ConfirmOrder(NamedTuple):
    """Turn RESERVED into CONFIRMED; who gets the order's row first wins: this, the end of its hold,
    or a cancellation. A repeat with the same reference changes nothing.

    An order that can't be confirmed stays as it is, and the payment's reference is kept with it all
    the same, once, however often the order was changed: somebody may have paid, and has to get it
    back. Only while its stock is not decided (StillPending) nothing is kept: the call is to be
    repeated; nor where the order has PAYMENTS_MAX payments.

    :param payment: what is known of it; None: only the reference. It is recorded along, whether the
        order is confirmed or not.
    """

    order_id: str
    reference: str
    caller: Caller
    payment: Payment | None = None

    def decide(self, state: OrderState, known: KnownPayments, at: datetime) -> Decision:
        """:raises WrongPaymentCurrency: the payment is in another one; nothing is kept."""
        payment = self.payment
        refusal: OrdersError | None = None
        try:
            if payment and not self._is_news(payment, known):
                payment = None
        except (PaymentExceeds, PaymentReused, PaymentsTooLarge, TooManyPayments) as error:
            refusal, payment = error, None
        change, over = self._confirm(state, at)
        refusal = over or refusal
        if refusal is not None:
            change, payment = None, payment or self._named(known)
        if payment is None:
            return Decision(change, refusal)
        status = status_of([*known.payments, payment], known.total)
        after = state.after(change) if change else state
        paid = after.record_payment(payment, status, at, self.caller)
        return Decision(change, refusal, paid) if change else Decision(paid, refusal)

    def _confirm(
        self, state: OrderState, at: datetime
    ) -> tuple[OrderChange | None, OrdersError | None]:
        """Return the change, None for a repeat, or why the order can't be confirmed at all.

        :raises StillPending: its stock is not decided.
        """
        try:
            return state.confirm(self.reference, at, self.caller), None
        except StillPending:
            raise
        except OrdersError as error:
            return None, error

    def _named(self, known: KnownPayments) -> Payment | None:
        """The reference alone, unless something is known under it already, or there is no room."""
        is_known = any(one.reference == self.reference for one in known.payments)
        if is_known or len(known.payments) >= PAYMENTS_MAX:
            return None
        return Payment(PaymentKind.NAMED, self.reference, Money(known.total.currency, 0))

    def _is_news(self, payment: Payment, known: KnownPayments) -> bool:
        return is_news(known.payments, payment, known.total.currency, self.order_id)
