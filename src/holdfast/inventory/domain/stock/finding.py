"""Units for an order are found: where, how many, and why there; nothing is moved here."""

from collections.abc import Collection, Iterable, Mapping

from holdfast.inventory.domain.stock.levels import (
    HeldStock,
    LevelKey,
    Short,
    Shortage,
    StockLevel,
)
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


def find(
    levels: Levels,
    wanted: Mapping[str, int],
    sourcing: Sourcing = BY_PRIORITY,
    *,
    own: Mapping[LevelKey, int] = NOTHING,
    used: Collection[str] = (),
) -> list[HeldStock] | Short:
    """Find all that is wanted, or tell what is missing.

    :param own: units that count as free beside those that are.
    :param used: locations where the order has other units, which stay there.
    """
    ranked = {name: _ranked(levels[name].values(), sourcing) for name in wanted}
    shortages = tuple(
        Shortage(name, units, free)
        for name, units in wanted.items()
        if units > (free := sum(_free(level, own) for level in ranked[name]))
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


def by_priority(level: StockLevel) -> tuple[str, bool, int, str, str]:
    """The order in which levels are taken from; those that must not be are the last."""
    return level.product_id, not level.active, level.priority, level.location_id, level.lot_id


def _ranked(levels: Collection[StockLevel], sourcing: Sourcing) -> Collection[StockLevel]:
    """The levels that may be taken from, in order of preference."""
    if not sourcing.location_ids:
        return levels
    place = {location_id: at for at, location_id in enumerate(sourcing.location_ids)}
    if sourcing.strategy is Strategy.PINNED:
        levels = [level for level in levels if level.location_id in place]
    return sorted(levels, key=lambda level: place.get(level.location_id, len(place)))


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
