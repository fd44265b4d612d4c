"""What the hot paths allocate, item by item: hardly more than was measured once, and nothing stays.

Python's own memory is counted exactly. Protobuf keeps its messages outside of it, in malloc.
"""

import asyncio
import ctypes
import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.cloudevents import decode_batch, encode_batch
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.inventory.application.ports import StockInfo
from holdfast.inventory.domain.caller import Caller as InventoryCaller
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import HeldStock, Short, StockLevel
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.presentation.wire import write_info
from holdfast.orders.application.ordering.place_orders import PlaceOrder
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.presentation.ordering.wire import order_message, read_orders
from tests.unit.holding import hold

ITEMS = 300
LINES = 3
AT = datetime(2026, 11, 5, 12, 30, 15, 250_001, tzinfo=UTC)

ALLOWANCE = 1.5  # over what was measured
LEFT_BYTES_MAX = 500  # by a whole batch: less than one event
MALLOC_NOISE_BYTES = 10_000  # gRPC's threads of other tests may be at work
ROUNDS = 500  # of several batches each
ROUND_BYTES_MAX = 20  # one outcome kept would be more


@dataclass(frozen=True)
class Bytes:
    """Per item: Python's memory, held by the result and at the most; malloc's, held by it."""

    held: float
    peak: float
    malloc: float


MEASURED = {
    "read orders": Bytes(held=1330, peak=1338, malloc=8),
    "encode events": Bytes(held=407, peak=407, malloc=406),
    "decode events": Bytes(held=648, peak=651, malloc=8),
    "order messages": Bytes(held=122, peak=124, malloc=2803),
    "stock messages": Bytes(held=33, peak=35, malloc=467),
    "reserve stock": Bytes(held=1057, peak=1060, malloc=64),
}


class MallocState(ctypes.Structure):
    """`struct mallinfo2` of the GNU C library."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


_mallinfo = ctypes.CDLL(None).mallinfo2
_mallinfo.restype = MallocState


def malloc_bytes() -> int:
    state = _mallinfo()
    return int(state.uordblks + state.hblkhd)


@contextmanager
def quiet() -> Iterator[None]:
    """No garbage of others, none collected in between, and nothing on Python's lists of spares.

    What is there already is looked through once: after 6,000 tests that takes a second.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def traced_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def measure(make: Callable[[], object]) -> tuple[Bytes, Bytes]:
    """What one batch takes for each item, and what is left of all when its result is dropped."""
    with quiet():
        before = malloc_bytes()
        result = make()
        malloc = malloc_bytes() - before
        del result
        assert gc.collect() == 0, "only reference cycles keep it"
        malloc_left = malloc_bytes() - before
    with quiet(), traced():
        result = make()
        held, peak = tracemalloc.get_traced_memory()
        del result
        left = traced_bytes()
    took = Bytes(held / ITEMS, peak / ITEMS, malloc / ITEMS)
    return took, Bytes(held=left, peak=peak, malloc=malloc_left)


def require_frugal(name: str, make: Callable[[], object]) -> None:
    for _ in range(2):  # what is made once and kept for ever is no concern here
        make()
    first, _ = measure(make)
    second, left = measure(make)

    for took in (first, second):
        assert took.held <= ALLOWANCE * MEASURED[name].held, took
        assert took.peak <= ALLOWANCE * MEASURED[name].peak, took
        noise = MALLOC_NOISE_BYTES / ITEMS
        assert took.malloc <= ALLOWANCE * MEASURED[name].malloc + noise, took
    assert (second.held - first.held) * ITEMS <= LEFT_BYTES_MAX
    assert left.held <= LEFT_BYTES_MAX
    assert left.malloc <= MALLOC_NOISE_BYTES


def product_id(number: int) -> str:
    return f"product-{number % 100:04}"


def test_reading_a_batch_of_requests_keeps_the_commands_only() -> None:
    batch = orders_pb2.BatchCreateOrdersRequest()
    for number in range(ITEMS):
        request = batch.requests.add(customer_id=f"c-{number}", request_id=f"request-{number:08}")
        for line in range(LINES):
            asked = request.lines.add(product_id=product_id(number + line), quantity=1 + line)
            asked.unit_price.currency_code, asked.unit_price.units = "GBP", 12
        request.customer.name, request.customer.email = "Ada Lovelace", "ada@example.org"
    body, caller = batch.SerializeToString(), Caller("shop")

    def read() -> Sequence[PlaceOrder | Violations]:
        request = orders_pb2.BatchCreateOrdersRequest.FromString(body)
        return read_orders(request, caller, Violations(), lambda: "new")

    assert all(isinstance(one, PlaceOrder) for one in read())
    require_frugal("read orders", read)


