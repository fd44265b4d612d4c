"""Holdfast that stops in good order: what it still took leaves nothing waiting behind."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Any, cast

import grpc
import pytest

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.chassis.grpc import receiving
from holdfast.chassis.grpc import server as grpc_server
from holdfast.chassis.grpc.receiving import Receive
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


NEVER_S = 3_000.0  # longer than the test
PATH = "/holdfast.test/Answer"


class Slow(grpc.GenericRpcHandler):
    """One method, which takes its time."""

    def __init__(self) -> None:
        self.found, self.began, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def service(self, _details: grpc.HandlerCallDetails) -> Any:
        self.found.set()
        return grpc.unary_unary_rpc_method_handler(self.answer)

    async def answer(self, receive: Receive, _context: object) -> bytes:
        request = await receive(False)
        self.began.set()
        await self.go_on.wait()
        return request


def served(slow: Slow) -> AbstractAsyncContextManager[grpc_server.Listening]:
    def register(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers([slow])

    return grpc_server.serving("127.0.0.1:0", service="holdfast.test", register=register)


async def test_a_stop_does_not_wait_for_calls_that_are_in_nobodys_hands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grpc_server, "STOP_GRACE_S", NEVER_S)
    monkeypatch.setattr(receiving, "RECEIVE_S_MAX", NEVER_S)
    async with AsyncExitStack() as at_end:
        slow = Slow()
        async with served(slow) as at:
            channel = await at_end.enter_async_context(grpc.aio.insecure_channel(at.address))
            call: Any = channel.stream_unary(PATH)()
            await slow.found.wait()

        assert await call.code() is grpc.StatusCode.UNAVAILABLE, "callers try again"


async def test_a_stop_waits_for_a_call_that_is_being_answered() -> None:
    slow = Slow()
    async with AsyncExitStack() as at_end:
        async with served(slow) as at:
            channel = await at_end.enter_async_context(grpc.aio.insecure_channel(at.address))
            call: Any = cast(Any, channel.unary_unary(PATH))(b"hello")
            await slow.began.wait()
            asyncio.get_running_loop().call_later(3 * grpc_server.STOP_IDLE_S, slow.go_on.set)

        assert await call == b"hello"


async def events_left(home: Home) -> dict[str, int]:
    left = {}
    for service, url in (("orders", home.orders), ("inventory", home.inventory)):
        async with connect(url, wait=False) as database, database.read() as reading:
            (row,) = await reading.fetch("SELECT count(*) AS waiting FROM outbox")
            left[service] = int(row["waiting"])
    return left
