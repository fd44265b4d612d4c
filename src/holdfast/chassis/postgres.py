"""PostgreSQL under the database seam, through asyncpg."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import cast
from zlib import crc32

import asyncpg
import structlog

from holdfast.chassis.clock import jitter
from holdfast.chassis.database import (
    Conflict,
    DatabaseUnavailable,
    Engine,
    Leadership,
    Reading,
    Row,
    Transaction,
)

CONNECTIONS_MAX = 10
CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 60.0
LEADERSHIP_CHECK_TIMEOUT_S = 5.0

log = structlog.get_logger()

_CONFLICTS = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
)
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # its own confusion when the server hangs up between statements
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)

TRY_LEAD = "SELECT pg_try_advisory_lock($1, $2) AS held"
LEADERSHIP_NAMESPACE = 0x484F4C44  # "HOLD": keeps our advisory locks apart from other programs'


@contextmanager
def translated_errors() -> Iterator[None]:
    try:
        yield
    except _CONFLICTS as error:
        raise Conflict(str(error)) from error
    except _UNAVAILABLE as error:
        raise DatabaseUnavailable(f"PostgreSQL: {error or type(error).__name__}") from error


class PostgresTransaction:
    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]) -> None:
        self._connection = connection
        self.committed: list[Callable[[], None]] = []

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        return cast(Sequence[Row], await self._connection.fetch(sql, *arguments))

    async def execute(self, sql: str, *arguments: object) -> int:
        status = await self._connection.execute(sql, *arguments)
        return int(status.rpartition(" ")[2])

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        if not rows:
            return 0
        return await self.execute(sql, *(list(column) for column in zip(*rows, strict=True)))

    def after_commit(self, wake: Callable[[], None]) -> None:
        self.committed.append(wake)


class Postgres:
    """A pool of connections to one database."""

    engine: Engine = "postgresql"

    def __init__(self, url: str, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._url = url
        self._pool = pool

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        with translated_errors():
            async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                work = PostgresTransaction(connection)
                async with connection.transaction():
                    yield work
        for wake in work.committed:
            wake()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        with translated_errors():
            async with self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                yield PostgresTransaction(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        with translated_errors():
            async with (
                self._pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                yield PostgresTransaction(connection)

    def leadership(self, name: str) -> Leadership:
        return PostgresLeadership(self._url, name)

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


class PostgresLeadership:
    """A session advisory lock on its own connection: PostgreSQL frees it when the process dies."""

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._key = crc32(name.encode()) - 2**31
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._held = False
        self._asking = asyncio.Lock()  # one statement at a time on the connection

    async def held(self) -> bool:
        with translated_errors():
            async with self._asking:
                try:
                    return await self._ask()
                except BaseException:
                    await self.release()
                    raise

    async def _ask(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._held = False
            self._connection = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        if self._held:  # the lock lives as long as the session: one round trip shows that it does
            await self._connection.fetchval("SELECT 1", timeout=LEADERSHIP_CHECK_TIMEOUT_S)
        else:
            self._held = bool(
                await self._connection.fetchval(
                    TRY_LEAD, LEADERSHIP_NAMESPACE, self._key, timeout=LEADERSHIP_CHECK_TIMEOUT_S
                )
            )
        return self._held

    async def release(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            connection.terminate()


async def connect_postgres(url: str, *, wait: bool = True) -> Postgres:
    """Open a pool; while the server is out of reach, try again and say so (raise, if not `wait`).

    :raises DatabaseUnavailable: the server can't be reached and `wait` is off.
    """
    delay_s = 0.2
    while True:
        try:
            with translated_errors():
                pool = await asyncpg.create_pool(
                    url,
                    min_size=1,
                    max_size=CONNECTIONS_MAX,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=STATEMENT_TIMEOUT_S,
                )
                return Postgres(url, pool)
        except DatabaseUnavailable as error:
            if not wait:
                raise
            log.warning("database unreachable, trying again", error=str(error), retry_in_s=delay_s)
            await asyncio.sleep(jitter(delay_s))
            delay_s = min(delay_s * 2, 10.0)
