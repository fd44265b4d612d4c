"""The promises of the database seam, kept by both engines."""

import asyncio
import gc
import sqlite3
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from google.rpc.code_pb2 import ALREADY_EXISTS

from holdfast.chassis.database import sqlite
from holdfast.chassis.database.engines import connect, engine_of, sqlite_path
from holdfast.chassis.database.seam import (
    KEYS_TAKEN_MAX,
    Conflict,
    Database,
    DatabaseUnavailable,
    KeyTaken,
    Transaction,
    retrying,
)
from holdfast.chassis.database.sqlite import Sqlite
from holdfast.chassis.grpc.chassis_errors import chassis_status
from testbed.servers import PostgresServer
from tests.contract import thing_table
from tests.contract.conftest import spoken
from tests.contract.thing_table import ADD_MANY, THINGS, Refused, add, hang_up, names

things = thing_table.things


async def add_and(database: Database, name: str, then: Callable[[], Awaitable[object]]) -> None:
    async with database.begin() as work:
        await add(database, work, name)
        await then()


async def test_what_is_written_can_be_read_after_a_clean_end_and_not_before(
    things: Database,
) -> None:
    async with things.begin() as work:
        await add(things, work, "lamp")
        during = await names(things)

    assert during == []
    assert await names(things) == ["lamp"]


