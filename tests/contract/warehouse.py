"""A warehouse under test: Inventory's store on one engine, with two products."""

import asyncio

import pytest

from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.inventory.application.ports import StockInfo
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.reservations.reservation import (
    ReservationState,
    Wanted,
    hear,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.store import Store
from tests.contract.conftest import SteadyClock

ANNA = Caller("anna", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


LAMP = Product("LAMP-灯", "Lamp 'Zoë'", "red\nand round", "GBP", 2**53 + 1, active=True)


DESK = Product("DESK", "Desk", "", "EUR", 0, active=False)


class Warehouse:
    """Inventory's rows, with two products and somebody who moves their stock."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        self.database, self.clock = database, clock
        outbox, inbox = Outbox(database), Inbox(database, clock, "queue")
        self.store = Store(database, outbox, inbox, EventCodec(clock.new_id))

    async def stock(self, product_id: str, quantity: int, location_id: str = MAIN_LOCATION) -> None:
        async with self.store.begin() as work:
            location = (await work.locations([location_id])).get(location_id)
            if location is None:
                location = Location(location_id)
                await work.add_location(location)
            book = StockBook(await work.lock_levels([product_id]), self.clock.now())
            cause = Cause(ANNA, reason="delivery", reference="d-1")
            book.set_on_hand(book.level(product_id, location), quantity, cause)
            await work.save_book(book)

    async def reserve(
        self, order_id: str, demand: dict[str, int], *, began: asyncio.Barrier | None = None
    ) -> bool:
        async with self.store.begin() as work:
            if began:
                await began.wait()
            book = StockBook(await work.lock_levels(demand), self.clock.now())
            await asyncio.sleep(0.005 if began else 0)
            cause = Cause(ANNA, order_id=order_id)
            reservation = hear(None, Wanted(order_id, 1, demand, over=False), book, cause)
            await work.save_book(book)
            await work.save_reservations([reservation], {}, self.clock.now())
        return reservation.state is ReservationState.HELD

    async def info(self, product_id: str) -> StockInfo:
        return (await self.store.stock_info([product_id]))[product_id]


@pytest.fixture
def service() -> str:
    return "inventory"


@pytest.fixture
async def house(database: Database, clock: SteadyClock) -> Warehouse:
    house = Warehouse(database, clock)
    async with house.store.begin() as work:
        for product in (LAMP, DESK):
            assert await work.add_product(product, clock.now())
    return house


def order_id(number: int) -> str:
    return f"0198c5f0-7a3b-7c1e-9d43-{number:012}"
