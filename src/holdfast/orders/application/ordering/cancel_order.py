"""Cancel an order: its stock comes back through Inventory shortly after."""

from holdfast.orders.application.ordering.one_order import lock_order
from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.shipping.errors import ShippedInPart


class CancelOrder:
    """Cancel an order that is not final; a cancelled one stays as it is: a repeat is harmless.

    :raises OrderNotFound: there is none of this id.
    :raises IllegalTransition: it is rejected, has expired, or all of it has left.
    :raises ShippedInPart: a part has left: only the rest can be cancelled, see CancelRest.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, order_id: str, reason: str, caller: Caller) -> None:
        async with self._begin() as work:
            state = await lock_order(work, caller.ref(order_id))
            if state.status is OrderStatus.PARTIALLY_SHIPPED:
                raise ShippedInPart(order_id, state.version)
            if state.status is not OrderStatus.CANCELLED:
                await work.record([state.cancel(reason, self._clock.now(), caller)])
