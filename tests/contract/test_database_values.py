"""The promises of the database seam about values: both engines give back what they were given."""

import json
from datetime import UTC, datetime, timedelta, timezone

import asyncpg
import pytest
from asyncpg.protocol import protocol as array_questions

from holdfast.chassis.database import postgres_sessions
from holdfast.chassis.database.seam import Database, instant
from tests.contract.conftest import spoken

INTEGER_MAX = 2**63 - 1

THINGS = {
    "postgresql": """
CREATE TABLE thing (name text, number bigint, at timestamptz, data bytea, facts jsonb)
""",
    "sqlite": """
CREATE TABLE thing (name TEXT, number INTEGER, at TEXT, data BLOB, facts TEXT)
""",
}
ECHO_TEXTS = {
    "postgresql": "SELECT value FROM unnest($1::text[]) WITH ORDINALITY AS t (value, n) ORDER BY n",
    "sqlite": "SELECT value FROM json_each(?1)",
}
ECHO_INTEGERS = {
    "postgresql": ECHO_TEXTS["postgresql"].replace("text", "bigint"),
    "sqlite": ECHO_TEXTS["sqlite"],
}


@pytest.fixture
async def things(database: Database) -> Database:
    """A database with an empty table that has a column for each kind of value."""
    async with database.begin() as work:
        await work.fetch(THINGS[database.engine])
    return database


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", ""),
        ("name", 'O\'Brien; -- "$1" ?1 %s \\ \t\n'),
        ("name", "Zoë · 日本語 · 👩‍🚀 · e\u0301 · \u202e"),
        ("number", 0),
        ("number", INTEGER_MAX),
        ("number", -INTEGER_MAX - 1),
        ("number", None),
        ("data", b""),
        ("data", bytes(range(256)) * 40),
        ("data", None),
    ],
)
async def test_a_value_comes_back_as_it_was_given(
    things: Database, column: str, value: object
) -> None:
    row = {"name": "lamp"} | {column: value}
    sql = f"INSERT INTO thing ({', '.join(row)}) VALUES ({', '.join(['$1', '$2'][: len(row)])})"

    async with things.begin() as work:
        await work.execute(spoken(things, sql), *row.values())

    async with things.read() as reading:
        (found,) = await reading.fetch(f"SELECT {column} FROM thing")
    assert found[column] == value
    assert type(found[column]) is type(value)


@pytest.mark.parametrize(
    "time",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC),
        datetime(2026, 11, 5, 12, 30, 15, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
async def test_a_time_comes_back_as_the_same_microsecond(things: Database, time: datetime) -> None:
    async with things.begin() as work:
        sql = spoken(things, "INSERT INTO thing (name, at) VALUES ($1, $2)")
        await work.execute(sql, "lamp", time)

    async with things.read() as reading:
        (found,) = await reading.fetch("SELECT at FROM thing")
    assert instant(found["at"]) == time
    assert instant(found["at"]).tzinfo is not None


async def test_times_are_compared_as_moments_whatever_their_zone(things: Database) -> None:
    east, west = timezone(timedelta(hours=9)), timezone(-timedelta(hours=8))
    noon = datetime(2026, 11, 5, 12, tzinfo=UTC)
    moments = [noon.astimezone(east), noon + timedelta(microseconds=1), noon.astimezone(west)]
    async with things.begin() as work:
        for number, moment in enumerate(moments):
            sql = spoken(things, "INSERT INTO thing (name, at) VALUES ($1, $2)")
            await work.execute(sql, str(number), moment)

    async with things.read() as reading:
        sql = spoken(things, "SELECT name FROM thing WHERE at <= $1 ORDER BY name")
        rows = await reading.fetch(sql, noon)

    assert [row["name"] for row in rows] == ["0", "2"]


async def test_facts_come_back_from_json_as_they_were_given(things: Database) -> None:
    facts = [['LAMP-"RÖD" 灯', 5, INTEGER_MAX], [], {"none": None, "yes": True}]
    async with things.begin() as work:
        sql = spoken(things, "INSERT INTO thing (name, facts) VALUES ($1, $2)")
        await work.execute(sql, "lamp", json.dumps(facts))

    async with things.read() as reading:
        (found,) = await reading.fetch("SELECT facts FROM thing")
    assert json.loads(found["facts"]) == facts


async def test_a_list_is_one_argument_in_its_order(database: Database) -> None:
    texts = ["b", "a", "a", "", "O'Brien", '"quoted", {with} [brackets]', "👩‍🚀", "NULL", "1"]
    integers = [INTEGER_MAX, -INTEGER_MAX - 1, 0, 2, 1]

    async with database.read() as reading:
        echoed = [
            [row["value"] for row in await reading.fetch(sql[database.engine], values)]
            for sql, values in (
                (ECHO_TEXTS, texts),
                (ECHO_TEXTS, []),
                (ECHO_INTEGERS, integers),
            )
        ]

    assert echoed == [texts, [], integers]


async def test_a_number_beyond_64_bits_is_refused_and_never_bent(things: Database) -> None:
    sql = spoken(things, "INSERT INTO thing (number) VALUES ($1)")

    async with things.begin() as work:
        with pytest.raises((OverflowError, asyncpg.DataError)):
            await work.execute(sql, INTEGER_MAX + 1)

    async with things.read() as reading:
        assert not await reading.fetch("SELECT number FROM thing")


@pytest.mark.parametrize(("column", "value"), [("number", INTEGER_MAX + 1), ("name", "\udcff")])
async def test_a_value_that_no_database_holds_is_our_mistake_and_no_outage(
    things: Database, column: str, value: object
) -> None:
    """Whoever is told of an outage repeats the call, and spoils one batch after the other."""
    sql = spoken(things, f"INSERT INTO thing ({column}) VALUES ($1)")

    for attempt in (things.execute(sql, value), _insert(things, sql, value)):
        with pytest.raises((OverflowError, UnicodeEncodeError, asyncpg.DataError)):
            await attempt


async def _insert(things: Database, sql: str, value: object) -> None:
    async with things.begin() as work:
        await work.execute(sql, value)


def test_asyncpg_asks_of_an_array_s_values_what_we_have_it_ask() -> None:
    """Under other names its questions would be slow again, and nothing else would tell."""
    asked = vars(array_questions)
    assert asked["IterableABC"] == asked["SizedABC"] == (list, tuple)


@pytest.mark.parametrize(
    ("type_", "times"),
    [
        ("name", 1),
        ("information_schema.character_data", 2),  # its number is the installation's own
        ("mood", 2),
    ],
)
async def test_sessions_ask_once_about_arrays_that_are_alike_everywhere_and_each_about_others(
    database: Database, monkeypatch: pytest.MonkeyPatch, type_: str, times: int
) -> None:
    if database.engine != "postgresql":
        return  # SQLite has no arrays
    asked: list[object] = []
    ask = asyncpg.Connection._introspect_types  # type: ignore[attr-defined]

    async def listen(session: asyncpg.Connection, numbers: object, *limits: object) -> object:
        asked.append(numbers)
        return await ask(session, numbers, *limits)

    monkeypatch.setattr(postgres_sessions, "_types", {})
    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", listen)
    async with database.begin() as work:
        await work.fetch("CREATE TYPE mood AS ENUM ('glad', 'sad')")

    async with database.read() as one, database.read() as other:
        for session in (one, other):
            (row,) = await session.fetch(f"SELECT $1::{type_}[] AS said", ["glad", "sad"])
            assert row["said"] == ["glad", "sad"]

    assert len(asked) == times
