"""A batch of any size goes in as many calls as it takes, and no result is lost or out of place."""

from collections.abc import Iterable

import grpc
import pytest

from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX
from holdfast.chassis.grpc.statuses import refusal
from holdfast.client import (
    Holdfast,
    InternalError,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Placed,
    RequestTooLarge,
    StockInfo,
    StockLevel,
    StockRequest,
    Unavailable,
    _requests,
)
from holdfast.client import _batches as batches
from holdfast.client._status import error_from_call
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_client_network import UNAVAILABLE, Network, client, network

__all__ = ["client", "network"]  # fixtures

WIDE = "\U0001d538"
BatchRequest = orders_pb2.BatchCreateOrdersRequest


def order(number: int, lines: int = 1) -> OrderRequest:
    wanted = [OrderLine(WIDE * 128, 1)] * lines
    return OrderRequest("c-1", wanted, request_id=f"r-{number}")


def answer_with(numbers: Iterable[int]) -> orders_pb2.BatchCreateOrdersResponse:
    answer = orders_pb2.BatchCreateOrdersResponse()
    for number in numbers:
        answer.results.add().order.order_id = f"o-{number}"
    return answer


def sent(network: Network) -> list[list[str]]:
    return [[one.request_id for one in batch.requests] for batch in network.asked(BatchRequest)]


def test_client_and_services_have_one_limit() -> None:
    assert batches.REQUEST_BYTES_MAX == REQUEST_BYTES_MAX


async def test_a_batch_is_split_by_count_and_keeps_its_order(
    network: Network, client: Holdfast
) -> None:
    network.answer(
        "BatchCreateOrders",
        answer_with(range(1_000)),
        answer_with(range(1_000, 2_000)),
        answer_with([2_000]),
    )

    outcomes = await client.orders.create_batch([order(number) for number in range(2_001)])

    assert list(map(len, sent(network))) == [1_000, 1_000, 1]
    assert [one.order_id for one in outcomes if isinstance(one, Placed)] == [
        f"o-{number}" for number in range(2_001)
    ]


async def test_a_batch_is_split_by_bytes(network: Network, client: Holdfast) -> None:
    network.answer("BatchCreateOrders", *(answer_with(range(n, n + 3)) for n in (0, 3, 6)))

    outcomes = await client.orders.create_batch([order(number, 2_500) for number in range(9)])

    assert sent(network) == [[f"r-{n}" for n in range(start, start + 3)] for start in (0, 3, 6)]
    assert len(outcomes) == 9
    for batch in network.asked(BatchRequest):
        assert REQUEST_BYTES_MAX * 0.7 < batch.ByteSize() <= REQUEST_BYTES_MAX


async def test_a_batch_that_fills_a_call_to_the_last_byte_is_one_call(
    network: Network, client: Holdfast
) -> None:
    def request(characters: int) -> OrderRequest:
        return OrderRequest("c" * characters, [OrderLine("L", 1)], request_id="r")

    size = _requests.create_order(request(3_000_000)).ByteSize() + batches.FRAME_BYTES
    envelope = size - 3_000_000
    fits, over = (REQUEST_BYTES_MAX - envelope + more for more in (0, 1))
    network.answer("BatchCreateOrders", answer_with([1]))

    (fitting,) = await client.orders.create_batch([request(fits)])
    (refused,) = await client.orders.create_batch([request(over)])

    assert fitting == Placed("o-1", OrderStatus.UNKNOWN)
    assert isinstance(refused, RequestTooLarge)
    assert network.asked(BatchRequest)[0].ByteSize() <= REQUEST_BYTES_MAX


async def test_a_request_that_no_call_can_hold_is_named_and_its_neighbours_are_sent(
    network: Network, client: Holdfast
) -> None:
    network.answer("BatchCreateOrders", answer_with([0, 2]))

    outcomes = await client.orders.create_batch([order(0), order(1, 9_000), order(2)])

    refused = outcomes[1]
    assert sent(network) == [["r-0", "r-2"]]
    assert isinstance(refused, RequestTooLarge)
    assert "requests[1]" in refused.message
    assert refused.bytes > refused.bytes_max == REQUEST_BYTES_MAX
    assert [type(one) for one in outcomes] == [Placed, RequestTooLarge, Placed]


async def test_a_single_call_that_is_too_large_is_not_sent(
    network: Network, client: Holdfast
) -> None:
    with pytest.raises(RequestTooLarge, match=r"4,194,304: send less"):
        await client.orders.create("c-1", [OrderLine(WIDE * 128, 1)] * 9_000)

    assert network.requests == []


