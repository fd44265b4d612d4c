"""Explain stock: why a level is what it is, or was what it was at a moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import (
    LedgerReader,
    LevelAt,
    QueuePlace,
    QueueRow,
    RecordedMovement,
    StockReader,
)
from holdfast.inventory.domain.errors import ProductNotFound
from holdfast.inventory.domain.stock.explaining import (
    NOTHING,
    NOTHING_COMING,
    Coming,
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
INCOMING_MAX = 20
QUEUE_ROWS_MAX = 20
END_OF_QUEUE: QueuePlace = (
    datetime.max.replace(tzinfo=UTC),
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
)


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
    coming: Coming = NOTHING_COMING


class Promises(NamedTuple):
    """What is free of a product, over all locations, and who waits for it.

    :param head: the first rows of the queue; it has `rows`.
    """

    available: int
    queued: int
    head: list[QueueRow]
    rows: int


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
        told = [await self._explained(one) for one in found]
        if at is None:
            asked = product_id, location_id
            coming = await self._ledger.coming(*asked, after=after, transfers_max=INCOMING_MAX)
            told = _with_coming(product_id, told, coming)[:limit]
        if location_id and not told and not after:
            known = await self._reader.locations_named([location_id])
            location = named(location_id, known)
            return [ExplainedLevel(StockLevel(product_id, location_id, active=location.active))]
        return told

    async def promises(self, product_id: str) -> Promises:
        """Tell what is free of a product now, and who waits for it.

        :raises ProductNotFound: there is none of this id.
        """
        summary = (await self._reader.stock_summaries([product_id])).get(product_id)
        if summary is None:
            raise ProductNotFound(product_id)
        head = await self._reader.backorders(product_id, after=None, limit=QUEUE_ROWS_MAX + 1)
        rows = len(head)
        if rows > QUEUE_ROWS_MAX:
            rows, _ = await self._reader.queue_until(product_id, END_OF_QUEUE)
        return Promises(summary.available, summary.queue.units, head[:QUEUE_ROWS_MAX], rows)

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


def _with_coming(
    product_id: str, told: Sequence[ExplainedLevel], coming: Mapping[str, Coming]
) -> list[ExplainedLevel]:
    """Add what is on its way, also to where nothing ever was."""
    there = {
        location_id: ExplainedLevel(StockLevel(product_id, location_id, active=one.active))
        for location_id, one in coming.items()
    } | {one.level.location_id: one for one in told}
    return [
        replace(there[location_id], coming=coming.get(location_id, NOTHING_COMING))
        for location_id in sorted(there)
    ]


def _level_after(level: StockLevel, newest: RecordedMovement, *, version: int) -> StockLevel:
    """The level right after a movement. Each movement makes one version."""
    return replace(
        level,
        on_hand=newest.movement.on_hand_after,
        reserved=newest.movement.reserved_after,
        quarantined=newest.movement.quarantined_after,
        version=version,
    )
