"""Units for an order are found: where, how many, and why there; nothing is moved here."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from holdfast.inventory.domain.stock.levels import (
    HeldStock,
    LevelKey,
    Short,
    Shortage,
    StockLevel,
)
from holdfast.inventory.domain.stock.queues import NO_QUEUES, Queues
from holdfast.inventory.domain.stock.sourcing import (
    BY_PRIORITY,
    Sources,
    Sourcing,
    SourcingReason,
    Strategy,
    closest,
    sources,
)

NOTHING: Mapping[LevelKey, int] = {}

Levels = Mapping[str, Mapping[LevelKey, StockLevel]]  # by product, each by priority


NONE_WAIT: Mapping[str, int] = {}


class Found(NamedTuple):
    """What can be promised: units at their places, and units to wait for, by product."""

    parts: Sequence[HeldStock]
    waits: Mapping[str, int] = NONE_WAIT


def find_or_wait(
    levels: Levels,
    wanted: Mapping[str, int],
    sourcing: Sourcing = BY_PRIORITY,
    queues: Queues = NO_QUEUES,
    *,
    own: Mapping[LevelKey, int] = NOTHING,
    used: Collection[str] = (),
) -> Found | Short:
    """Find all that is wanted; what is not there has to wait, where its product and the order allow
    it. Else tell what is missing.

    :param own, used: as in `find`.
    """
    found = find(levels, wanted, sourcing, queues, own=own, used=used)
    if not isinstance(found, Short):
        return Found(found)
    if not queues or not sourcing.may_wait:
        return found
    waits, missing = dict[str, int](), list[Shortage]()
    for short in found.shortages:
        name, units, free = short.product_id, short.wanted, short.available
        room = queues[name].room if name in queues else 0
        if units > free + room:
            missing.append(Shortage(name, units, free + room))
        waits[name] = units - free
    if missing:
        return Short(tuple(missing))
    now = {name: left for name, units in wanted.items() if (left := units - waits.get(name, 0))}
    there = find(levels, now, sourcing, queues, own=own, used=used)
    assert not isinstance(there, Short), "no more than is there, and it may be split"
    return Found(there, waits)


def find(
    levels: Levels,
    wanted: Mapping[str, int],
    sourcing: Sourcing = BY_PRIORITY,
    queues: Queues = NO_QUEUES,
    *,
    own: Mapping[LevelKey, int] = NOTHING,
    used: Collection[str] = (),
) -> list[HeldStock] | Short:
    """Find all that is wanted, or tell what is missing.

    :param queues: what is waited for already is not there for anybody else.
    :param own: units that count as free beside those that are.
    :param used: locations where the order has other units, which stay there.
    """
    if sourcing is BY_PRIORITY and not own and (parts := _plainly(levels, wanted, queues)):
        return parts
    ranked = {name: _ranked(levels[name].values(), sourcing) for name in wanted}
    shortages = tuple(
        Shortage(name, units, free)
        for name, units in wanted.items()
        if units > (free := _promisable(name, ranked[name], levels, queues, own))
    )
    if shortages:
        return Short(shortages)
    reason = SourcingReason.PRIORITY
    if sourcing is not BY_PRIORITY:
        found = _sources(ranked, wanted, sourcing, own, used)
        if isinstance(found, Short):
            return found
        reason = found.reason
        if not sourcing.is_greedy:
            ranked = {name: _at(levels, found.location_ids) for name, levels in ranked.items()}
    return [
        part
        for name, units in wanted.items()
        for part in _taken(ranked[name], units, reason, own, sourcing)
    ]


def _plainly(levels: Levels, wanted: Mapping[str, int], queues: Queues) -> list[HeldStock] | None:
    """Find by priority what nobody waits for, in one walk, as most orders can be filled; else None:
    the whole of `find` tells why not.
    """
    parts = []
    for name, units in wanted.items():
        if name in queues:
            return None
        for key, level in levels[name].items():
            if (free := level.available) >= units:
                parts.append(HeldStock(*key, units))
                break
            if free > 0:
                parts.append(HeldStock(*key, free))
                units -= free
        else:
            return None
    return parts


def by_priority(level: StockLevel) -> tuple[str, bool, int, str, str]:
    """The order in which levels are taken from; those that must not be are the last."""
    return level.product_id, not level.active, level.priority, level.location_id, level.lot_id


def _ranked(levels: Collection[StockLevel], sourcing: Sourcing) -> Collection[StockLevel]:
    """The levels that may be taken from, in order of preference."""
    if not sourcing.location_ids:
        return levels
    if sourcing.strategy is Strategy.PINNED:
        levels = [level for level in levels if level.location_id in sourcing.location_ids]
    return sorted(levels, key=preference(sourcing))


def preference(sourcing: Sourcing) -> Callable[[StockLevel], tuple[object, ...]]:
    """The order in which an order's levels are taken from, as by_priority; its own list leads."""
    place = {location_id: at for at, location_id in enumerate(sourcing.location_ids)}
    last = len(place)
    return lambda level: (
        not level.active,
        place.get(level.location_id, last),
        by_priority(level),
    )


