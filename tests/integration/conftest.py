"""Holdfast as its callers meet it, running in this process: once embedded, once as a cluster.

A test that asks for `holdfast` runs in both modes, on databases and a broker of its own. What is
special to embedded mode on PostgreSQL is the broker beside that engine: a module whose rules
depend on it says `ALSO = [EMBEDDED_ON_POSTGRES]`, and runs there too. One that has to do with the
Notifier says `NOTIFIES = True`: else a cluster is without. Where the modes are alike, since what is
tried stands before both their databases and brokers, `ALIKE = True` leaves the cluster to `make
proof`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    ResourceInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status
from google.type.money_pb2 import Money
from grpc import aio

from holdfast import embedded
from holdfast.chassis.database.engines import connect
from holdfast.chassis.identity.issuers import Issuers
from holdfast.chassis.messaging.dead_letters import DeadLetterRow, list_dead_letters
from holdfast.client import Holdfast
from holdfast.console.settings import NO_PROVIDER, SignInSettings
from holdfast.contracts.inventory.v1 import inventory_pb2 as inventory_pb
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from holdfast.contracts.orders.v1 import orders_pb2 as orders_pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import OrderServiceStub
from holdfast.home import Home, in_folder, in_postgres
from holdfast.notifier.settings import TellingSettings
from holdfast.orders.settings import Limits
from testbed.keys import KEY, QUICK, keyed
from testbed.servers import PostgresServer, RabbitmqServer
from testbed.templates import Templates
from tests.integration.clusters import TELLING, cluster

SERVICES = ("orders", "inventory")
EMBEDDED, CLUSTER, EMBEDDED_ON_POSTGRES = "embedded", "cluster", "embedded on PostgreSQL"
CALL_S_MAX = 20.0
SETTLE_S_MAX = 20.0
ANYWHERE = "127.0.0.1:0"

Answer = TypeVar("Answer")
Value = TypeVar("Value")

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call failed: its status with every detail that came in the trailer."""

    code: grpc.StatusCode
    message: str
    details: tuple[Message, ...]

    @classmethod
    def of(cls, status: Status) -> "Refusal":
        kinds = (ErrorInfo, BadRequest, PreconditionFailure, ResourceInfo, RetryInfo)
        by_name = {kind.DESCRIPTOR.full_name: kind for kind in kinds}
        found: list[Message] = []
        for detail in status.details:
            message = by_name[detail.TypeName()]()
            assert detail.Unpack(message)
            found.append(message)
        code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
        return cls(code, status.message, tuple(found))

    @property
    def reason(self) -> str:
        (info,) = (detail for detail in self.details if isinstance(detail, ErrorInfo))
        assert info.domain == "holdfast"
        return info.reason

    @property
    def facts(self) -> dict[str, str]:
        (info,) = (detail for detail in self.details if isinstance(detail, ErrorInfo))
        return dict(info.metadata)

    @property
    def fields(self) -> list[str]:
        """The fields that a BadRequest complains about; empty where there is none."""
        return [
            violation.field
            for detail in self.details
            if isinstance(detail, BadRequest)
            for violation in detail.field_violations
        ]

    @property
    def missing(self) -> list[tuple[str, str]]:
        return [
            (detail.resource_type, detail.resource_name)
            for detail in self.details
            if isinstance(detail, ResourceInfo)
        ]

    @property
    def unmet(self) -> list[tuple[str, str, str]]:
        return [
            (violation.type, violation.subject, violation.description)
            for detail in self.details
            if isinstance(detail, PreconditionFailure)
            for violation in detail.violations
        ]

    @property
    def retry_delay(self) -> Duration:
        (retry,) = (detail for detail in self.details if isinstance(detail, RetryInfo))
        return retry.retry_delay


async def refusal(call: Awaitable[object]) -> Refusal:
    """Wait for a call that must fail, and tell how it did."""
    try:
        answer = await call
    except aio.AioRpcError as error:
        failed = error
    else:
        pytest.fail(f"the call was expected to fail and answered {answer}")
    for key, value in failed.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            found = Refusal.of(Status.FromString(value))
            assert found.code == failed.code(), "trailer and status say the same"
            return found
    return Refusal(failed.code(), failed.details() or "", ())


async def eventually(
    look: Callable[[], Awaitable[Value]], until: Callable[[Value], bool], why: str = ""
) -> Value:
    """Look until what is seen is as expected, for a while."""
    seen: Value | None = None
    try:
        async with asyncio.timeout(SETTLE_S_MAX):
            while True:
                seen = await look()
                if until(seen):
                    return seen
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"{why or 'it'} did not happen in {SETTLE_S_MAX:g} s; seen last: {seen}")


def price(units: int, cents: int = 0, currency: str = "GBP") -> Money:
    return Money(currency_code=currency, units=units, nanos=cents * 10_000_000)


