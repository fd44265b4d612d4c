"""Two clocks, a process's and its database's: what is deleted for its age is old by both.

What is gone can't be had again: a host whose clock was set a month ahead for a minute would take
with it all that is kept for a month.
"""

from datetime import datetime

from holdfast.chassis.database.seam import Database, instant
from holdfast.chassis.database.sql import by_engine, either


class ClockStatements:
    """What a database is asked about time."""

    # SQLite has no clock that a simulation could set: there it is the process's.
    EARLIER_NOW = either(
        postgresql="""
SELECT least($1::timestamptz, statement_timestamp()) AS now
""",
        sqlite="""
SELECT $1 AS now
""",
    )


SQL = by_engine(ClockStatements)


async def earlier_now(database: Database, here: datetime) -> datetime:
    """Return what is now by the clock that is behind; an engine without one has `here`."""
    async with database.read() as reading:
        (row,) = await reading.fetch(SQL[database.engine].EARLIER_NOW, here)
    return instant(row["now"])
