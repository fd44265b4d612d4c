"""Both services against the model: every verb is asked of both, and both must say the same, and
have the same once everything has come to rest.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from holdfast.inventory.application.stock.change_stock import (
    AdjustOnHand,
    EndQuarantine,
    Quarantine,
    SetOnHand,
    StockChange,
)
from holdfast.inventory.domain.catalog import product as catalog
from tests.integration.two_services import BOB
from tests.proof.model import ANY_NUMBER, Product, Refused
from tests.proof.model_compare import compare
from tests.proof.model_system import System, Way
from tests.proof.model_verbs import Model

PRODUCTS_MAX, LOCATIONS_MAX = 3, 4

Opened = Callable[[asyncio.Runner, random.Random], AbstractContextManager[System]]
Some = TypeVar("Some")

ways = st.sampled_from([Way.PLAIN, *Way])
which = st.integers(0, 11)
few = st.integers(1, 4)
policies = st.sampled_from([0, 3, ANY_NUMBER, ANY_NUMBER])


def pick(some: Sequence[Some], at: int) -> Some:
    return some[at % len(some)]


def modest(units: int, most: int) -> int:
    """So many units as there are, but for who asks for very many."""
    return units if units > 3 else max(1, min(units, most))


class StockMachine(RuleBasedStateMachine):
    """Products, locations, stock."""

    opened: Opened
    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner, self.open_ones = asyncio.Runner(), ExitStack()
        self.numbers: Iterator[int] = count(1)
        self.model = Model()
        self.done: list[Callable[[], Awaitable[str | None]]] = []

    def open(self, seed: int, waits_max: tuple[int, int], units: list[int], priority: int) -> None:
        """Two products, at two locations."""
        going = type(self).opened(self.runner, random.Random(seed))
        self.system = self.open_ones.enter_context(going)
        self._make_location(priority)
        for one in waits_max:
            self._make_product(one, 0)
        for at, n in enumerate(units):
            if n:
                self.change_stock(SetOnHand(*self.level(at), n, None, "", "", BOB))
        self.rest(Way.PLAIN)

    def run(self, what: Awaitable[Some]) -> Some:
        async def whole() -> Some:
            return await what

        return self.runner.run(whole())

    def both(self, verb: Callable[[], object], asked: Awaitable[str | None]) -> bool:
        """Ask it of both; return whether it was done."""
        refused = None
        try:
            verb()
        except Refused as why:
            refused = str(why)
        told = self.run(asked)
        assert told == refused, f"the model says {refused}, Holdfast {told}"
        return told is None

    def begin(self) -> None:
        """A new step, a second later than the last one."""
        type(self).steps += 1
        self.model.now += 1
        self.system.shop.clock.advance(1)

    def rest(self, way: Way) -> None:
        """Let everything come to rest, and hold both against each other."""
        self.run(self.system.settle(way))
        self.model.serve()
        self.run(compare(self.system, self.model))

    def request_id(self) -> str:
        return f"r-{next(self.numbers)}"

    def teardown(self) -> None:
        with self.runner, self.open_ones:
            found = self.run(self.system.contradictions())
            assert not found, found
            assert self.run(self.system.parked()) == 0

    # Products and locations.

    def _make_product(self, waits_max: int, safety: int) -> None:
        name = f"P{len(self.model.products) + 1}"
        price = 100 + len(self.model.products)
        details = catalog.Product(
            name, "", "", "GBP", price, True, backorder_max=waits_max, safety_stock=safety
        )
        self.run(self.system.shop.create_product(details))
        self.model.create_product(name, Product(waits_max, safety, price))

    @precondition(lambda self: len(self.model.products) < PRODUCTS_MAX)
    @rule(waits_max=policies, safety=st.sampled_from([0, 0, 1]))
    def create_product(self, waits_max: int, safety: int) -> None:
        self.begin()
        self._make_product(waits_max, safety)

    @precondition(lambda self: len(self.model.locations) < LOCATIONS_MAX)
    @rule(priority=st.integers(0, 2))
    def create_location(self, priority: int) -> None:
        self.begin()
        self._make_location(priority)

    def _make_location(self, priority: int) -> None:
        name = f"L{len(self.model.locations)}"
        self.run(self.system.create_location(name, priority))
        self.model.create_location(name, priority)

    @rule(place=which, way=ways)
    def switch_location(self, place: int, way: Way) -> None:
        self.begin()
        locations = self.model.locations
        closed = [name for name, one in locations.items() if not one.active]
        name = pick(closed if closed and place < 9 else list(locations), place)
        location = locations[name]
        location.active = not location.active
        self.run(self.system.switch_location(name, active=location.active))
        self.rest(way)

    # Stock.

    def level(self, at: int, fits: Callable[[str, str], int] = lambda *_: 1) -> tuple[str, str]:
        """A level that fits, if there is one."""
        everything = [
            (product, place) for place in self.model.locations for product in self.model.products
        ]
        some = [key for key in everything if fits(*key)]
        return pick(some if some and at < 10 else everything, at)

    def aside(self, product: str, place: str) -> int:
        return self.model.level(product, place).quarantined

    def change_stock(self, change: StockChange) -> None:
        model, place = self.model, (change.product_id, change.location_id)

        def verb() -> None:
            match change:
                case SetOnHand():
                    model.set_stock(*place, change.quantity, displace=change.displace)
                case AdjustOnHand():
                    model.adjust_stock(*place, change.delta, displace=change.displace)
                case Quarantine():
                    model.quarantine(*place, change.units, displace=change.displace)
                case EndQuarantine():
                    model.end_quarantine(*place, change.units, write_off=change.write_off)

        if self.both(verb, self.system.change_stock(change)) and change.request_id:
            self.done.append(lambda: self.system.change_stock(change))

    @rule(at=which, units=st.integers(0, 9), displace=st.booleans(), way=ways)
    def set_stock(self, at: int, units: int, displace: bool, way: Way) -> None:
        self.begin()
        named = self.request_id(), BOB
        change = SetOnHand(*self.level(at), units, None, "counted", *named, displace=displace)
        self.change_stock(change)
        self.rest(way)

    @rule(at=which, delta=st.integers(-4, 6), displace=st.booleans(), way=ways)
    def adjust_stock(self, at: int, delta: int, displace: bool, way: Way) -> None:
        self.begin()
        place, number = self.level(at), self.request_id()
        self.change_stock(AdjustOnHand(*place, delta, "", "", number, BOB, displace=displace))
        self.rest(way)

    @rule(at=which, units=few, displace=st.booleans(), way=ways)
    def quarantine(self, at: int, units: int, displace: bool, way: Way) -> None:
        self.begin()
        named = self.request_id(), BOB
        place = self.level(at, self.model.free)
        units = modest(units, self.model.free(*place))
        self.change_stock(Quarantine(*place, units, "", *named, displace=displace))
        self.rest(way)

    @precondition(lambda self: any(one.quarantined for one in self.model.levels.values()))
    @rule(at=which, units=few, write_off=st.booleans(), way=ways)
    def end_quarantine(self, at: int, units: int, write_off: bool, way: Way) -> None:
        self.begin()
        place = self.level(at, self.aside)
        units = modest(units, self.aside(*place))
        self.change_stock(EndQuarantine(*place, units, write_off, "", self.request_id(), BOB))
        self.rest(way)

    # Whatever was done.

    @precondition(lambda self: self.done)
    @rule(at=st.integers(0, 1_000), way=ways)
    def repeat_a_request(self, at: int, way: Way) -> None:
        self.begin()
        assert self.run(pick(self.done, at)()) is None, "a repeat is done already"
        self.rest(way)
