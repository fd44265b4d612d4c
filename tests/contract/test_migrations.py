"""The promises of migrations: whole or not at all, once, and the same tables on both engines."""

import asyncio
import gc
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from holdfast.chassis.database.engines import connect, sqlite_path
from holdfast.chassis.database.migrations import (
    WrongSchema,
    current_revision,
    is_newest,
    migrate,
    newest_revision,
    require_newest,
    script,
)
from holdfast.chassis.database.postgres import LEADERSHIP_NAMESPACE
from holdfast.chassis.database.seam import Database, DatabaseUnavailable, Engine
from testbed.processes import free_port
from testbed.servers import PostgresServer
from testbed.templates import Templates

SERVICES = ["orders", "inventory", "notifier"]

COLUMNS = {
    "postgresql": """
SELECT table_name, column_name, is_nullable = 'YES' AS nullable
  FROM information_schema.columns
 WHERE table_schema = 'public'
""",
    "sqlite": """
SELECT tables.name AS table_name, columns.name AS column_name,
       NOT columns."notnull" AND NOT columns.pk AS nullable
  FROM sqlite_master AS tables, pragma_table_xinfo(tables.name) AS columns
 WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
""",
}
INDEXES = {
    "postgresql": "SELECT indexname AS name FROM pg_indexes WHERE schemaname = 'public'",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index'",
}


