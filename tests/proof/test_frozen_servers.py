"""A server that is frozen closes nothing: whoever calls it goes to its neighbour all the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from grpc import aio

from holdfast.chassis.grpc.channels import RenewingChannel, open_channel
from holdfast.chassis.grpc.server import serving
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.client._calls import Calls
from holdfast.contracts.inventory.v1.inventory_pb2 import BatchGetStockInfoRequest
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from proof.chaos.link_conditions import BLACK_HOLE, GOOD
from proof.chaos.wires import Wires, wires

LEAVE_S_MAX = 20.0  # twice what it takes


@pytest.fixture
def all_wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wires]:
    with wires(tmp_path_factory.mktemp("wires")) as opened:
        yield opened


@asynccontextmanager
async def channel_of(caller: str, target: str) -> AsyncIterator[aio.Channel | RenewingChannel]:
    """The channel that a kind of caller opens to a service."""
    if caller == "client":
        channel: aio.Channel | RenewingChannel
        channel = Calls("Inventory", target, deadline_s=1.0, retry_s=0.0).channel
    else:
        channel = open_channel(target)
    async with channel:
        yield channel


async def answers(channel: aio.Channel | RenewingChannel) -> bool:
    """Whether anybody answers: these servers know no method, and say so."""
    stub = InventoryServiceStub(channel)  # type: ignore[arg-type] # of a channel it needs one method
    try:
        await stub.BatchGetStockInfo(BatchGetStockInfoRequest(), timeout=1.0)
    except aio.AioRpcError as error:
        return error.code().name == "UNIMPLEMENTED"
    raise AssertionError("nobody could answer that")


async def test_callers_leave_a_frozen_server_for_its_neighbour(all_wires: Wires) -> None:
    async with AsyncExitStack() as running:
        ports = []
        for name in ("first", "second"):
            server = serving(
                "127.0.0.1:0", service=name, register=lambda _: None, bus=LocalBroker([])
            )
            listening = await running.enter_async_context(server)
            port = int(listening.address.rpartition(":")[2])
            ports.append(all_wires.open("callers", name, port))
        target = f"ipv4:{','.join(f'127.0.0.1:{port}' for port in ports)}"
        channels = [
            await running.enter_async_context(channel_of(caller, target))
            for caller in ("client", "orders")
        ]
        assert all([await answers(channel) for channel in channels])
        assert all_wires.traffic("callers", "second").connections == 0

        all_wires.set("callers", "first", BLACK_HOLE)
        assert not any([await answers(channel) for channel in channels])
        left = time.monotonic()
        while not all([await answers(channel) for channel in channels]):
            assert time.monotonic() < left + LEAVE_S_MAX
            await asyncio.sleep(0.1)
        all_wires.set("callers", "first", GOOD)
