"""The use cases of both services on two real databases and a local broker, without any server."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count

import pytest

from holdfast.chassis import failpoints
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database, instant, retrying
from holdfast.chassis.messaging import sql as messages
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.inbox import Inbox, InboxReceiver
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.messaging.outbox import Outbox, Relay
from holdfast.chassis.money import DIGITS
from holdfast.inventory.application.catalog.create_product import CreateProduct
from holdfast.inventory.application.reservations.hear_orders import HearOrders, StockQuestion
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.application.stock.change_stock import ChangeStock, SetOnHand, StockChange
from holdfast.inventory.domain.caller import Caller as InventoryCaller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.reservations.reservation import Wanted
from holdfast.inventory.infrastructure import events_to_proto as inventory_codec
from holdfast.inventory.infrastructure import store as inventory_store
from holdfast.inventory.presentation import subscriptions as inventory_subscriptions
from holdfast.orders.application.ordering.cancel_order import CancelOrder
from holdfast.orders.application.ordering.change_orders import ChangeOrders
from holdfast.orders.application.ordering.chase_orders import ChaseOrders
from holdfast.orders.application.ordering.edit_orders import EditOrders
from holdfast.orders.application.ordering.hear_inventory import HeardAnswer, HearInventory
from holdfast.orders.application.ordering.place_orders import AskedLine, PlaceOrder, PlaceOrders
from holdfast.orders.application.ordering.update_order import UpdateOrder
from holdfast.orders.application.ports import ProductStock, StockAdvice
from holdfast.orders.application.shipping.move_goods import MoveGoods
from holdfast.orders.domain.caller import Caller, OrderRef
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import InventoryUnavailable, Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer
from holdfast.orders.infrastructure import events_to_proto as orders_codec
from holdfast.orders.infrastructure.ordering import store as orders_store
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.presentation import subscriptions as orders_subscriptions
from tests.contract.conftest import CountingDatabase, NewDatabase, SteadyClock

ANNA, BOB = Caller("anna"), InventoryCaller("bob")
LATE_S, EXPIRE_S = 30.0, 3_600.0

_events = count(1)


class DirectStockCheck:
    """The stock check without gRPC between: Inventory's own answer, from its own tables."""

    def __init__(self, inventory: inventory_store.Store) -> None:
        self._inventory = inventory
        self.away = False
        self.asked = 0

    async def ask(
        self, product_ids: Collection[str], location_ids: Collection[str] = ()
    ) -> StockAdvice:
        self.asked += 1
        if self.away:
            raise InventoryUnavailable("told to be away")
        found = await self._inventory.stock_info(product_ids)
        locations = await self._inventory.locations_named(location_ids) if location_ids else {}
        products = {
            product_id: ProductStock(
                Money(info.product.currency, info.product.price_minor),
                DIGITS[info.product.currency],
                info.product.active,
                info.available,
                info.queue.room,
            )
            for product_id, info in found.items()
        }
        return StockAdvice(products, {one.location_id: one.active for one in locations.values()})


