"""The simulated network: what is lost of a call, and who learns of it."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import grpc
import pytest
from grpc import aio

from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import (
    OrderServiceServicer,
    OrderServiceStub,
    add_OrderServiceServicer_to_server,
)
from proof.simulation.fault_rates import FaultRates
from proof.simulation.isolation import isolated
from proof.simulation.loop import Process, SimulatedLoop, current_process
from proof.simulation.network import Endpoint, Gatherer, Network, Reply, SimulatedChannel

pytestmark = pytest.mark.forks

PATH = "/holdfast.orders.v1.OrderService/GetOrderDetails"
REQUEST = orders_pb2.GetOrderDetailsRequest(order_id="o-1")


class Desk(OrderServiceServicer):
    """Answers after a while, or refuses."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.takes_s = 0.0

    async def GetOrderDetails(self, receive: Any, context: Any) -> orders_pb2.Order:
        process = current_process()
        assert process is not None
        request = orders_pb2.GetOrderDetailsRequest.FromString(await receive(False))
        self.seen.append(f"{process.name} asked for {request.order_id}")
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            self.seen.append("cancelled")
            raise
        if request.order_id == "none":
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
        if request.order_id == "broken":
            raise ValueError("a mistake")
        return orders_pb2.Order(order_id=request.order_id)


class Testbed:
    """One process that serves."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.fault_rates = FaultRates(Random(1))
        self.network = Network(loop, self.fault_rates, Random(1))
        self.server, self.desk = Process(loop, "server"), Desk()  # type: ignore[abstract] # the rest isn't called
        gatherer: Any = Gatherer()
        add_OrderServiceServicer_to_server(self.desk, gatherer)
        self.network.serve(Endpoint("orders", self.server, gatherer))

    async def call(self, order_id: str = "o-1") -> Reply:
        body = orders_pb2.GetOrderDetailsRequest(order_id=order_id).SerializeToString()
        return await self.network.call("orders", PATH, body, timeout_s=2)


def with_a_server(live: Callable[[Testbed], Coroutine[Any, Any, Any]]) -> Any:
    """Live with a network on a simulated loop, in a forked interpreter."""

    def run() -> Any:
        gc.disable()
        loop = SimulatedLoop(Random(1))

        async def lives() -> Any:
            return await live(Testbed(loop))

        return loop.run_until_complete(lives())

    return isolated(run).result()


def test_a_call_is_handled_in_the_process_that_serves() -> None:
    async def live(testbed: Testbed) -> Any:
        reply = await testbed.call()
        return reply.code, orders_pb2.Order.FromString(reply.body).order_id, testbed.desk.seen

    assert with_a_server(live) == (grpc.StatusCode.OK, "o-1", ["server asked for o-1"])


@pytest.mark.parametrize(
    ("order_id", "code", "details"),
    [
        ("none", grpc.StatusCode.NOT_FOUND, "no such order"),
        ("broken", grpc.StatusCode.UNKNOWN, "ValueError('a mistake')"),
    ],
)
def test_a_refusal_arrives(order_id: str, code: grpc.StatusCode, details: str) -> None:
    async def live(testbed: Testbed) -> Any:
        reply = await testbed.call(order_id)
        return reply.code, reply.details

    assert with_a_server(live) == (code, details)


@pytest.mark.parametrize(("fault", "handled"), [("request dropped", 0), ("reply dropped", 1)])
def test_a_lost_message_is_waited_for_until_the_deadline(fault: str, handled: int) -> None:
    async def live(testbed: Testbed) -> Any:
        testbed.fault_rates.rates[fault] = 1.0
        reply = await testbed.call()
        return reply.code, asyncio.get_running_loop().time(), len(testbed.desk.seen)

    assert with_a_server(live) == (grpc.StatusCode.DEADLINE_EXCEEDED, 2, handled)


def test_a_deadline_cancels_the_handler_shortly_after() -> None:
    async def live(testbed: Testbed) -> Any:
        testbed.desk.takes_s = 5
        reply = await testbed.call()
        await asyncio.sleep(0.1)
        return reply.code, testbed.desk.seen

    code, seen = with_a_server(live)

    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert seen == ["server asked for o-1", "cancelled"]


def test_whoever_calls_a_dead_process_is_refused() -> None:
    async def live(testbed: Testbed) -> Any:
        testbed.server.kill()
        testbed.network.process_died(testbed.server)
        reply = await testbed.call()
        return reply.code, testbed.desk.seen

    assert with_a_server(live) == (grpc.StatusCode.UNAVAILABLE, [])


def test_a_call_under_way_ends_with_the_process_and_its_handler_runs_no_finally() -> None:
    async def live(testbed: Testbed) -> Any:
        testbed.desk.takes_s = 1
        calling = asyncio.ensure_future(testbed.call())
        await asyncio.sleep(0.5)
        testbed.server.kill()
        testbed.network.process_died(testbed.server)
        reply = await calling
        return reply.code, asyncio.get_running_loop().time() < 1, testbed.desk.seen

    unavailable = grpc.StatusCode.UNAVAILABLE
    assert with_a_server(live) == (unavailable, True, ["server asked for o-1"])


def test_generated_stubs_take_the_channel_for_a_real_one() -> None:
    async def live(testbed: Testbed) -> Any:
        channel: Any = SimulatedChannel(testbed.network, "orders")
        stub = OrderServiceStub(channel)
        order = await stub.GetOrderDetails(REQUEST)
        try:
            await stub.GetOrderDetails(orders_pb2.GetOrderDetailsRequest(order_id="none"))
        except aio.AioRpcError as error:
            return order.order_id, error.code(), error.details()
        return None

    assert with_a_server(live) == ("o-1", grpc.StatusCode.NOT_FOUND, "no such order")
