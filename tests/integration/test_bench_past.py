"""What benchmarks write straight into the databases fits the tables as they are today."""

import asyncio
from typing import cast

import asyncpg
import pytest

from bench.growth import write_past
from bench.ledger_index import LEDGERS, measure
from bench.sought import add_what_is_sought
from bench.testbed import Testbed
from testbed.servers import PostgresServer
from testbed.services import SERVICES
from testbed.templates import Templates

ORDERS = 1_000


class Databases:
    """As much of a testbed as is written to."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.urls = urls


async def test_a_past_of_orders_is_written_into_both_databases(
    postgres_server: PostgresServer, templates: Templates
) -> None:
    names = {service: f"bench-past-{service}" for service in SERVICES}
    try:
        copied = {
            one: await asyncio.to_thread(templates.copy_database, one, postgres_server, name)
            for one, name in names.items()
        }
        testbed = cast(Testbed, Databases(copied))
        first_ms = await write_past(testbed, ORDERS)
        await add_what_is_sought(testbed, ORDERS, first_ms)
        counts = [
            await count(copied["orders"], "orders"),
            await count(copied["inventory"], "reservation"),
        ]
    finally:
        for name in names.values():
            await asyncio.to_thread(postgres_server.drop_database, name)

    orders, reservations = counts
    assert orders == reservations > ORDERS, "the newest of them were refused"


async def test_what_writes_movements_to_ledgers_with_other_indexes_fits_them(
    postgres_server: PostgresServer, templates: Templates, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {name: f"bench-ledger-{number}" for number, name in enumerate(LEDGERS)}
    try:
        urls = {
            name: await asyncio.to_thread(
                templates.copy_database, "inventory", postgres_server, database
            )
            for name, database in names.items()
        }
        await measure(urls, movements=10, rounds=1)
    finally:
        for database in names.values():
            await asyncio.to_thread(postgres_server.drop_database, database)

    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == [*LEDGERS]


async def count(url: str, table: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))
    finally:
        await connection.close()
