"""Count the orders of some days: the case of use behind charts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

from holdfast.orders.application.ports import Clock
from holdfast.orders.domain.figures import DayFigures

DAY = timedelta(days=1)
KEPT = timedelta(minutes=10)
TODAY_KEPT = 20  # times as long as it took to count it
DAYS_KEPT_MAX = 400

CountDay = Callable[[date, datetime], Awaitable[DayFigures]]
"""Count a day's orders, given which and when that is done."""


class CountOrders:
    """Count day by day, so that no statement reads more than a day's orders, and what counts
    orders never stands long in the way of what places them. Days that are over hardly change: their
    figures are kept for ten minutes, so that a month is read once and not with every look at it.
    Today's are kept so long that counting it takes a twentieth of the time at most.
    """

    def __init__(self, count: CountDay, clock: Clock) -> None:
        self._count, self._clock = count, clock
        self._kept: dict[date, tuple[DayFigures, datetime]] = {}  # with until when they are good
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, first: date, last: date) -> list[DayFigures]:
        """Return the figures of these days, both among them.

        :raises DatabaseUnavailable: it is out of reach.
        """
        days = (last - first).days + 1
        async with self._one_at_a_time:
            return [await self._day(first + number * DAY) for number in range(days)]

    async def _day(self, day: date) -> DayFigures:
        now = self._clock.now()
        kept = self._kept.pop(day, None)
        if kept is None or now >= kept[1]:
            found = await self._count(day, now)
            is_over = day < now.astimezone(UTC).date()
            took = max(self._clock.now() - now, timedelta())  # clocks are set back
            kept = found, now + (KEPT if is_over else min(TODAY_KEPT * took, KEPT))
        self._kept[day] = kept  # the one that was asked for last comes last
        while len(self._kept) > DAYS_KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        return kept[0]
