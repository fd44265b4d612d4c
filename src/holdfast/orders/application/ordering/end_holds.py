"""End holds that have run out: their units go back to the shelf."""

from holdfast.orders.application.ports import Begin, Clock, OrderReader
from holdfast.orders.domain.caller import ORDERS

ENDED_MAX = 500  # in one transaction


class EndHolds:
    """Expire orders whose hold has ended by the database's clock, a batch in one transaction.

    A hold ends by this and by nothing else: an order whose time is over can be confirmed until
    then. Several processes may do this at once: each takes orders that no other holds.
    """

    def __init__(self, begin: Begin, reader: OrderReader, clock: Clock) -> None:
        self._begin = begin
        self._reader = reader
        self._clock = clock

    async def __call__(self) -> int:
        """Return how many holds were ended; call again until 0."""
        if not await self._reader.any_hold_ended(self._clock.now()):
            return 0
        async with self._begin() as work:
            at = self._clock.now()
            ended = await work.claim_ended_holds(at, limit=ENDED_MAX)
            await work.record([state.expire(at, ORDERS) for state in ended])
        return len(ended)
