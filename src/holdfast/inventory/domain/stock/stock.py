"""Stock levels and the rules that change them: never below zero, never promise more than there is.

A `StockBook` holds the levels that one batch touches. It decides in the order in which it is asked
and writes down a movement for every change, so that a level is always the sum of its movements.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from holdfast.inventory.domain.errors import (
    BelowReserved,
    LocationInactive,
    NotFree,
    NotQuarantined,
    QuantityTooLarge,
    StaleVersion,
)
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.facts import Disposition, ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.finding import NOTHING, by_priority, find
from holdfast.inventory.domain.stock.levels import (
    NO_LOT,
    HeldStock,
    LevelKey,
    Short,
    StockLevel,
)
from holdfast.inventory.domain.stock.movements import (
    Cause,
    Movement,
    MovementKind,
    ReasonCode,
    refuse_shape,
)
from holdfast.inventory.domain.stock.parts import differences, first_of, sum_of, with_kept, without
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing

ON_HAND_MAX = 1_000_000_000_000


Fact = TypeVar("Fact", ShippedUnits, ReceivedUnits)


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
    _by_product: dict[str, dict[LevelKey, StockLevel]] = field(init=False)
    _versions: dict[LevelKey, int] = field(init=False)
    _changed: dict[LevelKey, StockLevel] = field(init=False)

    def __post_init__(self) -> None:
        self._by_product = shelves(self.levels)
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

    def version_before(self, level: StockLevel) -> int | None:
        """The level's version before this batch; None: there was no such level."""
        return self._versions.get(level.key)

    def level(self, product_id: str, location: Location) -> StockLevel:
        """Return the level of what has no lot, an empty one where nothing was ever there."""
        here = self._by_product[product_id]
        key = product_id, location.location_id, NO_LOT
        if key not in here:
            here[key] = StockLevel(
                product_id,
                location.location_id,
                priority=location.priority,
                active=location.active,
                safety_stock=max((level.safety_stock for level in here.values()), default=0),
            )
        return here[key]

    def hold(
        self,
        held: Sequence[HeldStock],
        wanted: Mapping[str, int],
        cause: Cause,
        sourcing: Sourcing = BY_PRIORITY,
        *,
        moves: bool = False,
    ) -> tuple[HeldStock, ...] | Short:
        """Move a promise from what is held to what is wanted: all of it, or nothing is changed.

        :param held: what this order was promised so far.
        :param wanted: units per product, at least one of each.
        :param moves: whether what is held is to be found anew, and moves; else it stays where it
            is, and only the difference is given back or found.
        :returns: what is held now, sorted.
        """
        assert wanted, "an order that is not over wants something"
        assert all(units > 0 for units in wanted.values()), "it wants at least one of each"
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
        found = find(self._by_product, more, sourcing, own=own, used=used) if more else []
        if isinstance(found, Short):
            if kept and not sourcing.may_split:  # perhaps all of it elsewhere
                return self.hold(held, wanted, cause, sourcing, moves=True)
            return with_kept(found, kept) if kept else found
        if moves:
            given_back, taken = differences(held, found)
            after = tuple(sorted(found))
        else:
            given_back, taken = self._given_back(held, kept, wanted), found
            after = sum_of(held, given_back, taken) if held else tuple(sorted(taken))
        self.release(given_back, cause)
        for part in taken:
            self._move(part.key, MovementKind.RESERVATION, cause, reserved_delta=part.quantity)
        return after

    def _given_back(
        self, held: Sequence[HeldStock], kept: Mapping[str, int], wanted: Mapping[str, int]
    ) -> list[HeldStock]:
        """What is not wanted any more of what is held, from the least preferred location first."""
        parts = []
        for product_id, units in kept.items():
            left = units - wanted.get(product_id, 0)
            if left > 0:
                mine = [part for part in held if part.product_id == product_id]
                mine.sort(key=lambda part: by_priority(self._at(part)), reverse=True)
                parts += first_of(mine, left)
        return parts

    def _at(self, part: HeldStock) -> StockLevel:
        return self._by_product[part.product_id][part.key]

    def release(self, promised: Iterable[HeldStock], cause: Cause) -> None:
        """Take a promise back, exactly as it was made."""
        for stock in promised:
            self._move(stock.key, MovementKind.RELEASE, cause, reserved_delta=-stock.quantity)

    def ship(
        self, held: Sequence[HeldStock], shipped: Sequence[ShippedUnits], cause: Cause
    ) -> tuple[HeldStock, ...]:
        """Book what has left for an order, whatever is held for it: a parcel can't be refused.

        Units go out of what the order holds there. What it does not hold there is taken from units
        that are free there, and it gives up as many that it holds elsewhere. What is not there at
        all the book was wrong about, and is found first. What others are promised is never touched.

        :returns: what is still held, sorted.
        """
        left = {part.key: part for part in held}
        for one in self._of_known_products(shipped):
            by = cause._replace(reference=one.shipment_id)
            key = one.product_id, one.location_id, NO_LOT
            if key not in self._by_product[one.product_id]:  # never from where the order holds any
                key = one.product_id, MAIN_LOCATION, NO_LOT
            own = min(left[key].quantity if key in left else 0, one.quantity)
            if own:
                without(left, key, own)
                self._move(key, MovementKind.SHIPMENT, by, on_hand_delta=-own, reserved_delta=-own)
            if other := one.quantity - own:
                self._ship_unheld(left, key, other, by)
        return tuple(sorted(left.values()))

    def _of_known_products(self, told: Iterable[Fact]) -> list[Fact]:
        """Without what is of a product that was never here: a restored backup may not have it, and
        there is nothing to book it to. Every other one has its gate.
        """
        return [one for one in told if self._by_product[one.product_id]]

    def _ship_unheld(
        self, left: dict[LevelKey, HeldStock], key: LevelKey, units: int, cause: Cause
    ) -> None:
        """Book units that left from where the order holds none of them any more."""
        to_give_up = units
        for there in sorted(one for one in left if one[0] == key[0]):
            given_up = min(left[there].quantity, to_give_up)
            if given_up:
                without(left, there, given_up)
                self._move(there, MovementKind.RELEASE, cause, reserved_delta=-given_up)
                to_give_up -= given_up
        level = self._by_product[key[0]][key]
        missing = units - (level.on_hand - level.reserved - level.quarantined)
        if missing > 0:
            found = cause._replace(reason="the book was wrong", reason_code=ReasonCode.CORRECTION)
            self._move(key, MovementKind.ADJUSTMENT, found, on_hand_delta=missing)
        self._move(key, MovementKind.SHIPMENT, cause, on_hand_delta=-units)

    def receive(self, received: Sequence[ReceivedUnits], cause: Cause) -> None:
        """Book what has come back for an order, wherever it is: it can't be refused."""
        for one in self._of_known_products(received):
            by = cause._replace(reference=one.receipt_id)
            key = one.product_id, one.location_id, NO_LOT
            if key not in self._by_product[one.product_id]:
                here = self.places.get(one.location_id, Location(MAIN_LOCATION))
                key = self.level(one.product_id, here).key
            aside = one.quantity if one.disposition is Disposition.QUARANTINE else 0
            self._move(
                key,
                MovementKind.RETURN,
                by,
                on_hand_delta=one.quantity,
                quarantined_delta=aside,
            )
            if one.disposition is Disposition.WRITE_OFF:
                self._move(key, MovementKind.WRITE_OFF, by, on_hand_delta=-one.quantity)

    def quarantine(self, level: StockLevel, units: int, cause: Cause) -> None:
        """Take units out of sale.

        :raises NotFree: fewer are free there.
        """
        _refuse_taken(level, units, "be quarantined")
        self._move(level.key, MovementKind.QUARANTINE, cause, quarantined_delta=units)

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
            self._move(
                level.key,
                MovementKind.WRITE_OFF,
                cause,
                on_hand_delta=-units,
                quarantined_delta=-units,
            )
        elif not level.active:
            raise LocationInactive(level.location_id, wanted="sell")
        else:
            self._move(level.key, MovementKind.UNQUARANTINE, cause, quarantined_delta=-units)

    def send(self, level: StockLevel, units: int, cause: Cause) -> None:
        """Let units leave for another location.

        :raises NotFree: fewer are free there.
        """
        _refuse_taken(level, units, "leave")
        self._move(level.key, MovementKind.TRANSFER_OUT, cause, on_hand_delta=-units)

    def take_in(self, level: StockLevel, units: int, cause: Cause) -> None:
        """Put units on hand that came from another location.

        :raises LocationInactive: nothing comes there.
        :raises QuantityTooLarge: on hand would exceed ON_HAND_MAX.
        """
        if not level.active:
            raise LocationInactive(level.location_id, wanted="receive")
        _refuse_too_many(level, level.on_hand + units)
        self._move(level.key, MovementKind.TRANSFER_IN, cause, on_hand_delta=units)

    def lose(self, level: StockLevel, units: int, cause: Cause) -> None:
        """Book units that should have come from another location: they come and are lost, so that
        the ledger of the level shows them.
        """
        self._move(level.key, MovementKind.TRANSFER_IN, cause, on_hand_delta=units)
        lost = cause._replace(reason_code=ReasonCode.LOST)
        self._move(level.key, MovementKind.TRANSFER_LOSS, lost, on_hand_delta=-units)

    def set_on_hand(
        self, level: StockLevel, quantity: int, cause: Cause, *, expected_version: int | None = None
    ) -> None:
        """Make `quantity` the number of units physically there. No change, no movement.

        :raises StaleVersion: the level has another version than expected.
        :raises LocationInactive: more units would come where none may.
        :raises BelowReserved: orders were promised more than `quantity`.
        :raises QuantityTooLarge: it exceeds ON_HAND_MAX.
        """
        if expected_version is not None and expected_version != level.version:
            name = f"{level.product_id} at {level.location_id}"
            raise StaleVersion(
                "stock level", name, expected=expected_version, current=level.version
            )
        place = level.product_id, level.location_id
        if quantity > level.on_hand and not level.active:
            raise LocationInactive(level.location_id, wanted="receive")
        if quantity < level.reserved + level.quarantined:
            raise BelowReserved(
                *place, wanted=quantity, reserved=level.reserved, quarantined=level.quarantined
            )
        _refuse_too_many(level, quantity)
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
        quarantined_delta: int = 0,
    ) -> None:
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
            )
        )


def _refuse_taken(level: StockLevel, units: int, wanted_to: str) -> None:
    free = level.on_hand - level.reserved - level.quarantined
    if units > free:
        place = level.product_id, level.location_id
        raise NotFree(*place, wanted=units, free=free, wanted_to=wanted_to)


def _refuse_too_many(level: StockLevel, on_hand: int) -> None:
    if on_hand > ON_HAND_MAX:
        place = level.product_id, level.location_id
        raise QuantityTooLarge(*place, wanted=on_hand, allowed=ON_HAND_MAX)


def shelves(levels: Iterable[StockLevel]) -> dict[str, dict[LevelKey, StockLevel]]:
    """Sort levels by product, each product's by priority; a product without any has none."""
    found = defaultdict[str, dict[LevelKey, StockLevel]](dict)
    for level in sorted(levels, key=by_priority):
        found[level.product_id][level.key] = level
    return found
