"""Two processes with a local broker each on one PostgreSQL database: refused, or else harmless."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.client import Holdfast, Money, OrderLine, OrderStatus, ShortOfStock
from holdfast.embedded import DataInUse, kept, owned, serving, taken
from holdfast.home import Home, in_postgres
from holdfast.orders.settings import Limits
from holdfast.verification import verify
from testbed.keys import KEY
from testbed.servers import PostgresServer

ORDERS, UNITS, WAVES = 60, 90, 6
END_S_MAX = 20.0
SETTLED = {OrderStatus.CONFIRMED, OrderStatus.REJECTED}


@pytest.fixture
def home(up_url: str) -> Home:
    return in_postgres(up_url)


@asynccontextmanager
async def two_at_once(home: Home) -> AsyncIterator[list[Holdfast]]:
    """As when the first has lost its place and does not know yet: each with its own broker."""
    anywhere = "127.0.0.1:0"
    # Nobody asks again for an answer that is late: what is lost would stay lost.
    limits = Limits(late_s=3_000)
    async with AsyncExitStack() as started:
        clients = []
        for _ in range(2):
            at = await started.enter_async_context(
                serving(
                    home, orders_at=anywhere, inventory_at=anywhere, limits=limits, operator_key=KEY
                )
            )
            client = Holdfast(at.orders, at.inventory)
            clients.append(await started.enter_async_context(client))
        yield clients


async def test_two_at_once_settle_every_order_once_whichever_relays(
    home: Home, postgres_server: PostgresServer
) -> None:
    async with two_at_once(home) as clients:
        await clients[0].inventory.create_product("LAMP", unit_price=Money.parse("1.00", "GBP"))
        await clients[0].inventory.set_stock("LAMP", UNITS)

        for wave in range(WAVES):
            placing = [
                asyncio.ensure_future(place(clients[number % 2], f"r-{wave}-{number}"))
                for number in range(ORDERS // WAVES)
            ]
            await break_rights(postgres_server)  # each relay goes to whoever asks first
            await asyncio.gather(*placing)
        orders = [order async for order in clients[1].orders.list(limit=ORDERS)]
        stock = await clients[1].inventory.get_stock("LAMP")

    found = await verify(home.orders, home.inventory)
    assert found.contradictions == []
    assert {order.status for order in orders} <= SETTLED
    confirmed = [order for order in orders if order.status is OrderStatus.CONFIRMED]
    assert len(confirmed) == UNITS // 3
    assert stock.available == 0


async def place(client: Holdfast, request_id: str) -> None:
    """Place an order and wait for its outcome, which may be that there is nothing left."""
    lines = [OrderLine("LAMP", 3)]
    with suppress(ShortOfStock):
        await client.orders.create("c-1", lines, wait_s=END_S_MAX, request_id=request_id)


async def break_rights(server: PostgresServer) -> None:
    """Break the connection of whoever has a right in any database."""
    sql = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    await asyncio.to_thread(server.sql, sql)


async def test_a_second_process_is_refused_while_the_first_owns_the_database(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_S_MAX", 0.1)
    async with owned(home):
        with pytest.raises(DataInUse, match="another process uses postgresql://127"):
            async with owned(home):
                pass

    async with owned(home):
        pass


async def test_a_process_whose_place_was_taken_ends_by_saying_so(
    home: Home, postgres_server: PostgresServer
) -> None:
    async with connect(home.orders) as database:
        first, second = database.leadership("up"), database.leadership("up")
        assert await taken(first, within_s=0)

        async def lose_it() -> None:
            async with asyncio.timeout(END_S_MAX), kept(first, "the shop", give_up_s=0.5):
                await break_rights(postgres_server)
                while not await second.held():
                    await asyncio.sleep(0)
                await asyncio.Event().wait()

        with pytest.raises(DataInUse, match="another process uses the shop"):
            await lose_it()

        assert await second.held(), "whoever came is left in peace"
        await first.release()
        await second.release()


async def test_a_process_whose_connection_broke_takes_its_place_again(
    home: Home, postgres_server: PostgresServer
) -> None:
    async with connect(home.orders) as database:
        first, second = database.leadership("up"), database.leadership("up")
        assert await taken(first, within_s=0)

        async with asyncio.timeout(END_S_MAX), kept(first, "the shop", give_up_s=0.5):
            await break_rights(postgres_server)
            await asyncio.sleep(3 * embedded.RIGHT_LOOK_S)

            assert not await second.held()
        await first.release()
        await second.release()


async def test_who_is_stopped_while_all_is_well_is_not_told_of_others(home: Home) -> None:
    async with connect(home.orders) as database:
        right = database.leadership("up")
        assert await taken(right, within_s=0)

        async def block() -> None:
            async with kept(right, "the shop"):
                await asyncio.Event().wait()

        task = asyncio.create_task(block())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await right.release()
