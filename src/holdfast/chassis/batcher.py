"""The batcher: while one batch is worked on, what arrives waits and becomes the next batch.

There is no timer: an idle system answers at once, a loaded one batches by itself.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from holdfast.chassis import callers, tracing
from holdfast.chassis.lanes import Lanes
from holdfast.chassis.metrics import BATCH_ITEMS, BATCH_WAIT_SECONDS
from holdfast.chassis.process.lifecycle import end_all

# Turns of the event loop, some microseconds each.
QUIET_TURNS = 6
TURNS_MAX = 30

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Overloaded(Exception):
    """The queue is full: nothing of this request was done; try again after `retry_after_s`."""

    def __init__(self, retry_after_s: float = 1.0) -> None:
        super().__init__("nothing was done, as too many requests wait: try again in a moment")
        self.retry_after_s = retry_after_s


class OutcomeUnknown(Exception):
    """What the batch waited for was cancelled under it; whether it was done is unknown."""


class Batcher(Generic[Item, Outcome]):
    """Turns single submissions into batches for one worker.

    One caller's (see `callers.current`) are begun in their order; several callers have fair
    shares of a batch, and of the queue when it is full.

    :param name: by which the work is known to those who measure it.
    :param work: takes a batch and returns one outcome per item, in order; an outcome that is an
        exception is raised to the item's submitter. An exception from `work` itself goes to every
        submitter of the batch.
    :param batch_items_max: items in a batch at most; a group submitted together may exceed it,
        alone in its batch.
    :param queue_items_max: items waiting at most.
    :param crowd_items: with so many of one caller waiting while a batch is worked on, a second one
        is begun beside it; and so it is for others, who come while one is worked on that is mostly
        one caller's. None: one batch at a time.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]],
        *,
        name: str,
        batch_items_max: int,
        queue_items_max: int,
        crowd_items: int | None = None,
    ) -> None:
        self._work = work
        self._name = name
        self._items, self._wait = BATCH_ITEMS.labels(name), BATCH_WAIT_SECONDS.labels(name)
        self._batch_items_max = batch_items_max
        self._queue_items_max = queue_items_max
        self._queue: Lanes[_Group[Item, Outcome]] = Lanes()
        self._arrived = asyncio.Event()
        self._crowd_items = crowd_items
        self._crowded = asyncio.Event()
        # Whose batch is worked on, where it is mostly one caller's; and whether others have come.
        self._busy: frozenset[str] = frozenset()
        self._others_wait = False
        self._is_ending = False

    async def submit(self, item: Item) -> Outcome:
        """Have one item worked on and return its outcome, or raise it.

        A caller that is cancelled leaves the item where it is: the outcome is unknown to it.

        :raises Overloaded: the queue is full; the item was not taken.
        """
        (outcome,) = await self.submit_all([item])
        if isinstance(outcome, Exception):
            # One error may be raised to many submitters: it must not gather all their tracebacks.
            raise outcome.with_traceback(None)
        return outcome

    async def submit_all(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        """Have several items worked on in one batch and return their outcomes in order.

        :raises Overloaded: the queue is full; no item was taken.
        """
        if not items:
            return []
        caller, queued = callers.current.get(), self._queue.items
        is_full = queued and queued + len(items) > self._queue_items_max
        if is_full and not self._queue.has_share(caller, len(items), self._queue_items_max):
            raise Overloaded
        group: _Group[Item, Outcome] = _Group(items, caller)
        self._queue.put(caller, group)
        self._others_wait |= bool(self._busy) and caller not in self._busy
        self._tell_queue()
        return await group.outcomes

    async def run(self) -> None:
        """Work batch after batch until cancelled; what then still waits is told so."""
        self._is_ending = False
        workers = [
            asyncio.ensure_future(work()) for work in (self._work_always, self._work_in_a_crowd)
        ]
        try:
            ended, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Said in so many words: an error of the work may take a cancellation's place.
            self._is_ending = True
            for group in self._queue:
                group.outcomes.cancel()
            await end_all(workers)
        for worker in ended:
            worker.result()

    async def _work_always(self) -> None:
        while not self._is_ending:
            await self._arrived.wait()
            await self._let_arrive()
            batch = self._queue.take(self._batch_items_max)
            self._busy = _mostly_one_s(batch)
            await self._run_next_batch(batch)
            self._busy, self._others_wait = frozenset(), False
            self._tell_queue()

    async def _work_in_a_crowd(self) -> None:
        while not self._is_ending:
            await self._crowded.wait()
            but = self._busy if self._others_wait else frozenset()
            await self._run_next_batch(self._queue.take(self._batch_items_max, but))

    async def _let_arrive(self) -> None:
        """Give way to the event loop until QUIET_TURNS of it brought nothing: gRPC accepts calls
        one by one, each takes some turns, and those that are on their way belong to this batch.
        """
        seen, quiet = 0, 0
        for _ in range(TURNS_MAX):  # or a steady stream would be waited for until the batch is full
            if quiet == QUIET_TURNS or self._queue.items >= self._batch_items_max:
                break
            quiet = 0 if self._queue.items > seen else quiet + 1
            seen = self._queue.items
            await asyncio.sleep(0)

    async def _run_next_batch(self, batch: Sequence["_Group[Item, Outcome]"]) -> None:
        self._others_wait = False
        self._tell_queue()
        if batch:  # the other worker may have taken all
            await self._run_batch(batch)

    def _tell_queue(self) -> None:
        is_crowd = self._crowd_items is not None and (
            self._others_wait
            # Two large batches at once make each of them slower.
            or (self._queue.items >= self._crowd_items and not self._queue.is_shared)
        )
        for event, is_due in ((self._arrived, self._queue.items > 0), (self._crowded, is_crowd)):
            event.set() if is_due else event.clear()

    async def _run_batch(self, batch: Sequence["_Group[Item, Outcome]"]) -> None:
        items = [item for group in batch for item in group.items]
        self._items.observe(len(items))
        self._wait.observe(time.perf_counter() - batch[0].submitted_at)
        traces = [trace for group in batch for trace in group.traces]
        outcomes: Sequence[Outcome | Exception]
        try:
            with tracing.Work(self._name, "internal", traces, lambda _: {"items": len(items)}):
                outcomes = await self._work(items)
            assert len(outcomes) == len(items), "one outcome per item"
        except Exception as error:  # noqa: BLE001 - not handled here: handed to every waiting submitter
            outcomes = [error] * len(items)
        except asyncio.CancelledError:
            # Libraries cancel their own futures when a connection is lost. Taken for a request to
            # stop, that would end this worker for good.
            if self._is_ending:
                for group in batch:
                    group.outcomes.cancel()
                raise
            outcomes = [OutcomeUnknown("the batch was cancelled under us")] * len(items)
        start = 0
        for group in batch:
            end = start + len(group.items)
            if not group.outcomes.done():  # its submitter may have gone
                group.outcomes.set_result(outcomes[start:end])
            start = end


class _Group(Generic[Item, Outcome]):
    """Items submitted together, and the promise of their outcomes."""

    def __init__(self, items: Sequence[Item], caller: str) -> None:
        self.items, self.caller = items, caller
        self.submitted_at = time.perf_counter()
        self.traces = tracing.current()
        self.outcomes: asyncio.Future[Sequence[Outcome | Exception]] = (
            asyncio.get_running_loop().create_future()
        )


def _mostly_one_s(batch: Sequence[_Group[Any, Any]]) -> frozenset[str]:
    """Return whose a batch is, if more than half of it is one caller's; else nobody."""
    sizes = Counter[str]()
    for group in batch:
        sizes[group.caller] += len(group.items)
    whole, most = sizes.total(), max(sizes.values(), default=0)
    return frozenset(sizes) if most * 2 > whole else frozenset()
