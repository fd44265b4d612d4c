"""PostgreSQL under the database seam, through asyncpg."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache
from itertools import count
from typing import TypeAlias, cast
from zlib import crc32

import asyncpg
import structlog

from holdfast.chassis.clock import backoff_s
from holdfast.chassis.database.postgres_sessions import (
    SERVER_SETTINGS,
    WRITABLE,
    Session,
    translated_errors,
)
from holdfast.chassis.database.seam import (
    DatabaseUnavailable,
    Engine,
    Leadership,
    Reading,
    Row,
    Transaction,
)
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.metrics import (
    DB_POOL_IN_USE,
    READ_SECONDS,
    STATEMENT_SECONDS,
    TRANSACTION_SECONDS,
)
from holdfast.chassis.tracing import Work, current

CONNECTIONS_MAX = 10
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 60.0
AUDIT_TIMEOUT_S = 24 * 3600.0
LEADERSHIP_CHECK_S = 0.5
LEADERSHIP_TIMEOUT_S = 5.0
# A leader asks twice a second whether it still is one. One that is frozen does not, and closes
# nothing: the server ends its session, and so frees the lock. (A leader that waited so long for the
# broker loses it too, and may take it again.)
LEADERSHIP_IDLE_S = 15.0

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

log = structlog.get_logger()

# An audit reads whole tables, in one transaction that waits while the other service's is read.
# What it sees is of the moment of its first SELECT.
AS_AUDIT = """
SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_hashjoin = on;
SET LOCAL plan_cache_mode = auto; SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT 1
"""
TRY_LEAD = "SELECT pg_try_advisory_lock($1, $2)"
UNLOCK = "SELECT pg_advisory_unlock_all()"
TELL = "SELECT pg_notify($1, '')"
LEADERSHIP_NAMESPACE = 0x484F4C44  # "HOLD": keeps our advisory locks apart from other programs'


class PostgresStatements:
    """Statements on a connection; without a time limit of their own they have the pool's."""

    def __init__(self, connection: Connection, fetch_timeout_s: float | None = None) -> None:
        self._connection = connection
        self._fetch_timeout_s = fetch_timeout_s

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        rows = await self._connection.fetch(sql, *arguments, timeout=self._fetch_timeout_s)
        return cast(Sequence[Row], rows)

    async def execute(self, sql: str, *arguments: object) -> int:
        status = await self._connection.execute(sql, *arguments)
        return int(status.rpartition(" ")[2])


