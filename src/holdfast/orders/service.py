"""Orders put together: every object of the service is made here, top to bottom."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from grpc import aio
from pydantic import SecretStr

from holdfast.chassis.clock import Clock, SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import require_newest
from holdfast.chassis.database.seam import Database, Leadership, retrying
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.channels import RenewingChannel, open_channel
from holdfast.chassis.grpc.rpc_boundary import Gate, RpcBoundary
from holdfast.chassis.grpc.server import serving
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.guesses import Guesses
from holdfast.chassis.identity.house import (
    ORDERS,
    Identity,
    add_operator,
    identity_of,
    learn,
    service_key,
)
from holdfast.chassis.identity.passwords import PASSWORD_DEFAULTS, Passwords, PasswordSettings
from holdfast.chassis.identity.servicer import KeyOfferServicer, KeyServicer
from holdfast.chassis.identity.settings import IdentitySettings
from holdfast.chassis.identity.telling import key_loops
from holdfast.chassis.identity.user_servicer import UserServicer
from holdfast.chassis.identity.users import Users
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
from holdfast.chassis.tls import TlsFiles
from holdfast.chassis.wakeups import Wakeups
from holdfast.contracts.identity.v1 import keys_pb2, users_pb2
from holdfast.contracts.identity.v1.keys_pb2_grpc import (
    add_KeyOfferServiceServicer_to_server,
    add_KeyServiceServicer_to_server,
)
from holdfast.contracts.identity.v1.users_pb2_grpc import add_UserServiceServicer_to_server
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server
from holdfast.orders.application.ordering.chase_orders import ChaseOrders
from holdfast.orders.application.ordering.edit_orders import EditOrders
from holdfast.orders.application.ordering.end_holds import EndHolds
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from holdfast.orders.application.ordering.place_orders import PlaceOrders
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.batches import batches_of, use_cases_of
from holdfast.orders.domain.shipping.paid_first import PaidFirst
from holdfast.orders.infrastructure.customers.reader import ProfileReader
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.infrastructure.metrics import holds, pending_orders
from holdfast.orders.infrastructure.ordering.figures import Counter
from holdfast.orders.infrastructure.ordering.inventory_client import GrpcStockCheck
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.store import Store
from holdfast.orders.presentation.http import http_service, key_http_service, user_http_service
from holdfast.orders.presentation.rights import RIGHTS
from holdfast.orders.presentation.servicer import OrderServicer
from holdfast.orders.presentation.statuses import translate
from holdfast.orders.presentation.subscriptions import (
    INVENTORY_TO_ORDERS,
    ORDERS_TO_INVENTORY,
    read,
)
from holdfast.orders.settings import Limits, OrdersSettings

CHASE_EVERY_S = 5.0
HOLDS_EVERY_S = 0.2
FORGET_EVERY_S = 600.0
SERVICE_NAME = orders_pb2.DESCRIPTOR.services_by_name["OrderService"].full_name
ALSO = [
    keys_pb2.DESCRIPTOR.services_by_name["KeyService"].full_name,
    keys_pb2.DESCRIPTOR.services_by_name["KeyOfferService"].full_name,
    users_pb2.DESCRIPTOR.services_by_name["UserService"].full_name,
]

Check = Callable[[], Awaitable[bool]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Orders:
    """The running service.

    :param address: of gRPC; "" where it serves only what `http` gives to `serving_http`.
    """

    address: str
    http: Sequence[HttpService]


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
    parked: Callable[[], int]


class Servicers(NamedTuple):
    """Those beside that of orders: of who calls."""

    keys: KeyServicer
    offer: KeyOfferServicer
    users: UserServicer


def assemble(
    database: Database,
    broker: Broker,
    channel: aio.Channel | RenewingChannel,
    clock: Clock,
    limits: Limits,
    admission: Admission,
    gate: Gate,
    service_key: str = "",
    feed_settings: FeedSettings = FEED_DEFAULTS,
) -> Components:
    """Make every object of the service.

    :param channel: to Inventory, for the stock check.
    :param service_key: by which Inventory knows who asks; "": it does not want to know.
    """
    queue = INVENTORY_TO_ORDERS.queue
    outbox, inbox, signals = Outbox(database), Inbox(database, clock, queue), Wakeups()
    leadership = database.leadership("orders", outbox.filled.set)
    feed = Feed(database, "orders")
    relay = _relay(database, outbox, broker, clock, leadership, limits, feed)
    store = Store(database, outbox, inbox, EventCodec(clock.new_id), signals.call)
    reader, profiles, counter = Reader(database), ProfileReader(database), Counter(database)
    boundary = RpcBoundary(translate, clock, admission, gate)
    stock_check = GrpcStockCheck(channel, service_key)
    place = PlaceOrders(store.record_orders, reader, stock_check, clock, relay)
    edits = EditOrders(store.begin, reader, stock_check, clock)
    paid_first = PaidFirst(limits.ship_requires)
    batches = batches_of(store, reader, clock, place, edits, stock_check, paid_first)
    hear_inventory = retrying(HearInventory(store.begin, clock))
    chase = ChaseOrders(store.begin, clock, relay, late_s=limits.late_s, expire_s=limits.expire_s)
    looks = pending_orders(database.engine, clock), holds(database.engine, clock), feed.measure
    measure = Measuring(database, "orders", queue, *looks)
    receiver = InboxReceiver(database, clock, queue=queue, read=read, handle=hear_inventory)
    servicer = OrderServicer(
        place_orders=batches.place_orders,
        use_cases=use_cases_of(store, reader, profiles, counter, clock, batches, edits),
        watch_order=WatchOrder(batches.get_order.submit, reader.edits, signals),
        get_order=batches.get_order,
        reader=reader,
        customers=profiles,
        feed=feed,
        boundary=boundary,
        new_id=clock.new_id,
    )
    loops = batches.loops() | feed.loops(clock, feed_settings, leadership)
    loops |= {
        "orders consumer": lambda: broker.consume(queue, receiver),
        "orders relay": relay.run,
        "orders chasing": every(CHASE_EVERY_S, retrying(chase)),
        "orders ending holds": every(HOLDS_EVERY_S, retrying(EndHolds(store.begin, reader, clock))),
        "orders inbox pruning": every(FORGET_EVERY_S, inbox.forget_old),
        "orders measuring": every(MEASURE_EVERY_S, measure),
        "orders measuring the broker": measuring_broker(broker),
    }
    told = signals, feed, leadership, relay.is_empty, broker
    return Components(servicer, boundary, *told, loops, measure.parked)


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
    identity: IdentitySettings,
    operator_key: SecretStr | None = None,
    passwords: PasswordSettings = PASSWORD_DEFAULTS,
    inventory_tls: TlsFiles | None = None,
    port: PortSettings | None = None,
    feed_settings: FeedSettings = FEED_DEFAULTS,
    private: str = "",
    share_port: bool = False,
    finish: Callable[[Check], Awaitable[None]] = at_once,
) -> AsyncIterator[Orders]:
    """Serve while the block runs; database and broker are the caller's.

    :param inventory: address of Inventory's gRPC server, for the stock check.
    :param operator_key: the first key, which may do everything; see `OperatorSettings`.
    :param passwords: what those of users cost.
    :param inventory_tls: certificates for the way there; None: without TLS.
    :param listen: HOST:PORT of the gRPC server; "": there is none in this process.
    :param private: another address to listen on; see `serving`.
    :param finish: awaited at the end, when no call can come any more and the events still move;
        what it is given tells whether nothing waits any more.
    """
    port, clock = port or PortSettings(), SystemClock()
    house = identity_of(identity, database, clock, RIGHTS)
    await add_operator(house, operator_key, clock)
    await learn(house)
    async with open_channel(inventory, inventory_tls) as channel:
        admission = Admission(shared(port, worker_count()), port.tls_client_names)
        parts = assemble(
            database,
            broker,
            channel,
            clock,
            limits,
            admission,
            house.gate,
            service_key(identity, ORDERS),
            feed_settings,
        )
        kept = Passwords(passwords, house.pepper)
        servicers = _servicers(house, Users(house, database, kept, clock, Guesses()), clock)
        async with (
            holding(parts.leadership),
            background(parts.loops | key_loops(house, channel, identity, parts.leadership)),
            AsyncExitStack() as at_end,
        ):
            at_end.push_async_callback(house.close)
            at_end.callback(kept.close)
            at_end.push_async_callback(finish, parts.finished)
            served = _served(parts, servicers, listen, private, port.tls, share_port)
            address = await at_end.enter_async_context(served)
            yield Orders(address, _http(parts, servicers))


def _servicers(house: Identity, users: Users, clock: Clock) -> Servicers:
    return Servicers(KeyServicer(house, clock), KeyOfferServicer(house), UserServicer(users))


def _http(parts: Components, also: Servicers) -> tuple[HttpService, ...]:
    return (
        http_service(parts.servicer, parts.boundary),
        key_http_service(also.keys, parts.boundary),
        user_http_service(also.users, parts.boundary),
    )


@asynccontextmanager
async def _served(
    parts: Components,
    also: Servicers,
    listen: str,
    private: str,
    tls: TlsFiles | None,
    share_port: bool,
) -> AsyncIterator[str]:
    def register(server: aio.Server) -> None:
        add_OrderServiceServicer_to_server(parts.servicer, parts.boundary.around(server))
        add_KeyServiceServicer_to_server(also.keys, parts.boundary.around(server))
        add_KeyOfferServiceServicer_to_server(also.offer, parts.boundary.around(server))
        add_UserServiceServicer_to_server(also.users, parts.boundary.around(server))

    served = serving(
        listen,
        service=SERVICE_NAME,
        also=ALSO,
        share_port=share_port,
        tls=tls,
        private=private,
        bus=parts.broker,
        parked=parts.parked,
        register=register,
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
                identity=settings,
                operator_key=settings.operator_key,
                passwords=settings,
                inventory_tls=settings.inventory_tls,
                port=settings,
                feed_settings=settings,
                share_port=is_worker(),
            ) as orders,
            serving_http(http_listen, orders.http, settings, share_port=True) as http,
        ):
            if http:
                log.info("orders is ready for HTTP", address=http)
            with told.ready():
                await asyncio.Event().wait()  # until the signal