def events() -> list[Event]:
    return [
        Event(
            event_id=f"0199d3a4-7c00-7000-8000-{number:012}",
            type="holdfast.orders.v1.OrderPlaced",
            subject=f"0199d3a4-7bff-7000-8000-{number:012}",
            sequence=1,
            time=AT,
            data=bytes([number % 256]) * 100,
            traceparent=f"00-4bf92f3577b34da6a3ce929d0e0e4736-{number + 1:016x}-01",
        )
        for number in range(ITEMS)
    ]


def test_encoding_a_batch_of_events_keeps_the_bytes_only() -> None:
    written = events()

    require_frugal("encode events", lambda: encode_batch(written))


def test_decoding_a_batch_of_events_keeps_the_events_only() -> None:
    body = encode_batch(events())

    assert decode_batch(body) == events()
    require_frugal("decode events", lambda: decode_batch(body))


def orders() -> list[Order]:
    caller, placed, confirmed = Caller("shop"), OrderStatus.PENDING, OrderStatus.CONFIRMED
    return [
        Order(
            order_id=f"0199d3a4-7bff-7000-8000-{number:012}",
            customer_id=f"c-{number}",
            request_id=f"request-{number}",
            lines=tuple(
                OrderLine(product_id(number + line), 1 + line, Money("GBP", 1_250), 1 + line)
                for line in range(LINES)
            ),
            total=Money("GBP", 7_500),
            customer=Customer(name="Ada Lovelace", email="ada@example.org"),
            state=OrderState(f"0199d3a4-7bff-7000-8000-{number:012}", confirmed, 2),
            shortages=(),
            placed_at=AT,
            updated_at=AT,
            history=(
                OrderChange(f"o-{number}", 1, placed, AT, caller, "order placed"),
                OrderChange(f"o-{number}", 2, confirmed, AT, caller, "stock reserved"),
            ),
        )
        for number in range(ITEMS)
    ]


def test_messages_of_orders_are_kept_once() -> None:
    page = orders()

    require_frugal("order messages", lambda: [order_message(order) for order in page])


def test_messages_of_stock_are_kept_once() -> None:
    infos = [
        StockInfo(
            Product(product_id(number), "Red lamp", "A lamp", "GBP", 1_250, active=True),
            (
                StockLevel(product_id(number), MAIN_LOCATION, 100, 10, 3),
                StockLevel(product_id(number), "shop", 50, 5, 2),
            ),
        )
        for number in range(ITEMS)
    ]

    def answer() -> inventory_pb2.BatchGetStockInfoResponse:
        response = inventory_pb2.BatchGetStockInfoResponse()
        for info in infos:
            write_info(response.results.add().info, info)
        return response

    require_frugal("stock messages", answer)


def test_reserving_keeps_the_movements_and_the_promises_only() -> None:
    caller = InventoryCaller("orders")
    demands = [
        {product_id(number + line): 1 + line for line in range(LINES)} for number in range(ITEMS)
    ]
    levels = [(product_id(number), MAIN_LOCATION) for number in range(100)]

    def reserve() -> tuple[StockBook, list[tuple[HeldStock, ...] | Short]]:
        book = StockBook([StockLevel(*place, on_hand=1_000) for place in levels], AT)
        return book, [hold(book, (), demand, Cause(caller, order_id="o")) for demand in demands]

    assert all(isinstance(one, tuple) for one in reserve()[1])
    require_frugal("reserve stock", reserve)


@pytest.mark.parametrize("crowd_items", [None, 10], ids=["one at a time", "in a crowd"])
async def test_a_coalescer_keeps_nothing_of_its_batches(crowd_items: int | None) -> None:
    async def work(batch: Sequence[int]) -> Sequence[int | Exception]:
        await asyncio.sleep(0)
        return [ValueError() if item == 0 else item for item in batch]

    batcher = Batcher(
        work, name="work", batch_items_max=5, queue_items_max=1_000, crowd_items=crowd_items
    )

    async def serve(rounds: int) -> int:
        for number in range(rounds):
            groups = [[number, 1], [2, 3, 4], [5], [0, 6], [7, 8, 9], [10, 11]]
            await asyncio.gather(*(batcher.submit_all(group) for group in groups))
        return traced_bytes()

    worker = asyncio.create_task(batcher.run())
    with quiet(), traced():
        await serve(ROUNDS)  # asyncio and Python keep some spares of their own, and gather them
        at_first = await serve(ROUNDS)
        at_last = await serve(ROUNDS)
    worker.cancel()
    await asyncio.wait([worker])

    assert at_last - at_first <= ROUNDS * ROUND_BYTES_MAX
