"""Update what is known of an order beside its lines."""

from collections.abc import Mapping

from holdfast.orders.application.ordering.one_order import lock_order
from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller


class UpdateOrder:
    """Change some of it, if the order still has the version that the caller read.

    :param contact: new customer information by field name: name, email, phone, address.
    :param about: new details by field name: reference, note, attributes, ship_to, bill_to.
    :raises OrderNotFound: there is none of this id.
    :raises StaleVersion: it changed meanwhile, or this is a repeat.
    :raises IllegalTransition: it is final.
    :raises CustomerErased: its customer was erased since it was placed.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self,
        order_id: str,
        expected_version: int,
        contact: Mapping[str, str],
        about: Mapping[str, object],
        caller: Caller,
    ) -> None:
        async with self._begin() as work:
            state = await lock_order(work, caller.ref(order_id))
            await work.customers.refuse_erased(order_id)
            known = await work.known_of(order_id)
            customer = known.customer.revised(contact) if contact else None
            details = known.details.revised(about) if about else None
            at = self._clock.now()
            await work.record([state.update(customer, details, expected_version, at, caller)])