@pytest.mark.parametrize("error", [Refused(), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_any_error_undoes_the_whole_transaction(
    things: Database, error: BaseException
) -> None:
    async def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        await add_and(things, "lamp", fail)

    await add_and(things, "desk", lambda: asyncio.sleep(0))
    assert await names(things) == ["desk"]


async def test_a_transaction_cancelled_at_any_step_is_whole_or_nothing_and_the_next_one_works(
    things: Database,
) -> None:
    async def add_two(step: int) -> None:
        async with things.begin() as work:
            await add(things, work, f"{step} first")
            await add(things, work, f"{step} second")

    for step in range(60):
        task = asyncio.create_task(add_two(step))
        for _ in range(step):
            await asyncio.sleep(0 if step % 2 else 0.0002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    await add_and(things, "last", lambda: asyncio.sleep(0))
    found = await names(things)
    assert "last" in found
    assert {name for name in found if "first" in name} == {
        name.replace("second", "first") for name in found if "second" in name
    }


async def test_a_transaction_cancelled_before_it_began_leaves_the_writer_free(
    things: Database,
) -> None:
    if not isinstance(things, Sqlite):
        return  # PostgreSQL has no single writer to wait for
    elsewhere = sqlite3.connect(things._writer.path, isolation_level=None)
    elsewhere.execute("BEGIN IMMEDIATE")

    waiting = asyncio.create_task(add_and(things, "lamp", lambda: asyncio.sleep(0)))
    await asyncio.sleep(0.05)
    waiting.cancel()
    await asyncio.sleep(0.05)
    elsewhere.rollback()
    elsewhere.close()
    with suppress(asyncio.CancelledError):
        await waiting

    await add_and(things, "desk", lambda: asyncio.sleep(0))
    assert await names(things) == ["desk"]


async def test_a_commit_that_fails_raises_and_nothing_of_it_remains(things: Database) -> None:
    woken: list[str] = []

    async def add_orphan() -> None:
        async with things.begin() as work:
            work.after_commit(lambda: woken.append("orphan"))
            orphan = "INSERT INTO thing (name, parent) VALUES ($1, $2)"
            await work.execute(spoken(things, orphan), "orphan", "nobody")

    with pytest.raises((asyncpg.ForeignKeyViolationError, sqlite3.IntegrityError)):
        await add_orphan()

    await add_and(things, "desk", lambda: asyncio.sleep(0))
    assert await names(things) == ["desk"]
    assert woken == []


async def test_whoever_asked_is_woken_once_and_only_after_the_commit(things: Database) -> None:
    woken: list[str] = []

    async with things.begin() as work:
        await add(things, work, "lamp")
        work.after_commit(lambda: woken.append("lamp"))
        before = list(woken)

    assert before == []
    assert woken == ["lamp"]


async def test_nobody_is_woken_by_a_transaction_that_was_rolled_back(things: Database) -> None:
    woken: list[str] = []

    async def add_then_refuse() -> None:
        async with things.begin() as work:
            await add(things, work, "lamp")
            work.after_commit(lambda: woken.append("lamp"))
            raise Refused

    with pytest.raises(Refused):
        await add_then_refuse()
    await add_and(things, "desk", lambda: asyncio.sleep(0))

    assert woken == []


async def test_of_two_transactions_that_take_one_key_at_once_one_finds_it_taken(
    things: Database,
) -> None:
    outcomes = await asyncio.gather(
        *(add_and(things, "lamp", lambda: asyncio.sleep(0.05)) for _ in range(2)),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes} == {KeyTaken, type(None)}
    assert await names(things) == ["lamp"]


async def test_of_two_transactions_that_lock_crosswise_one_is_a_conflict(things: Database) -> None:
    if things.engine == "sqlite":
        return  # one writer at a time: nothing can cross
    async with things.begin() as work:
        await work.write(ADD_MANY[things.engine], [("lamp", 0), ("desk", 0)])
    both_hold_one = asyncio.Barrier(2)

    async def count_up(first: str, second: str) -> None:
        async with things.begin() as work:
            up = "UPDATE thing SET number = number + 1 WHERE name = $1"
            await work.execute(up, first)
            await both_hold_one.wait()
            await work.execute(up, second)

    outcomes = await asyncio.gather(
        count_up("lamp", "desk"), count_up("desk", "lamp"), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {Conflict, type(None)}
    async with things.read() as reading:
        rows = await reading.fetch("SELECT number FROM thing")
    assert [row["number"] for row in rows] == [1, 1]


async def test_a_broken_check_is_an_error_of_ours_and_no_conflict_to_try_again(
    things: Database,
) -> None:
    async def add_thirteen() -> None:
        async with things.begin() as work:
            await add(things, work, "lamp", 13)

    with pytest.raises((asyncpg.CheckViolationError, sqlite3.IntegrityError)):
        await add_thirteen()


async def test_bad_sql_is_an_error_of_ours_and_not_the_database_being_away(
    database: Database,
) -> None:
    async with database.read() as reading:
        with pytest.raises((asyncpg.PostgresSyntaxError, sqlite3.OperationalError)):
            await reading.fetch("SELECT FROM WHERE")


async def test_a_snapshot_sees_one_moment_and_a_reading_sees_each_statements_own(
    things: Database,
) -> None:
    count = "SELECT count(*) AS n FROM thing"
    async with things.snapshot() as snapshot, things.read() as reading:
        before = [(await view.fetch(count))[0]["n"] for view in (snapshot, reading)]
        await add_and(things, "lamp", lambda: asyncio.sleep(0))
        after = [(await view.fetch(count))[0]["n"] for view in (snapshot, reading)]

    assert (before, after) == ([0, 0], [0, 1])


async def test_a_snapshot_sees_the_moment_at_which_it_was_taken_not_that_of_its_first_question(
    things: Database,
) -> None:
    """Others are taken after it, and told apart from it by when each was."""
    async with things.snapshot() as snapshot:
        await add_and(things, "lamp", lambda: asyncio.sleep(0))
        (row,) = await snapshot.fetch("SELECT count(*) AS n FROM thing")

    assert row["n"] == 0


async def test_writing_many_rows_counts_them_and_writing_none_does_nothing(
    things: Database,
) -> None:
    async with things.begin() as work:
        many = await work.write(ADD_MANY[things.engine], [(f"{n}", n) for n in range(100, 1_100)])
        none = await work.write("this is no SQL", [])
        touched = await work.execute("UPDATE thing SET number = 0 WHERE number < 110")

    assert (many, none, touched) == (1_000, 0, 10)


async def test_a_lost_conflict_is_tried_again_and_nothing_of_the_lost_try_remains(
    things: Database,
) -> None:
    tries: list[str] = []

    async def place(name: str, *, wins_at: int) -> str:
        async with things.begin() as work:
            tries.append(name)
            await add(things, work, f"{name} {len(tries)}")
            if len(tries) < wins_at:
                raise Conflict(name)
        return name

    assert await retrying(place)("lamp", wins_at=3) == "lamp"
    assert await names(things) == ["lamp 3"]


async def test_a_conflict_lost_too_often_and_any_other_error_come_through() -> None:
    tries: list[Exception] = []

    async def fail(error: Exception) -> None:
        tries.append(error)
        raise error

    for error in (Conflict("again"), DatabaseUnavailable("away"), Refused()):
        with pytest.raises(type(error)):
            await retrying(fail, tries_max=3)(error)

    assert [type(error) for error in tries] == [Conflict] * 3 + [DatabaseUnavailable, Refused]


async def test_a_key_that_stays_taken_is_told_soon_and_is_no_passing_conflict(
    things: Database,
) -> None:
    async with things.begin() as work:
        await add(things, work, "lamp")
    tries = []

    async def add_again() -> None:
        tries.append(1)
        async with things.begin() as work:
            await add(things, work, "lamp")

    with pytest.raises(KeyTaken) as found:
        await retrying(add_again)()
    told = chassis_status(found.value)

    assert len(tries) == KEYS_TAKEN_MAX
    assert told is not None
    assert told.code == ALREADY_EXISTS
    assert await names(things) == ["lamp"]


async def test_what_a_transaction_kept_is_freed_with_it_and_not_by_looking_for_garbage(
    things: Database,
) -> None:
    """Looking for it stopped every caller for 60 to 190 ms, each ten seconds at 440 orders/s."""
    told: list[bool] = []

    async def kept() -> weakref.ref[Transaction]:
        async with things.begin() as work:
            work.after_commit(lambda: told.append(work is not None))
            return weakref.ref(work)

    gc.disable()
    try:
        assert (await kept())() is None
    finally:
        gc.enable()
    assert told == [True]


async def test_a_commit_on_sqlite_is_on_the_disk_before_it_counts(things: Database) -> None:
    if not isinstance(things, Sqlite):
        return  # PostgreSQL's own default
    (journal,) = await things._writer.fetch("PRAGMA journal_mode")
    (synchronous,) = await things._writer.fetch("PRAGMA synchronous")

    assert (journal[0], synchronous[0]) == ("wal", 2)  # type: ignore[index] # columns by number


async def test_a_file_that_another_process_is_writing_is_waited_for_and_then_unavailable(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine_of(url) == "postgresql":
        return  # its writers wait row by row
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    async with connect(url) as database:
        async with connect(url) as elsewhere, elsewhere.begin() as work:
            await work.fetch(THINGS["sqlite"])
            with pytest.raises(DatabaseUnavailable):
                await add_and(database, "lamp", lambda: asyncio.sleep(0))

        await add_and(database, "desk", lambda: asyncio.sleep(0))
        assert await names(database) == ["desk"]


async def test_a_connection_that_breaks_off_makes_the_database_unavailable_and_undoes_the_block(
    things: Database, postgres_server: PostgresServer
) -> None:
    if things.engine == "sqlite":
        return  # a file does not hang up

    for _ in range(20):  # the driver notices in one of several states
        with pytest.raises(DatabaseUnavailable):
            await add_and(things, "lamp", lambda: hang_up(postgres_server, "idle in%"))

    await add_and(things, "desk", lambda: asyncio.sleep(0))
    assert await names(things) == ["desk"]


async def test_what_is_not_there_is_said_at_once_when_nobody_wants_to_wait(
    url: str, tmp_path: Path
) -> None:
    nowhere = {
        "sqlite": f"sqlite:///{tmp_path}/nowhere.db",
        "postgresql": "postgresql://nobody@127.0.0.1:1/nowhere",
    }[engine_of(url)]

    with pytest.raises(DatabaseUnavailable):
        await anext(aiter(_opened(nowhere)))

    assert not (tmp_path / "nowhere.db").exists()


async def _opened(url: str) -> AsyncIterator[Database]:
    async with connect(url, wait=False) as database:
        yield database


def test_a_url_names_its_engine_or_is_refused() -> None:
    assert engine_of("postgresql://user@host/name") == "postgresql"
    assert engine_of("postgres://user@host/name") == "postgresql"
    assert engine_of("sqlite:///data/orders.db") == "sqlite"
    for url in ("", "orders.db", "mysql://host/name"):
        with pytest.raises(ValueError, match="a database URL starts with"):
            engine_of(url)


@pytest.mark.parametrize("url", ["sqlite:///a%20folder/x.db", "sqlite:////a%20folder/x.db"])
def test_a_sqlite_url_names_an_absolute_file(url: str) -> None:
    assert sqlite_path(url).resolve() == Path("/a folder/x.db")
