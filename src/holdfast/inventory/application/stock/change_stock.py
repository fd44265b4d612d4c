"""Change stock: set or adjust what is physically there, in batches, with a movement each."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import Begin, Clock, Going, RecordedChange
from holdfast.inventory.application.stock.displacement import Displacement, lock_promises
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import (
    InventoryError,
    ProductNotFound,
    RequestIdReused,
)
from holdfast.inventory.domain.events import InventoryEvent, level_changed
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.inventory.domain.stock.movements import Cause, ReasonCode
from holdfast.inventory.domain.stock.refusals import refuse_stale
from holdfast.inventory.domain.stock.stock import StockBook


@dataclass(frozen=True, slots=True)
class SetOnHand:
    """Make `quantity` the units at the location; `expected_version` None: whatever its version.

    :param displace: the youngest promises there give way where they have to; else it is refused.
    """

    product_id: str
    location_id: str
    quantity: int
    expected_version: int | None
    reason: str
    request_id: str
    caller: Caller
    reason_code: ReasonCode = ReasonCode.NONE
    displace: bool = False


@dataclass(frozen=True, slots=True)
class AdjustOnHand:
    """Add `delta` units at the location, or take them away when it is negative."""

    product_id: str
    location_id: str
    delta: int
    reason: str
    reference: str
    request_id: str
    caller: Caller
    reason_code: ReasonCode = ReasonCode.NONE
    displace: bool = False


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Take units on hand out of sale."""

    product_id: str
    location_id: str
    units: int
    reason: str
    request_id: str
    caller: Caller
    reason_code: ReasonCode = ReasonCode.NONE
    displace: bool = False


@dataclass(frozen=True, slots=True)
class EndQuarantine:
    """Put units back on sale; or, with `write_off`, they are gone."""

    product_id: str
    location_id: str
    units: int
    write_off: bool
    reason: str
    request_id: str
    caller: Caller
    reason_code: ReasonCode = ReasonCode.NONE


StockChange = SetOnHand | AdjustOnHand | Quarantine | EndQuarantine


class LevelAsItWas(StockLevel):
    """A level as it was after a change that an earlier request made."""

    __slots__ = ()


