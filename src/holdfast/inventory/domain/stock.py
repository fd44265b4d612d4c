"""Stock levels and the rules that change them: never below zero, never promise more than there is.

A `StockBook` holds the levels that one batch touches. It decides in the order in which it is asked
and writes down a movement for every change, so that a level is always the sum of its movements.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
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
ON_HAND_MAX = 1_000_000_000_000
LOCATIONS_MAX = 10_000  # of one product: all of them are locked and told together


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

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


class ReservedStock(NamedTuple):
    """Units of one product at one location, promised to an order."""

    product_id: str
    location_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product, over all locations."""

    product_id: str
    wanted: int
    available: int


class Reserved(NamedTuple):
    """All of a demand is promised: what, and where it is."""

    stock: tuple[ReservedStock, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing of a demand is promised: what was missing."""

    shortages: tuple[Shortage, ...]


class Movement(NamedTuple):
    """The immutable record of one change of one level."""

    product_id: str
    location_id: str
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


@dataclass(frozen=True, slots=True)
class Cause:
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
    _by_product: dict[str, dict[str, StockLevel]] = field(init=False)
    _changed: dict[tuple[str, str], StockLevel] = field(init=False)
    _new: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_product = defaultdict(dict)
        self._changed = {}
        self._new = set()
        for level in sorted(self.levels, key=_main_first):
            self._by_product[level.product_id][level.location_id] = level

    @property
    def changed(self) -> list[StockLevel]:
        """The levels that changed, in the order in which everyone writes them."""
        return [level for _, level in sorted(self._changed.items())]

    def is_new(self, level: StockLevel) -> bool:
        """Whether nothing was ever there before this batch."""
        return (level.product_id, level.location_id) in self._new

    def available(self, product_id: str) -> int:
        """Units free to promise, over all locations."""
        return sum(level.available for level in self._by_product[product_id].values())

    def level(self, product_id: str, location_id: str) -> StockLevel:
        """Return the level, an empty one where nothing was ever there.

        :raises TooManyLocations: the product has its stock at LOCATIONS_MAX others already.
        """
        here = self._by_product[product_id]
        if location_id not in here:
            if len(here) >= LOCATIONS_MAX:
                raise TooManyLocations(product_id, LOCATIONS_MAX)
            here[location_id] = StockLevel(product_id, location_id)
            self._new.add((product_id, location_id))
        return here[location_id]

    def reserve(self, demand: Mapping[str, int], cause: Cause) -> Reserved | Short:
        """Promise all of the demand or nothing.

        :param demand: units per product, at least one of each.
        """
        assert demand, "an order asks for something"
        assert all(quantity > 0 for quantity in demand.values()), (
            "an order asks for at least one of each"
        )
        shortages = tuple(
            Shortage(product_id, wanted, available)
            for product_id, wanted in demand.items()
            if wanted > (available := self.available(product_id))
        )
        if shortages:
            return Short(shortages)
        promised = tuple(
            stock
            for product_id, wanted in demand.items()
            for stock in self._allocate(product_id, wanted)
        )
        for stock in promised:
            self._move(stock, MovementKind.RESERVATION, cause, reserved_delta=stock.quantity)
        return Reserved(promised)

    def _allocate(self, product_id: str, wanted: int) -> list[ReservedStock]:
        """Take from the main location first, then from the others by name."""
        parts = []
        for level in self._by_product[product_id].values():
            part = min(level.available, wanted)
            if part > 0:
                parts.append(ReservedStock(product_id, level.location_id, part))
                wanted -= part
        assert wanted == 0, "the whole was available"
        return parts

    def release(self, promised: Iterable[ReservedStock], cause: Cause) -> None:
        """Take a promise back, exactly as it was made."""
        for stock in promised:
            self._move(stock, MovementKind.RELEASE, cause, reserved_delta=-stock.quantity)

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
            self._move(ReservedStock(*place, abs(delta)), kind, cause, on_hand_delta=delta)

    def _move(
        self,
        stock: ReservedStock,
        kind: MovementKind,
        cause: Cause,
        *,
        on_hand_delta: int = 0,
        reserved_delta: int = 0,
    ) -> None:
        level = self._by_product[stock.product_id][stock.location_id]
        level.on_hand += on_hand_delta
        level.reserved += reserved_delta
        level.version += 1
        assert 0 <= level.reserved <= level.on_hand, "never promise more than there is"
        self._changed[level.product_id, level.location_id] = level
        self.movements.append(
            Movement(
                product_id=level.product_id,
                location_id=level.location_id,
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


def _main_first(level: StockLevel) -> tuple[str, bool, str]:
    return level.product_id, level.location_id != MAIN_LOCATION, level.location_id
