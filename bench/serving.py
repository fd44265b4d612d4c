"""How fast a long queue of back-orders is served, and what a receipt takes beside it:

    python -m bench.serving --orders 100000 --receipts 1000

All orders wait for one unit of one product each. Stock lands in so many receipts, which bring what
is waited for together, one after the other; another process's worth of work, the allocator, serves
the queue at the same time. PostgreSQL, the use cases of Inventory, no broker: what is told stays in
the outbox.
"""

import argparse
import asyncio
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bench.generator import quantiles_ms
from holdfast.chassis.clock import SystemClock
from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.seam import Database, retrying
from holdfast.chassis.messaging.inbox import Inbox
from holdfast.chassis.messaging.outbox import Outbox
from holdfast.inventory.application.catalog.create_product import CreateProduct
from holdfast.inventory.application.reservations.hear_orders import HearOrders, StockQuestion
from holdfast.inventory.application.reservations.serve_backorders import ServeBackorders
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, ChangeStock
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.reservations.reservation import Wanted
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.inventory.infrastructure.events_to_proto import EventCodec
from holdfast.inventory.infrastructure.store import Store
from testbed.processes import temporary_folder
from testbed.servers import postgres
from testbed.templates import Templates

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500
CALLER = Caller("orders")


class Warehouse:
    """Inventory's use cases on one database."""

    def __init__(self, database: Database) -> None:
        self.clock = SystemClock()
        outbox, inbox = Outbox(database), Inbox(database, self.clock, "queue")
        self.store = Store(database, outbox, inbox, EventCodec(self.clock.new_id))
        self.hear = retrying(HearOrders(self.store.begin, self.clock))
        self.change = retrying(ChangeStock(self.store.begin, self.clock))
        self.serve = retrying(ServeBackorders(self.store.begin, self.store, self.clock))

    async def create(self, product_id: str) -> None:
        product = Product(product_id, "", "", "GBP", 1, active=True, backorder_max=UNLIMITED)
        await CreateProduct(self.store.begin, self.clock)(product)

    async def queue(self, product_id: str, first: int, orders: int) -> None:
        """Let orders wait for one unit each."""
        for start in range(first, first + orders, BATCH):
            numbers = range(start, min(start + BATCH, first + orders))
            await self.hear([_question(product_id, number) for number in numbers])

    async def receive(self, product_id: str, units: int) -> float:
        """Bring units; return the seconds that it took."""
        began = time.perf_counter()
        place = product_id, "main"
        await self.change([AdjustOnHand(*place, units, "delivery", "", "", CALLER)])
        return time.perf_counter() - began

    async def waiting(self, product_id: str) -> int:
        return (await self.store.stock_info([product_id]))[product_id].queue.units


def _question(product_id: str, number: int) -> StockQuestion:
    at = START + timedelta(milliseconds=number)
    order_id, event_id = str(uuid.UUID(int=number)), str(uuid.uuid4())
    wanted = Wanted(order_id, 1, {product_id: 1}, over=False, asked_at=at)
    return StockQuestion(event_id, wanted, "", CALLER)


async def measure(database: Database, orders: int, receipts: int) -> None:
    warehouse = Warehouse(database)
    for product_id in ("HOT", "NONE"):
        await warehouse.create(product_id)
    began = time.perf_counter()
    await warehouse.queue("HOT", 1, orders)
    took = time.perf_counter() - began
    print(f"{orders:,} orders queued in {took:.1f} s, {orders / took:,.0f} a second", flush=True)

    # What a receipt takes where nobody waits, and where nearly all do, and nothing is served.
    alone = [await warehouse.receive("NONE", 1) for _ in range(200)]
    beside = [await warehouse.receive("HOT", 1) for _ in range(200)]
    print(f"a receipt: {_told(alone)} without a queue; {_told(beside)} with {orders:,} waiting")

    units = -(-(orders - 200) // receipts)
    served = asyncio.create_task(_serve(warehouse))
    began = time.perf_counter()
    taken = [await warehouse.receive("HOT", units) for _ in range(receipts)]
    landed = time.perf_counter() - began
    await served
    took = time.perf_counter() - began
    tenth = max(1, receipts // 10)
    print(
        f"{receipts:,} receipts of {units:,} while it is served: {_told(taken)}, in {landed:.1f} s"
    )
    print(f"  the first tenth {_told(taken[:tenth])}, the last tenth {_told(taken[-tenth:])}")
    print(f"all {orders:,} served in {took:.1f} s: {orders / took:,.0f} orders a second")


async def _serve(warehouse: Warehouse) -> None:
    while await warehouse.waiting("HOT"):
        if not await warehouse.serve():
            await asyncio.sleep(0.01)


def _told(seconds: Sequence[float]) -> str:
    ms = quantiles_ms(seconds)
    return f"p50 {ms['p50']:.1f} ms, p99 {ms['p99']:.1f} ms"


async def _run(url: str, orders: int, receipts: int) -> None:
    async with connect(url) as database:
        await measure(database, orders, receipts)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orders", type=int, default=100_000)
    options.add_argument("--receipts", type=int, default=1_000)
    chosen = options.parse_args()
    with temporary_folder() as folder, postgres(folder) as server:
        url = Templates(folder).copy_database("inventory", server, "serving")
        asyncio.run(_run(url, chosen.orders, chosen.receipts))


if __name__ == "__main__":
    main()
