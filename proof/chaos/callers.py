"""Callers at work: the client library calls, every call goes into the diary, doubts are repeated.

What a caller wants next comes from `proof/workload.py`; here it is asked for and written down.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from types import MappingProxyType

from holdfast.client import (
    Holdfast,
    HoldfastError,
    InternalError,
    InvalidRequest,
    Money,
    OrderLine,
    OrderRequest,
    Placed,
)
from holdfast.client._orders import Orders
from proof.chaos.diary import Diary
from proof.history import NOT_DONE, Facts
from proof.workload import MIX, Caller, Shop, Wanted

PRICE = Money("GBP", 250)
TRIES_MAX = 20  # of a call whose outcome stays unknown; then the caller gives up on it
GIVES_UP_AT_ONCE = 0.2  # of the unknown outcomes: nobody asks again, and nobody ever knows
PAUSE_S_MAX = 1.0  # between tries; doubles from a fiftieth of it
OPEN_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a caller's client finds the two services."""

    orders: str
    inventory: str


@dataclass(frozen=True, slots=True)
class Habits:
    """How callers work.

    :param callers: how many.
    :param name: what their names begin with; no other group has it.
    :param pause_s: between two calls of a caller, on average.
    :param batch: orders of one BatchCreateOrders call; 1: each by a CreateOrder of its own.
    :param retry_s: of the client library; None: its default.
    :param hurries: some deadlines are too short to be kept.
    :param mix: weights of the methods.
    """

    callers: int = 24
    name: str = "c"
    pause_s: float = 0.2
    batch: int = 1
    retry_s: float | None = None
    hurries: bool = True
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))


class Callers:
    """Seeded callers, each with a client of its own, on the addresses in turn."""

    def __init__(
        self,
        addresses: Sequence[Address],
        diary: Diary,
        *,
        seed: int,
        shop: Shop,
        habits: Habits | None = None,
    ) -> None:
        self._addresses = addresses
        self._diary = diary
        self._seed = seed
        self._shop = shop
        self._habits = habits or Habits()
        self._stopped = asyncio.Event()
        self.bugs: list[str] = []  # what a service called its own fault
        self.codes: Counter[str] = Counter()  # of calls that failed

    async def open_shop(self, others: Mapping[str, int] = MappingProxyType({})) -> None:
        """Make the products and fill the shelves, before anything is broken.

        :param others: units of products that these callers don't order.
        """
        line = _Line(self._addresses[0], "shopkeeper", self, random.Random(self._seed))
        async with asyncio.timeout(OPEN_S_MAX), line.client:
            for product_id in (*self._shop.product_ids, *others):
                await line.insist(Wanted("CreateProduct", {"product_id": product_id}))
            for wanted in (*self._shop.supply(), *map(supply, others.items())):
                await line.insist(wanted)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the block runs; then each ends the call it is at. Only once."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._habits.callers):
                group.create_task(self._work(number))
            try:
                yield
            finally:
                self._stopped.set()

    async def _work(self, number: int) -> None:
        name = f"{self._habits.name}-{number}"
        address = self._addresses[number % len(self._addresses)]
        chance = random.Random(f"{self._seed}/habits/{name}")
        caller = Caller(name, self._seed, self._shop, mix=self._habits.mix)
        line = _Line(address, name, self, chance)
        async with line.client:
            while not self._stopped.is_set():
                for answer in await line.ask(self._wishes(caller)):
                    if "order_id" in answer:
                        caller.told_of(str(answer["order_id"]))
                await asyncio.sleep(chance.uniform(0, 2 * self._habits.pause_s))

    def _wishes(self, caller: Caller) -> list[Wanted]:
        """The next call; with batches, so many orders at once as soon as one is wanted."""
        wishes = [caller.next()]
        if not self._habits.hurries:
            wishes = [Wanted(one.method, one.request) for one in wishes]
        if wishes[0].method == "CreateOrder":
            while len(wishes) < self._habits.batch:
                wanted = caller.next()
                if wanted.method == "CreateOrder":
                    wishes.append(wanted)
        return wishes


