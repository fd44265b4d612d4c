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
    WrongPaymentCurrency,
)
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, is_news, status_of


class ConfirmOrder(NamedTuple):
    """Turn RESERVED into CONFIRMED; who gets the order's row first wins: this, the end of its hold,
    or a cancellation. A repeat with the same reference changes nothing.

    An order that can't be confirmed stays as it is, and the payment's reference is kept with it all
    the same, once: somebody may have paid, and has to get it back. Only while its stock is not
    decided (StillPending) nothing is kept: the call is to be repeated.

    :param payment: what is known of it; None: only the reference. It is recorded along, whether the
        order is confirmed or not.
    """

    order_id: str
    reference: str
    caller: Caller
    payment: Payment | None = None

    def decide(self, state: OrderState, known: KnownPayments, at: datetime) -> Decision:
        """:raises WrongPaymentCurrency: the payment is in another one; nothing is kept."""
        change: OrderChange | None = None
        refusal: OrdersError | None = None
        payment = self.payment
        try:
            if payment and not self._is_news(payment, known):
                payment = None
            change = state.confirm(self.reference, at, self.caller)
        except (StillPending, WrongPaymentCurrency):
            raise
        except (PaymentExceeds, PaymentReused, PaymentsTooLarge, TooManyPayments) as error:
            refusal, payment = error, None
        except OrdersError as error:
            refusal = error
        if payment is None and refusal is not None:
            payment = self._named(known)
        if payment is None:
            return Decision(change, refusal)
        status = status_of([*known.payments, payment], known.total)
        after = state.after(change) if change else state
        paid = after.record_payment(payment, status, at, self.caller)
        return Decision(change, refusal, paid) if change else Decision(paid, refusal)

    def _named(self, known: KnownPayments) -> Payment | None:
        """The reference alone, unless something is known under it already."""
        if any(one.reference == self.reference for one in known.payments):
            return None
        named = Payment(PaymentKind.NAMED, self.reference, Money(known.total.currency, 0))
        return named if self._is_news(named, known) else None

    def _is_news(self, payment: Payment, known: KnownPayments) -> bool:
        return is_news(known.payments, payment, known.total.currency, self.order_id)
