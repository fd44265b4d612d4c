"""Update an order's customer information."""

from collections.abc import Mapping

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import OrderNotFound


class UpdateOrder:
    """Change some customer information, if the order still has the version that the caller read.

    :param details: new values by field name: name, email, phone, address.
    :raises OrderNotFound: there is none of this id.
    :raises StaleVersion: it changed meanwhile, or this is a repeat.
    :raises IllegalTransition: it is rejected, cancelled or has expired.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self, order_id: str, expected_version: int, details: Mapping[str, str], caller: Caller
    ) -> None:
        async with self._begin() as work:
            state = (await work.lock_states([order_id])).get(order_id)
            if state is None:
                raise OrderNotFound(order_id)
            customer = (await work.lock_customer(order_id)).revised(details)
            at = self._clock.now()
            await work.record([state.update_customer(customer, expected_version, at, caller)])
