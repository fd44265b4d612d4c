"""The client over a real network: what is repeated, what is not, and how long anything may take.

`Network` stands for both services: it answers on a loopback port with what a test has laid out.
"""

import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status

from holdfast.chassis.grpc.statuses import not_found, retry_later
from holdfast.client import (
    DeadlineExceeded,
    Holdfast,
    InvalidRequest,
    NotFound,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Overloaded,
    Placed,
    Unavailable,
)
from holdfast.contracts.identity.v1 import users_pb2
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2

Answer = Message | Status | grpc.StatusCode | float  # a float: seconds to be silent before the next
Context = grpc.ServicerContext
M = TypeVar("M", bound=Message)

PENDING, CONFIRMED = orders_pb2.ORDER_STATUS_PENDING, orders_pb2.ORDER_STATUS_CONFIRMED
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
NOWHERE = "127.0.0.1:1"


class Network:
    """Both services on one port. Each call takes the next answer laid out for its method."""

    def __init__(self) -> None:
        self.requests: list[Message] = []
        self.asked_at: list[float] = []
        self.hung_up = threading.Event()
        self._answers: defaultdict[str, list[Sequence[Answer]]] = defaultdict(list)
        self._server = grpc.server(ThreadPoolExecutor(8))
        for file in (orders_pb2.DESCRIPTOR, inventory_pb2.DESCRIPTOR, users_pb2.DESCRIPTOR):
            for service in file.services_by_name.values():
                handlers = {method.name: self._handler(method) for method in service.methods}
                generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
                self._server.add_generic_rpc_handlers([generic])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def answer(self, method: str, *answers: Answer) -> None:
        """Lay out one answer for each of the next calls."""
        self._answers[method] += [[answer] for answer in answers]

    def stream(self, method: str, *answers: Answer) -> None:
        """Lay out all that one call will hear."""
        self._answers[method].append(answers)

    def asked(self, kind: type[M]) -> list[M]:
        """The requests of one kind, in the order in which they came."""
        return [request for request in self.requests if isinstance(request, kind)]

    @contextmanager
    def running(self) -> Iterator[None]:
        self._server.start()
        try:
            yield
        finally:
            self._server.stop(None).wait()

    def _handler(self, method: MethodDescriptor) -> "grpc.RpcMethodHandler[Message, Message]":
        reads = GetMessageClass(method.input_type).FromString
        writes: Callable[[Message], bytes] = lambda message: message.SerializeToString()  # noqa: E731

        def stream(request: Message, context: Context) -> Iterator[Message]:
            context.add_callback(self.hung_up.set)
            self.requests.append(request)
            self.asked_at.append(time.monotonic())
            for answer in self._answers[method.name].pop(0):
                if isinstance(answer, float):
                    time.sleep(answer)
                else:
                    yield _say(answer, context)

        def once(request: Message, context: Context) -> Message:
            return next(stream(request, context), GetMessageClass(method.output_type)())

        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream, reads, writes)
        return grpc.unary_unary_rpc_method_handler(once, reads, writes)


def _say(answer: Message | grpc.StatusCode, context: Context) -> Message:
    if isinstance(answer, grpc.StatusCode):
        context.abort(answer, "so be it")
    if isinstance(answer, Status):
        context.set_trailing_metadata((("grpc-status-details-bin", answer.SerializeToString()),))
        codes = {code.value[0]: code for code in grpc.StatusCode}
        context.abort(codes[answer.code], answer.message)
    return answer


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    with network.running():
        yield network


@pytest.fixture
async def client(network: Network) -> AsyncIterator[Holdfast]:
    async with Holdfast(network.address, network.address, deadline_s=5.0) as client:
        yield client


def order(version: int, status: orders_pb2.OrderStatus.ValueType = PENDING) -> orders_pb2.Order:
    return orders_pb2.Order(order_id="o-1", version=version, status=status)


def placed(order_id: str = "o-1") -> orders_pb2.CreateOrderResponse:
    return orders_pb2.CreateOrderResponse(order_id=order_id, status=PENDING)


def overloaded(retry_after_s: float) -> Status:
    return retry_later(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "the queue is full", retry_after_s
    )


async def test_an_order_gets_a_request_id_that_every_try_carries(
    network: Network, client: Holdfast
) -> None:
    network.answer("CreateOrder", UNAVAILABLE, UNAVAILABLE, placed())

    result = await client.orders.create("c-17", [OrderLine("LAMP-RED", 2)])

    tries = network.asked(orders_pb2.CreateOrderRequest)
    assert result == Placed("o-1", OrderStatus.PENDING)
    assert len(tries) == 3
    assert len({request.request_id for request in tries}) == 1
    assert len(tries[0].request_id) == 32


async def test_two_orders_get_two_request_ids(network: Network, client: Holdfast) -> None:
    network.answer("CreateOrder", placed(), placed())

    for _ in range(2):
        await client.orders.create("c-17", [OrderLine("LAMP-RED", 2)])

    first, second = network.asked(orders_pb2.CreateOrderRequest)
    assert first.request_id != second.request_id


