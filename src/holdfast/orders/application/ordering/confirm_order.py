"""Confirm an order whose stock is held: it is paid for, or will be."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ordering.change_orders import Decision
from holdfast.orders.application.ports import KnownPayments
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrdersError, StillPending
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, is_news, status_of


class ConfirmOrder(NamedTuple):
    """Turn RESERVED into CONFIRMED; who gets the order's row first wins: this, the end of its hold,
    or a cancellation. A repeat with the same reference changes nothing.

    An order that can't be confirmed stays as it is, and the payment's reference is kept with it all
    the same, once: somebody may have paid, and has to get it back. Only while its stock is not
    decided (StillPending) nothing is kept: the call is to be repeated.
    """

    order_id: str
    reference: str
    caller: Caller

    def decide(self, state: OrderState, known: KnownPayments, at: datetime) -> Decision:
        try:
            return Decision(state.confirm(self.reference, at, self.caller))
        except StillPending:
            raise
        except OrdersError as refusal:
            if any(one.reference == self.reference for one in known.payments):
                return Decision(refusal=refusal)
            named = Payment(PaymentKind.NAMED, self.reference, Money(known.total.currency, 0))
            if not is_news(known.payments, named, known.total.currency, self.order_id):
                return Decision(refusal=refusal)
            status = status_of(known.payments, known.total)
            kept = state.record_payment(named, status, at, self.caller)
            return Decision(kept, refusal)
