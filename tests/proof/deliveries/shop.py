"""Customers and a supplier of two real services: what makes the events, with a history of it."""

import random
from collections.abc import Sequence
from itertools import count

from holdfast.inventory.application.stock.change_stock import AdjustOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.orders.application.ordering.place_orders import AskedLine, PlaceOrder
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import IllegalTransition, OrdersError
from holdfast.orders.domain.ordering.order import OrderState
from proof.history import History
from tests.integration.two_services import ANNA, BOB, EXPIRE_S, LATE_S, TwoServices

PRODUCTS = tuple(f"P-{number:03}" for number in range(200))
CUSTOMERS = tuple(f"c-{number:02}" for number in range(50))
LINES_MAX = 3
UNITS_MAX = 3
SUPPLY_UNITS_MAX = 9  # of each product for each wave; somewhat less than is asked for
WAVE_ORDERS = 300
EXPIRING_WAVE = 10  # each tenth wave finds Inventory asleep


class Shop:
    """Places, cancels, lets expire and restocks, by chance; every call is in the history."""

    def __init__(self, services: TwoServices, chance: random.Random) -> None:
        self._services = services
        self._chance = chance
        self._request_ids = (f"r-{number}" for number in count(1))
        self._times = count()
        self._waves = count(8)
        self.history = History(lambda: float(next(self._times)))
        self.order_ids: list[str] = []

    async def open(self) -> None:
        """Make the products, without stock."""
        for product_id in PRODUCTS:
            await self._services.create_product(Product(product_id, "", "", "GBP", 350, True))

    async def wave(self) -> None:
        """Restock, place orders, cancel some of them and some older ones; then time may go by until
        answers are late, or until orders expire.
        """
        await self._restock()
        before = len(self.order_ids)
        await self._place(WAVE_ORDERS)
        fresh, older = self.order_ids[before:], self.order_ids[:before]
        for order_id in self._some(fresh, 0.06) + self._some(older[-10 * WAVE_ORDERS :], 0.005):
            await self._cancel(order_id)
        if next(self._waves) % EXPIRING_WAVE == 0:
            self._services.clock.advance(EXPIRE_S + 1)
            while await self._services.chase():
                continue
        elif self._chance.random() < 0.3:
            self._services.clock.advance(LATE_S + 1)
            await self._services.chase()

    def _some(self, order_ids: Sequence[str], part: float) -> list[str]:
        return self._chance.sample(order_ids, k=int(len(order_ids) * part))

    async def _restock(self) -> None:
        changes = [
            AdjustOnHand(
                product_id,
                MAIN_LOCATION,
                self._chance.randint(1, SUPPLY_UNITS_MAX),
                reason="supply",
                reference="",
                request_id=next(self._request_ids),
                caller=BOB,
            )
            for product_id in PRODUCTS
        ]
        calls = [
            self.history.invoke(
                "the supplier",
                "UpdateStock",
                {
                    "request_id": change.request_id,
                    "product_id": change.product_id,
                    "delta": change.delta,
                },
            )
            for change in changes
        ]
        for call, level in zip(calls, await self._services.change_stock(changes), strict=True):
            assert isinstance(level, StockLevel), repr(level)
            on_hand, reserved = level.on_hand, level.reserved
            told = {"on_hand": on_hand, "reserved": reserved, "available": on_hand - reserved}
            self.history.ok(call, told)

    async def _place(self, orders: int) -> None:
        wanted = [self._order() for _ in range(orders)]
        calls = [
            self.history.invoke(
                order.customer_id,
                "CreateOrder",
                {
                    "customer_id": order.customer_id,
                    "request_id": order.request_id,
                    "lines": [[line.product_id, line.quantity] for line in order.lines],
                },
            )
            for order in wanted
        ]
        for call, answer in zip(calls, await self._services.place_orders(wanted), strict=True):
            if isinstance(answer, OrderState):
                self.order_ids.append(answer.order_id)
                told = {"order_id": answer.order_id, "status": str(answer.status)}
                self.history.ok(call, told)
            else:
                assert isinstance(answer, OrdersError), repr(answer)
                self.history.refused(call, "FAILED_PRECONDITION")

    def _order(self) -> PlaceOrder:
        bought = self._chance.sample(PRODUCTS, k=self._chance.randint(1, LINES_MAX))
        lines = tuple(AskedLine(one, self._chance.randint(1, UNITS_MAX), None) for one in bought)
        customer_id = self._chance.choice(CUSTOMERS)
        return PlaceOrder(next(self._request_ids), customer_id, lines, Customer(), ANNA)

    async def _cancel(self, order_id: str) -> None:
        call = self.history.invoke("a customer", "CancelOrder", {"order_id": order_id})
        try:
            await self._services.cancel(order_id, "changed my mind", ANNA)
        except IllegalTransition:
            self.history.refused(call, "FAILED_PRECONDITION")
        else:
            self.history.ok(call, {"order_id": order_id, "status": "CANCELLED"})
