"""Orders' rows on a real database, and a clerk who places one order a second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.orders.application.ports import OrderFilter, StockNews
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer
from holdfast.orders.infrastructure.events_to_proto import EventCodec
from holdfast.orders.infrastructure.ordering.reader import Reader
from holdfast.orders.infrastructure.ordering.sql import SQL
from holdfast.orders.infrastructure.ordering.store import Store, order_row
from tests.contract.conftest import SteadyClock
from tests.contract.thing_table import Refused

ANNA = Caller("anna", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
LAMP, DESK = (OrderLine(name, 2, Money("GBP", 350), 1) for name in ("LAMP", "DESK"))
ADA = Customer("Zoë 灯 'Ada'", "ada@example.org", "+44 1", "1 High Street\n\tLondon")


EVERYTHING = OrderFilter()


def answer_to(state: OrderState, *missing: Shortage) -> StockAnswer:
    """Inventory's answer to an order's newest question."""
    held = () if missing else (HeldStock("LAMP", "main", 2),)
    return StockAnswer(state.order_id, state.stock_sequence + 1, state.asked, held, missing)


def settle(state: OrderState, at: datetime, *missing: Shortage) -> OrderChange:
    """What a pending order becomes by the answer."""
    change = state.settle(answer_to(state, *missing), at, ANNA)
    assert change is not None
    return change


class Desk:
    """Orders' rows, and a clerk who places orders in a row."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        self.database, self.clock = database, clock
        self.changed: list[str] = []
        codec = EventCodec(clock.new_id)
        inbox = Inbox(database, clock, "queue")
        self.store = Store(database, Outbox(database), inbox, codec, self.changed.extend)
        self.reader = Reader(database)

    def make(self, request_id: str, *lines: OrderLine, customer_id: str = "c-1") -> NewOrder:
        self.clock.advance(1)
        return NewOrder.place(
            self.clock.new_id(),
            customer_id=customer_id,
            request_id=request_id,
            request_hash=f"hash of {request_id}",
            lines=tuple(line._replace(line_no=n) for n, line in enumerate(lines or (LAMP,), 1)),
            customer=ADA,
            at=self.clock.now(),
            caller=ANNA,
        )

    async def place(
        self, request_id: str, *lines: OrderLine, customer_id: str = "c-1"
    ) -> OrderState:
        order = self.make(request_id, *lines, customer_id=customer_id)
        assert await self.store.record_orders([order]) == {}
        return OrderState(order.order_id, OrderStatus.PENDING, 1)

    async def begin_to_record(self, order: NewOrder) -> None:
        """Have its key for a while, as who is recording it has, and then leave it."""
        with suppress(Refused):
            async with self.database.begin() as work:
                await work.write(SQL[self.database.engine].INSERT_ORDERS, [order_row(order)])
                await asyncio.sleep(0.4)
                raise Refused

    async def record(self, *changes: OrderChange) -> None:
        async with self.store.begin() as work:
            await work.record(changes)

    async def hear(self, state: OrderState, *missing: Shortage) -> None:
        """Record the answer to an order's newest question, and what becomes of the order."""
        told = answer_to(state, *missing)
        change = state.settle(told, self.clock.now(), ANNA)
        async with self.store.begin() as work:
            await work.record([change] if change else [], [StockNews(state.hear(told), told)])

    async def read(self, order_id: str) -> Order:
        (order,) = await self.reader.details([order_id])
        assert order is not None
        return order

    async def listed(self, wanted: OrderFilter = EVERYTHING) -> list[str]:
        found = await self.reader.orders(wanted, before="", limit=100)
        return [order.request_id for order in found.orders]

    async def pages(self, wanted: OrderFilter, size: int) -> AsyncIterator[list[Order]]:
        """Every page of a list, also where nothing is on it."""
        place = ""
        while True:
            page, place = await self.reader.orders(wanted, before=place, limit=size)
            yield page
            if not place:
                return

    async def outbox(self) -> list[tuple[str, str, int]]:
        sql = "SELECT type, subject, sequence FROM outbox ORDER BY position"
        async with self.database.read() as reading:
            rows = await reading.fetch(sql)
        return [(row["type"].rpartition(".")[2], row["subject"], row["sequence"]) for row in rows]


@pytest.fixture
def desk(database: Database, clock: SteadyClock) -> Desk:
    return Desk(database, clock)
