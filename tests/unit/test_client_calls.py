"""Batches, lists, watches and updates: what one call of the client becomes on the network."""

import asyncio
from contextlib import aclosing

import pytest

from holdfast.chassis.grpc.statuses import not_found
from holdfast.client import (
    DeadlineExceeded,
    Holdfast,
    HoldfastError,
    NotFound,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Placed,
    StockRequest,
)
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_client_network import (
    CONFIRMED,
    UNAVAILABLE,
    Network,
    client,
    network,
    order,
    placed,
)

__all__ = ["client", "network"]  # fixtures


async def test_a_batch_answers_each_request_in_order_with_a_result_or_its_error(
    network: Network, client: Holdfast
) -> None:
    orders = orders_pb2.BatchCreateOrdersResponse()
    orders.results.add(error=not_found("product", ["GONE"]))
    orders.results.add(order=placed())
    network.answer("BatchCreateOrders", orders)

    lost, found = await client.orders.create_batch(
        [OrderRequest("c-17", [OrderLine(product, 1)]) for product in ("GONE", "LAMP-RED")]
    )

    assert isinstance(lost, NotFound)
    assert [resource.name for resource in lost.resources] == ["GONE"]
    assert found == Placed("o-1", OrderStatus.PENDING)


async def test_stock_batches_answer_in_the_same_way(network: Network, client: Holdfast) -> None:
    levels = inventory_pb2.BatchUpdateStockResponse()
    levels.results.add().updated.level.on_hand = 5
    levels.results.add(error=not_found("product", ["GONE"]))
    infos = inventory_pb2.BatchGetStockInfoResponse()
    infos.results.add(error=not_found("product", ["GONE"]))
    infos.results.add().info.on_hand = 5
    network.answer("BatchUpdateStock", levels)
    network.answer("BatchGetStockInfo", infos)

    level, no_level = await client.inventory.set_stock_batch(
        [StockRequest("LAMP-RED", 5), StockRequest("GONE", 5)]
    )
    no_info, info = await client.inventory.get_stock_batch(["GONE", "LAMP-RED"])

    assert not isinstance(level, HoldfastError)
    assert level.on_hand == 5
    assert isinstance(no_level, NotFound)
    assert isinstance(no_info, NotFound)
    assert not isinstance(info, HoldfastError)
    assert info.on_hand == 5


async def test_a_list_goes_over_all_pages(network: Network, client: Holdfast) -> None:
    pages = [
        orders_pb2.ListOrdersResponse(orders=[order(1), order(2)], next_page_token="more"),
        orders_pb2.ListOrdersResponse(orders=[order(3)]),
    ]
    network.answer("ListOrders", *pages)

    listed = [order async for order in client.orders.list(customer_id="c-17", page_size=2)]

    first, second = network.asked(orders_pb2.ListOrdersRequest)
    assert [order.version for order in listed] == [1, 2, 3]
    assert (first.page_token, second.page_token) == ("", "more")
    assert (first.customer_id, second.customer_id) == ("c-17", "c-17")
    assert (first.page_size, second.page_size) == (2, 2)


async def test_a_limited_list_asks_for_no_more_than_it_needs(
    network: Network, client: Holdfast
) -> None:
    product = inventory_pb2.Product()
    pages = [
        inventory_pb2.ListProductsResponse(products=[product, product], next_page_token="more"),
        inventory_pb2.ListProductsResponse(products=[product], next_page_token="still more"),
    ]
    network.answer("ListProducts", *pages)

    listed = [one async for one in client.inventory.list_products(limit=3, page_size=2)]

    sizes = [request.page_size for request in network.asked(inventory_pb2.ListProductsRequest)]
    assert len(listed) == 3
    assert sizes == [2, 1]


async def test_a_watch_survives_a_lost_connection_and_shows_no_version_twice(
    network: Network, client: Holdfast
) -> None:
    network.stream("WatchOrder", order(1), UNAVAILABLE)
    network.stream("WatchOrder", order(1), order(2, CONFIRMED))

    seen = [order.version async for order in client.orders.watch("o-1")]

    assert seen == [1, 2]


async def test_a_watch_has_patience_with_a_failure_after_a_long_silence(network: Network) -> None:
    network.stream("WatchOrder", order(1), 0.6, UNAVAILABLE)
    network.stream("WatchOrder", order(2, CONFIRMED))

    async with Holdfast(network.address, retry_s=0.5) as client:
        seen = [order.version async for order in client.orders.watch("o-1")]

    assert seen == [1, 2]


async def test_the_end_of_the_watching_time_is_no_error(network: Network, client: Holdfast) -> None:
    network.stream("WatchOrder", order(1), 0.5)

    seen = [order.version async for order in client.orders.watch("o-1", watch_s=0.2)]

    assert seen == [1]


async def test_a_watch_that_never_hears_anything_is_an_error(
    network: Network, client: Holdfast
) -> None:
    network.stream("WatchOrder", 0.5)

    with pytest.raises(DeadlineExceeded):
        [order async for order in client.orders.watch("o-1", watch_s=0.2)]


async def test_leaving_a_watch_ends_its_call(network: Network, client: Holdfast) -> None:
    network.stream("WatchOrder", order(1), 0.5)

    async with aclosing(client.orders.watch("o-1")) as changes:
        async for _ in changes:
            break

    assert await asyncio.to_thread(network.hung_up.wait, 0.4)


async def test_an_update_names_only_the_fields_that_change(
    network: Network, client: Holdfast
) -> None:
    network.answer("UpdateOrder", order(2))
    network.answer("UpdateProduct", inventory_pb2.Product())

    await client.orders.update("o-1", version=1, email="ada@example.com", phone="")
    await client.inventory.update_product("LAMP-RED", version=1, active=False)

    (update,) = network.asked(orders_pb2.UpdateOrderRequest)
    (product,) = network.asked(inventory_pb2.UpdateProductRequest)
    assert list(update.update_mask.paths) == ["customer.email", "customer.phone"]
    assert list(product.update_mask.paths) == ["active"]