def line(
    product_id: str, quantity: int = 1, unit_price: Money | None = None, line_no: int = 0
) -> orders_pb.OrderLine:
    return orders_pb.OrderLine(
        product_id=product_id, quantity=quantity, unit_price=unit_price, line_no=line_no
    )


def create(
    *lines: orders_pb.OrderLine, customer_id: str = "c-1", request_id: str = "", wait_s: int = 0
) -> orders_pb.CreateOrderRequest:
    return orders_pb.CreateOrderRequest(
        request_id=request_id,
        customer_id=customer_id,
        lines=lines,
        wait=Duration(seconds=wait_s) if wait_s else None,
    )


class RunningHoldfast:
    """Both services, the client of each, and what lies beneath."""

    def __init__(
        self,
        mode: str,
        addresses: embedded.Addresses,
        databases: Mapping[str, str],
        channels: tuple[aio.Channel, aio.Channel],
        client: Holdfast,
        broker_url: str,
    ) -> None:
        self.mode, self.addresses, self.databases = mode, addresses, databases
        self.orders_channel, self.inventory_channel = channels
        self.orders = OrderServiceStub(self.orders_channel)
        self.inventory = InventoryServiceStub(self.inventory_channel)
        self.client, self.broker_url = client, broker_url

    async def product(
        self, product_id: str, stock: int | Mapping[str, int] = 0, unit_price: Money | None = None
    ) -> str:
        """A product with so much stock: in `main`, or by location."""
        await self.inventory.CreateProduct(
            inventory_pb.CreateProductRequest(
                product=inventory_pb.Product(
                    product_id=product_id, unit_price=unit_price or price(10), active=True
                )
            ),
            timeout=CALL_S_MAX,
        )
        for location_id, quantity in ({"main": stock} if isinstance(stock, int) else stock).items():
            await self.location(location_id)
            await self.set_stock(product_id, quantity, location_id)
        return product_id

    async def location(self, location_id: str, **details: Any) -> None:
        """A location, unless it is there."""
        location = inventory_pb.Location(location_id=location_id, **details)
        if location_id != "main":
            request = inventory_pb.CreateLocationRequest(location=location)
            await self.inventory.CreateLocation(request, timeout=CALL_S_MAX)

    async def set_stock(self, product_id: str, quantity: int, location_id: str = "main") -> None:
        request = inventory_pb.UpdateStockRequest(
            product_id=product_id, quantity=quantity, location_id=location_id
        )
        await self.inventory.UpdateStock(request, timeout=CALL_S_MAX)

    async def create(self, request: orders_pb.CreateOrderRequest) -> orders_pb.CreateOrderResponse:
        return await self.orders.CreateOrder(request, timeout=CALL_S_MAX)

    async def place(
        self, *lines: orders_pb.OrderLine, customer_id: str = "c-1", request_id: str = ""
    ) -> orders_pb.Order:
        """An order that is no longer PENDING."""
        request = create(*lines, customer_id=customer_id, request_id=request_id, wait_s=20)
        return await self.order((await self.create(request)).order_id)

    async def order(self, order_id: str) -> orders_pb.Order:
        request = orders_pb.GetOrderDetailsRequest(order_id=order_id)
        return await self.orders.GetOrderDetails(request, timeout=CALL_S_MAX)

    async def cancel(self, order_id: str, reason: str = "") -> orders_pb.Order:
        request = orders_pb.CancelOrderRequest(order_id=order_id, reason=reason)
        return await self.orders.CancelOrder(request, timeout=CALL_S_MAX)

    async def stock(self, product_id: str) -> inventory_pb.StockInfo:
        request = inventory_pb.GetStockInfoRequest(product_id=product_id)
        return await self.inventory.GetStockInfo(request, timeout=CALL_S_MAX)

    async def available(self, product_id: str) -> int:
        return (await self.stock(product_id)).available

    async def all_orders(self, product_id: str = "") -> list[orders_pb.Order]:
        request = orders_pb.ListOrdersRequest(product_id=product_id, page_size=1_000)
        found: list[orders_pb.Order] = []
        while True:
            page = await self.orders.ListOrders(request, timeout=CALL_S_MAX)
            found += page.orders
            request.page_token = page.next_page_token
            if not request.page_token:
                return found

    async def settled(self, product_id: str = "") -> list[orders_pb.Order]:
        """All orders, once none of them is PENDING."""

        def none_pending(orders: list[orders_pb.Order]) -> bool:
            return all(order.status != orders_pb.ORDER_STATUS_PENDING for order in orders)

        return await eventually(lambda: self.all_orders(product_id), none_pending, "settling")

    async def movements(self, product_id: str = "") -> list[inventory_pb.Movement]:
        """All movements, oldest first."""
        request = inventory_pb.ListMovementsRequest(product_id=product_id, page_size=1_000)
        found: list[inventory_pb.Movement] = []
        while True:
            page = await self.inventory.ListMovements(request, timeout=CALL_S_MAX)
            found += page.movements
            request.page_token = page.next_page_token
            if not request.page_token:
                return found[::-1]

    async def everything(self) -> tuple[object, ...]:
        """What the world can see of both services, to compare."""
        products = await self.inventory.ListProducts(
            inventory_pb.ListProductsRequest(page_size=1_000), timeout=CALL_S_MAX
        )
        return await self.all_orders(), await self.movements(), list(products.products)

    @asynccontextmanager
    async def undecided(self) -> AsyncIterator[None]:
        """Inventory decides nothing meanwhile: its levels are locked."""
        async with connect(self.databases["inventory"]) as database, database.begin() as work:
            await work.execute("UPDATE stock_level SET version = version")
            yield

    async def dead_letters(self, service: str) -> list[DeadLetterRow]:
        return await list_dead_letters(self.databases[service])

    async def sql(self, service: str, statement: str) -> None:
        async with connect(self.databases[service]) as database, database.begin() as work:
            await work.fetch(statement)


