"""The programs that simulated processes run: the whole real services, on a simulated machine."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.server import STOP_GRACE_S
from holdfast.chassis.identity.gate import OpenGate
from holdfast.chassis.messaging.broker import Broker
from holdfast.chassis.process.lifecycle import background, holding
from holdfast.chassis.process.ports import CallerLimits
from holdfast.client._calls import Calls
from holdfast.client._events import Events
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import (
    add_InventoryServiceServicer_to_server,
)
from holdfast.contracts.notifier.v1.notifier_pb2_grpc import (
    add_NotifierServiceServicer_to_server,
)
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.inventory import service as inventory_service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.notifier import service as notifier_service
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.infrastructure.signatures import Signatures
from holdfast.notifier.settings import TELLING_DEFAULTS
from holdfast.orders import service as orders_service
from holdfast.orders.settings import Limits
from proof.simulation.clock import SimulatedClock
from proof.simulation.database import DatabaseServer, SimulatedDatabase
from proof.simulation.loop import Process
from proof.simulation.network import Endpoint, Gatherer, Network, SimulatedChannel
from proof.simulation.partners import Partners

SUBSCRIPTIONS = (ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS)
SERVICES = ("inventory", "orders")  # in this order in one process, as in `holdfast.embedded`
NOTIFIER = "notifier"  # which some worlds have, behind the others
SEALING = "what seals in a simulation"


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
    partners: Partners


@asynccontextmanager
async def running(
    machine: Machine, process: Process, services: Sequence[str]
) -> AsyncIterator[None]:
    """Run the services in one process, with what `service.running` puts around them."""
    async with AsyncExitStack() as at_end:
        broker = await at_end.enter_async_context(machine.broker())
        for service in services:
            await at_end.enter_async_context(_PROGRAMS[service](machine, process, broker))
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
async def _notifier(machine: Machine, process: Process, _broker: Broker) -> AsyncIterator[None]:
    async with _opened(machine.databases[NOTIFIER]) as database:
        to_orders, to_inventory = (_Calls(machine.network, one) for one in ("orders", "inventory"))
        client: Any = SimpleNamespace(events=Events(to_orders, to_inventory))
        sender: Any = machine.partners
        parts = notifier_service.assemble(
            database,
            client,
            sender,
            None,
            Signatures(Sealer([SEALING])),
            machine.clock,
            Admission(CallerLimits()),
            OpenGate(),
            TELLING_DEFAULTS,
        )
        server: Any = Gatherer()
        add_NotifierServiceServicer_to_server(parts.servicer, parts.boundary.around(server))
        async with (
            holding(parts.leadership),
            background(parts.loops),
            _served(machine.network, Endpoint(NOTIFIER, process, server)),
        ):
            yield


_PROGRAMS = {"orders": _orders, "inventory": _inventory, NOTIFIER: _notifier}


class _Calls(Calls):
    """The client library's calls, on the simulated network; whoever reads a feed asks again."""

    def __init__(self, network: Network, service: str) -> None:
        self.channel: Any = SimulatedChannel(network, service)
        self._identity, self._peer = (), service
        self._deadline_s, self._retry_s = notifier_service.DEADLINE_S, 0.0
        self._closed, self._process = asyncio.Event(), os.getpid()
        self._loop = asyncio.get_running_loop()


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
