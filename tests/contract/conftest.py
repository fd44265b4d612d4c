"""Fresh databases on both engines, each a copy of one that was really migrated."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from holdfast.chassis.clock import uuid7
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database, Engine, Leadership, Reading, Row, Transaction
from testbed.servers import PostgresServer
from testbed.templates import Templates

START = datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC)

NewDatabase = Callable[[str], str]  # from a service's name to the URL of its fresh database

_numbers = count(1)


class SteadyClock:
    """A clock that stands still until it is told to go on; its ids rise as they are made."""

    def __init__(self) -> None:
        self._now = START
        self._made = count(1)

    def now(self) -> datetime:
        return self._now

    def new_id(self) -> str:
        return uuid7(int(self._now.timestamp() * 1000), next(self._made).to_bytes(10))

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class CountingDatabase:
    """A database that counts the statements sent to it, transactions and readings alike; what is
    deferred goes out together and counts as one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.engine: Engine = database.engine
        self.statements = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._database.begin() as work:
            counted = CountingTransaction(self, work)
            yield counted
            self.statements += counted.has_deferred

    async def execute(self, sql: str, *arguments: object) -> int:
        self.statements += 1
        return await self._database.execute(sql, *arguments)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        async with self._database.read() as reading:
            yield CountingReading(self, reading)

    def snapshot(self) -> AbstractAsyncContextManager[Reading]:
        return self._database.snapshot()

    def leadership(self, name: str, told: Callable[[], None] | None = None) -> Leadership:
        return self._database.leadership(name, told)

    async def close(self) -> None:
        await self._database.close()


class CountingReading:
    def __init__(self, counter: CountingDatabase, reading: Reading) -> None:
        self._counter, self._reading = counter, reading

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        self._counter.statements += 1
        return await self._reading.fetch(sql, *arguments)


class CountingTransaction(CountingReading):
    def __init__(self, counter: CountingDatabase, work: Transaction) -> None:
        super().__init__(counter, work)
        self._work = work
        self.after_commit = work.after_commit
        self.has_deferred = False

    async def execute(self, sql: str, *arguments: object) -> int:
        self._counter.statements += 1
        return await self._work.execute(sql, *arguments)

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        self._counter.statements += bool(rows)  # no rows, no statement
        return await self._work.write(sql, rows)

    def defer(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        self.has_deferred |= bool(rows)
        self._work.defer(sql, rows)


def together(database: Database, parties: int) -> asyncio.Barrier:
    """Where transactions meet that are to run at once; SQLite lets only one in at a time."""
    return asyncio.Barrier(1 if database.engine == "sqlite" else parties)


def spoken(database: Database, sql: str) -> str:
    """The same statement with the engine's own mark for arguments."""
    return sql.replace("$", "?") if database.engine == "sqlite" else sql


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    name: Engine = request.param
    return name


@pytest.fixture
def new_database(
    engine: Engine, templates: Templates, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[NewDatabase]:
    """Makes migrated databases of the test's own."""
    if engine == "sqlite":
        yield lambda service: templates.copy_file(service, tmp_path / f"{service}.db")
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made: list[str] = []

    def make(service: str) -> str:
        made.append(f"contract_{service}_{next(_numbers)}")
        return templates.copy_database(service, server, made[-1])

    yield make
    for name in made:
        server.drop_database(name)


@pytest.fixture
def service() -> str:
    """Whose database the tests of a module get; modules about a service say so."""
    return "orders"


@pytest.fixture
def url(new_database: NewDatabase, service: str) -> str:
    return new_database(service)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with connect(url) as opened:
        yield opened


@pytest.fixture
def clock() -> SteadyClock:
    return SteadyClock()
