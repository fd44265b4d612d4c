"""Stock levels and the rules that change them: never below zero, never promise more than there is.

A `StockBook` holds the levels that one batch touches. It decides in the order in which it is asked
and writes down a movement for every change, so that a level is always the sum of its movements.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from holdfast.inventory.domain.errors import (
    BelowReserved,
    LocationInactive,
    NotQuarantined,
)
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.finding import (
    NOTHING,
    Found,
    by_priority,
    find_or_wait,
    preference,
    take,
)
from holdfast.inventory.domain.stock.levels import (
    NO_LOT,
    HeldStock,
    LevelKey,
    QueuedUnits,
    Short,
    StockLevel,
)
from holdfast.inventory.domain.stock.movements import (
    Cause,
    Movement,
    MovementKind,
    refuse_shape,
)
from holdfast.inventory.domain.stock.parts import differences, first_of, sum_of, with_kept
from holdfast.inventory.domain.stock.queues import (
    ProductQueue,
    joined,
    kept_in_queue,
    queues_of,
    units_of,
)
from holdfast.inventory.domain.stock.refusals import refuse_taken, refuse_too_many
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing

NOTHING_MORE = Found(())
GATE = MAIN_LOCATION, NO_LOT  # where the level is that whoever moves a product locks first


class Promise(NamedTuple):
    """What an order holds, and what it waits for; both sorted."""

    stock: tuple[HeldStock, ...]
    queued: tuple[QueuedUnits, ...] = ()


@dataclass(slots=True)
class StockBook:
    """The levels that one batch touches, and what happened to them.

    :param levels: all levels of the products concerned, locked against everybody else. A product's
        safety stock stands at its gate alone.
    :param places: locations by id that units may come to where the product has no level yet.
    """

    levels: Collection[StockLevel]
    at: datetime
    places: Mapping[str, Location] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    queues: dict[str, ProductQueue] = field(init=False)
    _served: set[str] = field(default_factory=set)
    _requeued: set[str] = field(default_factory=set)
    _woken: set[str] = field(default_factory=set)
    _by_product: dict[str, dict[LevelKey, StockLevel]] = field(init=False)
    _versions: dict[LevelKey, int] = field(init=False)
    _changed: dict[LevelKey, StockLevel] = field(init=False)

    def __post_init__(self) -> None:
        self._by_product = shelves(self.levels)
        self.queues = queues_of(self.levels)
        for gate in self.levels:
            if gate.safety_stock:
                for level in self._by_product[gate.product_id].values():
                    level.safety_stock = gate.safety_stock
        self._versions = {level.key: level.version for level in self.levels}
        self._changed = {}

    @property
    def changed(self) -> list[StockLevel]:
        """The levels that changed, in the order in which everyone writes them."""
        return [level for _, level in sorted(self._changed.items())]

    @property
    def come_elsewhere(self) -> dict[str, int]:
        """How many levels besides their gates products have more than before."""
        new = self._changed.keys() - self._versions.keys()
        return Counter(sorted(key[0] for key in new if key[1:] != GATE))

    @property
    def queued(self) -> dict[str, int]:
        """Units that are waited for, of the products where that changed."""
        before = queues_of(self.levels) if self.queues else {}  # the gates are as they were read
        return {
            name: queue.units
            for name, queue in sorted(self.queues.items())
            if queue.units != (before[name].units if name in before else 0)
        }

    @property
    def to_serve(self) -> list[str]:
        """Products that are waited for and have free units, where something moved or somebody waits
        otherwise than before: perhaps from elsewhere. Not those whose queues this batch served. And
        those that were woken.
        """
        if not any(queue.units for queue in self.queues.values()):
            return sorted(self._woken)
        touched = {one.product_id for one in self.movements} | self._requeued
        due = {
            name
            for name in touched - self._served
            if name in self.queues and self.queues[name].units and self.free(name)
        }
        return sorted(due | self._woken)

    def version_before(self, level: StockLevel) -> int | None:
        """The level's version before this batch; None: there was no such level."""
        return self._versions.get(level.key)

    def level(self, product_id: str, location: Location) -> StockLevel:
        """Return the level of what has no lot, an empty one where nothing was ever there."""
        here = self._by_product[product_id]
        key = product_id, location.location_id, NO_LOT
        if key not in here:
            new = StockLevel(
                product_id,
                location.location_id,
                priority=location.priority,
                active=location.active,
                safety_stock=max((level.safety_stock for level in here.values()), default=0),
            )
            self._by_product |= shelves([*here.values(), new])  # in its place among the others
        return self._by_product[product_id][key]

    def hold(
        self,
        held: Sequence[HeldStock],
        wanted: Mapping[str, int],
        cause: Cause,
        sourcing: Sourcing = BY_PRIORITY,
        *,
        moves: bool = False,
        queued: Sequence[QueuedUnits] = (),
        since: datetime | None = None,
    ) -> Promise | Short:
        """Move a promise from what is held to what is wanted: all of it, or nothing is changed.

        :param held: what this order was promised so far.
        :param wanted: units per product, at least one of each.
        :param moves: whether what is held is to be found anew, and moves; else it stays where it
            is, and only the difference is given back or found.
        :param queued: what this order waits for so far.
        :param since: when it asked for what it gets more; None: now.
        """
        assert wanted, "an order that is not over wants something"
        assert all(units > 0 for units in wanted.values()), "it wants at least one of each"
        if queued:
            return self._hold_beside(queued, held, wanted, cause, sourcing, moves, since)
        own = {part.key: part.quantity for part in held} if moves else NOTHING
        kept: dict[str, int] = {}
        for part in () if moves else held:
            kept[part.product_id] = kept.get(part.product_id, 0) + part.quantity
        more = wanted
        if kept:
            more = {
                name: units - kept.get(name, 0)
                for name, units in wanted.items()
                if units > kept.get(name, 0)
            }
        used = {part.location_id for part in held} if kept else ()
        there: Found | Short = NOTHING_MORE
        if more:
            there = find_or_wait(self._by_product, more, sourcing, self.queues, own=own, used=used)
        if isinstance(there, Short):
            if kept and not sourcing.may_split:  # perhaps all of it elsewhere
                return self.hold(held, wanted, cause, sourcing, moves=True)
            return with_kept(there, kept) if kept else there
        found, waits = there
        if moves:
            given_back, taken = differences(held, found)
            after = tuple(sorted(found))
        else:
            given_back, taken = self._given_back(held, kept, wanted, sourcing), list(found)
            after = sum_of(held, given_back, taken) if held else tuple(sorted(taken))
        self.release(given_back, cause)
        for part in taken:
            self.move(part.key, MovementKind.RESERVATION, cause, reserved_delta=part.quantity)
        if not waits:
            return Promise(after)
        queue = joined(QueuedUnits(name, n, since or self.at) for name, n in waits.items())
        self.requeue((), queue)
        return Promise(after, queue)

    def _hold_beside(
        self,
        queued: Sequence[QueuedUnits],
        held: Sequence[HeldStock],
        wanted: Mapping[str, int],
        cause: Cause,
        sourcing: Sourcing,
        moves: bool,
        since: datetime | None,
    ) -> Promise | Short:
        """Hold what is wanted, less what goes on waiting; which is less where less is wanted."""
        waiting = kept_in_queue(queued, held, wanted)
        awaited = units_of(waiting)
        now = {
            name: units - awaited.get(name, 0)
            for name, units in wanted.items()
            if units > awaited.get(name, 0)
        }
        promise: Promise | Short = Promise(())
        if now:
            promise = self.hold(held, now, cause, sourcing, moves=moves, since=since)
        else:
            self.release(held, cause)
        if isinstance(promise, Short):
            return with_kept(promise, awaited)
        self.requeue(queued, waiting)
        return Promise(promise.stock, joined(waiting + promise.queued))

    def requeue(self, before: Iterable[QueuedUnits], after: Iterable[QueuedUnits]) -> None:
        """Count what an order waits for now instead of what it waited for before."""
        for sign, queued in ((-1, before), (1, after)):
            for product_id, units, _ in queued:
                self._requeued.add(product_id)
                self.queues.setdefault(product_id, ProductQueue()).units += sign * units

    def wake(self, product_ids: Iterable[str]) -> None:
        """Have these queues served, whether or not their levels are among these."""
        self._woken.update(product_ids)

    def serve(
        self, held: Sequence[HeldStock], one: QueuedUnits, sourcing: Sourcing, cause: Cause
    ) -> list[HeldStock]:
        """Promise what is free of units that an order waits for, as far as it goes; return it."""
        self._served.add(one.product_id)
        used = {part.location_id for part in held}
        taken = take(self._by_product[one.product_id], one.quantity, sourcing, used)
        for part in taken:
            self.move(part.key, MovementKind.RESERVATION, cause, reserved_delta=part.quantity)
            self.queues[one.product_id].units -= part.quantity
        return taken

    def knows(self, product_id: str) -> bool:
        """Whether there is such a product."""
        return bool(self._by_product[product_id])

    def there(self, key: LevelKey) -> StockLevel | None:
        """The level, if anything was ever there."""
        return self._by_product[key[0]].get(key)

    def free(self, product_id: str) -> int:
        """Units of the product that are free, whoever waits for them."""
        return sum(level.available for level in self._by_product[product_id].values())

    def _given_back(
        self,
        held: Sequence[HeldStock],
        kept: Mapping[str, int],
        wanted: Mapping[str, int],
        sourcing: Sourcing,
    ) -> list[HeldStock]:
        """What is not wanted any more of what is held, from the least preferred location first."""
        mine = defaultdict[str, list[HeldStock]](list)
        for part in held:
            mine[part.product_id].append(part)
        parts, preferred = list[HeldStock](), preference(sourcing)
        for product_id, units in kept.items():
            left = units - wanted.get(product_id, 0)
            if left > 0:
                mine[product_id].sort(key=lambda part: preferred(self._at(part)), reverse=True)
                parts += first_of(mine[product_id], left)
        return parts

    def _at(self, part: HeldStock) -> StockLevel:
        return self._by_product[part.product_id][part.key]

    def release(self, promised: Iterable[HeldStock], cause: Cause) -> None:
        """Take a promise back, exactly as it was made."""
        for stock in promised:
            self.move(stock.key, MovementKind.RELEASE, cause, reserved_delta=-stock.quantity)

    def quarantine(self, level: StockLevel, units: int, cause: Cause) -> None:
        """Take units out of sale.

        :raises NotFree: fewer are free there.
        """
        refuse_taken(level, units, "be quarantined")
        self.move(level.key, MovementKind.QUARANTINE, cause, quarantined_delta=units)

    def end_quarantine(
        self, level: StockLevel, units: int, cause: Cause, *, write_off: bool
    ) -> None:
        """Put units back on sale, or write them off.

        :raises NotQuarantined: fewer are in quarantine there.
        :raises LocationInactive: nothing is put back on sale there.
        """
        if units > level.quarantined:
            raise NotQuarantined(
                level.product_id, level.location_id, wanted=units, quarantined=level.quarantined
            )
        if write_off:
            self.move(
                level.key,
                MovementKind.WRITE_OFF,
                cause,
                on_hand_delta=-units,
                quarantined_delta=-units,
            )
        elif not level.active:
            raise LocationInactive(level.location_id, wanted="sell")
        else:
            self.move(level.key, MovementKind.UNQUARANTINE, cause, quarantined_delta=-units)

    def set_on_hand(self, level: StockLevel, quantity: int, cause: Cause) -> None:
        """Make `quantity` the number of units physically there. No change, no movement.

        :raises LocationInactive: more units would come where none may.
        :raises BelowReserved: orders were promised more than `quantity`.
        :raises QuantityTooLarge: it exceeds ON_HAND_MAX.
        """
        place = level.product_id, level.location_id
        if quantity > level.on_hand and not level.active:
            raise LocationInactive(level.location_id, wanted="receive")
        if quantity < level.reserved + level.quarantined:
            raise BelowReserved(
                *place, wanted=quantity, reserved=level.reserved, quarantined=level.quarantined
            )
        refuse_too_many(level, quantity)
        delta = quantity - level.on_hand
        if delta:
            kind = MovementKind.RECEIPT if delta > 0 else MovementKind.ADJUSTMENT
            self.move(level.key, kind, cause, on_hand_delta=delta)

    def move(
        self,
        key: LevelKey,
        kind: MovementKind,
        cause: Cause,
        *,
        on_hand_delta: int = 0,
        reserved_delta: int = 0,
        quarantined_delta: int = 0,
    ) -> None:
        """Change a level, and write it down: every change of any level is one of these."""
        refuse_shape(kind, on_hand_delta, reserved_delta, quarantined_delta)
        level = self._by_product[key[0]][key]
        level.on_hand += on_hand_delta
        reserved = level.reserved = level.reserved + reserved_delta
        quarantined = level.quarantined = level.quarantined + quarantined_delta
        level.version += 1
        assert reserved >= 0, "no number is below zero"
        assert quarantined >= 0, "no number is below zero"
        assert reserved + quarantined <= level.on_hand, "never promise more than there is"
        self._changed[key] = level
        caller, reason, reference, order_id, reason_code = cause
        self.movements.append(
            Movement(
                *key,
                kind,
                on_hand_delta,
                reserved_delta,
                level.on_hand,
                level.reserved,
                order_id,
                reason,
                reference,
                caller.name,
                self.at,
                reason_code,
                quarantined_delta,
                level.quarantined,
                caller.credential_id,
            )
        )


def shelves(levels: Iterable[StockLevel]) -> dict[str, dict[LevelKey, StockLevel]]:
    """Sort levels by product, each product's by priority; a product without any has none."""
    found = defaultdict[str, dict[LevelKey, StockLevel]](dict)
    for level in sorted(levels, key=by_priority):
        found[level.product_id][level.key] = level
    return found
