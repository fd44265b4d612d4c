"""The promises of deferred writes and of statements that are transactions, kept by both engines."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from holdfast.chassis.database import sqlite
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.postgres import Postgres
from holdfast.chassis.database.seam import Conflict, Database, DatabaseUnavailable, KeyTaken
from holdfast.chassis.database.sqlite import Sqlite
from testbed.servers import PostgresServer
from tests.contract import thing_table
from tests.contract.conftest import spoken
from tests.contract.post_office import EFFECT, EFFECTS
from tests.contract.thing_table import ADD_MANY, Refused, add, hang_up, names

things = thing_table.things

RENUMBER_MANY = {
    "postgresql": """
UPDATE thing
   SET number = new.number
  FROM unnest($1::text[], $2::bigint[]) AS new (name, number)
 WHERE thing.name = new.name
""",
    "sqlite": "UPDATE thing SET number = ?2 WHERE name = ?1",
}
REMOVE_MANY = {
    "postgresql": "DELETE FROM thing WHERE name = ANY($1::text[])",
    "sqlite": "DELETE FROM thing WHERE name = ?1",
}
REFUSED_CHECK = asyncpg.CheckViolationError, sqlite3.IntegrityError
ADD_ONE = "INSERT INTO thing (name, number) VALUES ($1, $2)"


async def numbers(database: Database) -> dict[str, int]:
    async with database.read() as reading:
        rows = await reading.fetch("SELECT name, number FROM thing")
    return {row["name"]: row["number"] for row in rows}


async def defer_one(database: Database, name: str, number: int = 1) -> None:
    async with database.begin() as work:
        work.defer(ADD_MANY[database.engine], [(name, number)])


async def test_what_is_deferred_is_there_after_the_commit_and_not_before(things: Database) -> None:
    count = "SELECT count(*) AS n FROM thing"
    async with things.begin() as work:
        work.defer(ADD_MANY[things.engine], [("lamp", 1), ("desk", 2)])
        (within,) = await work.fetch(count)
        outside = await names(things)

    assert (within["n"], outside) == (0, [])
    assert await numbers(things) == {"lamp": 1, "desk": 2}


async def test_every_deferred_statement_is_written_with_its_own_rows(things: Database) -> None:
    async with things.begin() as work:
        await work.write(ADD_MANY[things.engine], [("lamp", 1), ("desk", 2), ("chair", 3)])

    async with things.begin() as work:
        work.defer(REMOVE_MANY[things.engine], [("lamp",)])
        work.defer(ADD_MANY[things.engine], [("bed", 4), ("sofa", 5)])
        await add(things, work, "stool", 6)
        work.defer(RENUMBER_MANY[things.engine], [("desk", 20)])
        work.defer(ADD_MANY[things.engine], [("shelf", 7)])

    assert await numbers(things) == {
        "desk": 20,
        "chair": 3,
        "bed": 4,
        "sofa": 5,
        "stool": 6,
        "shelf": 7,
    }


async def test_rows_deferred_to_one_statement_are_written_in_the_order_given(
    things: Database,
) -> None:
    async with things.begin() as work:
        await work.fetch(EFFECTS[things.engine])
    given = [f"{number * 7919 % 1_000}" for number in range(1_000)]

    async with things.begin() as work:
        for start in range(0, 1_000, 100):
            batch = given[start : start + 100]
            work.defer(EFFECT[things.engine], [(name,) for name in batch])
            work.defer(ADD_MANY[things.engine], [(name, 1) for name in batch])

    async with things.read() as reading:
        rows = await reading.fetch("SELECT event_id FROM effect ORDER BY n")
    assert [row["event_id"] for row in rows] == given


async def test_no_rows_are_no_statement(things: Database) -> None:
    async with things.begin() as work:
        work.defer("this is no SQL", [])
        work.defer(ADD_MANY[things.engine], [("lamp", 1)])
        work.defer(ADD_MANY[things.engine], [])

    assert await names(things) == ["lamp"]


@pytest.mark.parametrize("error", [Refused(), KeyboardInterrupt(), asyncio.CancelledError()])
async def test_any_error_undoes_what_was_deferred(things: Database, error: BaseException) -> None:
    async def defer_and_fail() -> None:
        async with things.begin() as work:
            work.defer(ADD_MANY[things.engine], [("lamp", 1)])
            raise error

    with pytest.raises(type(error)):
        await defer_and_fail()

    await defer_one(things, "desk")
    assert await names(things) == ["desk"]


async def test_a_transaction_cancelled_while_it_defers_is_whole_or_nothing(
    things: Database,
) -> None:
    async def add_two(step: int) -> None:
        async with things.begin() as work:
            await add(things, work, f"{step} first")
            work.defer(ADD_MANY[things.engine], [(f"{step} second", 1)])

    for step in range(60):
        task = asyncio.create_task(add_two(step))
        for _ in range(step):
            await asyncio.sleep(0 if step % 2 else 0.0002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    await defer_one(things, "last")
    found = await names(things)
    assert "last" in found
    assert {name for name in found if "first" in name} == {
        name.replace("second", "first") for name in found if "second" in name
    }


@pytest.mark.parametrize(
    ("row", "error"), [(("lamp", 2), (Conflict,)), (("bed", 13), REFUSED_CHECK)]
)
async def test_a_deferred_write_that_fails_raises_wakes_nobody_and_leaves_nothing(
    things: Database, row: tuple[str, int], error: tuple[type[Exception], ...]
) -> None:
    await defer_one(things, "lamp")
    woken: list[str] = []

    async def defer_what_fails() -> None:
        async with things.begin() as work:
            work.after_commit(lambda: woken.append("never"))
            await add(things, work, "desk")
            work.defer(RENUMBER_MANY[things.engine], [("lamp", 5)])
            work.defer(ADD_MANY[things.engine], [("chair", 1), row])
            work.defer(REMOVE_MANY[things.engine], [("desk",)])

    with pytest.raises(error):
        await defer_what_fails()

    await defer_one(things, "sofa")
    assert await numbers(things) == {"lamp": 1, "sofa": 1}
    assert woken == []


async def test_whoever_asked_is_woken_when_what_was_deferred_can_be_read(things: Database) -> None:
    found: list[asyncio.Task[list[str]]] = []

    async with things.begin() as work:
        work.defer(ADD_MANY[things.engine], [("lamp", 1)])
        work.after_commit(lambda: found.append(asyncio.create_task(names(things))))

    assert [await task for task in found] == [["lamp"]]


async def test_of_two_transactions_that_defer_one_key_at_once_one_finds_it_taken(
    things: Database,
) -> None:
    outcomes = await asyncio.gather(
        *(defer_one(things, "lamp") for _ in range(2)), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {KeyTaken, type(None)}
    assert await names(things) == ["lamp"]


async def test_a_connection_that_breaks_off_before_the_deferred_write_undoes_the_block(
    things: Database, postgres_server: PostgresServer
) -> None:
    if things.engine == "sqlite":
        return  # a file does not hang up

    async def defer_and_lose_touch() -> None:
        async with things.begin() as work:
            work.defer(ADD_MANY["postgresql"], [("lamp", 1)])
            await hang_up(postgres_server, "idle%")

    with pytest.raises(DatabaseUnavailable):
        await defer_and_lose_touch()

    await defer_one(things, "desk")
    assert await names(things) == ["desk"]


async def test_all_that_is_deferred_takes_one_trip_and_none_of_its_own_on_sqlite(
    things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await defer_one(things, "lamp")
    writes: list[tuple[str, tuple[object, ...]]] = [
        (ADD_MANY[things.engine], ("desk", 1)),
        (RENUMBER_MANY[things.engine], ("lamp", 2)),
        (REMOVE_MANY[things.engine], ("chair",)),
    ]
    costs: list[int] = []

    for deferred in range(len(writes) + 1):
        async with counted_trips(things, monkeypatch) as trips, things.begin() as work:
            for sql, row in writes[:deferred]:
                work.defer(sql, [row])
            await work.execute("DELETE FROM thing WHERE name = 'desk'")
        costs.append(len(trips))

    begin_delete_commit = 3
    assert costs[0] == begin_delete_commit
    assert costs[1:] == [begin_delete_commit + (things.engine == "postgresql")] * len(writes)


async def test_where_all_is_deferred_one_trip_is_the_whole_transaction(
    things: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await defer_one(things, "lamp")
    costs: list[int] = []

    for names_to_add in ([], ["chair"], ["desk", "bed"]):
        async with counted_trips(things, monkeypatch) as trips, things.begin() as work:
            work.defer(ADD_MANY[things.engine], [(name, 1) for name in names_to_add])
        costs.append(len(trips))

    begin_commit = 2
    assert costs == ([begin_commit] * 3 if things.engine == "sqlite" else [0, 1, 1])
    assert await numbers(things) == dict.fromkeys(("lamp", "chair", "desk", "bed"), 1)


@asynccontextmanager
async def counted_trips(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[list[object]]:
    """What goes to the server, or to the writer's thread, one entry a trip."""
    trips: list[object] = []
    if isinstance(database, Postgres):
        async with database._pool.acquire() as connection:  # the next one to ask gets the same
            connection.add_query_logger(trips.append)
        yield trips
        await asyncio.sleep(0)  # the driver tells in the loop's next turn
        async with database._pool.acquire() as connection:
            connection.remove_query_logger(trips.append)
    elif isinstance(database, Sqlite):
        writer, call = database._writer, database._writer.call

        async def counting(*arguments: object) -> object:
            trips.append(arguments)
            return await call(*arguments)  # type: ignore[arg-type] # passed on as it came

        with monkeypatch.context() as patch:
            patch.setattr(writer, "call", counting)
            yield trips


