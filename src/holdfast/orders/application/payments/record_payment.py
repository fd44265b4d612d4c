"""Record what the payment provider did."""

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrderNotFound
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, is_news, status_of


class RecordPayment:
    """Keep a fact about an order's payment, once under its kind and reference, whatever became of
    the order. A repeat changes nothing. Stock is never touched.

    :raises OrderNotFound: there is none of this id.
    :raises PaymentReused, WrongPaymentCurrency, PaymentExceeds, TooManyPayments: it can't be true.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self,
        order_id: str,
        kind: PaymentKind,
        reference: str,
        amount: Money,
        caller: Caller,
    ) -> None:
        async with self._begin() as work:
            state = (await work.lock_states([order_id])).get(order_id)
            if state is None:
                raise OrderNotFound(order_id)
            known = await work.payments(order_id)
            payment = Payment(kind, reference, amount)
            if is_news(known.payments, payment, known.total.currency, order_id):
                status = status_of([*known.payments, payment], known.total)
                at = self._clock.now()
                await work.record([state.record_payment(payment, status, at, caller)])
