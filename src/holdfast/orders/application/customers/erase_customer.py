"""Erase a customer: what is personal goes, what the books need stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from holdfast.orders.application.ports import Begin, Clock, CustomerRows
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.erasure import ByCustomer, ByEmail, Erased, Erasure, Whom
from holdfast.orders.domain.customers.errors import CustomerNotFound, OpenOrders
from holdfast.orders.domain.customers.profile import Profile
from holdfast.orders.domain.ordering.status import OrderStatus


class EraseCustomer:
    """Empty profiles, what all their orders say of people, and the reasons of cancellations, and
    keep a record of that, in one transaction. A repeat erases what came since, mostly nothing: then
    there is no record either.

    Profiles are locked first, a customer's also when it has to be made for that: who places an
    order by a profile waits for it. Then all the orders are locked, also those without contact
    information, and marked, so that no update of one of them can bring back what is erased.

    Whoever asks by e-mail and finds nothing is answered with zeros: nothing of the address is
    kept, so that a repeat can't be told from an address that was never there.

    :raises CustomerNotFound: there is neither profile nor order of this customer id.
    :raises OpenOrders: orders are not final, and it is not forced.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, whom: Whom, force: bool, caller: Caller) -> Erased:
        async with self._begin() as work:
            at = self._clock.now()
            profiles, orders = await _lock(work.customers, whom, at)
            still_open = [key for key, status in orders.items() if not status.is_final]
            if still_open and not force:
                raise OpenOrders(still_open)
            emptied = await work.customers.empty_orders(list(orders), at)
            new = [profile for profile in profiles if profile.erased_at is None]
            erased = Erased(emptied, sum(profile.version > 0 for profile in new))
            if emptied or new:
                touched = profiles if emptied else new
                await work.customers.save([profile.erased(at) for profile in touched])
                await work.customers.add_erasure(
                    Erasure(
                        self._clock.new_id(),
                        whom,
                        caller.name,
                        caller.credential_id,
                        at,
                        erased,
                        force,
                    )
                )
        return erased


async def _lock(
    customers: CustomerRows, whom: Whom, at: datetime
) -> tuple[Sequence[Profile], Mapping[str, OrderStatus]]:
    """Return the profiles and orders that it is about."""
    match whom:
        case ByCustomer(customer_id):
            profile = await customers.lock(customer_id, at)
            orders = await customers.lock_orders([customer_id])
            if profile.version == 0 and not orders:
                raise CustomerNotFound(customer_id)
            return [profile], orders
        case ByEmail(email):
            profiles = await customers.lock_with_email(email)
            ids = [profile.customer_id for profile in profiles]
            return profiles, await customers.lock_orders(ids, email=email)