@dataclass(frozen=True, slots=True)
class Ground:
    """What one test's services stand on; no home: the cluster's databases, and its broker."""

    mode: str
    databases: Mapping[str, str]
    broker_url: str = ""
    home: Home | None = None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "ground" in metafunc.fixturenames and "ground" not in chosen:
        alike = getattr(metafunc.module, "ALIKE", False)
        clustered = pytest.param(CLUSTER, marks=[pytest.mark.proof] if alike else [])
        modes = [EMBEDDED, clustered, *getattr(metafunc.module, "ALSO", [])]
        metafunc.parametrize("ground", modes, indirect=True)


@pytest.fixture
def ground(
    request: pytest.FixtureRequest, tmp_path: Path, templates: Templates
) -> Iterator[Ground]:
    if request.param == EMBEDDED:
        home = in_folder(tmp_path)
        templates.copy_folder(tmp_path)
        yield Ground(EMBEDDED, home.urls, home=home)
        return
    if request.param == EMBEDDED_ON_POSTGRES:
        home = in_postgres(request.getfixturevalue("up_url"))
        yield Ground(EMBEDDED_ON_POSTGRES, home.urls, home=home)
        return
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    rabbitmq: RabbitmqServer = request.getfixturevalue("rabbitmq_server")
    number = next(_numbers)
    notifies = getattr(request.module, "NOTIFIES", False)
    services = (*SERVICES, "notifier") if notifies else SERVICES
    names = {service: f"{service}_{number}" for service in services}
    urls = {
        service: templates.copy_database(service, postgres, name) for service, name in names.items()
    }
    rabbitmq.create_vhost(f"api-{number}")
    yield Ground(CLUSTER, urls, rabbitmq.url(f"api-{number}"))
    rabbitmq.leave_vhost(f"api-{number}")
    for name in names.values():
        postgres.drop_database(name)


@asynccontextmanager
async def running(
    ground: Ground,
    limits: Limits | None = None,
    http_at: str = "",
    issuers: Issuers = (),
    telling: TellingSettings = TELLING,
    sign_in: SignInSettings = NO_PROVIDER,
) -> AsyncIterator[RunningHoldfast]:
    """Holdfast on this ground, with clients; it may be started again on the same ground.

    :param sign_in: of the console, which is there at home alone.
    """
    limits, port = limits or Limits(), int(http_at.rpartition(":")[2]) if http_at else None
    how: dict[str, Any] = {"limits": limits, "operator_key": KEY, "issuers": issuers}
    how["telling"] = telling
    async with AsyncExitStack() as started:
        at_home = ground.home and embedded.running(
            ground.home, http_port=port, passwords=QUICK, sign_in=sign_in, **how
        )
        found = at_home or cluster(
            ground.databases, ground.broker_url, limits, http_at, issuers, telling
        )
        addresses = await started.enter_async_context(found)
        # Without options: no answer may be larger than what a channel takes by default.
        at = addresses.orders, addresses.inventory
        channels = keyed(aio.insecure_channel(at[0])), keyed(aio.insecure_channel(at[1]))
        for channel in channels:
            await started.enter_async_context(channel)
        client = await started.enter_async_context(
            Holdfast(*at, notifier=addresses.notifier or ANYWHERE)
        )
        yield RunningHoldfast(
            ground.mode, addresses, ground.databases, channels, client, ground.broker_url
        )


@pytest.fixture
async def holdfast(ground: Ground) -> AsyncIterator[RunningHoldfast]:
    """Holdfast, running, empty, in each of its modes."""
    async with running(ground) as services:
        yield services
