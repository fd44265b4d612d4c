"""The outbox: events commit with what caused them; a relay hands them to the broker afterwards.

A row leaves only after the broker confirmed that very event, and its leaving is its entry into the
feed (`feed.py`). A crash in between publishes it again under the same id.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from holdfast.chassis import tracing
from holdfast.chassis.clock import Clock, backoff_s
from holdfast.chassis.database.seam import (
    Database,
    DatabaseUnavailable,
    Leadership,
    Reading,
    Row,
    Transaction,
    instant,
    instant_or_none,
)
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging.broker import (
    Broker,
    BrokerUnavailable,
    Event,
    span_attributes,
)
from holdfast.chassis.messaging.sql import SQL
from holdfast.chassis.metrics import OUTBOX_AGE_SECONDS, OUTBOX_EVENTS, PUBLISHED, RELAY_LEADER

RELAY_EVENTS_MAX = 2_000
POSITION_MAX = 2**63 - 1
STUCK_S = 5.0
LOOKS_MAX = 1_000
POLL_S = 0.5  # finds what another process committed, or what a crash left
RETRY_S_MAX = 5.0
RESTS = 2  # times as long as the work took
REST_S_MAX = 0.03

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the outbox.

    :param length: at most so many events.
    :param oldest: when the oldest that is no repeat happened, by the clock of who wrote it.
    :param seen_at: when it was first seen waiting, by the loop's clock; None: it was there before.
    """

    length: int
    oldest: datetime | None
    seen_at: float | None = None