class ChangeStock:
    """Apply changes in order; return for each the level after it or the error that refused it
    alone.

    A change with a request id is done once: a repeat with the same contents returns the level as it
    was after the first time (LevelAsItWas), one with other contents is refused (RequestIdReused).
    Changes without one are done as often as they are asked for.

    Where a change may displace promises, those reservations are locked before the levels, as
    everybody does. Of one that was made meanwhile it is a Conflict, and all is done again.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self, changes: Sequence[StockChange]
    ) -> Sequence[StockLevel | InventoryError]:
        async with self._begin() as work:
            existing = await work.existing_products({change.product_id for change in changes})
            locations = await work.locations({change.location_id for change in changes})
            displacement = await lock_promises(work, changes_displacing(changes))
            levels = await work.lock_levels(existing)
            # Under the locks: no repeat is refused for what its first try did while it waited.
            known = await work.recorded_changes({c.request_id for c in changes if c.request_id})
            # The time is read under the locks: it never runs backwards along a product's movements.
            book = StockBook(levels, self._clock.now())
            if displacement:
                await displacement.begin(work, book)
            batch = _Batch(known, existing, locations, book, displacement)
            outcomes = [batch.apply(change) for change in changes]
            await work.save_book(batch.book)
            if displacement:
                await displacement.save(work)
            await work.record_changes(batch.recorded, batch.book.at)
            await work.announce(batch.told, batch.book.at)
        return outcomes


@dataclass(slots=True)
class _Batch:
    """What one transaction read, and what it has to write."""

    known: dict[str, RecordedChange]
    existing: set[str]
    locations: Mapping[str, Location]
    book: StockBook
    displacement: Displacement | None
    recorded: list[RecordedChange] = field(default_factory=list)
    told: list[tuple[InventoryEvent, Caller]] = field(default_factory=list)

    def apply(self, change: StockChange) -> StockLevel | InventoryError:
        before = self.known.get(change.request_id)
        if before is not None:
            same = before.request_hash == digest_of(change)
            there = before.level
            if not same:
                return RequestIdReused(change.request_id, there.product_id, there.location_id)
            return LevelAsItWas(*astuple(there))
        movements = len(self.book.movements)
        try:
            level = self._set(change)
        except InventoryError as error:
            return error
        if len(self.book.movements) > movements:
            if self.displacement:
                self.told += self.displacement.told(change.caller)
            self.told.append((level_changed(level), change.caller))
        if change.request_id:
            done = RecordedChange(change.request_id, digest_of(change), level)
            self.known[change.request_id] = done
            self.recorded.append(done)
        return level

    def _set(self, change: StockChange) -> StockLevel:
        if change.product_id not in self.existing:
            raise ProductNotFound(change.product_id)
        location = named(change.location_id, self.locations)
        level = self.book.level(change.product_id, location)
        cause = Cause(change.caller, reason=change.reason, reason_code=change.reason_code)
        match change:
            case SetOnHand():
                refuse_stale(level, change.expected_version)
                self._make_room(change, level, level.on_hand - change.quantity, cause)
                self.book.set_on_hand(level, change.quantity, cause)
            case AdjustOnHand():
                cause = cause._replace(reference=change.reference)
                self._make_room(change, level, -change.delta, cause)
                self.book.set_on_hand(level, level.on_hand + change.delta, cause)
            case Quarantine():
                self._make_room(change, level, change.units, cause)
                self.book.quarantine(level, change.units, cause)
            case EndQuarantine():
                self.book.end_quarantine(level, change.units, cause, write_off=change.write_off)
        return replace(level)  # as it is now: the book goes on with the original

    def _make_room(
        self,
        change: SetOnHand | AdjustOnHand | Quarantine,
        level: StockLevel,
        units: int,
        why: Cause,
    ) -> None:
        """Let promises give way to so many units that go, where the change says that they may."""
        if change.displace and self.displacement:
            self.displacement.make_room(level, units, why)


def changes_displacing(changes: Sequence[StockChange]) -> dict[tuple[str, str], Going | None]:
    """Places where promises may have to give way, and what goes there; None: more than one change
    tells.
    """
    by_place: dict[tuple[str, str], list[StockChange]] = {}
    for change in changes:
        by_place.setdefault((change.product_id, change.location_id), []).append(change)
    return {
        place: _going(here[0]) if len(here) == 1 else None
        for place, here in by_place.items()
        if any(not isinstance(one, EndQuarantine) and one.displace for one in here)
    }


def _going(change: StockChange) -> Going | None:
    match change:
        case SetOnHand():
            return Going(down_to=change.quantity)
        case AdjustOnHand():
            return Going(units=-change.delta)
        case Quarantine():
            return Going(units=change.units)
    return None


def digest_of(change: StockChange) -> str:
    """Digest what was asked for.

    Only what was given has a part in it: a field that comes later leaves the digests of requests
    without it as they were. They are kept for ever, so this form never changes; a better one gets
    another prefix, and both are compared.
    """
    given: dict[str, object] = {"product_id": change.product_id, "location_id": change.location_id}
    match change:
        case SetOnHand():
            given |= {"quantity": change.quantity, "expected_version": change.expected_version}
        case AdjustOnHand():
            given |= {"delta": change.delta, "reference": change.reference}
        case Quarantine():
            given |= {"quarantined": change.units}
        case EndQuarantine():
            given |= {"released": change.units, "write_off": change.write_off or None}
    if not isinstance(change, EndQuarantine):
        given["displace"] = change.displace or None
    given |= {"reason": change.reason, "reason_code": change.reason_code}
    content = json.dumps({name: value for name, value in given.items() if value not in ("", None)})
    return f"v1:{hashlib.sha256(content.encode()).hexdigest()}"
