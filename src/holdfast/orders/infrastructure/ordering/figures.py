"""The orders of a day, counted by the database."""

from datetime import UTC, date, datetime, time, timedelta

from holdfast.chassis.database.seam import Database
from holdfast.orders.domain.figures import (
    DayFigures,
    Outcomes,
    Sales,
    ShortProduct,
    revenue_of,
)
from holdfast.orders.domain.ordering.order import PART_WAITS
from holdfast.orders.infrastructure.ordering.reader import ids_between
from holdfast.orders.infrastructure.ordering.sql import SQL

_BILLION = 1_000_000_000


class Counter:
    """Counts committed orders."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = SQL[database.engine]

    async def __call__(self, day: date, now: datetime) -> DayFigures:
        """Count the orders of a day of UTC.

        :raises DatabaseUnavailable: it is out of reach.
        """
        start = datetime.combine(day, time(), UTC)
        end = start + timedelta(days=1)
        ids = ids_between(start, end)
        sql = self._sql
        async with self._database.read() as reading:
            sales = await reading.fetch(sql.COUNT_SALES, *ids, start, end)
            (outcomes,) = await reading.fetch(sql.COUNT_OUTCOMES, *ids, start, end, PART_WAITS)
            shortages = await reading.fetch(sql.COUNT_SHORTAGES, *ids, start, end)
        return DayFigures(
            day,
            tuple(
                Sales(
                    row["orders"],
                    revenue_of(row["currency"], row["billions"] * _BILLION + row["rest"]),
                )
                for row in sales
            ),
            Outcomes(**{name: outcomes[name] for name in Outcomes._fields}),
            tuple(ShortProduct(*(row[name] for name in ShortProduct._fields)) for row in shortages),
            now,
        )
