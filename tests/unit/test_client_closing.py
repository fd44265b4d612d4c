"""A client that is closed, or that its process does not own, answers every call with an error."""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any

import grpc
import pytest

from holdfast.client import Holdfast, HoldfastError, HoldfastSync, Order, Refused, Unavailable
from holdfast.contracts.orders.v1 import orders_pb2
from testbed.services import python_environment
from testbed.waiting import wait_until
from tests.unit.test_client_network import NOWHERE, UNAVAILABLE, Network, network, order

__all__ = ["network"]  # a fixture

Code = grpc.StatusCode
CLOSED = "the client is closed"
HANGS_S = 20.0  # whoever waits longer than this would wait for ever


@pytest.fixture
def sync(network: Network) -> Iterator[HoldfastSync]:
    whole_s = 3_600.0
    with closing(HoldfastSync(network.address, network.address, whole_s)) as client:
        yield client


def test_closing_ends_what_other_threads_wait_for_between_two_tries(
    network: Network, sync: HoldfastSync
) -> None:
    network.answer("GetOrderDetails", *[UNAVAILABLE] * 1_000)

    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(sync.orders.get, "o-1") for _ in range(3)]
        _until_asked(network, 9)
        sync.close()

        assert [_error(call) for call in calls] == [CLOSED] * 3


def test_closing_ends_a_call_that_the_service_is_still_busy_with(
    network: Network, sync: HoldfastSync
) -> None:
    network.stream("GetOrderDetails", 1.0, order(1))

    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(sync.orders.get, "o-1")
        _until_asked(network)
        sync.close()

        assert _error(call) == CLOSED


def test_closing_ends_a_loop_over_events_that_never_gives_up(
    network: Network, sync: HoldfastSync
) -> None:
    network.answer("ReadEvents", *[Code.DEADLINE_EXCEEDED] * 1_000)

    with ThreadPoolExecutor(1) as threads:
        followed = threads.submit(list, sync.events.follow(after="latest"))
        _until_asked(network, 3)
        sync.close()

        assert _error(followed) == CLOSED


def test_a_closed_client_says_so_in_every_call_and_loop(
    network: Network, sync: HoldfastSync
) -> None:
    network.stream("WatchOrder", order(1), 0.5)
    watched = sync.orders.watch("o-1")
    next(watched)

    sync.close()

    for call in (lambda: sync.orders.get("o-1"), lambda: list(sync.orders.list())):
        with pytest.raises(Unavailable, match=CLOSED) as caught:
            call()
        assert caught.value.reason == "CLIENT_CLOSED"
    with pytest.raises(Unavailable, match=CLOSED):
        next(watched)


def test_leaving_a_loop_of_a_closed_client_is_no_error(
    network: Network, sync: HoldfastSync
) -> None:
    network.stream("WatchOrder", order(1), 0.5)

    for _ in sync.orders.watch("o-1"):
        sync.close()
        break


def test_several_threads_may_close_at_once() -> None:
    client = HoldfastSync(NOWHERE, NOWHERE)

    with ThreadPoolExecutor(4) as threads:
        closed = [threads.submit(client.close) for _ in range(4)]

        assert [one.result(HANGS_S) for one in closed] == [None] * 4


async def test_an_async_client_says_that_it_is_closed_too(network: Network) -> None:
    network.stream("GetOrderDetails", 1.0, order(1))
    client = Holdfast(network.address, NOWHERE, notifier=NOWHERE, deadline_s=3_600)
    calls = [
        asyncio.ensure_future(call)
        for call in (client.orders.get("o-1"), client.inventory.get_stock("LAMP"))
    ]
    await asyncio.to_thread(_until_asked, network)

    await client.close()

    for call in (*calls, client.orders.get("o-1"), _all(client)):
        with pytest.raises(Unavailable, match=CLOSED):
            await asyncio.wait_for(call, HANGS_S)
    assert [one.problem for one in await client.health()] == [CLOSED] * 3
    await client.close()


async def test_a_call_that_its_own_caller_cancels_is_cancelled_and_not_unavailable(
    network: Network,
) -> None:
    network.stream("GetOrderDetails", 1.0, order(1))
    async with Holdfast(network.address, NOWHERE) as client:
        call = asyncio.ensure_future(client.orders.get("o-1"))
        await asyncio.to_thread(_until_asked, network)

        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call