@pytest.fixture
def empty_url(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without any schema; on SQLite, not even a file."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path}/folder/empty.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


async def columns(database: Database) -> set[tuple[str, str, bool]]:
    async with database.read() as reading:
        rows = await reading.fetch(COLUMNS[database.engine])
    return {(row["table_name"], row["column_name"], bool(row["nullable"])) for row in rows}


async def indexes(database: Database) -> set[str]:
    async with database.read() as reading:
        rows = await reading.fetch(INDEXES[database.engine])
    return {row["name"] for row in rows if not row["name"].endswith(("_pkey", "_key", "_pkc"))}


async def columns_at(url: str) -> set[tuple[str, str, bool]]:
    async with connect(url) as database:
        return await columns(database)


async def test_an_empty_database_gets_every_revision_once(empty_url: str) -> None:
    first = await asyncio.to_thread(migrate, "orders", empty_url)
    again = await asyncio.to_thread(migrate, "orders", empty_url)

    assert (first, again) == ([newest_revision("orders")], [])
    assert await is_newest("orders", empty_url)


@pytest.mark.parametrize("service", SERVICES)
async def test_both_engines_have_the_same_tables_columns_and_indexes(
    service: str,
    templates: Templates,
    tmp_path: Path,
    postgres_server: PostgresServer,
    postgres_url: str,
) -> None:
    file = await asyncio.to_thread(templates.copy_file, service, tmp_path / "copy.db")
    await asyncio.to_thread(migrate, service, postgres_url)

    async with connect(file) as sqlite, connect(postgres_url) as postgres:
        assert await columns(sqlite) == await columns(postgres)
        assert {name for name in await indexes(sqlite) if not name.startswith("sqlite_")} == (
            await indexes(postgres)
        )


async def test_who_migrates_waits_for_another_who_does(postgres_url: str) -> None:
    """Both made the same tables, and the later one ended with an error."""
    async with connect(postgres_url) as database, database.read() as another:
        await another.fetch("SELECT pg_advisory_lock($1, $2)", LEADERSHIP_NAMESPACE, 0)
        migrating = asyncio.create_task(asyncio.to_thread(migrate, "orders", postgres_url))
        waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await another.fetch(waits):
            await asyncio.sleep(0.02)
        assert not migrating.done()
        await another.fetch("SELECT pg_advisory_unlock_all()")

    assert await migrating == [newest_revision("orders")]


async def test_what_a_newer_release_has_made_is_not_migrated(empty_url: str) -> None:
    await asyncio.to_thread(migrate, "orders", empty_url)
    async with connect(empty_url) as database:
        await database.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(
        WrongSchema, match=r"the orders database is of a newer release, use that one.*9999"
    ):
        await asyncio.to_thread(migrate, "orders", empty_url)


async def test_a_revision_that_fails_leaves_nothing_behind_and_can_be_tried_again(
    empty_url: str,
) -> None:
    if empty_url.startswith("sqlite"):
        sqlite_path(empty_url).parent.mkdir()
        sqlite3.connect(sqlite_path(empty_url)).close()
    async with connect(empty_url) as database, database.begin() as work:
        await work.fetch("CREATE TABLE dead_letter (in_the_way text)")  # the last table but none

    with pytest.raises(DatabaseUnavailable, match=r"can't be migrated: .*dead_letter"):
        await asyncio.to_thread(migrate, "orders", empty_url)

    gc.collect()  # a connection left open would be found here, as a warning

    async with connect(empty_url) as database:
        tables = {table for table, _, _ in await columns(database)}
        assert tables - {"alembic_version"} == {"dead_letter"}
        async with database.begin() as work:
            await work.fetch("DROP TABLE dead_letter")
    assert await asyncio.to_thread(migrate, "orders", empty_url) == ["0001"]


async def test_a_service_refuses_a_database_that_is_empty_older_or_newer(
    database: Database, empty_url: str
) -> None:
    await require_newest(database, "orders")

    for revision, remedy in (("0000", "holdfast migrate"), ("9999", "the release that made it")):
        async with database.begin() as work:
            await work.execute(f"UPDATE alembic_version SET version_num = '{revision}'")
        with pytest.raises(WrongSchema, match=f"has schema {revision}.*{remedy}"):
            await require_newest(database, "orders")

    if empty_url.startswith("postgresql"):
        async with connect(empty_url) as empty:
            assert await current_revision(empty) == ""
            with pytest.raises(WrongSchema, match="has schema none"):
                await require_newest(empty, "orders")


async def test_a_database_that_is_not_there_is_not_the_newest_and_is_not_made_by_looking(
    tmp_path: Path,
) -> None:
    assert not await is_newest("orders", f"sqlite:///{tmp_path}/nowhere.db")
    assert not await is_newest("orders", "postgresql://nobody@127.0.0.1:1/nowhere")

    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(DatabaseUnavailable):
        migrate("orders", "postgresql://nobody@127.0.0.1:1/nowhere")


def test_a_setting_that_the_server_does_not_know_is_told_with_what_to_do(postgres_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=r'"nonsense"; .* see what follows \? in the URL'):
        migrate("orders", f"{postgres_url}?nonsense=1")


async def test_a_database_that_can_t_keep_every_text_is_refused_before_it_is_touched(
    postgres_server: PostgresServer,
) -> None:
    name = "in_latin1"
    postgres_server.drop_database(name)
    postgres_server.sql(
        f"CREATE DATABASE {name} ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    url = postgres_server.url(name)

    with pytest.raises(WrongSchema, match=r"has the encoding LATIN1, .* `createdb --encoding UTF8"):
        await asyncio.to_thread(migrate, "orders", url)
    async with connect(url) as database:
        with pytest.raises(WrongSchema, match="LATIN1"):
            await require_newest(database, "orders")

    assert await columns_at(url) == set()
    postgres_server.drop_database(name)


@pytest.mark.parametrize("service", SERVICES)
def test_the_script_for_those_who_migrate_by_hand_makes_the_same_tables(
    service: str, tmp_path: Path, templates: Templates, postgres_server: PostgresServer
) -> None:
    by_hand, migrated = tmp_path / "by_hand.db", tmp_path / "migrated.db"
    url = templates.copy_file(service, migrated)
    connection = sqlite3.connect(by_hand)
    connection.executescript(script(service, f"sqlite:///{by_hand}"))
    connection.close()

    name = f"by_hand_{service}"
    postgres_server.create_database(name)
    server_url = postgres_server.url(name)
    postgres_server.sql(script(service, server_url), database=name)

    expected = asyncio.run(columns_at(url))
    assert asyncio.run(columns_at(f"sqlite:///{by_hand}")) == expected
    assert asyncio.run(columns_at(server_url)) == expected
    assert asyncio.run(is_newest(service, server_url))
    postgres_server.drop_database(name)


def test_of_several_hosts_the_one_that_is_there_is_migrated(postgres_url: str) -> None:
    there = urlsplit(postgres_url).netloc.rpartition("@")[2]

    applied = migrate("orders", postgres_url.replace(there, f"127.0.0.1:{free_port()},{there}"))

    assert applied[-1] == newest_revision("orders")