class PostgresTransaction(PostgresStatements):
    """Statements that are committed together. The first one begins; where all is deferred, it is
    one statement, and one statement is a transaction by itself: one round trip for three.

    :param begun: ends what was begun, with a commit or a rollback.
    """

    def __init__(self, connection: Connection, begun: AsyncExitStack) -> None:
        super().__init__(connection)
        self._begun, self._is_begun = begun, False
        self.committed: list[Callable[[], None]] = []
        self._deferred: dict[str, list[tuple[object, ...]]] = {}

    async def _begin(self) -> None:
        if not self._is_begun:
            await self._begun.enter_async_context(self._connection.transaction())
            self._is_begun = True

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        await self._begin()
        return await super().fetch(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> int:
        await self._begin()
        return await super().execute(sql, *arguments)

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        if not rows:
            return 0
        return await self.execute(sql, *_columns(rows))

    def defer(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._deferred.setdefault(sql, []).extend(rows)

    async def write_deferred(self) -> None:
        """Write what was deferred, all in one statement."""
        if self._deferred:
            columns = [column for rows in self._deferred.values() for column in _columns(rows)]
            await super().execute(_in_one(tuple(self._deferred)), *columns)

    def after_commit(self, wake: Callable[[], None]) -> None:
        self.committed.append(wake)


def _columns(rows: Sequence[tuple[object, ...]]) -> Iterator[list[object]]:
    return map(list, zip(*rows, strict=True))


@cache
def _in_one(statements: tuple[str, ...]) -> str:
    """Make one statement of several writes: each but the last stands in a WITH of its own, and the
    numbers of the arguments go on from one to the next.
    """
    shifted, taken = [], 0
    for sql in statements:
        shifted.append(_with_numbers_from(taken, sql))
        taken += max(int(number) for number in _ARGUMENT.findall(sql))
    *first, last = shifted
    names = ", ".join(f"write_{number} AS ({sql})" for number, sql in enumerate(first))
    return f"WITH {names} {last}" if first else last


def _with_numbers_from(taken: int, sql: str) -> str:
    return _ARGUMENT.sub(lambda found: f"${int(found[1]) + taken}", sql)


_ARGUMENT = re.compile(r"\$([0-9]+)")


async def _keep(_connection: object) -> None:
    """Leave a connection as it is: no session state of ours outlives a transaction, so the round
    trip that would reset it is saved. (An open transaction is rolled back before.)
    """


class Postgres:
    """A pool of connections to one database."""

    engine: Engine = "postgresql"

    def __init__(self, url: str, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._url = url
        self._pool = pool

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        with TRANSACTION_SECONDS.time(), Work("transaction", "internal", current()):
            async with self._connection() as connection, AsyncExitStack() as begun:
                work = PostgresTransaction(connection, begun)
                yield work
                await failpoint("before commit")
                await work.write_deferred()
        await failpoint("committed")
        for wake in work.committed:
            wake()
        work.committed.clear()  # they know the transaction that knows them

    async def execute(self, sql: str, *arguments: object) -> int:
        with STATEMENT_SECONDS.time():
            async with self._connection() as connection:
                return await PostgresStatements(connection).execute(sql, *arguments)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        with READ_SECONDS.time():
            async with self._connection() as connection:
                yield PostgresStatements(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        with translated_errors():
            async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                with DB_POOL_IN_USE.track_inprogress():
                    yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        with translated_errors():
            async with (
                self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute(AS_AUDIT)
                yield PostgresStatements(connection, AUDIT_TIMEOUT_S)

    def leadership(self, name: str, told: Callable[[], None] | None = None) -> Leadership:
        return PostgresLeadership(self._url, name, told)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


class PostgresLeadership:
    """A session advisory lock on a connection of its own: it goes back when the process dies.

    The holder listens on a channel of the same name. NOTIFY is sent in a transaction of its own and
    never with an order's, where it would make all commits wait for each other.
    """

    def __init__(self, url: str, name: str, told: Callable[[], None] | None) -> None:
        self._url = url
        self._key = crc32(name.encode()) - 2**31
        self._channel = f"holdfast_{name}"
        self._told = told
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._held = False
        self._seen_at = 0.0
        self._asking = asyncio.Lock()  # one statement at a time on the connection

    async def held(self) -> bool:
        fresh = time.monotonic() - self._seen_at < LEADERSHIP_CHECK_S
        if self._held and fresh and self._connection and not self._connection.is_closed():
            return True
        async with self._on_connection() as connection:
            if self._held:  # the lock lives as long as the session: a round trip shows that it does
                await connection.fetchval("SELECT 1", timeout=LEADERSHIP_TIMEOUT_S)
            else:
                await self._try_to_lead(connection)
            self._seen_at = time.monotonic()
            return self._held

    async def _try_to_lead(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._held = await connection.fetchval(
            TRY_LEAD, LEADERSHIP_NAMESPACE, self._key, timeout=LEADERSHIP_TIMEOUT_S
        )
        if self._held and (told := self._told):
            await connection.add_listener(self._channel, lambda *_: told())

    async def tell(self) -> None:
        async with self._on_connection() as connection:
            await connection.execute(TELL, self._channel, timeout=LEADERSHIP_TIMEOUT_S)

    @asynccontextmanager
    async def _on_connection(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """Give the connection, a new one where there is none; whatever fails on it, drop it."""
        with translated_errors():
            async with self._asking:
                try:
                    if self._connection is None or self._connection.is_closed():
                        self._held = False
                        self._connection = await asyncpg.connect(
                            self._url,
                            timeout=CONNECT_TIMEOUT_S,
                            server_settings=SERVER_SETTINGS
                            | {"idle_session_timeout": f"{LEADERSHIP_IDLE_S * 1000:.0f}"},
                            target_session_attrs=WRITABLE,
                        )
                    yield self._connection
                except BaseException:
                    self._drop()
                    raise

    async def release(self) -> None:
        # The server notices a dropped connection only after a while; unlocking is told at once.
        if self._held and self._connection is not None and not self._connection.is_closed():
            with suppress(DatabaseUnavailable):
                async with self._on_connection() as connection:
                    await connection.execute(UNLOCK, timeout=LEADERSHIP_TIMEOUT_S)
        self._drop()

    def _drop(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            connection.terminate()


async def connect_postgres(url: str, *, wait: bool = True) -> Postgres:
    """Open a pool; while the server is out of reach, try again and say so (raise, if not `wait`).

    :raises DatabaseUnavailable: the server can't be reached and `wait` is off.
    """
    for failures in count():
        try:
            with translated_errors():
                pool = await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=CONNECTIONS_MAX,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=STATEMENT_TIMEOUT_S,
                    server_settings=SERVER_SETTINGS,
                    target_session_attrs=WRITABLE,
                    connection_class=Session,
                    reset=_keep,
                )
                return Postgres(url, pool)
        except DatabaseUnavailable as error:
            if not wait:
                raise
            delay_s = backoff_s(failures, first_s=0.2, longest_s=10.0)
            log.warning("database unreachable, trying again", error=str(error))
            await asyncio.sleep(delay_s)
    raise AssertionError("counting never ends")
