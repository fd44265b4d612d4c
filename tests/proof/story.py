"""The real use cases of both services, driven call by call, with the history that callers keep."""

from itertools import count

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.broker import Event
from holdfast.inventory.application.stock.change_stock import AdjustOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.errors import BelowReserved
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.orders.domain.errors import IllegalTransition, RequestIdReused, ShortOfStock
from holdfast.orders.domain.ordering.order import OrderState
from proof.checker import RunRecord
from proof.history import History
from proof.observed_events import observed_event
from proof.sampling import sample_of
from proof.snapshot import ObservedEvent
from proof.snapshot_reading import snapshot_of
from tests.integration.two_services import ANNA, BOB, EXPIRE_S, LATE_S, TwoServices, asks

CODES = {
    BelowReserved: "FAILED_PRECONDITION",
    IllegalTransition: "FAILED_PRECONDITION",
    ShortOfStock: "FAILED_PRECONDITION",
    RequestIdReused: "ALREADY_EXISTS",
}


class Story:
    """Calls the use cases and writes down what callers would; sees every event on its way."""

    def __init__(self, shop: TwoServices) -> None:
        self.shop = shop
        self._ticks = count(1)
        self.history = History(lambda: float(next(self._ticks)))
        self.observed_events: list[ObservedEvent] = []

    async def product(self, product_id: str, units: int) -> None:
        await self.shop.create_product(Product(product_id, "", "", "GBP", 350, active=True))
        await self.adjust(f"supply-{product_id}", product_id, units)

    async def adjust(self, request_id: str, product_id: str, delta: int) -> None:
        facts = {"request_id": request_id, "product_id": product_id, "delta": delta}
        number = self.history.invoke("merchant", "UpdateStock", facts)
        change = AdjustOnHand(product_id, MAIN_LOCATION, delta, "", "", request_id, BOB)
        (outcome,) = await self.shop.change_stock([change])
        if isinstance(outcome, StockLevel):
            units = {"on_hand": outcome.on_hand, "reserved": outcome.reserved}
            self.history.ok(number, {**units, "available": outcome.available})
        else:
            self.history.refused(number, CODES[type(outcome)])

    async def create(self, request_id: str, **units: int) -> str:
        """Place an order; return its id, or nothing if it was refused."""
        lines = [[product_id, quantity] for product_id, quantity in units.items()]
        facts = {"customer_id": "c-1", "request_id": request_id, "lines": lines}
        number = self.history.invoke("anna", "CreateOrder", facts)
        (outcome,) = await self.shop.place_orders([asks(request_id, "c-1", **units)])
        if not isinstance(outcome, OrderState):
            self.history.refused(number, CODES[type(outcome)])
            return ""
        value = {"order_id": outcome.order_id, "status": str(outcome.status)}
        self.history.ok(number, value)
        return outcome.order_id

    async def cancel(self, order_id: str) -> None:
        number = self.history.invoke("anna", "CancelOrder", {"order_id": order_id})
        try:
            await self.shop.cancel(order_id, "changed my mind", ANNA)
        except IllegalTransition:
            self.history.refused(number, "FAILED_PRECONDITION")
        else:
            order = await self.shop.order(order_id)
            self.history.ok(number, {"order_id": order_id, "status": str(order.state.status)})

    async def update(self, order_id: str, version: int) -> None:
        number = self.history.invoke("anna", "UpdateOrder", {"order_id": order_id})
        await self.shop.update(order_id, version, {"name": "Anna"}, {}, ANNA)
        status = str((await self.shop.order(order_id)).state.status)
        told = {"order_id": order_id, "status": status, "version": version + 1}
        self.history.ok(number, told)

    async def read(self, order_id: str) -> None:
        number = self.history.invoke("anna", "GetOrderDetails", {"order_id": order_id})
        order = await self.shop.order(order_id)
        self.history.ok(
            number,
            {
                "order_id": order_id,
                "status": str(order.state.status),
                "version": order.state.version,
                "lines": [[line.product_id, line.quantity] for line in order.lines],
                "total_minor": order.total.minor,
            },
        )

    async def look(self, product_id: str) -> None:
        number = self.history.invoke("anna", "GetStockInfo", {"product_id": product_id})
        info = (await self.shop.stock.stock_info([product_id]))[product_id]
        units = {"on_hand": info.on_hand, "reserved": info.reserved}
        self.history.ok(number, {**units, "available": info.on_hand - info.reserved})

    async def deliver(self) -> None:
        """Publish until nothing is under way, and watch it."""
        shop = self.shop
        relays = ((shop.orders, shop.orders_relay), (shop.inventory, shop.inventory_relay))
        async with shop.consuming():
            while not (
                await shop.orders_relay.is_empty() and await shop.inventory_relay.is_empty()
            ):
                for database, relay in relays:
                    await self._see(database)
                    await relay.relay_batch()

    async def _see(self, database: Database) -> None:
        self.observed_events += map(observed_event, await self.shop.waiting(database))

    async def hold_back(self) -> list[Event]:
        """Take what Orders tells off the way; it is to be delivered some day."""
        held = await self.shop.waiting(self.shop.orders)
        await self._see(self.shop.orders)
        await self.shop.forget_told(self.shop.orders)
        return held

    async def record(self) -> RunRecord:
        snapshot = await snapshot_of(self.shop.orders, self.shop.inventory)
        return RunRecord(
            self.history.calls,
            snapshot,
            self.observed_events,
            samples=[await sample_of(self.shop.inventory)],
        )


