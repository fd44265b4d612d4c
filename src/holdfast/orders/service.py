"""Orders put together: every object of the service is made here, top to bottom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from grpc import aio

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.clock import Clock, SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import require_newest
from holdfast.chassis.database.seam import Database, Leadership, retrying
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.channels import RenewingChannel
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.grpc.server import serving
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.messaging.broker import Broker
from holdfast.chassis.messaging.feed import FEED_DEFAULTS, Feed, FeedSettings
from holdfast.chassis.messaging.inbox import Inbox, InboxReceiver
from holdfast.chassis.messaging.measuring import MEASURE_EVERY_S, Measuring
from holdfast.chassis.messaging.outbox import Outbox, Relay
from holdfast.chassis.messaging.rabbitmq import RabbitMQ
from holdfast.chassis.process.admin import admin
from holdfast.chassis.process.lifecycle import (
    Loop,
    background,
    collect_garbage_seldom,
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
from holdfast.chassis.tls import TlsFiles
from holdfast.chassis.wakeups import Wakeups
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.orders.application.customers.erase_customer import EraseCustomer
from holdfast.orders.application.customers.export_customer import ExportCustomer
from holdfast.orders.application.customers.update_customer import UpdateCustomer
from holdfast.orders.application.ordering.cancel_order import CancelOrder
from holdfast.orders.application.ordering.change_orders import ChangeOrders, Command
from holdfast.orders.application.ordering.chase_orders import ChaseOrders
from holdfast.orders.application.ordering.edit_orders import EditCommand, EditOrders
from holdfast.orders.application.ordering.end_holds import EndHolds
from holdfast.orders.application.ordering.extend_hold import ExtendHold
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from holdfast.orders.application.ordering.place_orders import PlaceOrder, PlaceOrders
from holdfast.orders.application.ordering.send_notifications import SendNotifications
from holdfast.orders.application.ordering.update_order import UpdateOrder
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.application.shipping.move_goods import GoodsCommand, MoveGoods
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.infrastructure.customers.reader import ProfileReader
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.infrastructure.log_notifier import LogNotifier
from holdfast.orders.infrastructure.metrics import pending_orders
from holdfast.orders.infrastructure.ordering.inventory_client import GrpcStockCheck, open_channel
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.store import Store
from holdfast.orders.presentation.http import http_service
from holdfast.orders.presentation.servicer import OrderServicer
from holdfast.orders.presentation.statuses import translate
from holdfast.orders.presentation.subscriptions import (
    INVENTORY_TO_ORDERS,
    ORDERS_TO_INVENTORY,
    read,
)
from holdfast.orders.settings import Limits, OrdersSettings

BATCH_ITEMS_MAX = 1_000
CROWD_ITEMS = 200
QUEUE_ITEMS_MAX = 20_000
READ_ITEMS_MAX = 200
CHASE_EVERY_S = 5.0
HOLDS_EVERY_S = 0.2
NOTIFY_EVERY_S = 0.5
FORGET_EVERY_S = 600.0
SERVICE_NAME = orders_pb2.DESCRIPTOR.services_by_name["OrderService"].full_name

Check = Callable[[], Awaitable[bool]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Orders:
    """The running service.

    :param address: of gRPC; "" where it serves only what `http` gives to `serving_http`.
    """

    address: str
    http: HttpService


@dataclass(frozen=True, slots=True)
class Components:
    """What has to be started and stopped."""

    servicer: OrderServicer
    boundary: RpcBoundary
    signals: Wakeups
    feed: Feed
    leadership: Leadership
    finished: Check
    broker: Broker
    loops: dict[str, Loop]


def assemble(
    database: Database,
    broker: Broker,
    channel: aio.Channel | RenewingChannel,
    clock: Clock,
    limits: Limits,
    admission: Admission,
    feed_settings: FeedSettings = FEED_DEFAULTS,
) -> Components:
    """Make every object of the service.

    :param channel: to Inventory, for the stock check.
    """
    queue = INVENTORY_TO_ORDERS.queue
    outbox, inbox, signals = Outbox(database), Inbox(database, clock, queue), Wakeups()
    leadership = database.leadership("orders", outbox.filled.set)
    feed = Feed(database, "orders")
    relay = _relay(database, outbox, broker, clock, leadership, limits, feed)
    store = Store(database, outbox, inbox, EventCodec(clock.new_id), signals.call)
    reader, profiles = Reader(database), ProfileReader(database)
    boundary = RpcBoundary(translate, clock, admission)
    stock_check = GrpcStockCheck(channel)
    place = PlaceOrders(store.begin, reader, stock_check, clock, relay)
    edits = EditOrders(store.begin, reader, stock_check, clock)
    batches = _batches(store, reader, clock, place, edits, stock_check)
    hear_inventory = retrying(HearInventory(store.begin, clock))
    chase = ChaseOrders(store.begin, clock, relay, late_s=limits.late_s, expire_s=limits.expire_s)
    notify = SendNotifications(reader, LogNotifier(), clock)
    pending = pending_orders(database.engine, clock)
    measure = Measuring(database, "orders", queue, pending, feed.measure)
    receiver = InboxReceiver(database, clock, queue=queue, read=read, handle=hear_inventory)
    servicer = OrderServicer(
        place_orders=batches.place_orders,
        use_cases=_use_cases(store, reader, profiles, clock, batches, edits),
        watch_order=WatchOrder(batches.get_order.submit, reader.edits, signals),
        get_order=batches.get_order,
        reader=reader,
        customers=profiles,
        feed=feed,
        boundary=boundary,
        new_id=clock.new_id,
    )
    loops = (
        batches.loops()
        | feed.loops(clock, feed_settings, leadership)
        | {
            "orders consumer": lambda: broker.consume(queue, receiver),
            "orders relay": relay.run,
            "orders chasing": every(CHASE_EVERY_S, retrying(chase)),
            "orders ending holds": every(
                HOLDS_EVERY_S, retrying(EndHolds(store.begin, reader, clock))
            ),
            "orders notifying": every(NOTIFY_EVERY_S, notify, leadership=leadership),
            "orders inbox pruning": every(FORGET_EVERY_S, inbox.forget_old),
            "orders measuring": every(MEASURE_EVERY_S, measure),
        }
    )
    finished = _finished(notify, relay)
    return Components(servicer, boundary, signals, feed, leadership, finished, broker, loops)


def _finished(notify: SendNotifications, relay: Relay) -> Check:
    async def finished() -> bool:
        """Send what is unsent; tell whether nothing waits any more."""
        return not await notify() and await relay.is_empty()

    return finished


def _relay(
    database: Database,
    outbox: Outbox,
    broker: Broker,
    clock: Clock,
    leadership: Leadership,
    limits: Limits,
    feed: Feed,
) -> Relay:
    return Relay(
        database,
        outbox,
        broker,
        clock,
        leadership,
        service="orders",
        stamped=feed.stamped,
        events_max=limits.outbox_events_max,
        age_s_max=limits.outbox_age_s_max,
    )


class _Batches(NamedTuple):
    """How orders are placed, read, changed and edited, and how their goods move."""

    place_orders: Batcher[PlaceOrder, OrderState]
    get_order: Batcher[str, Order | None]
    change_orders: Batcher[Command, None]
    edit_orders: Batcher[EditCommand, None]
    move_goods: Batcher[GoodsCommand, Order]

    def loops(self) -> dict[str, Loop]:
        return {
            "orders placing": self.place_orders.run,
            "orders reading": self.get_order.run,
            "orders changing": self.change_orders.run,
            "orders editing": self.edit_orders.run,
            "orders moving goods": self.move_goods.run,
        }


def _batches(
    store: Store,
    reader: Reader,
    clock: Clock,
    place: PlaceOrders,
    edits: EditOrders,
    stock_check: GrpcStockCheck,
) -> _Batches:
    change = retrying(ChangeOrders(store.begin, clock))
    move_goods = MoveGoods(store.begin, reader, stock_check, clock)
    limits = {"batch_items_max": READ_ITEMS_MAX, "queue_items_max": QUEUE_ITEMS_MAX}
    return _Batches(
        Batcher(
            retrying(place),
            name="place orders",
            batch_items_max=BATCH_ITEMS_MAX,
            queue_items_max=QUEUE_ITEMS_MAX,
            crowd_items=CROWD_ITEMS,
        ),
        Batcher(reader.details, name="read orders", **limits),
        Batcher(change, name="change orders", **limits),
        Batcher(retrying(edits), name="edit orders", **limits),
        Batcher(retrying(move_goods), name="move goods", **limits),
    )


def _use_cases(
    store: Store,
    reader: Reader,
    profiles: ProfileReader,
    clock: Clock,
    batches: _Batches,
    edits: EditOrders,
) -> UseCases:
    return UseCases(
        cancel_order=retrying(CancelOrder(store.begin, clock)),
        update_order=retrying(UpdateOrder(store.begin, clock)),
        extend_hold=retrying(ExtendHold(store.begin, clock)),
        edit_order=batches.edit_orders.submit,
        preview_edit=edits.preview,
        move_goods=batches.move_goods.submit,
        change_order=batches.change_orders.submit,
        update_customer=retrying(UpdateCustomer(store.begin, clock)),
        erase_customer=retrying(EraseCustomer(store.begin, clock)),
        export_customer=ExportCustomer(profiles, reader),
    )


async def at_once(_finished: Check) -> None:
    """What is left goes on at the next start."""


@asynccontextmanager
async def running(
    database: Database,
    broker: Broker,
    *,
    inventory: str,
    listen: str,
    limits: Limits,
    inventory_tls: TlsFiles | None = None,
    port: PortSettings | None = None,
    feed_settings: FeedSettings = FEED_DEFAULTS,
    share_port: bool = False,
    finish: Callable[[Check], Awaitable[None]] = at_once,
) -> AsyncIterator[Orders]:
    """Serve while the block runs; database and broker are the caller's.

    :param inventory: address of Inventory's gRPC server, for the stock check.
    :param inventory_tls: certificates for the way there; None: without TLS.
    :param listen: HOST:PORT of the gRPC server; "": there is none in this process.
    :param finish: awaited at the end, when no call can come any more and the events still move;
        what it is given tells whether nothing waits any more.
    """
    port = port or PortSettings()
    async with open_channel(inventory, inventory_tls) as channel:
        admission = Admission(shared(port, worker_count()), port.tls_client_names)
        parts = assemble(database, broker, channel, SystemClock(), limits, admission, feed_settings)
        async with (
            holding(parts.leadership),
            background(parts.loops),
            AsyncExitStack() as at_end,
        ):
            at_end.push_async_callback(finish, parts.finished)
            served = _served(parts, listen, port.tls, share_port)
            address = await at_end.enter_async_context(served)
            yield Orders(address, http_service(parts.servicer, parts.boundary))


@asynccontextmanager
async def _served(
    parts: Components, listen: str, tls: TlsFiles | None, share_port: bool
) -> AsyncIterator[str]:
    served = serving(
        listen,
        service=SERVICE_NAME,
        share_port=share_port,
        tls=tls,
        bus=parts.broker,
        register=lambda server: add_OrderServiceServicer_to_server(
            parts.servicer, parts.boundary.around(server)
        ),
    )
    async with AsyncExitStack() as at_end:
        address = (await at_end.enter_async_context(served)).address if listen else ""
        if listen:
            log.info("orders is ready", address=address)
        try:
            yield address
        finally:
            parts.signals.close()  # whoever watches an order would hold up the end
            parts.feed.close()  # and so would who follows the feed


async def main(settings: OrdersSettings) -> None:
    """Run the service on PostgreSQL and RabbitMQ until SIGTERM or SIGINT.

    :raises WrongSchema: the database needs `holdfast migrate` first.
    :raises AddressInUse: another program listens on an address.
    :raises TracesNotInstalled: traces are to be sent, and the extra for it is missing.
    """
    configure_logging(settings.log_level, for_good=True)
    collect_garbage_seldom()
    broker = RabbitMQ(
        settings.broker.get_secret_value(), subscriptions=[ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS]
    )
    url = settings.database.get_secret_value()
    async with (
        until_signal(),
        admin(settings.admin, worker=worker_number()) as told,
        traced(settings.traces, settings.trace_ratio, "orders"),
        AsyncExitStack() as at_end,
        connect(url) as database,
    ):
        at_end.push_async_callback(broker.close)
        await require_newest(database, "orders")
        listen, http_listen = ("", settings.http) if is_http_worker() else (settings.listen, "")
        async with (
            running(
                database,
                broker,
                inventory=settings.inventory,
                listen=listen,
                limits=settings,
                inventory_tls=settings.inventory_tls,
                port=settings,
                feed_settings=settings,
                share_port=is_worker(),
            ) as orders,
            serving_http(http_listen, [orders.http], tls=settings.tls, share_port=True) as http,
        ):
            if http:
                log.info("orders is ready for HTTP", address=http)
            with told.ready():
                await asyncio.Event().wait()  # until the signal