async def test_results_so_far_outlive_a_later_part_that_fails_as_a_whole(
    network: Network, client: Holdfast
) -> None:
    """The rest is not sent: most likely it would wait as long, for nothing."""
    failure = refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "an error of ours")
    network.answer("BatchCreateOrders", answer_with(range(3)), failure)

    outcomes = await client.orders.create_batch([order(number, 2_500) for number in range(9)])

    assert len(sent(network)) == 2
    assert [type(one) for one in outcomes] == [Placed] * 3 + [InternalError] * 6


async def test_a_batch_whose_first_part_fails_raises_as_nothing_is_lost(
    network: Network, client: Holdfast
) -> None:
    failure = refusal(grpc.StatusCode.INTERNAL, "INTERNAL", "an error of ours")
    network.answer("BatchCreateOrders", failure)

    with pytest.raises(InternalError):
        await client.orders.create_batch([order(number, 2_500) for number in range(9)])

    assert len(sent(network)) == 1


async def test_a_part_that_got_no_answer_is_repeated_alone(
    network: Network, client: Holdfast
) -> None:
    network.answer("BatchCreateOrders", answer_with(range(3)), UNAVAILABLE, answer_with([3]))

    outcomes = await client.orders.create_batch([order(number, 2_500) for number in range(4)])

    assert sent(network)[1:] == [["r-3"], ["r-3"]]
    assert len(outcomes) == 4


async def test_an_answer_with_too_few_results_is_an_error_of_ours(
    network: Network, client: Holdfast
) -> None:
    network.answer("BatchCreateOrders", answer_with([1]))

    outcomes = await client.orders.create_batch([order(1), order(2)])

    assert [type(one) for one in outcomes] == [InternalError, InternalError]


async def test_levels_are_split_too(network: Network, client: Holdfast) -> None:
    level = inventory_pb2.UpdateStockResponse(level=inventory_pb2.StockLevel(on_hand=1))
    for size in (1_000, 1):
        answer = inventory_pb2.BatchUpdateStockResponse()
        for _ in range(size):
            answer.results.add(updated=level)
        network.answer("BatchUpdateStock", answer)

    outcomes = await client.inventory.set_stock_batch(
        [StockRequest(f"P-{number}", 1) for number in range(1_001)]
    )

    batches_sent = network.asked(inventory_pb2.BatchUpdateStockRequest)
    assert [len(batch.requests) for batch in batches_sent] == [1_000, 1]
    assert all(isinstance(one, StockLevel) for one in outcomes)


async def test_products_that_an_answer_had_no_room_for_are_asked_for_again(
    network: Network, client: Holdfast
) -> None:
    full = refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ANSWER_FULL", "no room")
    missing = refusal(grpc.StatusCode.NOT_FOUND, "", "not found")
    first = inventory_pb2.BatchGetStockInfoResponse()
    first.results.add().info.product.product_id = "A"
    first.results.add(error=full)
    first.results.add(error=missing)
    first.results.add(error=full)
    second = inventory_pb2.BatchGetStockInfoResponse()
    for product_id in ("B", "D"):
        second.results.add().info.product.product_id = product_id
    network.answer("BatchGetStockInfo", first, second)

    outcomes = await client.inventory.get_stock_batch(["A", "B", "C", "D"])

    asked = network.asked(inventory_pb2.BatchGetStockInfoRequest)
    assert [list(request.product_ids) for request in asked] == [["A", "B", "C", "D"], ["B", "D"]]
    assert [_name(one) for one in outcomes] == ["A", "B", "NotFound", "D"]


async def test_a_service_that_never_has_room_ends_the_asking(
    network: Network, client: Holdfast
) -> None:
    full = refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "ANSWER_FULL", "no room")
    answer = inventory_pb2.BatchGetStockInfoResponse()
    answer.results.add(error=full)
    network.answer("BatchGetStockInfo", answer)

    (outcome,) = await client.inventory.get_stock_batch(["A"])

    assert not isinstance(outcome, StockInfo)
    assert outcome.reason == "ANSWER_FULL"


def _name(outcome: object) -> str:
    if isinstance(outcome, StockInfo):
        return outcome.product.product_id
    return type(outcome).__name__


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("SERVER: Received message larger than max (5 vs. 4)", RequestTooLarge),
        ("Received message larger than max (5 vs. 4)", RequestTooLarge),
        ("CLIENT: Received message larger than max (5 vs. 4)", Unavailable),
    ],
)
def test_what_grpc_refuses_by_itself_is_told_apart(words: str, kind: type[Exception]) -> None:
    failed = grpc.aio.AioRpcError(
        grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.aio.Metadata(), grpc.aio.Metadata(), details=words
    )

    error = error_from_call(failed, "Orders at here", 1.0)

    assert type(error) is kind
    assert error.code == "RESOURCE_EXHAUSTED"
    assert "vs." not in error.message
