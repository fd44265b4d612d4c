"""Update a customer's profile, or make it."""

from collections.abc import Mapping

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.customers.errors import CustomerNotFound


class UpdateCustomer:
    """Change some of a profile if it still has the version that the caller read; 0 makes it, and a
    repeat of that changes nothing. Orders that are there keep what they have.

    :param details: new values by field name: name, email, phone, address.
    :raises CustomerNotFound: the version is not 0, and there is neither profile nor order.
    :raises StaleProfile: it changed meanwhile, or this is a repeat.
    :raises CustomerErased: what was erased does not come back.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self, customer_id: str, expected_version: int, details: Mapping[str, str]
    ) -> None:
        async with self._begin() as work:
            at = self._clock.now()
            profile = await work.customers.lock(customer_id, at)
            is_known = profile.version > 0 or expected_version == 0
            if not is_known and not await work.customers.has_orders(customer_id):
                raise CustomerNotFound(customer_id)
            revised = profile.revised(details, expected_version, at)
            if revised is not None:
                await work.customers.save([revised])
