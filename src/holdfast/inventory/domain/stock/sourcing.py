"""Sourcing: which locations an order's stock is taken from, and why; nothing is moved here.

The same stock and the same wish always give the same locations. Fewest locations: proven to be
fewest where at most EXACT_MAX have any of it, or at most CANDIDATES_MAX of which three are enough;
beyond that two and three of the CANDIDATES_MAX that have most are tried, and then the location that
has most of what is left is added until all is there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

CANDIDATES_MAX = 12  # locations of which pairs and triples are tried: 12 + 66 + 220
EXACT_MAX = 8  # locations of which every combination is tried: 255

Free = Mapping[str, Mapping[str, int]]  # units by product and location


class Strategy(StrEnum):
    """By what rule locations are chosen."""

    PRIORITY = "PRIORITY"
    FEWEST_SHIPMENTS = "FEWEST_SHIPMENTS"
    NEAREST = "NEAREST"  # the order's own list first
    PINNED = "PINNED"  # nothing but the order's own list


class SourcingReason(StrEnum):
    """Why a location was taken; the proto says what each means."""

    PRIORITY = "PRIORITY"
    NEAREST = "NEAREST"
    PINNED = "PINNED"
    HAS_ALL = "HAS_ALL"
    FEWEST = "FEWEST"


class Sourcing(NamedTuple):
    """Where an order's stock is to come from.

    :param location_ids: for NEAREST and PINNED: at least one, each once; else none.
    :param may_split: whether several locations may share it; else all is at one, or nothing.
    :param in_stock_only: whether what is not there is refused rather than waited for.
    """

    strategy: Strategy = Strategy.PRIORITY
    location_ids: tuple[str, ...] = ()
    may_split: bool = True
    in_stock_only: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether units of it may wait for stock, where their product allows it."""
        return self.may_split and not self.in_stock_only

    @property
    def is_greedy(self) -> bool:
        """Whether each location gives what it has, in order, product by product."""
        return self.may_split and self.strategy is not Strategy.FEWEST_SHIPMENTS


BY_PRIORITY = Sourcing()


class Sources(NamedTuple):
    """Locations to take from, the first as much as it has, and why."""

    location_ids: Sequence[str]
    reason: SourcingReason


def sources(
    wanted: Mapping[str, int],
    free: Free,
    ranking: Sequence[str],
    *,
    may_split: bool,
    used: Collection[str] = (),
) -> Sources | None:
    """Choose the fewest locations that have all of it together; None: they must not share it, and
    none has all alone.

    :param wanted: units by product, no more than are free in all.
    :param ranking: the locations that may be taken from, in order of preference.
    :param used: locations that are taken from in any case.
    """
    chosen = [one for one in ranking if one in used] if used else []
    rows = _rows(wanted, free, ranking)
    left = _less(list(wanted.values()), [rows[one] for one in chosen if one in rows])
    if any(left) or not chosen:
        rest = {one: row for one, row in rows.items() if one not in chosen}
        alone = next((one for one, row in rest.items() if not any(_less(left, [row]))), None)
        if alone is None and not may_split:
            return None
        chosen += _fewest(left, rest) if alone is None else [alone]
    return Sources(chosen, SourcingReason.HAS_ALL if len(chosen) == 1 else SourcingReason.FEWEST)


def closest(wanted: Mapping[str, int], free: Free, ranking: Sequence[str]) -> str | None:
    """The location that lacks least of it; None: there is none."""
    units, rows = list(wanted.values()), _rows(wanted, free, ranking)
    return min(rows, key=lambda one: sum(_less(units, [rows[one]])), default=None)


Row = Sequence[int]  # units by product, in the order in which they are wanted


def _rows(wanted: Mapping[str, int], free: Free, ranking: Sequence[str]) -> dict[str, Row]:
    """What the locations have of it, in order of preference; those that have none are left out."""
    shelves = [free[name] for name in wanted]
    rows = {one: [shelf.get(one, 0) for shelf in shelves] for one in ranking}
    return {one: row for one, row in rows.items() if any(row)}


def _fewest(left: Row, rows: Mapping[str, Row]) -> Sequence[str]:
    """The fewest of these locations that have all of it together, where no one alone has."""
    # Equal ones stay as they are ranked.
    some = sorted(rows, key=lambda one: sum(_less(left, [rows[one]])))[:CANDIDATES_MAX]
    best = [one for one in rows if one in some]
    for size in range(2, (len(best) if len(rows) <= EXACT_MAX else 3) + 1):
        for together in combinations(best, size):
            if not any(_less(left, [rows[one] for one in together])):
                return together
    chosen = list[str]()
    while any(left):
        rest = (one for one in rows if one not in chosen)
        best_now = min(rest, key=lambda one: sum(_less(left, [rows[one]])))
        left = _less(left, [rows[best_now]])
        chosen.append(best_now)
    return chosen


def _less(units: Row, rows: Iterable[Row]) -> Row:
    """What is missing of so many units when these rows are taken."""
    for row in rows:
        units = [
            more - there if more > there else 0 for more, there in zip(units, row, strict=True)
        ]
    return units
