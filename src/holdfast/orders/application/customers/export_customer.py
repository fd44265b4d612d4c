"""Export a customer: all that is kept of one, in parts."""

from collections.abc import AsyncIterator

from holdfast.orders.application.ports import CustomerReader, OrderFilter, OrderReader
from holdfast.orders.domain.customers.errors import CustomerNotFound
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.document import Order

STEP_ORDERS = 50  # read at a time


class ExportCustomer:
    """Yield the profile, then each order with its history, newest first.

    What is recorded meanwhile may be missing; what was there at the start is not.

    :raises CustomerNotFound: there is neither profile nor order.
    """

    def __init__(self, customers: CustomerReader, orders: OrderReader) -> None:
        self._customers = customers
        self._orders = orders

    async def __call__(self, customer_id: str) -> AsyncIterator[Profile | Order]:
        profile = await self._customers.profile(customer_id)
        if profile is None:
            raise CustomerNotFound(customer_id)
        yield profile
        wanted, before = OrderFilter(customer_id=customer_id), ""
        while True:
            found, before = await self._orders.orders(wanted, before=before, limit=STEP_ORDERS)
            for order in await self._orders.details([one.order_id for one in found]):
                assert order is not None, "an order is never deleted"
                yield order
            if not before:
                return
