"""Two orders for the last unit, explored whole: every way in which events and troubles can follow
one another, up to so many troubles. Small enough to leave nothing out, large for most mistakes.

Deaths are among the ways. A receiver, a relay or a caller that dies before its commit has done
nothing; one that dies after it has done its work, and what it was given comes again.
"""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from holdfast.chassis.database.engines import connect
from holdfast.chassis.messaging.broker import Event
from holdfast.orders.domain.ordering.status import OrderStatus
from proof.rules import agreement, orders, stock
from proof.run_record import RunRecord
from proof.snapshot import Snapshot
from proof.snapshot_reading import snapshot_of
from testbed.templates import Templates
from tests.contract import conftest as contract
from tests.contract.conftest import SteadyClock
from tests.integration.two_services import (
    ANNA,
    EXPIRE_S,
    INVENTORY_TO_ORDERS,
    LATE_S,
    ORDERS_TO_INVENTORY,
    TwoServices,
    asks,
)

clock = contract.clock

ORDERS = ("first", "second")
# In one history: repeats, cancellations, late answers, expiries; and how many ends there are.
TROUBLES = [(1, 10), pytest.param(2, 100, marks=pytest.mark.proof)]
RULES = (agreement.agreement, stock.ledger_is_level, orders.books)

# Of each service, what matters; the last: what the movements add up to.
LOOKS = {
    "orders": ("SELECT order_id, status FROM orders",),
    "inventory": (
        "SELECT order_id, state FROM reservation",
        "SELECT on_hand, reserved FROM stock_level",
        "SELECT sum(on_hand_delta), sum(reserved_delta) FROM stock_movement",
    ),
}

Step = tuple[str, str]  # what, and to what
Label = tuple[str, str, int]  # type, order, and how many of these came before
Copies = tuple[sqlite3.Connection, sqlite3.Connection]


@dataclass
class Past:
    """What has happened, beside what the databases tell."""

    events: dict[Label, Event] = field(default_factory=dict)
    delivered: Counter[Label] = field(default_factory=Counter)
    troubles: int = 0
    now: datetime | None = None

    @property
    def waiting(self) -> list[Label]:
        return [label for label in self.events if not self.delivered[label]]

    def copy(self) -> Self:
        return type(self)(dict(self.events), self.delivered.copy(), self.troubles, self.now)


class Look(NamedTuple):
    """What matters of a state."""

    statuses: dict[str, str]
    decided: dict[str, str]
    levels: list[tuple[Any, ...]]
    sums: list[tuple[Any, ...]]