class _Line:
    """One caller's connection: makes calls, writes them down, asks again when in doubt."""

    def __init__(
        self, address: Address, name: str, callers: Callers, chance: random.Random
    ) -> None:
        self._name = name
        self._callers = callers
        self._diary = callers._diary
        self._chance = chance
        self.client = Holdfast(address.orders, address.inventory, retry_s=callers._habits.retry_s)

    async def ask(self, wishes: Sequence[Wanted]) -> list[Facts]:
        """Ask for one thing or for a batch of orders, again in doubt; the answers that came."""
        tries = 1 if self._chance.random() < GIVES_UP_AT_ONCE else TRIES_MAX
        return await self._ask(wishes, tries)

    async def insist(self, wanted: Wanted) -> Facts:
        """Ask until there is an answer.

        :raises HoldfastError: it was refused.
        """
        while True:
            (told,) = await self._call([wanted])
            if not isinstance(told, HoldfastError):
                return told
            if told.code in NOT_DONE:
                raise told

    async def _ask(self, wishes: Sequence[Wanted], tries: int) -> list[Facts]:
        answers: list[Facts] = []
        pause_s = PAUSE_S_MAX / 50
        for _ in range(tries):
            told = await self._call(wishes)
            answers += [one for one in told if not isinstance(one, HoldfastError)]
            wishes = [
                Wanted(wanted.method, wanted.request)  # the second time there is no hurry
                for wanted, one in zip(wishes, told, strict=True)
                if isinstance(one, HoldfastError) and one.code not in NOT_DONE
            ]
            if not wishes:
                break
            await asyncio.sleep(self._chance.uniform(0.5, 1.0) * pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        return answers

    async def _call(self, wishes: Sequence[Wanted]) -> list[Facts | HoldfastError]:
        """One call of the client library, with what it was told of each wish."""
        diary = self._diary
        numbers = [diary.invoke(self._name, one.method, one.request) for one in wishes]
        await diary.on_disk()
        told: list[Facts | HoldfastError]
        try:
            if len(wishes) == 1:
                told = [await call(self.client, wishes[0])]
            else:
                told = await call_batch(self.client, wishes)
        except HoldfastError as error:
            told = [error] * len(wishes)
        for number, one in zip(numbers, told, strict=True):
            if isinstance(one, HoldfastError):
                diary.refused(number, one.code)
                self._look_at(one, number)
            else:
                diary.ok(number, one)
        await diary.on_disk()
        return told

    def _look_at(self, error: HoldfastError, number: int) -> None:
        self._callers.codes[f"{error.code} {error.reason}".rstrip()] += 1
        # What the network says of itself has no correlation id, and nobody here asks nonsense.
        of_ours = isinstance(error, InternalError) and error.correlation_id
        if of_ours or isinstance(error, InvalidRequest):
            self._callers.bugs.append(f"call {number}: {error.code} {error.message}")


def supply(stock: tuple[str, int]) -> Wanted:
    """The call that fills one shelf."""
    product_id, units = stock
    request_id = f"supply-{product_id}"
    return Wanted(
        "UpdateStock", {"request_id": request_id, "product_id": product_id, "delta": units}
    )


async def call(client: Holdfast, wanted: Wanted) -> Facts:
    """Make one call of the history by the client library.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked = wanted.request
    match wanted.method:
        case "CreateOrder":
            orders = client.orders
            if wanted.deadline_s is not None:
                orders = hurried(orders, wanted.deadline_s)
            return placed_facts(
                await orders.create(
                    asked["customer_id"], _lines(asked), request_id=asked["request_id"]
                )
            )
        case "GetOrderDetails":
            order = await client.orders.get(asked["order_id"])
            return {
                "order_id": order.order_id,
                "status": order.status.value,
                "version": order.version,
                "lines": [[line.product_id, line.quantity] for line in order.lines],
                "total_minor": order.total.minor,
            }
        case "CancelOrder":
            order = await client.orders.cancel(asked["order_id"])
            return {"order_id": order.order_id, "status": order.status.value}
        case "GetStockInfo":
            info = await client.inventory.get_stock(asked["product_id"])
            return _units(info.on_hand, info.reserved, info.available)
        case "UpdateStock":
            level = await client.inventory.adjust_stock(
                asked["product_id"], asked["delta"], reason="count", request_id=asked["request_id"]
            )
            return _units(level.on_hand, level.reserved, level.available)
        case "CreateProduct":
            product_id = asked["product_id"]
            await client.inventory.create_product(product_id, name=product_id, unit_price=PRICE)
            return {"product_id": product_id}
    raise AssertionError(f"no caller knows how to call {wanted.method}")


async def call_batch(client: Holdfast, wishes: Sequence[Wanted]) -> list[Facts | HoldfastError]:
    """Ask for many orders by one BatchCreateOrders.

    :raises HoldfastError: the whole call failed.
    """
    told = await client.orders.create_batch(
        [
            OrderRequest(
                customer_id=one.request["customer_id"],
                lines=_lines(one.request),
                request_id=one.request["request_id"],
            )
            for one in wishes
        ]
    )
    return [placed_facts(one) if isinstance(one, Placed) else one for one in told]


def hurried(orders: Orders, deadline_s: float) -> Orders:
    """The same connection with another deadline: the client library has one for all its calls."""
    calls = copy(orders._calls)
    calls._deadline_s = calls._retry_s = deadline_s
    return Orders(calls)


def placed_facts(placed: Placed) -> Facts:
    return {"order_id": placed.order_id, "status": placed.status.value}


def _lines(asked: Facts) -> list[OrderLine]:
    return [OrderLine(product_id, quantity) for product_id, quantity in asked["lines"]]


def _units(on_hand: int, reserved: int, available: int) -> Facts:
    return {"on_hand": on_hand, "reserved": reserved, "available": available}
