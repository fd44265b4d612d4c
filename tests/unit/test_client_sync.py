"""The sync face runs the same client on a thread of its own, and keeps its types."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import assert_type

import pytest

from holdfast.chassis.grpc.statuses import not_found
from holdfast.client import HoldfastSync, NotFound, Order, OrderLine, OrderStatus, Placed
from holdfast.contracts.orders.v1 import orders_pb2
from tests.unit.test_client_network import (
    CONFIRMED,
    NOWHERE,
    UNAVAILABLE,
    Network,
    network,
    order,
    placed,
)

__all__ = ["network"]  # a fixture


@pytest.fixture
def client(network: Network) -> Iterator[HoldfastSync]:
    with HoldfastSync(network.address, network.address, deadline_s=5.0) as client:
        yield client


def test_a_call_returns_what_the_async_one_returns(network: Network, client: HoldfastSync) -> None:
    network.answer("CreateOrder", UNAVAILABLE, placed())

    result = client.orders.create("c-17", [OrderLine("LAMP-RED", 2)])

    assert_type(result, Placed)
    assert result == Placed("o-1", OrderStatus.PENDING)


def test_a_call_raises_what_the_async_one_raises(network: Network, client: HoldfastSync) -> None:
    network.answer("GetOrderDetails", not_found("order", ["o-1"]))

    with pytest.raises(NotFound):
        client.orders.get("o-1")


def test_lists_and_watches_are_plain_iterators(network: Network, client: HoldfastSync) -> None:
    network.answer("ListOrders", orders_pb2.ListOrdersResponse(orders=[order(1), order(2)]))
    network.stream("WatchOrder", order(1), order(2, CONFIRMED))

    listed = client.orders.list()
    watched = client.orders.watch("o-1")

    assert_type(listed, Iterator[Order])
    assert [order.version for order in listed] == [1, 2]
    assert [order.status for order in watched] == [OrderStatus.PENDING, OrderStatus.CONFIRMED]


def test_leaving_a_watch_ends_its_call(network: Network, client: HoldfastSync) -> None:
    network.stream("WatchOrder", order(1), 0.5)

    for _ in client.orders.watch("o-1"):
        break

    assert network.hung_up.wait(0.4)


def test_threads_may_share_a_client(network: Network, client: HoldfastSync) -> None:
    network.answer("GetOrderDetails", *(order(version) for version in range(1, 21)))

    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(client.orders.get, ["o-1"] * 20))

    assert {order.version for order in found} == set(range(1, 21))


def test_closing_ends_the_thread_and_a_repeat_changes_nothing() -> None:
    client = HoldfastSync(NOWHERE, NOWHERE)
    assert "holdfast-client" in [thread.name for thread in threading.enumerate()]

    client.close()
    client.close()

    assert "holdfast-client" not in [thread.name for thread in threading.enumerate()]


def test_the_sync_face_has_every_verb_of_the_async_one(client: HoldfastSync) -> None:
    from holdfast.client import Inventory, Orders

    for verbs, there in ((Orders, client.orders), (Inventory, client.inventory)):
        for name in dir(verbs):
            assert name.startswith("_") or callable(getattr(there, name)), name
