"""Record what the payment provider did."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.ordering.change_orders import Decision
from holdfast.orders.application.ports import KnownPayments
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.payments.payment import Payment, is_news, status_of


class RecordPayment(NamedTuple):
    """Keep a fact about an order's payment, once under its kind and reference, whatever became of
    the order. A repeat changes nothing. Stock is never touched.
    """

    order_id: str
    payment: Payment
    caller: Caller

    def decide(self, state: OrderState, known: KnownPayments, at: datetime) -> Decision:
        """:raises PaymentReused, WrongPaymentCurrency, PaymentExceeds, PaymentsTooLarge,
        TooManyPayments: it can't be true.
        :raises TooManyChanges: the order was changed as often as it may be.
        """
        if not is_news(known.payments, self.payment, known.total.currency, self.order_id):
            return Decision()
        state.refuse_more()
        status = status_of([*known.payments, self.payment], known.total)
        return Decision(state.record_payment(self.payment, status, at, self.caller))
