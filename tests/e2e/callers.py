"""Callers who never give up, and all that is there in the end, held against what they were told."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.client import Holdfast, Money, Order, OrderStatus, StockInfo
from proof.asking import PRICE
from proof.callers import Address, Callers, Habits
from proof.checker import check
from proof.converging import converge, record_of
from proof.history import Call, History
from proof.snapshot import Line, Snapshot
from proof.workload import Shop
from testbed.cluster import Cluster, Deployment

SHOP = Shop(products=20, scarce=0, units=30, changes=(1, 5, 10, 20))
HABITS = Habits(
    pause_s=0.01,
    hurries=False,
    names_price=True,
    insist_s=60.0,  # from the first try of a call to its answer, over any outage of these tests
    again_s_max=0.05,
    gives_up=0.0,
    mix={"CreateOrder": 80, "UpdateStock": 10, "CancelOrder": 10},
)
# Orders asks again for answers that are 30 s late: nothing may depend on that.
AGREE_S_MAX = 15.0
# In a cluster nobody asks again; a consumer that the broker forgot begins again after 10 s there.
AGREE_IN_CLUSTER_S_MAX = 75.0


def callers_at(
    addresses: Mapping[str, str], habits: Habits = HABITS, *, seed: int, shop: Shop = SHOP
) -> Callers:
    """Some callers: they order, order the same again, cancel, and bring new stock."""
    address = Address(addresses["orders"], addresses["inventory"])
    return Callers([address], History(time.monotonic), seed=seed, shop=shop, habits=habits)


@dataclass(frozen=True)
class World:
    """What is there, as everybody can read it."""

    orders: dict[str, Order]
    stock: dict[str, StockInfo]


async def look(client: Holdfast) -> World:
    """Read all orders and the stock of all products.

    Orders that something left of are whole: lists have neither returns nor what is held where.
    """
    orders = {order.order_id: order async for order in client.orders.list(page_size=1_000)}
    for order_id, order in orders.items():
        if order.status in (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED):
            orders[order_id] = await client.orders.get(order_id)
    products = [one.product_id async for one in client.inventory.list_products(page_size=1_000)]
    stock: dict[str, StockInfo] = {}
    for at in range(0, len(products), 1_000):
        for info in await client.inventory.get_stock_batch(products[at : at + 1_000]):
            assert isinstance(info, StockInfo), repr(info)
            stock[info.product.product_id] = info
    return World(orders, stock)


HOLDING = (OrderStatus.RESERVED, OrderStatus.CONFIRMED, OrderStatus.PARTIALLY_SHIPPED)


def promised(orders: Iterable[Order]) -> Counter[str]:
    """Units by product that orders were promised."""
    units: Counter[str] = Counter()
    for order in orders:
        if order.status in HOLDING:
            for line in order.lines:
                units[line.product_id] += line.quantity - line.shipped
    return units


async def require_agreement(system: Deployment, callers: Callers) -> World:
    """All becomes as the callers were told, soon, and by itself; everybody can read it so."""
    within_s = AGREE_IN_CLUSTER_S_MAX if isinstance(system, Cluster) else AGREE_S_MAX
    await converge(callers.history, system.databases, within_s)
    record = await record_of(callers.history, system.databases)
    async with Holdfast(system.addresses["orders"], system.addresses["inventory"]) as client:
        world = await look(client)
    found = [*map(str, check(record)), *callers.bugs, *callers.nonsense]
    found += differences(callers, record.snapshot, world)
    if found:
        raise AssertionError("\n".join([f"{len(found)} differences:", *found[:20]]))
    return world


def differences(callers: Callers, snapshot: Snapshot, world: World) -> list[str]:
    """What is not as the callers were told, who never gave up, or can't be read as it stands."""
    told = {call.request["order_id"] for call in callers.history.calls if is_cancellation(call)}
    cancelled = {one.order_id for one in snapshot.orders.values() if one.status == "CANCELLED"}
    read = {order_id: as_recorded(one) for order_id, one in world.orders.items()}
    stands = {
        order_id: (one.status, one.version, one.lines) for order_id, one in snapshot.orders.items()
    }
    stock = {
        (one, level.location_id, level.on_hand, level.reserved)
        for one, info in world.stock.items()
        for level in info.levels
    }
    levels = {
        (one.product_id, one.location_id, one.on_hand, one.reserved)
        for one in snapshot.levels
        if one.version
    }
    lines = (line for one in world.orders.values() for line in one.lines)
    return [
        *(f"nobody was told of order {one}" for one in snapshot.orders.keys() - callers.order_ids),
        *(f"nobody was told that order {one} is cancelled" for one in cancelled - told),
        *(f"order {one} reads {read.get(one)}" for one, _ in read.items() ^ stands.items()),
        *(f"stock reads or stands at {one}" for one in stock ^ levels),
        *(f"a line costs {line.unit_price}" for line in lines if line.unit_price != PRICE),
    ]


def as_recorded(order: Order) -> tuple[str, int, tuple[Line, ...]]:
    """An order as it was read, in the form in which the databases have it."""
    lines = [
        Line(one.product_id, one.quantity, one.unit_price.minor, one.line_no)
        for one in order.lines
        if isinstance(one.unit_price, Money)
    ]
    return order.status.value, order.version, tuple(lines)


def is_cancellation(call: Call) -> bool:
    return call.method == "CancelOrder" and call.outcome == "ok"


def require_variety(callers: Callers) -> None:
    """The callers met all that there is to meet; else the test would prove little."""
    calls = callers.history.calls
    assert callers.codes["FAILED_PRECONDITION SHORT_OF_STOCK"], "nothing was ever short"
    assert any(map(is_cancellation, calls)), "nothing was ever cancelled"


def made_again(callers: Callers) -> list[Call]:
    """Calls that brought no answer, so that their caller had to make them again."""
    shed = "RESOURCE_EXHAUSTED"
    return [one for one in callers.history.calls if one.outcome == "info" or one.code == shed]
