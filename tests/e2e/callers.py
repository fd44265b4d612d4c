"""Callers who never give up, keep what they were told, and hold it against what is there."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from holdfast.client import (
    DeadlineExceeded,
    Holdfast,
    HoldfastError,
    InternalError,
    Money,
    Order,
    OrderLine,
    OrderStatus,
    Overloaded,
    Refused,
    ShortOfStock,
    StockInfo,
    Unavailable,
)

PRODUCTS = tuple(f"P-{number:02}" for number in range(20))
STOCK_AT_FIRST = 30
PRICE = Money("GBP", 100)
ANSWER_S_MAX = 60.0  # from the first try of a call to its answer, over any outage of these tests
# Orders asks again for answers that are 30 s late: nothing may depend on that.
AGREE_S_MAX = 15.0
# In a cluster nobody asks again; a consumer that the broker forgot begins again after 10 s there.
AGREE_IN_CLUSTER_S_MAX = 75.0
PAUSE_S_MAX = 0.02

T = TypeVar("T")


@dataclass
class Told:
    """What the callers asked for, and what they were told."""

    asked: dict[str, tuple[OrderLine, ...]] = field(default_factory=dict)  # by request id
    order_ids: dict[str, str] = field(default_factory=dict)  # by request id
    refused: set[str] = field(default_factory=set)  # request ids
    cancelled: set[str] = field(default_factory=set)  # order ids
    received: Counter[str] = field(default_factory=Counter)  # units by product
    failures: list[HoldfastError] = field(default_factory=list)  # calls made again by the caller

    def place(self, request_id: str, order_id: str) -> None:
        """Note an acknowledgement; a repeat must get the same one."""
        known = self.order_ids.setdefault(request_id, order_id)
        assert known == order_id, f"{request_id} became order {known} and order {order_id}"


class Callers:
    """Some callers at work: they order, order the same again, cancel, and bring new stock.

    :param customers: how many, each with a client of its own.
    """

    def __init__(self, orders: str, inventory: str, *, customers: int, seed: int) -> None:
        self._addresses = (orders, inventory)
        self._customers = customers
        self._seed = seed
        self._stopped = asyncio.Event()
        self.told = Told()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Told]:
        """Work while the block runs; then everyone gets the answer to the last call. Only once."""
        await self._open_shop()
        async with asyncio.TaskGroup() as group:
            for number in range(self._customers):
                group.create_task(self._work(f"c-{number}"))
            try:
                yield self.told
            finally:
                self._stopped.set()

    async def answers(self, more: int) -> None:
        """Wait until so many more orders were answered."""
        enough = self._answered() + more
        async with asyncio.timeout(ANSWER_S_MAX):
            while self._answered() < enough:
                await asyncio.sleep(0.01)

    def _answered(self) -> int:
        return len(self.told.order_ids) + len(self.told.refused)

    async def _open_shop(self) -> None:
        async with Holdfast(*self._addresses) as client:
            for product_id in PRODUCTS:
                await client.inventory.create_product(product_id, name="", unit_price=PRICE)
                await self._receive(client, product_id, STOCK_AT_FIRST, "at-first")

    async def _work(self, customer: str) -> None:
        chance = random.Random(f"{self._seed} {customer}")
        placed: list[str] = []
        async with Holdfast(*self._addresses) as client:
            for turn in count():
                if self._stopped.is_set():
                    return
                await self._take_turn(client, chance, customer, turn, placed)
                await asyncio.sleep(chance.uniform(0, PAUSE_S_MAX))

    async def _take_turn(
        self, client: Holdfast, chance: random.Random, customer: str, turn: int, placed: list[str]
    ) -> None:
        what = chance.random()
        if placed and what < 0.1:
            await self._order(client, customer, chance.choice(placed))
        elif placed and what < 0.2:
            await self._cancel(client, chance.choice(placed))
        elif what < 0.3:
            product_id = chance.choice(PRODUCTS)
            units = chance.randint(1, 20)
            await self._receive(client, product_id, units, f"{customer}-{turn}")
        else:
            request_id = f"{customer}-{turn}"
            bought = chance.sample(PRODUCTS, k=chance.randint(1, 3))
            lines = tuple(OrderLine(one, chance.randint(1, 3), PRICE) for one in bought)
            self.told.asked[request_id] = lines
            if await self._order(client, customer, request_id):
                placed.append(request_id)

    async def _order(self, client: Holdfast, customer: str, request_id: str) -> bool:
        lines = self.told.asked[request_id]
        answer = await self._insist(
            lambda: client.orders.create(customer, lines, request_id=request_id)
        )
        if isinstance(answer, Refused):
            assert isinstance(answer, ShortOfStock), repr(answer)
            assert request_id not in self.told.order_ids, f"{request_id} was acknowledged before"
            self.told.refused.add(request_id)
            return False
        self.told.place(request_id, answer.order_id)
        return True

    async def _cancel(self, client: Holdfast, request_id: str) -> None:
        order_id = self.told.order_ids[request_id]
        answer = await self._insist(lambda: client.orders.cancel(order_id))
        if not isinstance(answer, Refused):  # rejected orders cannot be cancelled
            self.told.cancelled.add(order_id)

    async def _receive(self, client: Holdfast, product_id: str, units: int, key: str) -> None:
        answer = await self._insist(
            lambda: client.inventory.adjust_stock(
                product_id, units, reason="delivery", request_id=f"{key}-{product_id}"
            )
        )
        assert not isinstance(answer, Refused), repr(answer)
        self.told.received[product_id] += units

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T | Refused:
        """The answer of a call that is safe to repeat, however often it takes."""
        ends_at = time.monotonic() + ANSWER_S_MAX
        while True:
            try:
                return await call()
            except Refused as refusal:
                return refusal
            except HoldfastError as failure:
                if not passes_by_itself(failure) or time.monotonic() > ends_at:
                    raise
                self.told.failures.append(failure)
            await asyncio.sleep(0.05)


def passes_by_itself(error: HoldfastError) -> bool:
    """Whether a caller should ask again: nothing usable came back."""
    match error:
        case InternalError():
            return not error.correlation_id  # what the network says; ours have one
        case _:
            return isinstance(error, Unavailable | DeadlineExceeded | Overloaded)


@dataclass(frozen=True)
class World:
    """What is there, as everybody can read it."""

    orders: dict[str, Order]
    stock: dict[str, StockInfo]


async def look(client: Holdfast) -> World:
    """Read all orders and the stock of all products."""
    orders = {order.order_id: order async for order in client.orders.list(page_size=1_000)}
    products = [one.product_id async for one in client.inventory.list_products(page_size=1_000)]
    stock: dict[str, StockInfo] = {}
    for at in range(0, len(products), 1_000):
        for info in await client.inventory.get_stock_batch(products[at : at + 1_000]):
            assert isinstance(info, StockInfo), repr(info)
            stock[info.product.product_id] = info
    return World(orders, stock)


def promised(orders: Iterable[Order]) -> Counter[str]:
    """Units by product that confirmed orders were promised."""
    units: Counter[str] = Counter()
    for order in orders:
        if order.status is OrderStatus.CONFIRMED:
            for line in order.lines:
                units[line.product_id] += line.quantity
    return units


def differences(told: Told, world: World) -> list[str]:
    """Everything in which the world is not as the callers were told."""
    found = [
        f"order {order_id} was acknowledged for {request_id} and is not there"
        for request_id, order_id in told.order_ids.items()
        if order_id not in world.orders
    ]
    seen: dict[str, str] = {}
    for order in world.orders.values():
        request_id, order_id = order.request_id, order.order_id
        if seen.setdefault(request_id, order_id) != order_id:
            found.append(f"{request_id} became order {order_id} and order {seen[request_id]}")
        if told.asked.get(request_id) != order.lines:
            found.append(f"order {order_id} is not what {request_id} asked for")
        if told.order_ids.get(request_id) != order_id:
            found.append(f"nobody was told of order {order_id} for {request_id}")
        if order.status is OrderStatus.PENDING:
            found.append(f"order {order_id} is still PENDING")
        if (order.status is OrderStatus.CANCELLED) != (order_id in told.cancelled):
            found.append(f"order {order_id} is {order.status}, against what was told of a cancel")
    return found + stock_differences(told.received, world)


def stock_differences(on_hand: Counter[str], world: World) -> list[str]:
    """Products whose stock is not what came in, or not what the confirmed orders were promised."""
    reserved = promised(world.orders.values())
    return [
        f"{product_id} has {info.on_hand} on hand and {info.reserved} reserved instead of "
        f"{on_hand[product_id]} and {reserved[product_id]}"
        for product_id, info in world.stock.items()
        if (info.on_hand, info.reserved) != (on_hand[product_id], reserved[product_id])
        or info.available != info.on_hand - info.reserved
        or info.available < 0
    ]


async def require_agreement(client: Holdfast, told: Told, within_s: float = AGREE_S_MAX) -> World:
    """The world becomes as the callers were told, soon, and by itself."""
    ends_at = time.monotonic() + within_s
    while True:
        world = await look(client)
        found = differences(told, world)
        if not found:
            return world
        if time.monotonic() > ends_at:
            raise AssertionError("\n".join([f"{len(found)} differences:", *found[:20]]))
        await asyncio.sleep(0.2)