async def test_stock_changes_carry_request_ids_too(network: Network, client: Holdfast) -> None:
    network.answer("UpdateStock", UNAVAILABLE, inventory_pb2.UpdateStockResponse())
    network.answer("AdjustStock", UNAVAILABLE, inventory_pb2.AdjustStockResponse())

    await client.inventory.set_stock("LAMP-RED", 5)
    await client.inventory.adjust_stock("LAMP-RED", -1, reason="broke")

    sets = network.asked(inventory_pb2.UpdateStockRequest)
    adjusts = network.asked(inventory_pb2.AdjustStockRequest)
    assert sets[0] == sets[1]
    assert adjusts[0] == adjusts[1]
    assert sets[0].request_id
    assert adjusts[0].request_id


async def test_a_request_value_keeps_its_id_when_its_batch_is_repeated(
    network: Network, client: Holdfast
) -> None:
    network.answer("BatchCreateOrders", *[orders_pb2.BatchCreateOrdersResponse()] * 2)
    requests = [OrderRequest("c-17", [OrderLine("LAMP-RED", 2)])]

    for _ in range(2):
        await client.orders.create_batch(requests)

    first, second = network.asked(orders_pb2.BatchCreateOrdersRequest)
    assert first == second


async def test_an_update_is_not_repeated_when_its_outcome_is_unknown(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", UNAVAILABLE, order(2))

    with pytest.raises(Unavailable):
        await client.orders.update("o-1", version=1, name="Ada")

    assert len(network.requests) == 1


async def test_an_update_is_repeated_when_the_service_was_too_busy_to_begin(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", overloaded(0.1), order(2))

    updated = await client.orders.update("o-1", version=1, name="Ada")

    assert updated.version == 2


async def test_a_retry_comes_no_sooner_than_the_service_asked_for(
    network: Network, client: Holdfast
) -> None:
    network.answer("GetOrderDetails", overloaded(0.3), order(1))

    await client.orders.get("o-1")

    first, second = network.asked_at
    assert second - first >= 0.3


async def test_a_retry_that_would_come_after_the_deadline_is_not_waited_for(
    network: Network, client: Holdfast
) -> None:
    network.answer("GetOrderDetails", overloaded(60.0))
    began = time.monotonic()

    with pytest.raises(Overloaded) as caught:
        await client.orders.get("o-1")

    assert caught.value.retry_after_s == 60.0
    assert time.monotonic() - began < 5.0


async def test_exhaustion_without_a_time_to_come_back_is_final(
    network: Network, client: Holdfast
) -> None:
    network.answer("GetOrderDetails", grpc.StatusCode.RESOURCE_EXHAUSTED, order(1))

    with pytest.raises(Overloaded):
        await client.orders.get("o-1")

    assert len(network.requests) == 1


async def test_a_refusal_is_final(network: Network, client: Holdfast) -> None:
    network.answer("GetOrderDetails", not_found("order", ["o-1"]), order(1))

    with pytest.raises(NotFound):
        await client.orders.get("o-1")

    assert len(network.requests) == 1


async def test_a_call_without_an_answer_ends_at_its_deadline_and_is_not_repeated(
    network: Network,
) -> None:
    network.stream("GetOrderDetails", 4.0, order(1))
    began = time.monotonic()

    async with Holdfast(network.address, deadline_s=0.2) as client:
        with pytest.raises(DeadlineExceeded, match="outcome is unknown"):
            await client.orders.get("o-1")

    assert time.monotonic() - began < 3.9
    assert len(network.requests) == 1


async def test_waiting_for_the_outcome_comes_on_top_of_the_deadline(network: Network) -> None:
    network.stream("CreateOrder", 0.4, placed())

    async with Holdfast(network.address, deadline_s=0.3) as client:
        result = await client.orders.create("c-17", [OrderLine("LAMP-RED", 2)], wait_s=2.0)

    (request,) = network.asked(orders_pb2.CreateOrderRequest)
    assert result.order_id == "o-1"
    assert request.wait.ToTimedelta().total_seconds() == 2.0


async def test_retries_can_be_turned_off(network: Network) -> None:
    network.answer("GetOrderDetails", UNAVAILABLE, order(1))

    async with Holdfast(network.address, retry_s=0.0) as client:
        with pytest.raises(Unavailable):
            await client.orders.get("o-1")

    assert len(network.requests) == 1


async def test_an_address_where_nothing_listens_is_named() -> None:
    async with Holdfast(NOWHERE, retry_s=0.2) as client:
        with pytest.raises(Unavailable, match=f"Orders at {NOWHERE} does not answer") as caught:
            await client.orders.get("o-1")

    assert caught.value.reason == ""


@pytest.mark.parametrize("address", ["http://localhost:7001", "https://shop.example", "localhost"])
async def test_an_address_that_nobody_could_answer_at_is_refused_and_not_called(
    address: str,
) -> None:
    """gRPC would look for a machine named http, or at port 443, and only be silent."""
    with pytest.raises(InvalidRequest, match="HOST:PORT") as refused:
        Holdfast(NOWHERE, address)

    assert [one.field for one in refused.value.violations] == ["inventory"]
