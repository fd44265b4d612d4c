"""Extend a hold: its units are held for longer, and Inventory need not hear of it."""

from datetime import timedelta

from holdfast.orders.application.ordering.one_order import lock_order
from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.domain.caller import Caller


class ExtendHold:
    """Let a hold end so long after now, by the database's clock. It is never shortened.

    :raises OrderNotFound: there is none of this id.
    :raises HoldExpired: the hold has ended.
    :raises IllegalTransition: the order has no hold, or needs none any more.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, order_id: str, hold: timedelta, caller: Caller) -> None:
        async with self._begin() as work:
            state = await lock_order(work, caller.ref(order_id))
            at = self._clock.now()
            until = await work.database_now(at) + hold
            if change := state.extend_hold(until, at, caller):
                await work.record([change])