def test_a_loop_that_the_garbage_collector_ends_holds_nobody_up(
    network: Network, sync: HoldfastSync
) -> None:
    network.stream("WatchOrder", order(1), 0.5)
    network.answer("GetOrderDetails", order(2))

    class Node:
        """Something that only the garbage collector can find out to be of no use."""

    node = Node()
    node.me, node.changes = node, sync.orders.watch("o-1")  # type: ignore[attr-defined]
    next(node.changes)  # type: ignore[attr-defined]
    gc.disable()
    try:
        del node
        sync._loop._loop.call_soon_threadsafe(gc.collect)  # as any allocation may

        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(sync.orders.get, "o-1").result(HANGS_S).version == 2
    finally:
        gc.enable()


LEFT_OPEN = """
import sys
from holdfast.client import HoldfastSync

client = HoldfastSync(sys.argv[1], sys.argv[1])
orders, again = client.orders.list(), client.orders.watch("o-1")
print(next(orders).version, next(again).version)
"""


def test_a_program_that_leaves_client_and_loops_open_ends(network: Network) -> None:
    """Python ends them last, when the client's thread runs no more: who waits then waits on."""
    network.answer("ListOrders", orders_pb2.ListOrdersResponse(orders=[order(1), order(2)]))
    network.stream("WatchOrder", order(3), HANGS_S)

    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", LEFT_OPEN, network.address],
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("1 3\n", "")


FORKS = """
import os, sys
from holdfast.client import HoldfastSync, Refused

def forked(*calls):
    child = os.fork()
    if child == 0:
        for call in calls:
            try:
                print(call(), flush=True)
            except Refused as error:
                print(error.reason, flush=True)
        os._exit(0)
    os.waitpid(child, 0)

def made():
    with HoldfastSync(sys.argv[1], sys.argv[1]) as own:
        return own.orders.get("o-1").version

forked(made)
with HoldfastSync(sys.argv[1], sys.argv[1]) as client:
    watched = client.orders.watch("o-1")
    forked(lambda: client.orders.get("o-1"), lambda: next(watched), made, client.close)
forked(made)
"""


def test_a_process_that_forked_off_after_a_client_was_made_is_told_that_none_works(
    network: Network,
) -> None:
    """gRPC does not come through a fork: a new client there would wait for ever, or abort."""
    network.answer("GetOrderDetails", order(7))

    done = subprocess.run(
        [sys.executable, "-c", FORKS, network.address],
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        check=True,
    )

    assert done.stdout.split() == ["7", "FORKED", "FORKED", "FORKED", "None", "FORKED"]


def test_a_client_is_of_the_event_loop_that_it_is_made_in_and_says_so_anywhere_else(
    network: Network,
) -> None:
    """Made beside the functions that use it, it fails at its first line, and in words of ours."""

    async def make() -> Holdfast:
        return Holdfast(network.address, network.address, notifier=network.address)

    async def elsewhere(client: Holdfast) -> tuple[str, str]:
        with pytest.raises(Refused) as called:
            await client.orders.get("o-1")
        with pytest.raises(Refused) as watched:
            await _all(client)
        assert [one.serving for one in await client.health()] == [False] * 3
        await client.close()
        return called.value.reason, watched.value.reason

    with pytest.raises(Refused, match="HoldfastSync") as nowhere:
        Holdfast(network.address, network.address)

    client = asyncio.run(make())
    assert asyncio.run(elsewhere(client)) == ("OTHER_EVENT_LOOP", "OTHER_EVENT_LOOP")
    assert nowhere.value.reason == "OTHER_EVENT_LOOP"
    assert network.requests == []


async def _all(client: Holdfast) -> list[Order]:
    return [order async for order in client.orders.watch("o-1")]


def _error(call: "Future[Any]") -> str:
    error = call.exception(HANGS_S)
    assert isinstance(error, HoldfastError), repr(error)
    return str(error)


def _until_asked(network: Network, times: int = 1) -> None:
    def asked() -> bool:
        return len(network.requests) >= times

    wait_until(asked, HANGS_S, lambda: AssertionError(f"asked {len(network.requests)} times"))
