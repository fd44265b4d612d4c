"""Chase orders: no question stays unanswered, and no order PENDING."""

from datetime import timedelta

from holdfast.orders.application.ports import Backlog, Begin, Clock
from holdfast.orders.domain.caller import ORDERS
from holdfast.orders.domain.ordering.order import OrderState

CHASED_MAX = 500


class ChaseOrders:
    """Ask the newest question of orders again whose answer is late, whatever became of the order
    since, and expire those that have been PENDING for too long.

    Several processes may chase at once: each takes orders that no other holds. Asking twice gets
    the same answer twice. Only a PENDING order expires; every other question is asked until it is
    answered, because Inventory may hold stock for it.

    :param late_s: an answer is late after so many seconds; it is asked for again then, and again
        after twice the time each, so that chasing adds little to what made it late.
    :param expire_s: an order expires after so many seconds without a decision.
    """

    def __init__(
        self, begin: Begin, clock: Clock, backlog: Backlog, *, late_s: float, expire_s: float
    ) -> None:
        assert late_s < expire_s, "ask before giving up"
        self._begin = begin
        self._clock = clock
        self._backlog = backlog
        self._late = timedelta(seconds=late_s)
        self._expire = timedelta(seconds=expire_s)

    async def __call__(self) -> int:
        """Return how many orders were asked about again or have expired; call again until 0."""
        at = self._clock.now()
        async with self._begin() as work:
            expired = await work.claim_expired(placed_before=at - self._expire, limit=CHASED_MAX)
            await work.record([state.expire(at, ORDERS) for state in expired])
            late: list[OrderState] = []
            if not self._backlog.is_stuck():  # what waits there may be the very questions
                claimed = await work.claim_late(at, asked_before=at - self._late, limit=CHASED_MAX)
                just_asked = {state.order_id for state in expired}
                late = [state for state in claimed if state.order_id not in just_asked]
                await work.ask_again(late, at)
        return len(late) + len(expired)