class WaitingSince:
    """Since when events wait, by one clock: those that wrote them may be minutes apart, and what
    has just come from a slow one is not old.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[float | None, int]] = []  # when the newest position was which

    def at(self, now: float, first: int | None, last: int | None) -> float | None:
        """Return when the event at `first` was seen first; None: at the very first look.

        :param last: the newest position there is.
        """
        if first is None or not self._seen:
            self._seen = [(None, last or 0)]
            return None
        if last is not None and last > self._seen[-1][1]:
            self._seen.append((now, last))
        while len(self._seen) > 1 and self._seen[0][1] < first:
            del self._seen[0]
        if len(self._seen) > LOOKS_MAX:
            del self._seen[1:-1:2]
        return self._seen[0][0]


class Outbox:
    """Takes events into the transaction that causes them; wakes the relay when it commits."""

    def __init__(self, database: Database) -> None:
        self._sql = SQL[database.engine]
        self.filled = asyncio.Event()

    def append(self, work: Transaction, events: Sequence[Event]) -> None:
        """Write the events in order, to be published if and only if the transaction commits."""
        rows = [
            (event.event_id, event.type, event.subject, event.sequence)
            + (event.time, event.traceparent, event.data, event.is_repeat)
            for event in events
        ]
        if rows:
            work.defer(self._sql.APPEND_EVENTS, rows)
            work.after_commit(self.filled.set)


class Relay:
    """Publishes what the outbox holds; of several processes on one database only one at a time.

    :param stamped: called when events have entered the feed.
    :param service: whose outbox it is, for those who measure.
    :param events_max: with more events waiting, `is_too_long`.
    :param age_s_max: with an older event waiting that is no repeat, `is_too_long`.
    """

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        broker: Broker,
        clock: Clock,
        leadership: Leadership,
        *,
        service: str,
        stamped: Callable[[], None] = lambda: None,
        events_max: int = 100_000,
        age_s_max: float = 60.0,
    ) -> None:
        self._database = database
        self._sql = SQL[database.engine]
        self._filled = outbox.filled
        self._broker = broker
        self._clock = clock
        self._leadership = leadership
        self._stamped = stamped
        self._events_max = events_max
        self._age_s_max = age_s_max
        self._backlog, self._waiting_since = Backlog(0, None), WaitingSince()
        self._failures = 0
        self._measured_at = 0.0  # by the loop's clock
        self._leads = RELAY_LEADER.labels(service)
        self._depth = OUTBOX_EVENTS.labels(service)
        self._age = OUTBOX_AGE_SECONDS.labels(service)

    async def run(self) -> None:
        """Relay until cancelled; broker and database being away is waited out."""
        while True:
            await self._run_once()

    async def _run_once(self) -> None:
        filled = self._filled.is_set()
        self._filled.clear()
        began = asyncio.get_running_loop().time()
        try:
            complete = await self._relay_or_tell(filled)
            await self._measure_in_time()
        except (BrokerUnavailable, DatabaseUnavailable) as error:
            await self._back_off(str(error))
            return
        if complete:
            self._failures = 0
            await self._rest(asyncio.get_running_loop().time() - began)
            await self._nap()

    async def _relay_or_tell(self, filled: bool) -> bool:
        """Return whether there is nothing left to do for now."""
        if await self._is_leading():
            return await self.relay_batch()
        if filled:
            await self._leadership.tell()
        return True

    async def _is_leading(self) -> bool:
        is_leading = False
        try:
            is_leading = await self._leadership.held()
        finally:
            self._leads.set(is_leading)
        return is_leading

    async def relay_batch(self) -> bool:
        """Publish the oldest events, move those that the broker holds to the feed; return whether
        none is left.

        :raises BrokerUnavailable: the broker took nothing, or not all of it.
        """
        async with self._database.read() as reading:
            rows = await self._next_events(reading)
        if not rows:
            return True
        await failpoint("events read")
        events = [
            Event(
                event_id=row["event_id"],
                type=row["type"],
                subject=row["subject"],
                sequence=row["sequence"],
                time=instant(row["happened_at"]),
                data=row["data"],
                traceparent=row["traceparent"],
            )
            for row in rows
        ]
        taken = await self._publish(events)
        await failpoint("events confirmed")
        left = [row for row in rows if row["event_id"] not in taken]
        if done := _ready(rows, left):
            await self._database.execute(self._sql.STAMP_EVENTS, done)
            self._stamped()
        if left:
            raise BrokerUnavailable(f"{len(left)} of {len(rows)} events were not taken")
        return len(rows) < RELAY_EVENTS_MAX

    async def _publish(self, events: Sequence[Event]) -> frozenset[str]:
        traces = [event.traceparent for event in events] if tracing.is_recording() else ()
        try:
            with tracing.Work(
                "publish", "producer", traces, lambda place: span_attributes(events[place])
            ):
                taken = await self._broker.publish(events)
        except BrokerUnavailable:
            PUBLISHED.labels("failed").inc(len(events))
            raise
        PUBLISHED.labels("taken").inc(len(taken))
        PUBLISHED.labels("refused").inc(len(events) - len(taken))
        return taken

    async def _next_events(self, reading: Reading) -> Sequence[Row]:
        """Leave alone what a broken queue keeps waiting: what comes after it must not wait too."""
        if waiting := self._broker.waiting_types():
            return await self._next_of_other_types(reading, sorted(waiting))
        return await reading.fetch(self._sql.NEXT_EVENTS, RELAY_EVENTS_MAX)

    async def _next_of_other_types(self, reading: Reading, waiting: list[str]) -> Sequence[Row]:
        """Nor take what is about the same subject as something that waits: it could follow it, and
        would turn the order of the subject's events round in the feed.
        """
        found: list[Row] = []
        after, is_last = 0, False
        while len(found) < RELAY_EVENTS_MAX and not is_last:
            sql = self._sql.NEXT_EVENTS_OF_OTHER_TYPES
            rows = await reading.fetch(sql, RELAY_EVENTS_MAX, waiting, after)
            subjects = sorted({row["subject"] for row in rows})
            # Asked after the rows were read: what stood before one of them stands there still,
            # unless it has entered the feed.
            held_rows = await reading.fetch(self._sql.SUBJECTS_OF_TYPES, waiting, subjects)
            held = {row["subject"] for row in held_rows}
            found += [row for row in rows if row["subject"] not in held]
            after = rows[-1]["position"] if rows else 0
            is_last = len(rows) < RELAY_EVENTS_MAX
        return found[:RELAY_EVENTS_MAX]

    async def _measure_in_time(self) -> None:
        """Measure now and then, also under a load that never leaves the outbox empty."""
        now = asyncio.get_running_loop().time()
        if now - self._measured_at > POLL_S / 2:
            self._measured_at = now
            await self._measure()

    async def _measure(self) -> Backlog:
        async with self._database.read() as reading:
            (row,) = await reading.fetch(self._sql.BACKLOG)
        now = asyncio.get_running_loop().time()
        seen_at = self._waiting_since.at(now, row["first"], row["last"])
        self._backlog = Backlog(row["length"], instant_or_none(row["oldest"]), seen_at)
        self._depth.set(self._backlog.length)
        self._age.set(max(0.0, self._age_s()))
        return self._backlog

    def is_too_long(self) -> bool:
        """Whether so much waits, or for so long, that new work is to be refused till it drains."""
        return self._backlog.length > self._events_max or self._age_s() > self._age_s_max

    def is_stuck(self) -> bool:
        """Whether the oldest event that is no repeat has waited for more than STUCK_S."""
        return self._age_s() > STUCK_S

    def _age_s(self) -> float:
        oldest, seen_at = self._backlog.oldest, self._backlog.seen_at
        if oldest is None:
            return 0.0
        if seen_at is not None:
            return asyncio.get_running_loop().time() - seen_at
        return (self._clock.now() - oldest).total_seconds()

    async def is_empty(self) -> bool:
        """Whether nothing waits at this moment."""
        return (await self._measure()).length == 0

    async def _back_off(self, error: str) -> None:
        self._failures += 1
        delay_s = backoff_s(self._failures, first_s=0.05, longest_s=RETRY_S_MAX)
        log.warning("events wait in the outbox", error=error, retry_in_s=round(delay_s, 2))
        with suppress(DatabaseUnavailable):  # whoever needs the database next will say so
            await self._measure_in_time()
        await asyncio.sleep(delay_s)

    async def _rest(self, worked_s: float) -> None:
        """Let events gather: relayed as they come, by twos and threes, they would keep a
        machine wholly busy that is half busy.
        """
        await asyncio.sleep(min(RESTS * worked_s, REST_S_MAX))

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._filled.wait()
        except TimeoutError:
            return


def _ready(rows: Sequence[Row], left: Sequence[Row]) -> list[int]:
    """The positions of those that may leave: of each subject what comes before the first that the
    broker did not take. What comes after it waits and is published again, or it would enter the
    feed too early.
    """
    first_left = {row["subject"]: row["position"] for row in reversed(left)}
    return [
        row["position"]
        for row in rows
        if not first_left or row["position"] < first_left.get(row["subject"], POSITION_MAX + 1)
    ]
