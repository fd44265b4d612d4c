"""Inventory put together: every object of the service is made here, top to bottom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
from grpc import aio
from pydantic import SecretStr

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.clock import Clock, SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import require_newest
from holdfast.chassis.database.seam import Database, Leadership, retrying
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.rpc_boundary import Gate, RpcBoundary
from holdfast.chassis.grpc.server import serving
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.house import add_operator, identity_of, learn
from holdfast.chassis.identity.servicer import KeyIntakeServicer
from holdfast.chassis.identity.settings import IdentitySettings
from holdfast.chassis.messaging.broker import Broker
from holdfast.chassis.messaging.feed import FEED_DEFAULTS, Feed, FeedSettings
from holdfast.chassis.messaging.inbox import Inbox, InboxReceiver
from holdfast.chassis.messaging.measuring import MEASURE_EVERY_S, Measuring, measuring_broker
from holdfast.chassis.messaging.outbox import Outbox, Relay
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.chassis.process.admin import admin
from holdfast.chassis.process.lifecycle import (
    Loop,
    background,
    every,
    holding,
    until_signal,
)
from holdfast.chassis.process.ports import PortSettings, shared
from holdfast.chassis.process.telemetry import configure_logging, traced
from holdfast.chassis.process.workers import (
    is_http_worker,
    is_worker,
    worker_count,
    worker_number,
)
from holdfast.contracts.identity.v1 import keys_pb2
from holdfast.contracts.identity.v1.keys_pb2_grpc import add_KeyIntakeServiceServicer_to_server
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.inventory.v1.inventory_pb2_grpc import (
    add_InventoryServiceServicer_to_server,
)
from holdfast.inventory.application.catalog.create_product import CreateProduct
from holdfast.inventory.application.catalog.update_product import UpdateProduct
from holdfast.inventory.application.locations.create_location import CreateLocation
from holdfast.inventory.application.locations.update_location import UpdateLocation
from holdfast.inventory.application.reservations.hear_orders import HearOrders
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.application.stock.change_stock import ChangeStock, StockChange
from holdfast.inventory.application.stock.check_availability import CheckAvailability
from holdfast.inventory.application.stock.explain_stock import ExplainStock
from holdfast.inventory.application.transfers.close_transfer import CloseTransfer
from holdfast.inventory.application.transfers.create_transfer import CreateTransfer
from holdfast.inventory.application.transfers.receive_transfer import ReceiveTransfer
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.ledger import Ledger
from holdfast.inventory.infrastructure.metrics import waiting_for_stock
from holdfast.inventory.infrastructure.store import Store
from holdfast.inventory.presentation.http import http_service
from holdfast.inventory.presentation.rights import RIGHTS
from holdfast.inventory.presentation.servicer import InventoryServicer
from holdfast.inventory.presentation.statuses import translate
from holdfast.inventory.presentation.subscriptions import (
    INVENTORY_TO_ORDERS,
    ORDERS_TO_INVENTORY,
    read,
)
from holdfast.inventory.presentation.transfers_servicer import TransferCases
from holdfast.inventory.settings import InventorySettings

BATCH_ITEMS_MAX = 1_000
QUEUE_ITEMS_MAX = 20_000
CROWD_ITEMS = 500
READ_ITEMS_MAX = 500
FORGET_EVERY_S = 600.0
SERVE_EVERY_S = 0.3  # who waits for stock gets it about so soon after it has come
SERVICE_NAME = inventory_pb2.DESCRIPTOR.services_by_name["InventoryService"].full_name
KEY_INTAKE_NAME = keys_pb2.DESCRIPTOR.services_by_name["KeyIntakeService"].full_name

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inventory:
    """The running service.

    :param address: of gRPC; "" where it serves only what `http` gives to `serving_http`.
    :param stop_serving: take no more calls over gRPC, and let those under way end; events go on
        moving. Done once, whoever asks; else at the end.
    """

    address: str
    relay: Relay
    http: Sequence[HttpService]
    stop_serving: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Components:
    """What has to be started and stopped."""

    servicer: InventoryServicer
    boundary: RpcBoundary
    feed: Feed
    leadership: Leadership
    relay: Relay
    loops: dict[str, Loop]
    parked: Callable[[], int]


def assemble(
    database: Database,
    broker: Broker,
    clock: Clock,
    admission: Admission,
    gate: Gate,
    feed_settings: FeedSettings = FEED_DEFAULTS,
) -> Components:
    """Make every object of the service."""
    queue = ORDERS_TO_INVENTORY.queue
    outbox, inbox = Outbox(database), Inbox(database, clock, queue)
    leadership = database.leadership("inventory", outbox.filled.set)
    feed = Feed(database, "inventory")
    relay = Relay(
        database, outbox, broker, clock, leadership, service="inventory", stamped=feed.stamped
    )
    store = Store(database, outbox, inbox, EventCodec(clock.new_id))
    boundary = RpcBoundary(translate, clock, admission, gate)
    hear_orders = HearOrders(store.begin, clock)
    change_stock = _changing_stock(store, clock)
    receiver = InboxReceiver(database, clock, queue=queue, read=read, handle=retrying(hear_orders))
    get_stock_info = Batcher(
        store.stock_infos,
        name="read stock",
        batch_items_max=READ_ITEMS_MAX,
        queue_items_max=QUEUE_ITEMS_MAX,
    )
    servicer = InventoryServicer(
        change_stock=change_stock,
        create_product=retrying(CreateProduct(store.begin, clock)),
        update_product=retrying(UpdateProduct(store.begin, clock)),
        create_location=retrying(CreateLocation(store.begin)),
        update_location=retrying(UpdateLocation(store.begin)),
        check_availability=CheckAvailability(store),
        explain_stock=ExplainStock(store, Ledger(database)),
        get_stock_info=get_stock_info,
        transfers=_transfers(store, clock),
        reader=store,
        clock=clock,
        feed=feed,
        boundary=boundary,
    )
    serve_backorders = retrying(ServeBackorders(store.begin, store, clock))
    waiting = waiting_for_stock(database.engine, clock)
    measure = Measuring(database, "inventory", queue, waiting, feed.measure)
    loops = feed.loops(clock, feed_settings, leadership) | {
        "inventory consumer": lambda: broker.consume(queue, receiver),
        "inventory relay": relay.run,
        "inventory stock changes": change_stock.run,
        "inventory reading": get_stock_info.run,
        "inventory serving back-orders": every(
            SERVE_EVERY_S, serve_backorders, leadership=leadership
        ),
        "inventory inbox pruning": every(FORGET_EVERY_S, inbox.forget_old),
        "inventory measuring": every(MEASURE_EVERY_S, measure),
        "inventory measuring the broker": measuring_broker(broker),
    }
    return Components(servicer, boundary, feed, leadership, relay, loops, measure.parked)


def _changing_stock(store: Store, clock: Clock) -> Batcher[StockChange, StockLevel]:
    return Batcher(
        retrying(ChangeStock(store.begin, clock)),
        name="change stock",
        batch_items_max=BATCH_ITEMS_MAX,
        queue_items_max=QUEUE_ITEMS_MAX,
        crowd_items=CROWD_ITEMS,
    )


def _transfers(store: Store, clock: Clock) -> TransferCases:
    return TransferCases(
        retrying(CreateTransfer(store.begin, clock, clock.new_id)),
        retrying(ReceiveTransfer(store.begin, clock, clock.new_id)),
        retrying(CloseTransfer(store.begin, clock)),
        clock.new_id,
    )


@asynccontextmanager
async def running(
    database: Database,
    broker: Broker,
    *,
    listen: str,
    identity: IdentitySettings,
    operator_key: SecretStr | None = None,
    port: PortSettings | None = None,
    feed_settings: FeedSettings = FEED_DEFAULTS,
    private: str = "",
    share_port: bool = False,
) -> AsyncIterator[Inventory]:
    """Serve while the block runs; database and broker are the caller's.

    :param listen: HOST:PORT of the gRPC server; "": there is none in this process.
    :param operator_key: the first key, to be good before Orders has told of it.
    :param private: another address to listen on; see `serving`.
    """
    port, clock = port or PortSettings(), SystemClock()
    house = identity_of(identity, database, clock, RIGHTS)
    await add_operator(house, operator_key, clock)
    await learn(house)
    admission = Admission(shared(port, worker_count()), port.tls_client_names)
    parts = assemble(database, broker, clock, admission, house.gate, feed_settings)

    def register(server: aio.Server) -> None:
        add_InventoryServiceServicer_to_server(parts.servicer, parts.boundary.around(server))
        add_KeyIntakeServiceServicer_to_server(
            KeyIntakeServicer(house), parts.boundary.around(server)
        )

    served = serving(
        listen,
        service=SERVICE_NAME,
        share_port=share_port,
        tls=port.tls,
        private=private,
        bus=broker,
        parked=parts.parked,
        also=[KEY_INTAKE_NAME],
        register=register,
    )
    loops = parts.loops | {"inventory keys": house.known.run}
    async with holding(parts.leadership), background(loops), AsyncExitStack() as at_end:
        at_end.push_async_callback(house.close)
        door = await at_end.enter_async_context(AsyncExitStack())
        address = (await door.enter_async_context(served)).address if listen else ""
        door.callback(parts.feed.close)  # whoever follows it would hold up the end
        if listen:
            log.info("inventory is ready", address=address)
        http = (http_service(parts.servicer, parts.boundary),)
        yield Inventory(address, parts.relay, http, door.aclose)


async def main(settings: InventorySettings) -> None:
    """Run the service on PostgreSQL and RabbitMQ until SIGTERM or SIGINT.

    :raises WrongSchema: the database needs `holdfast migrate` first.
    :raises AddressInUse: another program listens on an address.
    :raises TracesNotInstalled: traces are to be sent, and the extra for it is missing.
    """
    configure_logging(settings.log_level, for_good=True)
    broker = RabbitMQ(
        settings.broker.get_secret_value(), subscriptions=[ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS]
    )
    url = settings.database.get_secret_value()
    async with (
        until_signal(),
        admin(settings.admin, worker=worker_number()) as told,
        traced(settings.traces, settings.trace_ratio, "inventory"),
        AsyncExitStack() as at_end,
        connect(url) as database,
    ):
        at_end.push_async_callback(broker.close)
        await require_newest(database, "inventory")
        listen, http_listen = ("", settings.http) if is_http_worker() else (settings.listen, "")
        async with (
            running(
                database,
                broker,
                listen=listen,
                identity=settings,
                operator_key=settings.operator_key,
                port=settings,
                feed_settings=settings,
                share_port=is_worker(),
            ) as inventory,
            serving_http(http_listen, inventory.http, settings, share_port=True) as http,
        ):
            if http:
                log.info("inventory is ready for HTTP", address=http)
            with told.ready():
                await asyncio.Event().wait()  # until the signal