def _promisable(
    name: str,
    ranked: Collection[StockLevel],
    levels: Levels,
    queues: Queues,
    own: Mapping[LevelKey, int],
) -> int:
    """Units of a product that may be promised, of those at these levels: its own, and of the others
    as many as nobody waits for.
    """
    free = sum(_free(level, own) for level in ranked)
    if name not in queues:
        return free
    everywhere = levels[name].values()
    others = sum(level.available for level in everywhere)
    mine = sum(_free(level, own) for level in everywhere) - others
    return min(free, mine + max(0, others - queues[name].units))


def take(
    levels: Mapping[LevelKey, StockLevel], units: int, sourcing: Sourcing, used: Collection[str]
) -> list[HeldStock]:
    """Find as many as there are of so many units that are waited for: the first of the queue has a
    right to whatever is free.

    :param levels: of one product.
    :param used: locations where the order has other units; one that must not be split stays there.
    """
    ranked = [level for level in _ranked(levels.values(), sourcing) if level.available > 0]
    if used and not sourcing.may_split:
        ranked = [level for level in ranked if level.location_id in used]
    elif not sourcing.may_split:
        ranked = ranked[:1]
    parts = []
    for level in ranked:
        part = min(level.available, units)
        if part:
            parts.append(HeldStock(*level.key, part, _reason(level, sourcing)))
            units -= part
    return parts


def _reason(level: StockLevel, sourcing: Sourcing) -> SourcingReason:
    """Why units are taken from a level that gives what it has."""
    if sourcing.strategy is Strategy.PINNED:
        return SourcingReason.PINNED
    if level.location_id in sourcing.location_ids:
        return SourcingReason.NEAREST
    return SourcingReason.PRIORITY


def _free(level: StockLevel, own: Mapping[LevelKey, int]) -> int:
    return level.available + own.get(level.key, 0) if own and level.active else level.available


def _sources(
    ranked: Mapping[str, Collection[StockLevel]],
    wanted: Mapping[str, int],
    sourcing: Sourcing,
    own: Mapping[LevelKey, int],
    used: Collection[str],
) -> Sources | Short:
    if sourcing.is_greedy:
        return Sources((), SourcingReason(sourcing.strategy))
    free: dict[str, dict[str, int]] = {
        name: {level.location_id: units for level in levels if (units := _free(level, own)) > 0}
        for name, levels in ranked.items()
    }
    at = {level.location_id: level for levels in ranked.values() for level in levels}
    ranking = [
        level.location_id
        for level in _ranked(
            sorted(at.values(), key=lambda level: by_priority(level)[1:]), sourcing
        )
        if level.active
    ]
    if used and not sourcing.may_split:
        ranking = [one for one in ranking if one in used]
    chosen = sources(wanted, free, ranking, may_split=sourcing.may_split, used=used)
    if chosen is not None:
        return chosen
    here = closest(wanted, free, ranking)
    return Short(
        tuple(
            Shortage(name, units, there)
            for name, units in wanted.items()
            if units > (there := free[name].get(here, 0) if here else 0)
        )
    )


def _at(levels: Iterable[StockLevel], location_ids: Collection[str]) -> list[StockLevel]:
    """The levels at these locations, in their order."""
    place = {location_id: at for at, location_id in enumerate(location_ids)}
    there = [level for level in levels if level.location_id in place]
    return sorted(there, key=lambda level: place[level.location_id])


def _taken(
    levels: Iterable[StockLevel],
    wanted: int,
    reason: SourcingReason,
    own: Mapping[LevelKey, int],
    sourcing: Sourcing,
) -> list[HeldStock]:
    """Take from each level what it has, until there is enough."""
    parts = []
    for level in levels:
        part = min(_free(level, own), wanted)
        if part > 0:
            product_id, location_id, lot_id = level.key
            if reason is SourcingReason.NEAREST and location_id not in sourcing.location_ids:
                why = SourcingReason.PRIORITY
            else:
                why = reason
            parts.append(HeldStock(product_id, location_id, lot_id, part, why))
            wanted -= part
            if not wanted:
                break
    assert not wanted, "the whole was free"
    return parts
