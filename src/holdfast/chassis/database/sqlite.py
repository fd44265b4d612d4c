"""SQLite under the database seam: one writer, readers beside it, commits on disk before they count.

Statements run on two threads, one for writing and one for reading, so that a slow disk never stops
the event loop. Durability: WAL with `synchronous=FULL`; with NORMAL a power cut takes the last
commits (sqlite.org/pragma.html).
"""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

from holdfast.chassis.database.seam import (
    DatabaseUnavailable,
    Engine,
    KeyTaken,
    Leadership,
    Reading,
    Row,
    Transaction,
)
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.metrics import (
    DB_CONFLICTS,
    READ_SECONDS,
    STATEMENT_SECONDS,
    TRANSACTION_SECONDS,
)
from holdfast.chassis.tracing import Work, current

BUSY_TIMEOUT_S = 10.0  # another process, such as `holdfast dead-letters replay`, may be writing

BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# BEGIN takes none, nor does what reads no table; this one is in every file, also in an empty one.
TAKE_SNAPSHOT = "SELECT 1 FROM sqlite_schema LIMIT 1"

ROWS_IN_A_STEP = (64, 8)  # few sizes: each is a statement that SQLite prepares and keeps

Result = TypeVar("Result")


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in (
            sqlite3.SQLITE_CONSTRAINT_UNIQUE,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        ):
            DB_CONFLICTS.inc()
            raise KeyTaken(str(error)) from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
            raise  # bad SQL is our bug
        raise DatabaseUnavailable(f"SQLite {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        # What went wrong without SQLite, such as a closed connection, has no code.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in BROKEN:
            raise
        raise DatabaseUnavailable(f"SQLite {path}: {error}") from error


@lru_cache(maxsize=1_000)  # a batch writes one moment many times
def _as_text(moment: datetime) -> str:
    # One zone: as texts, times of several zones would be compared by the hour on the wall.
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


# Asked only about what SQLite doesn't know by itself: a function for every value was a tenth of all
# that the interpreter does in embedded mode.
sqlite3.register_adapter(datetime, _as_text)
sqlite3.register_adapter(list, json.dumps)


@cache
def _repeated(sql: str, times: int) -> str:
    """Make VALUES of one row those of many: the arguments' numbers go on from row to row."""
    values = _VALUES.search(sql)
    assert values, "only VALUES are repeated"
    columns = max(int(number) for number in _ARGUMENT.findall(values[1]))
    rows = ", ".join(_with_numbers_from(columns * row, values[1]) for row in range(times))
    return sql.replace(values[1], rows)


def _with_numbers_from(taken: int, text: str) -> str:
    return _ARGUMENT.sub(lambda found: f"?{int(found[1]) + taken}", text)


@cache
def _statements_in(sql: str) -> tuple[tuple[str, int], ...]:
    """Split a text into its statements, each with how many of the arguments it takes."""
    return tuple(
        (statement, max((int(number) for number in _ARGUMENT.findall(statement)), default=0))
        for statement in sql.split(";\n")
    )


_VALUES = re.compile(r"VALUES (\(.*?\))", re.DOTALL)
_ARGUMENT = re.compile(r"\?([0-9]+)")


class SqliteConnection:
    """One connection and the thread that it lives on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sqlite-{path.stem}")
        self._connection = self._thread.submit(self._connect).result()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
        )
        return connection

    async def call(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Run on the connection's thread; cancelled, leave only after the statement has ended."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        try:
            with translated_errors(self.path):
                return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        return await self.call(lambda: self._connection.execute(sql, arguments).fetchall())

    async def execute(self, sql: str, *arguments: object) -> int:
        return await self.call(lambda: self._connection.execute(sql, arguments).rowcount)

    async def execute_all(self, sql: str, *arguments: object) -> int:
        """Run statements with `;` between them, as one transaction, in one go on the thread; return
        how many rows the last one touched.
        """
        statements = _statements_in(sql)
        if len(statements) == 1:
            return await self.execute(sql, *arguments)

        def run() -> int:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, taken in statements:
                    touched = self._connection.execute(statement, arguments[:taken]).rowcount
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
            return touched

        return await self.call(run)

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        if not rows:
            return 0
        return await self.call(self._write, sql, rows)

    def _write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        """Write many rows in a step: after each, this thread waits for the interpreter anew."""
        written = done = 0
        if _VALUES.search(sql):
            for size in ROWS_IN_A_STEP:
                whole = done + (len(rows) - done) // size * size
                for start in range(done, whole, size):
                    values = [value for row in rows[start : start + size] for value in row]
                    written += self._connection.execute(_repeated(sql, size), values).rowcount
                done = whole
        return written + self._connection.executemany(sql, rows[done:]).rowcount

    async def commit(self, deferred: Mapping[str, Sequence[tuple[object, ...]]]) -> None:
        """Write what was deferred and commit, in one go on the thread."""

        def write_and_commit() -> None:
            for sql, rows in deferred.items():
                self._write(sql, rows)
            self._connection.execute("COMMIT")

        await self.call(write_and_commit)

    async def rollback(self) -> None:
        await self.call(self._connection.rollback)

    def close(self) -> None:
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()


class SqliteTransaction:
    def __init__(self, connection: SqliteConnection) -> None:
        self.fetch = connection.fetch
        self.execute = connection.execute
        self.write = connection.write
        self.committed: list[Callable[[], None]] = []
        self.deferred: dict[str, list[tuple[object, ...]]] = {}

    def defer(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self.deferred.setdefault(sql, []).extend(rows)

    def after_commit(self, wake: Callable[[], None]) -> None:
        self.committed.append(wake)


class Sqlite:
    """One database file."""

    engine: Engine = "sqlite"

    def __init__(self, path: Path) -> None:
        with translated_errors(path):
            self._writer = SqliteConnection(path)
            self._reader = SqliteConnection(path)
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        with TRANSACTION_SECONDS.time(), Work("transaction", "internal", current()):
            async with self._begin() as work:
                yield work
        await failpoint("committed")
        for wake in work.committed:
            wake()
        work.committed.clear()  # they know the transaction that knows them

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[SqliteTransaction]:
        async with self._writing:
            work = SqliteTransaction(self._writer)
            try:
                # Inside: a caller cancelled while it waits here has begun all the same.
                await self._writer.execute("BEGIN IMMEDIATE")
                yield work
                await failpoint("before commit")
                await self._writer.commit(work.deferred)
            except BaseException:
                await self._writer.rollback()
                raise

    async def execute(self, sql: str, *arguments: object) -> int:
        with STATEMENT_SECONDS.time():
            async with self._writing:
                return await self._writer.execute_all(sql, *arguments)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        with READ_SECONDS.time():
            yield self._reader

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        connection = SqliteConnection(self._writer.path)
        try:
            await connection.execute("BEGIN")
            await connection.fetch(TAKE_SNAPSHOT)
            yield connection
            await connection.rollback()
        finally:
            await asyncio.to_thread(connection.close)

    def leadership(self, name: str, told: Callable[[], None] | None = None) -> Leadership:
        return SoleProcess()

    async def close(self) -> None:
        async with self._writing:
            await asyncio.to_thread(self._reader.close)
            await asyncio.to_thread(self._writer.close)


class SoleProcess:
    """Leadership where one process owns the file: `embedded.py` holds a lock on the data folder."""

    async def held(self) -> bool:
        return True

    async def tell(self) -> None:
        return  # nobody else is there

    async def release(self) -> None:
        return
