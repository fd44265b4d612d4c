"""What is done with many orders, one after another: in this process, as long as its session is."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from holdfast.client import DeadlineExceeded, HoldfastError, Unauthenticated, Unavailable

ROWS_MAX = 1_000  # orders of a job
RUNNING_MAX = 3  # jobs of a session at the same time
KEPT_MAX = 20  # jobs of a session whose results are kept; the oldest makes room
AWAY_MAX = 8  # rows in a row that nobody answered: then the rest is left
_AWAY = (Unavailable.__name__, DeadlineExceeded.__name__)
_AT_ONCE = 4  # rows: others work too

log = structlog.get_logger()


class RowState(StrEnum):
    """What became of a row."""

    WAITS = "WAITS"
    DONE = "DONE"
    FAILED = "FAILED"
    LEFT = "LEFT"  # the job ended before it


@dataclass(slots=True)
class Row:
    """One order of a job.

    :param version: the order's, as somebody saw it.
    :param reason: why it failed.
    :param error: the class of that, which says what to do next.
    """

    order_id: str
    version: int
    state: RowState = RowState.WAITS
    reason: str = ""
    error: str = ""


class RowFailed(Exception):
    """A row can't be done; the text says why.

    :param error: its kind.
    """

    def __init__(self, error: str, reason: str) -> None:
        super().__init__(reason)
        self.error = error


Do = Callable[[Row], Awaitable[None]]
"""Do what a job does, with one row. Done again, it must change nothing.

:raises HoldfastError, RowFailed: it is not done.
"""


@dataclass(slots=True)
class Job:
    """One thing done with many orders.

    :param job_id: as the form that began it says; the same begins it once.
    :param typed: what was typed into that form.
    """

    job_id: str
    verb: str
    typed: Mapping[str, str]
    rows: list[Row]
    task: "asyncio.Task[None] | None" = None

    @property
    def is_over(self) -> bool:
        return self.task is not None and self.task.done()

    def count(self, *states: RowState) -> int:
        return sum(row.state in states for row in self.rows)

    def not_done(self) -> list[Row]:
        return [row for row in self.rows if row.state in (RowState.FAILED, RowState.LEFT)]


class TooManyJobs(Exception):
    """So many jobs of a session are running that another has to wait."""


@dataclass(slots=True)
class Jobs:
    """The jobs of one session."""

    _by_id: dict[str, Job] = field(default_factory=dict)

    def find(self, job_id: str) -> Job | None:
        return self._by_id.get(job_id)

    def begin(self, job: Job, do: Do, over: asyncio.Event) -> Job:
        """Begin a job; under an id that was begun before, return that one.

        :param over: set when the rest is to be left.
        :raises TooManyJobs: RUNNING_MAX are running.
        """
        begun = self._by_id.get(job.job_id)
        if begun is not None:
            return begun
        if sum(not one.is_over for one in self._by_id.values()) >= RUNNING_MAX:
            raise TooManyJobs
        ended = [one.job_id for one in self._by_id.values() if one.is_over]
        for job_id in ended[: max(0, len(self._by_id) + 1 - KEPT_MAX)]:
            del self._by_id[job_id]
        self._by_id[job.job_id] = job
        job.task = asyncio.create_task(_run(job, do, over))
        job.task.add_done_callback(_tell_bug)
        return job

    async def close(self) -> None:
        """End all, between two rows or within one; what was not done can be asked for again."""
        for job in self._by_id.values():
            if job.task is not None and not job.task.done():
                job.task.cancel()
                with suppress(asyncio.CancelledError):
                    await job.task


async def _run(job: Job, do: Do, over: asyncio.Event) -> None:
    away = 0
    try:
        for begin in range(0, len(job.rows), _AT_ONCE):
            some = job.rows[begin : begin + _AT_ONCE]
            errors = await asyncio.gather(*(_one(row, do) for row in some))
            away = away + len(some) if all(row.error in _AWAY for row in some) else 0
            gone = any(isinstance(one, Unauthenticated) for one in errors)
            if over.is_set() or gone or away >= AWAY_MAX:
                break
    finally:
        for row in job.rows:
            if row.state is RowState.WAITS:
                row.state = RowState.LEFT


async def _one(row: Row, do: Do) -> Exception | None:
    try:
        await do(row)
    except (HoldfastError, RowFailed) as error:
        row.state, row.reason = RowState.FAILED, str(error)
        row.error = error.error if isinstance(error, RowFailed) else type(error).__name__
        return error
    row.state = RowState.DONE
    return None


def _tell_bug(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("console job failed", exc_info=task.exception())
