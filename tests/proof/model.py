"""What Holdfast is to do, in plain Python: every verb decides at once, without messages, databases
or anything of the product's. It is what docs/concepts say; a refusal bears the name of the error
that the product raises. Times are numbers that rise.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple

MAIN = "main"
ANY_NUMBER = 10**12  # of units that may be waited for
FINAL = ("REJECTED", "CANCELLED", "EXPIRED", "SHIPPED")

Units = Counter[str]  # by product
Places = Counter[tuple[str, str]]  # units by product and location


class Refused(Exception):
    """A verb is refused, for this reason, and nothing has changed."""


class Product(NamedTuple):
    """What orders may wait for, what is kept back at each location, and the price of a unit."""

    waits_max: int
    safety: int
    price: int


@dataclass
class Location:
    """Where stock is taken from: the lowest priority first, then by id."""

    priority: int
    active: bool = True


@dataclass
class Level:
    """Units that are there, and those of them that are out of sale."""

    on_hand: int = 0
    quarantined: int = 0


class Sourcing(NamedTuple):
    """Where an order's stock is to come from."""

    strategy: str = "PRIORITY"
    places: tuple[str, ...] = ()
    may_split: bool = True
    in_stock_only: bool = False

    @property
    def may_wait(self) -> bool:
        return self.may_split and not self.in_stock_only

    @property
    def is_greedy(self) -> bool:
        return self.may_split and self.strategy != "FEWEST_SHIPMENTS"


class Line(NamedTuple):
    """Units of one product."""

    product: str
    units: int


@dataclass
class Return:
    """Units of lines that may come back, and those that did."""

    lines: Counter[int]
    received: Counter[int] = field(default_factory=Counter)
    is_open: bool = True

    @property
    def claimed(self) -> Counter[int]:
        return self.lines if self.is_open else self.received


@dataclass
class Order:
    """An order: `since` it was placed; `queued` by product and since when; `newest` promise by
    place.
    """

    order_id: str
    since: int
    lines: dict[int, Line]
    sourcing: Sourcing
    has_hold: bool
    status: str = "PENDING"
    held: Places = field(default_factory=Counter)
    queued: Counter[tuple[str, int]] = field(default_factory=Counter)
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    shipped: Counter[int] = field(default_factory=Counter)
    returns: dict[str, Return] = field(default_factory=dict)
    payments: dict[tuple[str, str], int] = field(default_factory=dict)
    confirmed_by: str = ""
    line_no_max: int = 0

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def waiting(self) -> Units:
        return sums((name, units) for (name, _), units in self.queued.items())

    @property
    def held_units(self) -> Units:
        return sums((name, units) for (name, _), units in self.held.items())

    @property
    def shipped_units(self) -> Units:
        return sums((self.lines[line_no].product, n) for line_no, n in self.shipped.items())

    def release(self) -> None:
        self.held.clear()
        self.queued.clear()


@dataclass
class Transfer:
    """Units on their way; `sent`, `received` and `missing` by product."""

    origin: str
    target: str
    sent: Units
    received: Units = field(default_factory=Counter)
    missing: Units = field(default_factory=Counter)
    is_open: bool = True

    @property
    def coming(self) -> Units:
        return self.sent - self.received - self.missing


def sums(parts: Iterable[tuple[str, int]]) -> Units:
    units = Units()
    for name, n in parts:
        units[name] += n
    return units


def demand(lines: Mapping[int, Line]) -> Units:
    return sums(lines.values())


