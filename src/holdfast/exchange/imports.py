"""Take in a file: its items in batches, some batches under way at a time, each item once."""

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic

from holdfast.client import HoldfastError, PermissionDenied, StaleVersion, Unauthenticated
from holdfast.exchange.journal import NOTES_MAX, Counts, Journal
from holdfast.exchange.kinds import (
    DoneBefore,
    Entry,
    Item,
    Kind,
    LineNote,
    Outcome,
    Plan,
    Problem,
    notes_of,
)
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.patience import outcome_unknown, patiently, pauses
from holdfast.exchange.values import ValueOptions
from holdfast.importing.opening import AnyTable

BATCH_MAX = 1_000  # lines in one call
UNDER_WAY_MAX = 4  # batches at a time
FASTER_MAX = 5  # times that somebody else may be faster

_IMPORTED_BEFORE = (
    "an earlier import of this very file did it, and it has changed since: nothing was done now; "
    "to take the whole file in anew give --again"
)

# Told how many lines are taken in.
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    :param dry_run: look what would become of each line, and change nothing.
    :param patience_s: seconds to go on repeating a call that brings no answer.
    :param batch: lines in one call, at most `BATCH_MAX`.
    """

    dry_run: bool = False
    values: ValueOptions = field(default_factory=ValueOptions)
    patience_s: float = 60.0
    batch: int = BATCH_MAX


@dataclass(slots=True)
class _Batch(Generic[Item]):
    """Some entries that follow each other, no two of the same key."""

    number: int
    counts: Counts = field(default_factory=Counts)
    entries: list[Entry[Item]] = field(default_factory=list)
    keys: set[Hashable] = field(default_factory=set)

    def take(self, entry: Entry[Item]) -> None:
        self.counts.through = entry.last_line
        self.counts.lines += entry.lines
        self.counts.warned += len(entry.warnings)
        self.counts.warnings += entry.warnings[: NOTES_MAX - len(self.counts.warnings)]
        if entry.is_superseded:
            self.count(Outcome.UNCHANGED)
        elif entry.item is None:
            self.refuse(entry.problems)
        else:
            self.entries.append(entry)

    def refuse(self, notes: Sequence[LineNote]) -> None:
        """An item is not taken in, for these reasons."""
        self.counts.refused += 1
        self.counts.problems += notes[: NOTES_MAX - len(self.counts.problems)]

    def count(self, outcome: Outcome) -> None:
        setattr(self.counts, outcome, getattr(self.counts, outcome) + 1)


class Import(Generic[Item]):
    """The import of one table, to be run once.

    :param journal: keeps how far it has come; None: nobody does.
    :param require_steady: raises where the file is no longer the one that it was.
    """

    def __init__(
        self,
        kind: Kind[Item],
        table: AnyTable,
        options: ImportOptions,
        journal: Journal | None = None,
        tell: Tell = lambda _lines: None,
        require_steady: Callable[[], None] = lambda: None,
    ) -> None:
        self._kind, self._table, self._options, self._tell = kind, table, options, tell
        self._journal, self._require_steady = journal, require_steady
        self.counts = Counts()
        if journal:
            self.counts.add(journal.before)
        self._finished: dict[int, Counts] = {}
        self._next = 0  # the first batch that is not finished, or not all before it
        self._reached_somebody = False

    async def run(self) -> Counts:
        """Take in all of it, or tell what would be; what became of all lines, also of earlier runs.

        :raises UnreadableText: nothing of the file may be used, or nothing of the rest.
        :raises HoldfastError: there was no answer, or it may not be done; what was taken in is in
            the journal, and a repeat goes on there.
        """
        with LineIndex() as index:
            # Read in a thread: whoever else lives in this loop goes on meanwhile.
            looking = self._kind.look_over(self._table.records(), index)
            while await asyncio.to_thread(next, looking, None):
                pass
            await self._take_all_in(self._batches(index))
        return self.counts

    async def _take_all_in(self, batches: Iterator[_Batch[Item]]) -> None:
        under_way: dict[asyncio.Task[None], set[Hashable]] = {}
        try:
            while batch := await asyncio.to_thread(self._next_of, batches):
                while len(under_way) >= UNDER_WAY_MAX or any(
                    not keys.isdisjoint(batch.keys) for keys in under_way.values()
                ):
                    await _some(under_way)
                under_way[asyncio.create_task(self._take_in(batch))] = batch.keys
            while under_way:
                await _some(under_way)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _next_of(self, batches: Iterator[_Batch[Item]]) -> _Batch[Item] | None:
        """The next batch, read from the file that was looked over."""
        batch = next(batches, None)
        if batch is not None:
            self._require_steady()
        return batch

    def _batches(self, index: LineIndex) -> Iterator[_Batch[Item]]:
        batch: _Batch[Item] = _Batch(0)
        through = self.counts.through
        for entry in self._kind.entries(self._table.records(), self._options.values, index):
            if entry.last_line <= through:
                continue  # an earlier run has taken it in; it was read for what stands behind it
            key = None if entry.item is None else self._kind.key(entry.item)
            if batch.counts.lines >= self._options.batch or key in batch.keys:
                yield batch
                batch = _Batch(batch.number + 1)
            if key is not None:
                batch.keys.add(key)
            batch.take(entry)
        if batch.counts.lines:
            yield batch

    async def _take_in(self, batch: _Batch[Item]) -> None:
        if batch.entries:
            await self._settle(batch)
        batch.counts.problems.sort()
        self._finished[batch.number] = batch.counts
        while finished := self._finished.pop(self._next, None):
            self._next += 1
            self.counts.add(finished)
            if self._journal:
                self._journal.reached(finished)
        self._tell(self.counts.lines)

    async def _settle(self, batch: _Batch[Item]) -> None:
        """Plan and do until every item is done or refused."""
        due = batch.entries
        meant: dict[int, Outcome] = {}  # by line: a repeat may find that the first try did it
        last: HoldfastError | None = None
        for attempt, pause_s in enumerate(pauses(self._options.patience_s)):
            if attempt:
                await asyncio.sleep(pause_s)
            is_repeat = attempt > 0 or (self._journal is not None and self._journal.is_resumed)
            plans = await self._planned(due)
            for entry, plan in zip(due, plans, strict=True):
                meant.setdefault(entry.line, plan.outcome)
            results = await self._results(plans)
            again = []
            for entry, result in zip(due, results, strict=True):
                if isinstance(result, HoldfastError) and _is_to_repeat(result, attempt):
                    again.append(entry)
                    last = result
                else:
                    self._record(batch, entry.line, meant[entry.line], result, is_repeat=is_repeat)
            due = again
            if not due:
                return
        assert last is not None
        raise last

    async def _planned(self, entries: Sequence[Entry[Item]]) -> Sequence[Plan[Item]]:
        items = [entry.item for entry in entries if entry.item is not None]
        # First without patience: a wrong address should be told at once.
        patience_s = self._options.patience_s if self._reached_somebody else 0.0
        plans = await patiently(patience_s, partial(self._kind.plan, items))
        self._reached_somebody = True
        return plans

    async def _results(self, plans: Sequence[Plan[Item]]) -> Sequence[Problem | DoneBefore | None]:
        """Do what is planned, unless it is a dry run; what became of each, in their order."""
        results: list[Problem | DoneBefore | None] = [plan.problem for plan in plans]
        due = [
            number
            for number, plan in enumerate(plans)
            if plan.problem is None and plan.outcome is not Outcome.UNCHANGED
        ]
        if not due or self._options.dry_run:
            return results
        if self._journal:
            self._journal.begin()
        try:
            done = await self._kind.carry_out([plans[number] for number in due])
        except HoldfastError as error:
            if not outcome_unknown(error):
                raise
            done = [error] * len(due)
        for number, result in zip(due, done, strict=True):
            if isinstance(result, PermissionDenied | Unauthenticated):
                raise result
            results[number] = result
        return results

    def _record(
        self,
        batch: _Batch[Item],
        line: int,
        outcome: Outcome,
        result: Problem | DoneBefore | None,
        *,
        is_repeat: bool,
    ) -> None:
        match result:
            case None:
                batch.count(outcome)
            case DoneBefore() if is_repeat:
                batch.count(outcome)
            case DoneBefore():
                batch.refuse([LineNote(line, "", _IMPORTED_BEFORE)])
            case _:
                batch.refuse(notes_of(result, line, self._kind.columns))


def _is_to_repeat(error: HoldfastError, attempt: int) -> bool:
    is_faster = isinstance(error, StaleVersion) and attempt < FASTER_MAX
    return is_faster or outcome_unknown(error)


async def _some(under_way: dict[asyncio.Task[None], set[Hashable]]) -> None:
    """Wait until some batch is taken in.

    :raises HoldfastError: it could not be.
    """
    done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        del under_way[task]
    failed = [error for task in done if (error := task.exception())]
    if failed:
        raise failed[0]
