"""Stock levels and the rules that change them: never below zero, never promise more than there is.

A `StockBook` holds the levels that one batch touches. It decides in the order in which it is asked
and writes down a movement for every change, so that a level is always the sum of its movements.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import (
    BelowReserved,
    QuantityTooLarge,
    StaleVersion,
    TooManyLocations,
)

MAIN_LOCATION = "main"  # in this spelling only, as every location
NO_LOT = ""
ON_HAND_MAX = 1_000_000_000_000
LOCATIONS_MAX = 10_000  # of one product: all of them are locked and told together


LevelKey = tuple[str, str, str]  # product, location, lot


class MovementKind(StrEnum):
    """Why a level changed."""

    RECEIPT = "RECEIPT"  # goods came in
    ADJUSTMENT = "ADJUSTMENT"  # goods went without an order
    RESERVATION = "RESERVATION"  # promised to an order
    RELEASE = "RELEASE"  # a promise taken back


@dataclass(slots=True)
class StockLevel:
    """Units of one product at one location; changed only by a StockBook. Version 0: nothing was
    ever there.
    """

    product_id: str
    location_id: str
    on_hand: int = 0
    reserved: int = 0
    version: int = 0
    lot_id: str = NO_LOT

    @property
    def key(self) -> LevelKey:
        return self.product_id, self.location_id, self.lot_id

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class HeldStock(NamedTuple):
    """Units of one product at one location, promised to an order; `lot_id` "": it has no lots."""

    product_id: str
    location_id: str
    lot_id: str
    quantity: int

    @property
    def key(self) -> LevelKey:
        return self[:3]


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product, over all locations."""

    product_id: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was promised or given back: what was missing."""

    shortages: tuple[Shortage, ...]


# What a kind may do to (on hand, reserved): the signs of its deltas.
_SHAPES: dict[MovementKind, frozenset[tuple[int, int]]] = {
    MovementKind.RECEIPT: frozenset({(1, 0)}),
    MovementKind.ADJUSTMENT: frozenset({(-1, 0), (1, 0)}),
    MovementKind.RESERVATION: frozenset({(0, 1)}),
    MovementKind.RELEASE: frozenset({(0, -1)}),
}

assert _SHAPES.keys() == set(MovementKind), "every kind states its shape"


class Movement(NamedTuple):
    """The immutable record of one change of one level."""

    product_id: str
    location_id: str
    lot_id: str
    kind: MovementKind
    on_hand_delta: int
    reserved_delta: int
    on_hand_after: int
    reserved_after: int
    order_id: str | None
    reason: str
    reference: str
    actor: str
    at: datetime


class Cause(NamedTuple):
    """Why a level changes, for the ledger."""

    caller: Caller
    reason: str = ""
    reference: str = ""
    order_id: str | None = None


@dataclass(slots=True)
class StockBook:
    """The levels that one batch touches, and what happened to them.

    :param levels: all levels of the products concerned, locked against everybody else.
    """

    levels: Iterable[StockLevel]
    at: datetime
    movements: list[Movement] = field(default_factory=list)
    _by_product: dict[str, dict[LevelKey, StockLevel]] = field(init=False)
    _versions: dict[LevelKey, int] = field(init=False)
    _changed: dict[LevelKey, StockLevel] = field(init=False)

    def __post_init__(self) -> None:
        self._by_product = defaultdict(dict)
        self._versions = {}
        self._changed = {}
        for level in sorted(self.levels, key=_main_first):
            self._by_product[level.product_id][level.key] = level
            self._versions[level.key] = level.version

    @property
    def changed(self) -> list[StockLevel]:
        """The levels that changed, in the order in which everyone writes them."""
        return [level for _, level in sorted(self._changed.items())]

    def version_before(self, level: StockLevel) -> int | None:
        """The level's version before this batch; None: there was no such level."""
        return self._versions.get(level.key)

    def available(self, product_id: str) -> int:
        """Units free to promise, over all locations."""
        return sum(level.available for level in self._by_product[product_id].values())

    def level(self, product_id: str, location_id: str) -> StockLevel:
        """Return the level of what has no lot, an empty one where nothing was ever there.

        :raises TooManyLocations: the product has its stock at LOCATIONS_MAX others already.
        """
        here = self._by_product[product_id]
        key = product_id, location_id, NO_LOT
        if key not in here:
            if len(here) >= LOCATIONS_MAX:
                raise TooManyLocations(product_id, LOCATIONS_MAX)
            here[key] = StockLevel(product_id, location_id)
        return here[key]

    def hold(
        self, held: Sequence[HeldStock], wanted: Mapping[str, int], cause: Cause
    ) -> tuple[HeldStock, ...] | Short:
        """Move a promise from what is held to what is wanted: all of it, or nothing is changed.

        :param held: what this order was promised so far.
        :param wanted: units per product, at least one of each.
        :returns: what is held now, sorted.
        """
        assert wanted, "an order that is not over wants something"
        assert all(units > 0 for units in wanted.values()), "it wants at least one of each"
        have: dict[str, int] = {}
        for stock in held:
            have[stock.product_id] = have.get(stock.product_id, 0) + stock.quantity
        shortages = tuple(
            Shortage(product_id, units, free)
            for product_id, units in wanted.items()
            if units > (free := self.available(product_id) + have.get(product_id, 0))
        )
        if shortages:
            return Short(shortages)
        given_back = [
            part
            for product_id, units in have.items()
            for part in _last_of(held, product_id, units - wanted.get(product_id, 0))
        ]
        taken = [
            part
            for product_id, units in wanted.items()
            for part in self._allocate(product_id, units - have.get(product_id, 0))
        ]
        self.release(given_back, cause)
        for part in taken:
            self._move(part.key, MovementKind.RESERVATION, cause, reserved_delta=part.quantity)
        return _sum_of(held, given_back, taken) if held else tuple(sorted(taken))

    def _allocate(self, product_id: str, wanted: int) -> list[HeldStock]:
        """Take from the main location first, then from the others by name."""
        parts = []
        for level in self._by_product[product_id].values():
            part = min(level.available, wanted)
            if part > 0:
                parts.append(HeldStock(*level.key, part))
                wanted -= part
        assert wanted <= 0, "the whole was available"
        return parts

    def release(self, promised: Iterable[HeldStock], cause: Cause) -> None:
        """Take a promise back, exactly as it was made."""
        for stock in promised:
            self._move(stock.key, MovementKind.RELEASE, cause, reserved_delta=-stock.quantity)

    def set_on_hand(
        self, level: StockLevel, quantity: int, cause: Cause, *, expected_version: int | None = None
    ) -> None:
        """Make `quantity` the number of units physically there. No change, no movement.

        :raises StaleVersion: the level has another version than expected.
        :raises BelowReserved: orders were promised more than `quantity`.
        :raises QuantityTooLarge: it exceeds ON_HAND_MAX.
        """
        if expected_version is not None and expected_version != level.version:
            name = f"{level.product_id} at {level.location_id}"
            raise StaleVersion(
                "stock level", name, expected=expected_version, current=level.version
            )
        place = level.product_id, level.location_id
        if quantity < level.reserved:
            raise BelowReserved(*place, wanted=quantity, reserved=level.reserved)
        if quantity > ON_HAND_MAX:
            raise QuantityTooLarge(*place, wanted=quantity, allowed=ON_HAND_MAX)
        delta = quantity - level.on_hand
        if delta:
            kind = MovementKind.RECEIPT if delta > 0 else MovementKind.ADJUSTMENT
            self._move(level.key, kind, cause, on_hand_delta=delta)

    def _move(
        self,
        key: LevelKey,
        kind: MovementKind,
        cause: Cause,
        *,
        on_hand_delta: int = 0,
        reserved_delta: int = 0,
    ) -> None:
        shape = _sign(on_hand_delta), _sign(reserved_delta)
        assert shape in _SHAPES[kind], "each kind of movement has its own shape"
        level = self._by_product[key[0]][key]
        level.on_hand += on_hand_delta
        level.reserved += reserved_delta
        level.version += 1
        assert 0 <= level.reserved <= level.on_hand, "never promise more than there is"
        self._changed[key] = level
        self.movements.append(
            Movement(
                product_id=level.product_id,
                location_id=level.location_id,
                lot_id=level.lot_id,
                kind=kind,
                on_hand_delta=on_hand_delta,
                reserved_delta=reserved_delta,
                on_hand_after=level.on_hand,
                reserved_after=level.reserved,
                order_id=cause.order_id,
                reason=cause.reason,
                reference=cause.reference,
                actor=cause.caller.name,
                at=self.at,
            )
        )


