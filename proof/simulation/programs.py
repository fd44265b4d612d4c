"""The programs that simulated processes run: the whole real services, on a simulated machine."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass
from typing import Any

from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.server import STOP_GRACE_S
from holdfast.chassis.identity.gate import OpenGate
from holdfast.chassis.messaging.broker import Broker
from holdfast.chassis.process.lifecycle import background, holding
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import (
    add_InventoryServiceServicer_to_server,
)
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.inventory import service as inventory_service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.orders import service as orders_service
from holdfast.orders.settings import Limits
from proof.simulation.clock import SimulatedClock
from proof.simulation.database import DatabaseServer, SimulatedDatabase
from proof.simulation.loop import Process
from proof.simulation.network import Endpoint, Gatherer, Network, SimulatedChannel

SUBSCRIPTIONS = (ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS)
SERVICES = ("inventory", "orders")  # in this order in one process, as in `holdfast.embedded`


@dataclass(frozen=True, slots=True)
class Machine:
    """What a program finds.

    :param broker: opens the broker seam for one process.
    """

    databases: Mapping[str, DatabaseServer]
    network: Network
    clock: SimulatedClock
    limits: Limits
    broker: Callable[[], AbstractAsyncContextManager[Broker]]


@asynccontextmanager
async def running(
    machine: Machine, process: Process, services: Sequence[str]
) -> AsyncIterator[None]:
    """Run the services in one process, with what `service.running` puts around them."""
    async with AsyncExitStack() as at_end:
        broker = await at_end.enter_async_context(machine.broker())
        for service in services:
            run = _orders if service == "orders" else _inventory
            await at_end.enter_async_context(run(machine, process, broker))
        yield


@asynccontextmanager
async def _orders(machine: Machine, process: Process, broker: Broker) -> AsyncIterator[None]:
    async with _opened(machine.databases["orders"]) as database:
        channel: Any = SimulatedChannel(machine.network, "inventory")
        parts = orders_service.assemble(
            database,
            broker,
            channel,
            machine.clock,
            machine.limits,
            Admission(CallerLimits()),
            OpenGate(),
        )
        server: Any = Gatherer()
        add_OrderServiceServicer_to_server(parts.servicer, parts.boundary.around(server))
        async with (
            holding(parts.leadership),
            background(parts.loops),
            _served(machine.network, Endpoint("orders", process, server)),
        ):
            try:
                yield
            finally:
                parts.signals.close()
                parts.feed.close()


@asynccontextmanager
async def _inventory(machine: Machine, process: Process, broker: Broker) -> AsyncIterator[None]:
    async with _opened(machine.databases["inventory"]) as database:
        parts = inventory_service.assemble(
            database, broker, machine.clock, Admission(CallerLimits()), OpenGate()
        )
        server: Any = Gatherer()
        add_InventoryServiceServicer_to_server(parts.servicer, parts.boundary.around(server))
        async with (
            holding(parts.leadership),
            background(parts.loops),
            _served(machine.network, Endpoint("inventory", process, server)),
        ):
            try:
                yield
            finally:
                parts.feed.close()


@asynccontextmanager
async def _opened(server: DatabaseServer) -> AsyncIterator[SimulatedDatabase]:
    database = server.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _served(network: Network, endpoint: Endpoint) -> AsyncIterator[None]:
    network.serve(endpoint)
    try:
        yield
    finally:
        await network.stop(endpoint, STOP_GRACE_S)
