"""The database seam: what a store asks of an engine, and the errors that engines may answer with.

Two adapters fill it, `postgres.py` and `sqlite.py`. SQL is the stores' own text, written once and
given to each engine in its words (`sql.py`).
Arguments are numbered (`$1` or `?1`); a list goes to PostgreSQL as an array and to SQLite as
JSON for `json_each`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Literal, ParamSpec, Protocol, TypeVar

from holdfast.chassis.clock import backoff_s
from holdfast.chassis.transient import Transient


class Row(Protocol):
    """One row of a result: values by column name."""

    def __getitem__(self, column: str, /) -> Any:
        """Return the value of a column."""


Engine = Literal["postgresql", "sqlite"]


class DatabaseUnavailable(Transient):
    """The database is out of reach or broke off; whether the last commit took effect is unknown."""


class Conflict(Transient):
    """Another transaction got in the way (deadlock, serialization, a key taken a moment ago):
    nothing was written; try again.
    """


class KeyTaken(Conflict):
    """A row of this key is there already, committed a moment ago or long since: nothing was
    written. A use case that is tried again sees the row; if it can't, the key is somebody else's.
    """


class Reading(Protocol):
    """A connection for reading: each statement sees what is committed when it starts."""

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        """Return all rows of one statement."""


class Transaction(Reading, Protocol):
    """An open transaction; it commits when its `begin` block ends cleanly, else nothing remains."""

    async def execute(self, sql: str, *arguments: object) -> int:
        """Run one statement and return how many rows it touched."""

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Run one statement for all rows at once and return how many rows it touched; no rows, no
        statement.

        On PostgreSQL argument `$n` is the array of all n-th values, for `unnest`; on SQLite `?n` is
        the row's n-th value.
        """

    def defer(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Write these rows before the commit, together with all that is deferred: one round trip
        or thread switch instead of many. Until then the transaction's own statements don't see
        them. Rows deferred to the same statement are written in the order given.

        :param sql: as in `write`; no row that it changes may be changed by another deferred one.
        """

    def after_commit(self, wake: Callable[[], None]) -> None:
        """Call `wake` once the transaction is durable; it must not block or fail. Never called
        after a rollback.
        """


class Leadership(Protocol):
    """The right to do what only one process of a service may do at a time."""

    async def held(self) -> bool:
        """Whether this process has the right now; tries to take it when nobody has it.

        It can be lost between two calls, unnoticed: whatever is done under it must be harmless
        when done twice.
        """

    async def tell(self) -> None:
        """Wake the process that has the right, through its `told`; a hint, which may be lost."""

    async def release(self) -> None:
        """Give the right back, so that nobody need wait for this process's connection to die."""


class Database(Protocol):
    """One service's database."""

    engine: Engine

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that commits on a clean exit and rolls back on any error.

        :raises Conflict: nothing was written; run the block again.
        :raises DatabaseUnavailable: during the block nothing was written; on leaving it, the
            outcome is unknown.
        """

    async def execute(self, sql: str, *arguments: object) -> int:
        """Run one statement as a transaction of its own and return how many rows it touched.

        What PostgreSQL writes to several tables in one statement, SQLite has in several: with `;`
        at the ends of lines between them they are that one transaction too.

        :raises Conflict: nothing was written.
        :raises DatabaseUnavailable: the outcome is unknown.
        """

    def read(self) -> AbstractAsyncContextManager[Reading]:
        """Borrow a connection for reading only."""

    def snapshot(self) -> AbstractAsyncContextManager[Reading]:
        """Borrow a connection whose statements all see the moment at which it was borrowed."""

    def leadership(self, name: str, told: Callable[[], None] | None = None) -> Leadership:
        """Compete for the right called `name` with the other processes on this database.

        :param told: called when another process tells this one, which has the right, something.
        """

    async def close(self) -> None:
        """Close every connection; what is open is rolled back."""


KEYS_TAKEN_MAX = 4  # a race for a key is decided by the first loss; several batches may race

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retrying(
    verb: Callable[Parameters, Awaitable[Result]],
    *,
    tries_max: int = 10,
    keys_taken_max: int = KEYS_TAKEN_MAX,
) -> Callable[Parameters, Awaitable[Result]]:
    """Wrap a use case so that it runs again when it lost a conflict; nothing of a lost try remains.

    :raises KeyTaken: a key was taken `keys_taken_max` times: it does not look whose it is.
    :raises Conflict: it lost `tries_max` times in a row.
    """

    async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        keys_taken = 0
        for tries in range(tries_max - 1):
            try:
                return await verb(*args, **kwargs)
            except Conflict as lost:
                keys_taken += isinstance(lost, KeyTaken)
                if keys_taken == keys_taken_max:
                    raise
                await asyncio.sleep(backoff_s(tries, first_s=0.01, longest_s=1.0))
        return await verb(*args, **kwargs)

    return run


def instant(value: datetime | str) -> datetime:
    """Read a time as either engine returns it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def instant_or_none(value: datetime | str | None) -> datetime | None:
    """Read a time that may be missing; None stays None."""
    return None if value is None else instant(value)
