"""Callers at work: the client library calls, every call goes into a history, in doubt again.

What a caller wants next comes from `proof/workload.py`; here it is asked for and written down.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import starmap
from types import MappingProxyType

from holdfast.client import (
    Holdfast,
    HoldfastError,
    InternalError,
    InvalidRequest,
)
from holdfast.client._client import DEADLINE_S
from proof.asking import PRICE, call, call_batch
from proof.goods_wishes import GOODS
from proof.history import NOT_DONE, Facts, History
from proof.verbs import BATCHES, rpc_of
from proof.workload import MIX, Caller, Shop, Wanted, supply
from testbed.waiting import until

OPEN_S_MAX = 60.0
TOGETHER = 0.75  # of what may be asked for many at a time
ANSWERS_S_MAX = 60.0


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
    :param batch: orders of one BatchCreateOrders call, mostly, and likewise what is read or set of
        stock; 1: each by a call of its own.
    :param deadline_s: of the client library.
    :param retry_s: of the client library; None: its default.
    :param hurries: some deadlines are too short to be kept.
    :param names_price: orders say what their lines cost.
    :param insist_s: for so long a caller asks again while the outcome is unknown.
    :param again_s_max: between two tries; doubles from a fiftieth of it.
    :param gives_up: of the unknown outcomes: nobody asks again, and nobody ever knows.
    :param mix: weights of the methods.
    """

    callers: int = 24
    name: str = "c"
    pause_s: float = 0.2
    batch: int = 1
    deadline_s: float = DEADLINE_S
    retry_s: float | None = None
    hurries: bool = True
    names_price: bool = False
    insist_s: float = 200.0
    again_s_max: float = 1.0
    gives_up: float = 0.2
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))


class Callers:
    """Seeded callers, each with a client of its own, on the addresses in turn."""

    def __init__(
        self,
        addresses: Sequence[Address],
        history: History,
        *,
        seed: int | str,
        shop: Shop,
        habits: Habits | None = None,
    ) -> None:
        self._addresses = addresses
        self._seed = seed
        self._shop = shop
        self._stopped = asyncio.Event()
        self.history = history
        self.habits = habits or Habits()
        self.made = 0  # calls that came to an end
        self.answered: set[str] = set()  # request ids of orders that were placed or refused
        self.order_ids: dict[str, None] = {}  # in the order in which callers were told of them
        self.bugs: list[str] = []  # what a service called its own fault
        self.nonsense: list[str] = []  # what it called the caller's
        self.codes: Counter[str] = Counter()  # of calls that failed
        self.succeeded: Counter[str] = Counter()  # calls that were answered OK, by RPC

    def line(self, name: str, number: int = 0) -> "Line":
        """A caller of this name, who is connected to the address whose turn it is."""
        address = self._addresses[number % len(self._addresses)]
        return Line(address, name, self, random.Random(f"{self._seed}/habits/{name}"))

    async def open_shop(self, others: Mapping[str, int] = MappingProxyType({})) -> None:
        """Make the products and fill the shelves, before anything is broken.

        :param others: units of products that these callers don't order.
        """
        shopkeeper = self.line("shopkeeper")
        async with asyncio.timeout(OPEN_S_MAX), shopkeeper.client:
            more = [Wanted("CreateProduct", {"product_id": product_id}) for product_id in others]
            for wanted in (*self._shop.creation(), *more, *self._shop.supply()):
                await shopkeeper.insist(wanted)
            for wanted in starmap(supply, others.items()):
                await shopkeeper.insist(wanted)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work while the block runs; then each ends the call it is at. Only once."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.habits.callers):
                group.create_task(self._work(number))
            try:
                yield
            finally:
                self._stopped.set()

    async def answers(self, more: int, within_s: float = ANSWERS_S_MAX) -> None:
        """Wait until so many more orders were placed or refused."""
        enough = len(self.answered) + more
        failure = TimeoutError(f"{more} orders were not answered within {within_s:.0f} s")
        await until(lambda: len(self.answered) >= enough, within_s, lambda: failure)

    async def look_back(self) -> None:
        """Read every order that somebody was told of, and all stock."""
        orders = [Wanted("GetOrderDetails", {"order_id": order_id}) for order_id in self.order_ids]
        stock = [Wanted("GetStockInfo", {"product_id": one}) for one in self._shop.product_ids]
        auditor = self.line("auditor")
        async with auditor.client:
            for wanted in (*orders, *stock):
                await auditor.ask([wanted], gives_up=False)

    async def _work(self, number: int) -> None:
        name = f"{self.habits.name}-{number}"
        line = self.line(name, number)
        caller = Caller(name, self._seed, self._shop, mix=self.habits.mix)
        async with line.client:
            while not self._stopped.is_set():
                for answer in await line.ask(self._wishes(caller, line.chance)):
                    caller.told_of(answer)
                await asyncio.sleep(line.chance.uniform(0, 2 * self.habits.pause_s))

    def _wishes(self, caller: Caller, chance: random.Random) -> list[Wanted]:
        """The next call; with batches, mostly so many alike at once where one call takes many."""
        wishes = [caller.next()]
        if not self.habits.hurries:
            wishes = [Wanted(one.method, one.request) for one in wishes]
        method = wishes[0].method
        if method in BATCHES and self.habits.batch > 1 and chance.random() < TOGETHER:
            while len(wishes) < self.habits.batch:
                wanted = caller.next(method)
                if wanted.method == method:
                    wishes.append(wanted)
        return wishes

    def note(self, wanted: Wanted, number: int, told: Facts | HoldfastError) -> None:
        """Put down what came of a call."""
        self.made += 1
        if isinstance(told, HoldfastError):
            self.history.refused(number, told.code)
            self._look_at(told, number, wanted.method)
        else:
            self.history.ok(number, told)
            if "order_id" in told:
                self.order_ids[told["order_id"]] = None
        if wanted.method == "CreateOrder" and is_answer(told):
            self.answered.add(wanted.request["request_id"])

    def _look_at(self, error: HoldfastError, number: int, method: str) -> None:
        self.codes[f"{error.code} {error.reason}".rstrip()] += 1
        text = f"call {number}: {error.code} {error.message}"
        # What the network says of itself has no correlation id.
        if isinstance(error, InternalError) and error.correlation_id:
            self.bugs.append(text)
        # A line that was seen may have been edited away before units of it leave or come back, and
        # what one process has dated may still be to come by another's clock.
        if isinstance(error, InvalidRequest) and method not in (*GOODS, "ExplainStock"):
            self.nonsense.append(text)