async def test_a_statement_of_its_own_is_there_at_once_and_tells_how_many_rows_it_touched(
    things: Database,
) -> None:
    added = await things.execute(spoken(things, ADD_ONE), "lamp", 1)
    found = await names(things)
    touched = await things.execute("UPDATE thing SET number = 2 WHERE name = 'nobody'")

    assert (added, touched, found) == (1, 0, ["lamp"])


async def test_a_statement_of_its_own_fails_in_the_words_of_the_seam(things: Database) -> None:
    await things.execute(spoken(things, ADD_ONE), "lamp", 1)
    two = "INSERT INTO thing (name, number) VALUES ('desk', 1), ('lamp', 2)"
    syntax = asyncpg.PostgresSyntaxError, sqlite3.OperationalError

    for statement, error in (
        (things.execute(two), (Conflict,)),
        (things.execute(spoken(things, ADD_ONE), "desk", 13), REFUSED_CHECK),
        (things.execute("INSERT INTO WHERE"), syntax),
    ):
        await fails(statement, error)

    assert await numbers(things) == {"lamp": 1}


async def fails(statement: Awaitable[object], error: tuple[type[Exception], ...]) -> None:
    with pytest.raises(error):
        await statement


async def test_a_statement_of_its_own_finds_the_database_away_and_then_back(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    async with connect(url) as database:
        async with connect(url) as elsewhere, elsewhere.begin() as work:
            await work.fetch(thing_table.THINGS[database.engine])
            with pytest.raises(DatabaseUnavailable):
                await database.execute(
                    "SELECT pg_terminate_backend(pg_backend_pid())"
                    if database.engine == "postgresql"
                    else "DELETE FROM outbox"  # while another process is writing
                )

        assert await database.execute(spoken(database, ADD_ONE), "desk", 1) == 1
        assert await names(database) == ["desk"]


async def test_a_statement_of_its_own_is_not_undone_with_somebody_elses_transaction(
    things: Database,
) -> None:
    async def add_desk() -> None:
        await things.execute(spoken(things, ADD_ONE), "desk", 1)

    async def add_lamp_and_refuse() -> None:
        async with things.begin() as work:
            await add(things, work, "lamp")
            adding.append(asyncio.create_task(add_desk()))
            await asyncio.sleep(0.05)
            raise Refused

    adding: list[asyncio.Task[None]] = []
    with pytest.raises(Refused):
        await add_lamp_and_refuse()
    await adding[0]

    assert await names(things) == ["desk"]