def folded(location_id: str) -> str:
    """What all spellings of a location have in common: letters without their case."""
    return unicodedata.normalize("NFC", location_id.casefold())


def _main_first(place: StockLevel | HeldStock) -> tuple[str, bool, str, str]:
    return place.product_id, place.location_id != MAIN_LOCATION, place.location_id, place.lot_id


def _sign(delta: int) -> int:
    return (delta > 0) - (delta < 0)


def _last_of(held: Sequence[HeldStock], product_id: str, units: int) -> list[HeldStock]:
    """So many units of a product of what is held, those first that were taken last; 0 or less:
    none.
    """
    parts = []
    for stock in sorted(held, key=_main_first, reverse=True):
        part = min(stock.quantity, units)
        if stock.product_id == product_id and part > 0:
            parts.append(stock._replace(quantity=part))
            units -= part
    return parts


def _sum_of(
    held: Iterable[HeldStock], given_back: Iterable[HeldStock], taken: Iterable[HeldStock]
) -> tuple[HeldStock, ...]:
    """What is held in the end, sorted."""
    units = Counter[LevelKey]()
    for parts, sign in ((held, 1), (given_back, -1), (taken, 1)):
        for part in parts:
            units[part.key] += sign * part.quantity
    return tuple(HeldStock(*key, quantity) for key, quantity in sorted(units.items()) if quantity)