class Line:
    """One caller's connection: makes calls, writes them down, asks again when in doubt."""

    def __init__(
        self, address: Address, name: str, callers: Callers, chance: random.Random
    ) -> None:
        habits = callers.habits
        self.name, self.chance = name, chance
        self._callers, self._habits, self._history = callers, habits, callers.history
        self.client = Holdfast(
            address.orders, address.inventory, habits.deadline_s, retry_s=habits.retry_s
        )

    async def ask(self, wishes: Sequence[Wanted], *, gives_up: bool | None = None) -> list[Facts]:
        """Ask for one thing or for a batch of orders, again in doubt; the answers that came.

        :param gives_up: at the first doubt; None: as often as it is the callers' habit.
        """
        if gives_up is None:
            gives_up = self.chance.random() < self._habits.gives_up
        ends_at = time.monotonic() + (0.0 if gives_up else self._habits.insist_s)
        answers: list[Facts] = []
        pause_s = self._habits.again_s_max / 50
        while True:
            told = await self.call(wishes)
            answers += [one for one in told if not isinstance(one, HoldfastError)]
            wishes = [
                Wanted(wanted.method, wanted.request)  # the second time there is no hurry
                for wanted, one in zip(wishes, told, strict=True)
                if not is_answer(one)
            ]
            if not wishes or time.monotonic() > ends_at:
                return answers
            await asyncio.sleep(self.chance.uniform(0.5, 1.0) * pause_s)
            pause_s = min(2 * pause_s, self._habits.again_s_max)

    async def insist(self, wanted: Wanted) -> Facts:
        """Ask until there is an answer.

        :raises HoldfastError: it was refused.
        """
        while True:
            (told,) = await self.call([wanted])
            if not isinstance(told, HoldfastError):
                return told
            if is_answer(told):
                raise told

    async def call(self, wishes: Sequence[Wanted]) -> list[Facts | HoldfastError]:
        """One call of the client library, with what it was told of each wish."""
        numbers = [self._history.invoke(self.name, one.method, one.request) for one in wishes]
        await self._history.on_disk()
        price = PRICE if self._habits.names_price else None
        told: list[Facts | HoldfastError]
        try:
            if len(wishes) == 1:
                told = [await call(self.client, wishes[0], price)]
            else:
                told = await call_batch(self.client, wishes, price)
        except HoldfastError as error:
            told = [error] * len(wishes)
        for wanted, number, one in zip(wishes, numbers, told, strict=True):
            self._callers.note(wanted, number, one)
        if any(not isinstance(one, HoldfastError) for one in told):
            self._callers.succeeded[rpc_of(wishes)] += 1
        await self._history.on_disk()
        return told


def is_answer(told: Facts | HoldfastError) -> bool:
    """Whether the outcome is known."""
    return not isinstance(told, HoldfastError) or told.code in NOT_DONE