class Stock:
    """All levels, and all orders that hold some of them or wait."""

    def __init__(self) -> None:
        self.now = 0
        self.promises = 0
        self.products: dict[str, Product] = {}
        self.locations = {MAIN: Location(0)}
        self.levels: dict[tuple[str, str], Level] = {}
        self.orders: dict[str, Order] = {}
        self.transfers: dict[str, Transfer] = {}

    def level(self, product: str, place: str) -> Level:
        return self.levels.setdefault((product, place), Level())

    def reserved(self, product: str, place: str) -> int:
        return sum(order.held[product, place] for order in self.orders.values())

    def free(self, product: str, place: str) -> int:
        level = self.level(product, place)
        return level.on_hand - level.quarantined - self.reserved(product, place)

    def available(self, product: str, place: str) -> int:
        """What may be promised there, whoever waits."""
        free = self.free(product, place) - self.products[product].safety
        return max(0, free) if self.locations[place].active else 0

    def everywhere(self, product: str) -> int:
        return sum(self.available(product, place) for place in self.locations)

    def awaited(self, product: str) -> int:
        return sum(order.waiting[product] for order in self.orders.values())

    def promisable(self, product: str) -> int:
        """What is not owed to those who wait already."""
        return max(0, self.everywhere(product) - self.awaited(product))

    def room(self, product: str) -> int:
        waits_max = self.products[product].waits_max
        return waits_max if waits_max == ANY_NUMBER else max(0, waits_max - self.awaited(product))

    def coming(self, product: str, place: str) -> int:
        return sum(one.coming[product] for one in self.transfers.values() if one.target == place)

    def by_priority(self, places: Iterable[str]) -> list[str]:
        return sorted(
            places,
            key=lambda one: (not self.locations[one].active, self.locations[one].priority, one),
        )

    def ranking(self, sourcing: Sourcing) -> list[str]:
        """Where an order's stock may come from, in order of preference."""
        active = self.by_priority(one for one, it in self.locations.items() if it.active)
        named = [one for one in sourcing.places if one in active]
        if sourcing.strategy == "PINNED":
            return named
        return named + [one for one in active if one not in named]

    def find(
        self, wanted: Units, sourcing: Sourcing, own: Places, used: Collection[str]
    ) -> tuple[Places, Units]:
        """Find units, those that the order gives up for it among them; and what has to wait."""
        ranking, now, waits = self.ranking(sourcing), Units(wanted), Units()

        def free(product: str, place: str) -> int:
            given_up = own[product, place] if self.locations[place].active else 0
            return self.available(product, place) + given_up

        for name, units in wanted.items():
            mine = sum(free(name, one) - self.available(name, one) for one in self.locations)
            here = sum(free(name, one) for one in ranking)
            if (short := units - min(here, mine + self.promisable(name))) > 0:
                if not sourcing.may_wait or short > self.room(name):
                    raise Refused("short")
                waits[name] = short
        now -= waits
        if not sourcing.is_greedy:
            ranking = self.fewest(now, free, ranking, sourcing.may_split, used)
        parts = Places()
        for name, units in now.items():
            for one in ranking:
                parts[name, one] = min(free(name, one), units)
                units -= parts[name, one]
        return +parts, waits

    def fewest(
        self,
        wanted: Units,
        free: Callable[[str, str], int],
        ranking: list[str],
        may_split: bool,
        used: Collection[str],
    ) -> list[str]:
        """The fewest places that have all of it, of equally few the preferred ones; those where the
        order has something already go first.
        """
        first = [one for one in ranking if one in used]
        others = [one for one in ranking if one not in used and any(free(n, one) for n in wanted)]
        if not may_split:
            first, others = [], first if used else others
        for size in range(len(others) + 1 if may_split else 2):
            for more in combinations(others, size):
                chosen = first + list(more)
                if all(sum(free(n, one) for one in chosen) >= k for n, k in wanted.items()):
                    return chosen
        raise Refused("short")

    def hold(self, order: Order, wanted: Units, sourcing: Sourcing, *, moves: bool) -> None:
        """Hold, or wait for, all that an order wants from now on; or refuse, and change nothing."""
        waiting = self._goes_on_waiting(order, wanted)
        now = wanted - sums((name, units) for (name, _), units in waiting.items())
        kept = Units() if moves else order.held_units
        own = order.held if moves else Places()
        used = {place for _, place in order.held} if kept else set()
        try:
            parts, waits = self.find(now - kept, sourcing, own, used)
        except Refused:
            if kept and not sourcing.may_split:  # perhaps all of it elsewhere
                return self.hold(order, wanted, sourcing, moves=True)
            raise
        held = (
            parts if moves else order.held + parts - self._given_back(order, kept - now, sourcing)
        )
        for key in held:
            if held[key] > order.held[key]:
                self.promises += 1
                order.newest[key] = self.promises
        order.held, order.queued, order.sourcing = held, waiting, sourcing
        for name, units in waits.items():
            order.queued[name, self.now] += units
        return None

    def _goes_on_waiting(self, order: Order, wanted: Units) -> Counter[tuple[str, int]]:
        """Units that are wanted no more are first those that wait, the youngest first."""
        left, waiting = wanted - order.held_units, Counter[tuple[str, int]]()
        for (name, since), units in sorted(order.queued.items(), key=lambda row: row[0][1]):
            waiting[name, since] = min(units, left[name])
            left[name] -= waiting[name, since]
        return +waiting

    def _given_back(self, order: Order, units: Units, sourcing: Sourcing) -> Places:
        """From the least preferred location first; one that is not active before all."""
        back, places = Places(), {place for _, place in order.held}
        preferred = [one for one in self.ranking(sourcing) if one in places]
        preferred += self.by_priority(places - {*preferred})
        for place in reversed(preferred):
            for name in units:
                back[name, place] = min(units[name], order.held[name, place])
                units[name] -= back[name, place]
        return +back

    def give_way(self, product: str, place: str, going: int) -> None:
        """The youngest promises there give up what is missing, and wait since they were placed."""
        missing = going - self.free(product, place)
        if missing > self.reserved(product, place):
            return
        key = product, place
        holding = [order for order in self.orders.values() if order.held[key]]
        for order in sorted(holding, key=lambda one: one.newest[key], reverse=True):
            units = min(max(missing, 0), order.held[key])
            missing -= units
            order.held = order.held - Counter({key: units})
            order.queued += Counter({(product, order.since): units})

    def serve(self) -> None:
        """What is free goes to those who wait for it, the first of them first."""
        for product in self.products:
            rows = [
                (since, order.order_id, units)
                for order in self.orders.values()
                for (name, since), units in order.queued.items()
                if name == product
            ]
            for since, order_id, units in sorted(rows):
                self._serve(self.orders[order_id], product, since, units)

    def _serve(self, order: Order, product: str, since: int, units: int) -> None:
        used = {place for _, place in order.held}
        ranking = [one for one in self.ranking(order.sourcing) if self.available(product, one)]
        if not order.sourcing.may_split:
            ranking = [one for one in ranking if one in used] if used else ranking[:1]
        for place in ranking:
            if taken := min(units, self.available(product, place)):
                units -= taken
                self.promises += 1
                order.held[product, place] += taken
                order.newest[product, place] = self.promises
                order.queued = order.queued - Counter({(product, since): taken})
