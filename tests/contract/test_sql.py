"""SQL is written once: SQLite's text follows from PostgreSQL's, and both can be read."""

import re
import sqlite3
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from holdfast.chassis.database.seam import Database, Engine
from holdfast.chassis.database.sql import by_engine, either, in_sqlite, tables_in
from holdfast.chassis.messaging.tables import statements
from holdfast.orders.domain.ordering import status
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.infrastructure.ordering import paging_sql
from tests.contract.written_sql import RENEW, STATEMENTS, file_of, statements_of, written


@pytest.mark.parametrize("owner", STATEMENTS)
def test_what_runs_stands_in_a_file_to_be_read(owner: str, engine: Engine) -> None:
    assert file_of(owner, engine).read_text() == written(owner, engine), f"run: {RENEW}"


@pytest.mark.parametrize("service", ["orders", "inventory"])
async def test_sqlite_knows_every_word_of_a_service_s_statements(
    service: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("templates").copy_file(service, tmp_path / "tables.db")
    with sqlite3.connect(tmp_path / "tables.db") as connection:
        for text in statements_of(service, "sqlite").values():
            for part in text.split(";\n"):  # several, where PostgreSQL needs one
                arguments = max(map(int, re.findall(r"\?(\d+)", part)), default=0)
                connection.execute("EXPLAIN " + part, [None] * arguments)
    connection.close()


RULES = {
    "arguments have another mark, and no type": (
        "SELECT a::text AS a FROM t WHERE b < $1 AND c = $12::timestamptz",
        "SELECT a AS a FROM t WHERE b < ?1 AND c = ?12",
    ),
    "a list is JSON": (
        "DELETE FROM t WHERE a = ANY($1::uuid[])",
        "DELETE FROM t WHERE a IN (SELECT value FROM json_each(?1))",
    ),
    "also one of what is not wanted": (
        "SELECT a FROM t WHERE a <> ALL($2::text[])",
        "SELECT a FROM t WHERE a NOT IN (SELECT value FROM json_each(?2))",
    ),
    "nobody locks rows": (
        "SELECT a FROM t ORDER BY a FOR UPDATE",
        "SELECT a FROM t ORDER BY a",
    ),
    "nor a part of them": (
        "SELECT a FROM t LIMIT $1\n   FOR NO KEY UPDATE SKIP LOCKED",
        "SELECT a FROM t LIMIT ?1",
    ),
    "rows are inserted from values": (
        "\nINSERT INTO t (a, b)\nSELECT *\n  FROM unnest($1::text[], $2::bytea[])\nON CONFLICT x",
        "\nINSERT INTO t (a, b)\n     VALUES (?1, ?2)\nON CONFLICT x",
    ),
    "also where a row holds more than its arguments": (
        "\nINSERT INTO t (a, b, c, d)\nSELECT a, 'at', at, at\n"
        "  FROM unnest($1::text[], $2::timestamptz[]) AS new (a, at)\n",
        "\nINSERT INTO t (a, b, c, d)\n     VALUES (?1, 'at', ?2, ?2)\n",
    ),
    "and updated from values": (
        "UPDATE t\n   SET b = new.b, c = new.b - 1\n"
        "  FROM unnest($1::text[], $2::bigint[])\n       AS new (a, b)\n WHERE t.a = new.a",
        "UPDATE t\n   SET b = new.column2, c = new.column2 - 1\n"
        "  FROM (VALUES (?1, ?2)) AS new\n WHERE t.a = new.column1",
    ),
}


@pytest.mark.parametrize(("postgresql", "sqlite"), RULES.values(), ids=RULES)
def test_sqlite_s_text_follows_from_postgresql_s(postgresql: str, sqlite: str) -> None:
    assert in_sqlite(postgresql) == sqlite
    assert in_sqlite(sqlite) == sqlite


def test_a_part_that_differs_makes_the_whole_differ() -> None:
    class Texts:
        _END = either(postgresql="now()", sqlite="julianday($1)")
        BOTH = "SELECT a::text, " + _END + " FROM t" + either(postgresql="", sqlite=" WHERE true")
        WITHIN = either(postgresql="(" + BOTH + ")", sqlite="[" + BOTH + "]")

    spoken = by_engine(Texts)

    assert spoken["postgresql"].BOTH == "SELECT a::text, now() FROM t"
    assert spoken["sqlite"].BOTH == "SELECT a, julianday(?1) FROM t WHERE true"
    assert spoken["postgresql"].WITHIN == "(SELECT a::text, now() FROM t)"
    assert spoken["sqlite"].WITHIN == "[SELECT a, julianday(?1) FROM t WHERE true]"


@pytest.mark.parametrize(
    "postgresql",
    [
        "SELECT a FROM t, LATERAL (SELECT 1)",
        "SELECT json_agg(a) FROM t",
        "SELECT a FROM t JOIN unnest($1::text[]) AS asked (a) USING (a)",
        "SELECT a FROM t WHERE a = ANY(ARRAY['a'])",
    ],
)
def test_what_no_rule_takes_to_sqlite_is_refused_when_it_is_written(postgresql: str) -> None:
    class Texts:
        ASKED = postgresql

    with pytest.raises(AssertionError, match="use `either`"):
        by_engine(Texts)


def test_tables_have_the_types_and_options_of_their_engine() -> None:
    table = """
CREATE TABLE t (
    a    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text text COLLATE "C" NOT NULL REFERENCES text,
    c    bigint CHECK (c > 0),      -- a text
    CHECK (c < 9)
) WITH (fillfactor = 50) WITHOUT ROWID;
CREATE INDEX t_by_text ON t (text);
"""

    postgresql, sqlite = (statements(table, engine) for engine in ("postgresql", "sqlite"))

    assert ";\n".join([*postgresql, ""]) == table.replace(" WITHOUT ROWID", "")
    assert sqlite == [
        """
CREATE TABLE t (
    a    INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL REFERENCES text,
    c    INTEGER CHECK (c > 0),      -- a text
    CHECK (c < 9)
) WITHOUT ROWID""",
        "CREATE INDEX t_by_text ON t (text)",
    ]


def test_a_type_that_sqlite_has_nothing_for_is_refused() -> None:
    with pytest.raises(KeyError, match="inet"):
        tables_in("CREATE TABLE t (\n    a inet\n);\n", "sqlite")


def test_a_new_final_status_is_refused_until_the_index_of_ends_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = spec_from_file_location("sql_of_orders_anew", paging_sql.__file__)
    assert spec
    assert spec.loader
    monkeypatch.setitem(status._NEXT, OrderStatus.CONFIRMED, frozenset())

    with pytest.raises(AssertionError, match="order_history_of_ends"):
        spec.loader.exec_module(module_from_spec(spec))


INDEXES = {
    "postgresql": "SELECT indexdef AS text FROM pg_indexes WHERE indexname = $1",
    "sqlite": "SELECT sql AS text FROM sqlite_master WHERE name = ?1",
}


async def test_the_index_of_ends_has_every_status_that_came_to_nothing(database: Database) -> None:
    async with database.read() as reading:
        (index,) = await reading.fetch(INDEXES[database.engine], "order_history_of_ends")

    named = re.findall(r"'(\w+)'", index["text"])
    assert set(named) == {status for status in OrderStatus if status.came_to_nothing}