class Worlds:
    """Both services in any state they have been in.

    :param troubles_max: in one history.
    """

    def __init__(self, shop: TwoServices, files: list[Path], names: dict[str, str]) -> None:
        self._shop, self._files, self._names = shop, files, names
        self.troubles_max = 0
        self.past = Past(now=shop.clock.now())

    @classmethod
    async def opened(cls, shop: TwoServices) -> Self:
        """Record both orders; nothing has been told to Inventory yet."""
        files = [Path(url.removeprefix("sqlite:///")) for url in shop.urls]
        await shop.supply(LAMP=1)
        placed = await shop.place(*(asks(name, LAMP=1) for name in ORDERS))
        await shop.forget_told(shop.inventory)
        names = {order.order_id: name for order, name in zip(placed, ORDERS, strict=True)}
        worlds = cls(shop, files, names)
        await worlds._gather()
        return worlds

    def kept(self) -> tuple[Copies, Past]:
        """A copy of the present state."""
        copies = tuple(_copied(file, sqlite3.connect(":memory:")) for file in self._files)
        return (copies[0], copies[1]), self.past.copy()

    def go_back(self, copies: Copies, past: Past) -> None:
        for copy, file in zip(copies, self._files, strict=True):
            with closing(sqlite3.connect(file)) as original:
                copy.backup(original)
        self.past = past.copy()
        assert past.now is not None
        self._shop.clock.advance((past.now - self._shop.clock.now()).total_seconds())

    def look(self) -> Look:
        """What matters of both databases, quickly."""
        orders, inventory = (
            [self._rows(file, sql) for sql in LOOKS[service]]
            for service, file in zip(LOOKS, self._files, strict=True)
        )
        statuses = {self._names[order_id]: status for order_id, status in orders[0]}
        decided = {self._names[order_id]: state for order_id, state in inventory[0]}
        return Look(statuses, decided, inventory[1], inventory[2])

    def _rows(self, file: Path, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(sql).fetchall()

    async def snapshot(self) -> Snapshot:
        """Everything of both databases."""
        return await snapshot_of(self._shop.orders, self._shop.inventory)

    def steps(self, look: Look) -> Iterator[Step]:
        """What can happen next."""
        yield from (("deliver", str(label)) for label in self.past.waiting)
        if self.past.troubles == self.troubles_max:
            return
        yield from (("deliver again", str(label)) for label in self.past.delivered)
        for name, status in look.statuses.items():
            if status in (OrderStatus.PENDING, OrderStatus.CONFIRMED):
                yield "cancel", name
        if OrderStatus.PENDING in look.statuses.values():
            yield from (("time goes on", str(seconds)) for seconds in (LATE_S + 1, EXPIRE_S + 1))

    async def take(self, step: Step) -> None:
        what, which = step
        await self._acts()[what](which)
        self.past.troubles += what != "deliver"
        await self._gather()
        self.past.now = self._shop.clock.now()

    def _acts(self) -> dict[str, Callable[[str], Awaitable[object]]]:
        return {
            "deliver": self._deliver,
            "deliver again": self._deliver,
            "cancel": self._cancel,
            "time goes on": self._chase,
        }

    async def _deliver(self, which: str) -> None:
        (label,) = (one for one in self.past.events if str(one) == which)
        event = self.past.events[label]
        is_question = event.type in ORDERS_TO_INVENTORY.types
        receiver = self._shop.inventory_receiver if is_question else self._shop.orders_receiver
        await receiver.receive([event])
        self.past.delivered[label] += 1

    async def _cancel(self, name: str) -> None:
        (order_id,) = (one for one, other in self._names.items() if other == name)
        await self._shop.cancel(order_id, "changed my mind", ANNA)

    async def _chase(self, seconds: str) -> None:
        self._shop.clock.advance(float(seconds))
        await self._shop.chase()

    async def _gather(self) -> None:
        """Take what is in the outboxes: the relay publishes it sooner or later, and maybe twice."""
        for database in (self._shop.orders, self._shop.inventory):
            for event in await self._shop.waiting(database):
                if event.type in (*ORDERS_TO_INVENTORY.types, *INVENTORY_TO_ORDERS.types):
                    kind, name = event.type.rpartition(".")[2], self._names[event.subject]
                    known = sum(label[:2] == (kind, name) for label in self.past.events)
                    self.past.events[kind, name, known] = event
            await self._shop.forget_told(database)

    def key(self, look: Look) -> object:
        """Two states of one key have the same future."""
        past = self.past
        return look, sorted(past.delivered.items()), sorted(past.events), past.troubles, past.now


def _copied(file: Path, target: sqlite3.Connection) -> sqlite3.Connection:
    with closing(sqlite3.connect(file)) as original:
        original.backup(target)
    return target


@pytest.fixture
async def worlds(templates: Templates, clock: SteadyClock) -> AsyncIterator[Worlds]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        urls = [templates.copy_file(one, Path(folder) / f"{one}.db") for one in LOOKS]
        async with connect(urls[0]) as orders_database, connect(urls[1]) as inventory_database:
            yield await Worlds.opened(TwoServices(orders_database, inventory_database, clock, urls))


async def explore(worlds: Worlds) -> Counter[str]:
    """Visit every state; say how many there are, and how many are final.

    :raises AssertionError: a promise is broken; the way there is told.
    """
    found, seen = Counter[str](), set[str]()
    open_states: list[tuple[Copies, Past, list[Step]]] = [(*worlds.kept(), [])]
    while open_states:
        copies, past, way = open_states.pop()
        worlds.go_back(copies, past)
        for step in list(worlds.steps(worlds.look())):
            worlds.go_back(copies, past)
            await worlds.take(step)
            look = worlds.look()
            if (key := repr(worlds.key(look))) in seen:
                continue
            seen.add(key)
            found["states"] += 1
            await judge(worlds, look, [*way, step], found)
            open_states.append((*worlds.kept(), [*way, step]))
    return found


async def judge(worlds: Worlds, look: Look, way: list[Step], found: Counter[str]) -> None:
    statuses = Counter(look.statuses.values())
    assert statuses[OrderStatus.CONFIRMED] <= 1, way
    assert look.levels == look.sums, way
    if worlds.past.waiting:
        return
    found["final"] += 1
    assert not statuses[OrderStatus.PENDING], way
    record = RunRecord(calls=(), snapshot=await worlds.snapshot())
    assert [violation for rule in RULES for violation in rule(record)] == [], way
    if not statuses[OrderStatus.CANCELLED] + statuses[OrderStatus.EXPIRED]:
        assert statuses == {OrderStatus.CONFIRMED: 1, OrderStatus.REJECTED: 1}, way


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("troubles", "ends"), TROUBLES)
async def test_two_orders_for_the_last_unit_end_well_whatever_happens_in_whatever_order(
    worlds: Worlds, troubles: int, ends: int
) -> None:
    worlds.troubles_max = troubles

    found = await explore(worlds)

    assert found["final"] > ends
