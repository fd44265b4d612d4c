"""Confirm an order whose stock is held: it is paid for, or will be."""

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrderNotFound, OrdersError, StillPending
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.order import OrderChange
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, is_news, status_of


class ConfirmOrder:
    """Turn RESERVED into CONFIRMED; who gets the order's row first wins: this, the end of its hold,
    or a cancellation. A repeat with the same reference changes nothing.

    An order that is over stays so, and the payment's reference is kept with it all the same, once:
    somebody may have paid, and has to get it back.

    :raises OrderNotFound: there is none of this id.
    :raises StillPending: its stock is not decided; nothing was kept.
    :raises HoldExpired, IllegalTransition: it can't be confirmed; the reference is kept.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, order_id: str, reference: str, caller: Caller) -> None:
        async with self._begin() as work:
            state = (await work.lock_states([order_id])).get(order_id)
            if state is None:
                raise OrderNotFound(order_id)
            at = self._clock.now()
            refusal: OrdersError | None = None
            change: OrderChange | None = None
            try:
                change = state.confirm(reference, at, caller)
            except StillPending:
                raise
            except OrdersError as error:
                refusal = error
                known = await work.payments(order_id)
                named = Payment(PaymentKind.NAMED, reference, Money(known.total.currency, 0))
                is_known = any(one.reference == reference for one in known.payments)
                if not is_known and is_news(known.payments, named, known.total.currency, order_id):
                    status = status_of(known.payments, known.total)
                    change = state.record_payment(named, status, at, caller)
            if change is not None:
                await work.record([change])
        if refusal is not None:
            raise refusal
