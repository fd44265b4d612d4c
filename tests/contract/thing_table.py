"""A table of things on a real database, for the promises that are about no business at all."""

import asyncio

import pytest

from holdfast.chassis.database.seam import Database, Transaction
from testbed.servers import PostgresServer
from tests.contract.conftest import spoken

THINGS = {
    "postgresql": """
CREATE TABLE thing (name text PRIMARY KEY, number bigint CHECK (number <> 13),
                    parent text REFERENCES thing DEFERRABLE INITIALLY DEFERRED)
""",
    "sqlite": """
CREATE TABLE thing (name TEXT PRIMARY KEY, number INTEGER CHECK (number <> 13),
                    parent TEXT REFERENCES thing DEFERRABLE INITIALLY DEFERRED)
""",
}
ADD_MANY = {
    "postgresql": "INSERT INTO thing (name, number) SELECT * FROM unnest($1::text[], $2::bigint[])",
    "sqlite": "INSERT INTO thing (name, number) VALUES (?1, ?2)",
}


@pytest.fixture
async def things(database: Database) -> Database:
    """A database with an empty table; modules that ask for it take it under its name."""
    async with database.begin() as work:
        await work.fetch(THINGS[database.engine])
    return database


async def add(database: Database, work: Transaction, name: str, number: int = 1) -> None:
    await work.execute(
        spoken(database, "INSERT INTO thing (name, number) VALUES ($1, $2)"), name, number
    )


async def names(database: Database) -> list[str]:
    async with database.read() as reading:
        return [row["name"] for row in await reading.fetch("SELECT name FROM thing ORDER BY name")]


async def hang_up(server: PostgresServer, state: str) -> None:
    """Have the server end its sessions in such a state."""
    sql = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE '{state}'"
    await asyncio.to_thread(server.sql, sql)


class Refused(Exception):
    """A rule of the block."""
