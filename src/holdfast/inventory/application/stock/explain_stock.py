"""Explain stock: why a level is what it is, or was what it was at a moment."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import (
    LedgerReader,
    LevelAt,
    RecordedMovement,
    StockReader,
)
from holdfast.inventory.domain.errors import ProductNotFound
from holdfast.inventory.domain.stock.explaining import (
    NOTHING,
    Hold,
    KindSum,
    Numbers,
    Step,
    before,
    holders_in,
    holds_of,
    sums_of,
)
from holdfast.inventory.domain.stock.levels import StockLevel

STEPS_MAX = 1_000
MOVEMENTS_MAX = 20


class Question(NamedTuple):
    """What is to be explained.

    :param location_id: empty: wherever the product was.
    :param at: not in the future; None: now.
    """

    product_id: str
    location_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ExplainedLevel:
    """Why a level is what it is.

    :param level: its version is 0 where it is not known.
    :param summed_from: when the oldest of the movements happened that are added up; None: they are
        all that there are.
    :param earlier: what there was before them.
    :param holds: newest first; those of orders that changed none of these movements are missing.
    """

    level: StockLevel
    sums: tuple[KindSum, ...] = ()
    summed_from: datetime | None = None
    earlier: Numbers = NOTHING
    holds: tuple[Hold, ...] = ()
    movements: tuple[RecordedMovement, ...] = ()


class ExplainStock:
    """Explain a product's levels beyond location `after`, by location id, at most `limit`.

    :raises ProductNotFound, LocationNotFound, LocationSpelledOtherwise: of what is named.
    """

    def __init__(self, reader: StockReader, ledger: LedgerReader) -> None:
        self._reader = reader
        self._ledger = ledger

    async def __call__(self, question: Question, *, after: str, limit: int) -> list[ExplainedLevel]:
        product_id, location_id, at = question
        if not await self._reader.stock_summaries([product_id]):
            raise ProductNotFound(product_id)
        found = await self._ledger.levels_at(product_id, location_id, at, after=after, limit=limit)
        if location_id and not found and not after:
            known = await self._reader.locations_named([location_id])
            location = named(location_id, known)
            return [ExplainedLevel(StockLevel(product_id, location_id, active=location.active))]
        return [await self._explained(one) for one in found]

    async def _explained(self, found: LevelAt) -> ExplainedLevel:
        level = found.level
        steps = await self._ledger.newest_steps(level, found.newest, limit=STEPS_MAX + 1)
        ids = [step.movement_id for step in steps[:MOVEMENTS_MAX]]
        movements = await self._ledger.movements(ids)
        whole = len(steps) <= STEPS_MAX
        if found.changed_since:
            level = _level_after(level, movements[0], version=len(steps) if whole else 0)
        steps = steps[:STEPS_MAX]
        sums = sums_of(steps)
        earlier = before(level, sums)
        return ExplainedLevel(
            level,
            sums,
            None if whole else steps[-1].at,
            earlier,
            tuple(await self._holds(level, steps, earlier)),
            tuple(movements),
        )

    async def _holds(self, level: StockLevel, steps: list[Step], earlier: Numbers) -> list[Hold]:
        found = holds_of(steps, {})
        if not earlier.reserved or sum(hold.quantity for hold in found) == level.reserved:
            return found  # nobody holds more than that
        oldest = steps[-1].movement_id
        held = await self._ledger.reserved_before(level, holders_in(steps), oldest)
        return holds_of(steps, held)


def _level_after(level: StockLevel, newest: RecordedMovement, *, version: int) -> StockLevel:
    """The level right after a movement. Each movement makes one version."""
    return replace(
        level,
        on_hand=newest.movement.on_hand_after,
        reserved=newest.movement.reserved_after,
        quarantined=newest.movement.quarantined_after,
        version=version,
    )
