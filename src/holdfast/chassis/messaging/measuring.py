"""What only a look can tell: of a service's database and its rows, and of the broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Database, Reading, instant
from holdfast.chassis.messaging.broker import Broker
from holdfast.chassis.messaging.sql import SQL
from holdfast.chassis.metrics import BROKER_NAMES_WRONG, BROKER_UP, DATABASE_UP, DEAD_LETTERS
from holdfast.chassis.process.lifecycle import Loop, every

MEASURE_EVERY_S = 5.0
ANSWER_S_MAX = 5.0
BROKER_LOOK_S = 1.0

Look = Callable[[Reading], Awaitable[None]]


def waiting(sql: str, clock: Clock, count: Gauge, age_s: Gauge) -> Look:
    """Return what tells how much waits, and for how long the oldest of it has.

    :param sql: its one row has how many wait as `waiting`, and since when as `oldest`.
    """

    async def look(reading: Reading) -> None:
        (row,) = await reading.fetch(sql)
        oldest = row["oldest"]
        age = (clock.now() - instant(oldest)).total_seconds() if oldest else 0.0
        count.set(row["waiting"])
        age_s.set(max(0.0, age))

    return look


def measuring_broker(broker: Broker) -> Loop:
    """Return what tells the metrics of the broker, in every process that has one."""

    async def tell() -> int:
        BROKER_UP.set(broker.is_up())
        BROKER_NAMES_WRONG.set(sum(map(bool, broker.names().values())))
        return 0

    return every(BROKER_LOOK_S, tell)


@asynccontextmanager
async def looking(database: Database, is_up: Gauge) -> AsyncIterator[Reading]:
    """Read while the block runs, and tell whether the database answered to all of it; while it has
    not for ANSWER_S_MAX, that it doesn't: one that stands still refuses nothing.
    """
    answered = False
    late = asyncio.get_running_loop().call_later(ANSWER_S_MAX, is_up.set, False)
    try:
        async with database.read() as reading:
            yield reading
        answered = True
    finally:
        late.cancel()
        is_up.set(answered)


class Measuring:
    """Looks once and tells the metrics. Every process of a service looks, so that none tells what
    was so when it last had the right to.

    :param queue: the service's own; what has been parked from it is told also while that is none.
    :param looks: each reads what else the service wants to tell of its rows.
    """

    def __init__(self, database: Database, service: str, queue: str, *looks: Look) -> None:
        self._database, self._looks, self._queue = database, looks, queue
        self._sql = SQL[database.engine]
        self._is_up = DATABASE_UP.labels(service)
        self._parked = 0

    async def __call__(self) -> int:
        """Return 0: there is never more to do at once."""
        async with looking(self._database, self._is_up) as reading:
            await self._count_dead_letters(reading)
            for look in self._looks:
                await look(reading)
        return 0

    def parked(self) -> int:
        """How many dead letters there were at the last look."""
        return self._parked

    async def _count_dead_letters(self, reading: Reading) -> None:
        rows = await reading.fetch(self._sql.COUNT_LETTERS)
        self._parked = sum(row["letters"] for row in rows)
        DEAD_LETTERS.labels(self._queue).set(0)
        for row in rows:
            DEAD_LETTERS.labels(row["queue"]).set(row["letters"])