async def everything(story: Story) -> dict[str, str]:
    """One of each kind: every end that an order can have, repeats, refusals, reads. Return the ids
    of orders by what became of them.
    """
    shop = story.shop
    await story.product("LAMP", 10)
    await story.product("DESK", 3)
    ids = {"CONFIRMED": await story.create("confirmed", LAMP=2, DESK=1)}
    await story.create("confirmed", LAMP=2, DESK=1)  # a repeat
    await story.create("confirmed", LAMP=1)  # other contents
    await story.create("short", DESK=9)
    ids["REJECTED"] = await story.create("rejected", DESK=2)
    await story.adjust("stolen", "DESK", -2)  # between the stock check and the decision
    await story.read(ids["CONFIRMED"])
    await story.deliver()
    await story.look("LAMP")
    await story.read(ids["CONFIRMED"])
    await story.update(ids["CONFIRMED"], 2)
    ids["RELEASED"] = await story.create("released", LAMP=3)
    await story.deliver()
    await story.cancel(ids["RELEASED"])
    await story.cancel(ids["RELEASED"])
    await story.cancel(ids["REJECTED"])
    await story.deliver()
    ids["TOMBSTONE"] = await story.create("tombstone", LAMP=1)
    overtaken = await story.hold_back()
    await story.cancel(ids["TOMBSTONE"])
    await story.deliver()
    ids["EXPIRED"] = await story.create("expired", LAMP=1)
    overtaken += await story.hold_back()
    shop.clock.advance(EXPIRE_S + 1)
    await shop.chase()
    await story.deliver()
    ids["ASKED"] = await story.create("asked again", LAMP=1)
    overtaken += await story.hold_back()
    shop.clock.advance(LATE_S + 1)
    await shop.chase()
    await story.deliver()
    await story.cancel(ids["ASKED"])
    await story.deliver()
    await shop.inventory_receiver.receive(overtaken)
    await story.deliver()
    ids["LATE"] = await story.create("late", LAMP=1)
    shop.clock.advance(LATE_S + 1)
    await shop.chase()
    await story.deliver()
    await story.adjust("found", "LAMP", 5)
    await story.adjust("found", "LAMP", 5)
    await story.adjust("too many", "LAMP", -99)
    await story.look("LAMP")
    await story.deliver()
    return ids