class TwoServices:
    """Orders and Inventory; events move only when told to."""

    def __init__(
        self, orders: Database, inventory: Database, clock: SteadyClock, urls: list[str]
    ) -> None:
        self.clock, self.urls = clock, urls
        self.orders, self.inventory = CountingDatabase(orders), CountingDatabase(inventory)
        self.broker = LocalBroker([ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])
        self._wire_inventory()
        self._wire_orders()

    def _wire_inventory(self) -> None:
        database, clock = self.inventory, self.clock
        outbox, inbox = Outbox(database), Inbox(database, clock, "queue")
        codec = inventory_codec.EventCodec(clock.new_id)
        self.stock = inventory_store.Store(database, outbox, inbox, codec)
        self.change_stock = retrying(ChangeStock(self.stock.begin, clock))
        self.create_product = CreateProduct(self.stock.begin, clock)
        self.hear_orders = retrying(HearOrders(self.stock.begin, clock))
        self.serve_backorders = retrying(ServeBackorders(self.stock.begin, self.stock, clock))
        self.inventory_receiver = InboxReceiver(
            database,
            clock,
            queue=ORDERS_TO_INVENTORY.queue,
            read=inventory_subscriptions.read,
            handle=self.hear_orders,
        )
        self.inventory_relay = Relay(
            database,
            outbox,
            self.broker,
            clock,
            database.leadership("inventory"),
            service="inventory",
        )

    def _wire_orders(self) -> None:
        database, clock = self.orders, self.clock
        outbox, inbox = Outbox(database), Inbox(database, clock, "queue")
        codec = orders_codec.EventCodec(clock.new_id)
        self.store = orders_store.Store(database, outbox, inbox, codec, lambda _ids: None)
        self.begin = begin = self.store.begin
        leadership = database.leadership("orders")
        self.orders_relay = Relay(
            database,
            outbox,
            self.broker,
            clock,
            leadership,
            service="orders",
            events_max=1_000,
            age_s_max=60,
        )
        self.reader = Reader(database)
        self.stock_check = DirectStockCheck(self.stock)
        self.place_orders = retrying(
            PlaceOrders(
                self.store.record_orders, self.reader, self.stock_check, clock, self.orders_relay
            )
        )
        self.cancel = CancelOrder(begin, clock)
        self.update = UpdateOrder(begin, clock)
        self.edits = EditOrders(begin, self.reader, self.stock_check, clock)
        self.edit_orders = retrying(self.edits)
        self.change_orders = retrying(ChangeOrders(begin, clock))
        self.move_goods = retrying(MoveGoods(begin, self.reader, self.stock_check, clock))
        self.chase = ChaseOrders(begin, clock, self.orders_relay, late_s=LATE_S, expire_s=EXPIRE_S)
        self.hear_inventory = retrying(HearInventory(begin, clock))
        self.orders_receiver = InboxReceiver(
            database,
            clock,
            queue=INVENTORY_TO_ORDERS.queue,
            read=orders_subscriptions.read,
            handle=self.hear_inventory,
        )

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """Let both services receive what the relays publish."""
        loops = [
            self.broker.consume(ORDERS_TO_INVENTORY.queue, self.inventory_receiver),
            self.broker.consume(INVENTORY_TO_ORDERS.queue, self.orders_receiver),
        ]
        tasks = [asyncio.ensure_future(loop) for loop in loops]
        await asyncio.sleep(0)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def deliver(self) -> None:
        """Publish until nothing is under way."""
        async with self.consuming():
            while not (
                await self.orders_relay.is_empty() and await self.inventory_relay.is_empty()
            ):
                await self.orders_relay.relay_batch()
                await self.inventory_relay.relay_batch()

    async def serve(self) -> None:
        """Promise what is free to those who wait for it; nobody hears of it yet."""
        while await self.serve_backorders():
            pass

    async def supply(self, **quantities: int) -> None:
        """Make products at 3.50 with so many units of each."""
        for product_id in quantities:
            await self.create_product(Product(product_id, "", "", "GBP", 350, active=True))
        changes: list[StockChange] = [
            SetOnHand(product_id, MAIN_LOCATION, quantity, None, "", "", BOB)
            for product_id, quantity in quantities.items()
        ]
        await self.change_stock(changes)

    async def place(self, *requests: PlaceOrder) -> list[OrderState]:
        """Place orders that must all be recorded."""
        outcomes = await self.place_orders(requests)
        return [outcome for outcome in outcomes if isinstance(outcome, OrderState)]

    async def order(self, order_id: str) -> Order:
        (order,) = await self.reader.details([order_id])
        assert order is not None
        return order

    async def named(self, ref: OrderRef) -> Order | None:
        (order,) = await self.reader.named([ref])
        return order

    async def confirmed(self, request: PlaceOrder) -> Order:
        """Place an order and let its stock be decided."""
        (placed,) = await self.place(request)
        await self.deliver()
        return await self.order(placed.order_id)

    async def statuses(self, *orders: OrderState) -> list[str]:
        return [str((await self.order(order.order_id)).state.status) for order in orders]

    async def reserved(self, product_id: str) -> int:
        return (await self.stock.stock_info([product_id]))[product_id].reserved

    async def told(self, database: Database) -> list[tuple[str, str]]:
        """What waits in an outbox: types and subjects, in order."""
        async with database.read() as reading:
            rows = await reading.fetch("SELECT type, subject FROM outbox ORDER BY position")
        return [(row["type"].rpartition(".")[2], row["subject"]) for row in rows]

    async def waiting(self, database: Database) -> list[Event]:
        """The events of an outbox, as a relay would publish them."""
        async with database.read() as reading:
            rows = await reading.fetch("SELECT * FROM outbox ORDER BY position")
        names = "event_id type subject sequence data traceparent".split()
        return [
            Event(**{name: row[name] for name in names}, time=instant(row["happened_at"]))
            for row in rows
        ]

    async def forget_told(self, database: Database) -> None:
        """Let all that was told have left; the other service has not heard it."""
        async with database.read() as reading:
            rows = await reading.fetch("SELECT position FROM outbox")
        stamp = messages.SQL[database.engine].STAMP_EVENTS
        await database.execute(stamp, [row["position"] for row in rows])


def asks(request_id: str, customer_id: str = "c-1", **quantities: int) -> PlaceOrder:
    lines = tuple(AskedLine(product_id, n, None) for product_id, n in quantities.items())
    return PlaceOrder(request_id, customer_id, lines, Customer(), ANNA)


@contextmanager
def failing_at(failpoint: str) -> Iterator[None]:
    """Transactions end at this point while the block runs."""

    async def fail(point: str) -> None:
        if point == failpoint:
            raise RuntimeError("the transaction ends here")

    failpoints.arm(fail)
    try:
        yield
    finally:
        failpoints.arm(None)


def reserve(
    order_id: str, *, revision: int = 1, event_id: str = "", **demand: int
) -> StockQuestion:
    """What an order wants to hold from now on."""
    wanted = Wanted(order_id, revision, demand, over=False)
    return StockQuestion(event_id or f"event {next(_events)}", wanted, "", BOB)


def release(order_id: str, *, revision: int = 2, event_id: str = "") -> StockQuestion:
    """An order is over."""
    wanted = Wanted(order_id, revision, {}, over=True)
    return StockQuestion(event_id or f"event {next(_events)}", wanted, "cancelled", BOB)


def answer(
    order_id: str,
    *shortages: Shortage,
    revision: int = 1,
    sequence: int = 1,
    event_id: str = "",
    **held: int,
) -> HeardAnswer:
    """What Inventory holds for an order after a question."""
    stock = tuple(HeldStock(name, MAIN_LOCATION, units) for name, units in held.items())
    told = StockAnswer(order_id, sequence, revision, stock, shortages)
    return HeardAnswer(event_id or f"event {next(_events)}", told, ANNA)


ORDERS_TO_INVENTORY = orders_subscriptions.ORDERS_TO_INVENTORY
INVENTORY_TO_ORDERS = orders_subscriptions.INVENTORY_TO_ORDERS


@pytest.fixture
def urls(new_database: NewDatabase) -> list[str]:
    return [new_database("orders"), new_database("inventory")]


@pytest.fixture
async def shop(urls: list[str], clock: SteadyClock) -> AsyncIterator[TwoServices]:
    async with connect(urls[0]) as orders, connect(urls[1]) as inventory:
        yield TwoServices(orders, inventory, clock, urls)
