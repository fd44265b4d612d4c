"""Holdfast that stops in good order: what it still took leaves nothing waiting behind."""

import asyncio
from contextlib import suppress

import pytest

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.client import Holdfast, Money, Unavailable
from holdfast.home import Home, in_folder, in_postgres
from testbed.keys import KEY

CALLERS, STOPS = 20, 8
PRICE = Money.parse("1.00", "GBP")


@pytest.fixture(params=["in a folder", "in PostgreSQL"])
def home(request: pytest.FixtureRequest) -> Home:
    if request.param == "in a folder":
        return in_folder(request.getfixturevalue("tmp_path"))
    return in_postgres(request.getfixturevalue("up_url"))


async def test_no_event_is_left_of_calls_that_inventory_takes_while_orders_ends(
    home: Home,
) -> None:
    for _ in range(STOPS):
        async with asyncio.TaskGroup() as callers:
            async with embedded.running(home, operator_key=KEY) as at:
                for number in range(CALLERS):
                    callers.create_task(bring_stock_to_the_end(at, f"LAMP-{number}"))
                await asyncio.sleep(0.1)
            assert await events_left(home) == {"orders": 0, "inventory": 0}


async def bring_stock_to_the_end(at: embedded.Addresses, product_id: str) -> None:
    """Each answer tells of a change, and each change is an event."""
    async with Holdfast(at.orders, at.inventory, key=KEY, retry_s=0) as client:
        with suppress(Unavailable):
            await client.inventory.create_product(product_id, unit_price=PRICE)
            while True:
                await client.inventory.adjust_stock(product_id, 1, reason="delivery")


async def events_left(home: Home) -> dict[str, int]:
    left = {}
    for service, url in (("orders", home.orders), ("inventory", home.inventory)):
        async with connect(url, wait=False) as database, database.read() as reading:
            (row,) = await reading.fetch("SELECT count(*) AS waiting FROM outbox")
            left[service] = int(row["waiting"])
    return left
