"""Erase a customer: what is personal goes, what the books need stays."""

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.customers.errors import CustomerNotFound, OpenOrders


class EraseCustomer:
    """Empty the profile, what all the customer's orders say of people, and the reasons of their
    cancellations, in one transaction. A repeat erases what came since, mostly nothing.

    The profile's row is locked first, also when it has to be made for that: who places an order by
    the profile waits for it. Then all the orders are locked, also those without contact
    information, so that no update of one of them can bring back what is erased.

    :raises CustomerNotFound: there is neither profile nor order.
    :raises OpenOrders: orders are not final, and it is not forced.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, customer_id: str, force: bool) -> None:
        async with self._begin() as work:
            at = self._clock.now()
            profile = await work.customers.lock(customer_id, at)
            if profile.version == 0 and not await work.customers.has_orders(customer_id):
                raise CustomerNotFound(customer_id)
            still_open = await work.customers.lock_orders(customer_id)
            if still_open and not force:
                raise OpenOrders(customer_id, still_open)
            emptied = await work.customers.empty_orders(customer_id)
            if emptied or profile.erased_at is None:
                await work.customers.save(profile.erased(at))
