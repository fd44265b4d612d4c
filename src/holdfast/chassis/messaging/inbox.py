"""The inbox: every delivered event has its effect once, or is parked as a dead letter.

A use case asks `first_seen` inside its own transaction, so that remembering an event and its effect
are one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from holdfast.chassis import tracing
from holdfast.chassis.clock import Clock, backoff_s
from holdfast.chassis.database.clocks import earlier_now
from holdfast.chassis.database.seam import (
    Conflict,
    Database,
    DatabaseUnavailable,
    KeyTaken,
    Transaction,
)
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.messaging.broker import DeadLetter, Event, span_attributes
from holdfast.chassis.messaging.sql import SQL
from holdfast.chassis.metrics import INBOX

EVENT_ID_CHARACTERS_MAX = 200
HANDLING_TRIES_MAX = 3
# Longer than any redelivery, dead letters sent back included; business keys guard what comes still
# later.
REMEMBERED_DAYS = 30
FORGET_EVENTS_MAX = 5_000

log = structlog.get_logger()

Command = TypeVar("Command")


class Unreadable(Exception):
    """An event that will never be understood: wrong bytes, unknown type, impossible values."""


class Inbox:
    """Remembers which events have had their effect.

    :param queue: where they come from, for those who count.
    """

    def __init__(self, database: Database, clock: Clock, queue: str) -> None:
        self._done = INBOX.labels(queue, "done")
        self._repeats = INBOX.labels(queue, "repeat")
        self._database = database
        self._sql = SQL[database.engine]
        self._clock = clock

    async def first_seen(self, work: Transaction, event_ids: Sequence[str]) -> set[str]:
        """Return ids never seen before; remember them if and only if the transaction commits."""
        rows = await work.fetch(self._sql.REMEMBER_EVENTS, list(event_ids), self._clock.now())
        await failpoint("events remembered")

        def count() -> None:
            self._done.inc(len(rows))
            self._repeats.inc(len(event_ids) - len(rows))

        work.after_commit(count)
        return {row["event_id"] for row in rows}

    async def forget_old(self) -> int:
        """Delete some of the ids older than REMEMBERED_DAYS; return how many. Repeat until 0."""
        now = await earlier_now(self._database, self._clock.now())
        before = now - timedelta(days=REMEMBERED_DAYS)
        return await self._database.execute(self._sql.FORGET_EVENTS, before, FORGET_EVENTS_MAX)


class InboxReceiver(Generic[Command]):
    """Reads events into commands and has them handled; parks those that can't be, and goes on."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        queue: str,
        read: Callable[[Event], Command],
        handle: Callable[[Sequence[Command]], Awaitable[object]],
    ) -> None:
        self._database = database
        self._sql = SQL[database.engine]
        self._clock = clock
        self._queue = queue
        self._read = read
        self._handle = handle
        self._parked = INBOX.labels(queue, "parked")

    async def receive(self, events: Sequence[Event]) -> None:
        await failpoint("events delivered")
        if not tracing.is_recording():
            await self._receive(events)
            return
        with tracing.Work(
            f"process {self._queue}",
            "consumer",
            [event.traceparent for event in events],
            lambda place: span_attributes(events[place]),
        ) as work:
            # What comes of an event belongs to its span: so the whole is a tree.
            traced = zip(events, work.traceparents, strict=True)
            await self._receive([event._replace(traceparent=own) for event, own in traced])

    async def _receive(self, events: Sequence[Event]) -> None:
        readable: list[tuple[Event, Command]] = []
        unreadable: list[DeadLetter] = []
        for event in events:
            try:
                readable.append((event, self._read_checked(event)))
            except Unreadable as error:
                unreadable.append(self._letter(event, f"unreadable: {error}"))
        await self.park(unreadable)
        if readable:
            await self._handle_or_isolate(readable)

    def _read_checked(self, event: Event) -> Command:
        if not 0 < len(event.event_id) <= EVENT_ID_CHARACTERS_MAX or "\0" in event.event_id:
            raise Unreadable("the event id is empty, too long or has a NUL")
        return self._read(event)

    async def _handle_or_isolate(self, readable: Sequence[tuple[Event, Command]]) -> None:
        """Handle all as one batch; if that fails for its own reason, one by one to find why."""
        for tries in range(1, HANDLING_TRIES_MAX + 1):
            try:
                await self._handle([command for _, command in readable])
            except Exception as error:
                if _passes(error):
                    raise  # the broker delivers again
                if len(readable) > 1:
                    break
                event, reason = readable[0][0], f"failed: {type(error).__name__}: {error}"
                log.exception(
                    "event failed",
                    event_id=event.event_id,
                    type=event.type,
                    tries=tries,
                    trace_id=tracing.trace_id_of(event.traceparent),
                )
                if tries < HANDLING_TRIES_MAX:
                    await asyncio.sleep(backoff_s(tries, first_s=0.05, longest_s=1.0))
            else:
                return
        else:
            await self.park([self._letter(event, reason)])
            return
        for one in readable:
            await self._handle_or_isolate([one])

    def _letter(self, event: Event, reason: str) -> DeadLetter:
        return DeadLetter(
            letter_id=event.event_id[:EVENT_ID_CHARACTERS_MAX].replace("\0", "\ufffd"),
            queue=self._queue,
            reason=reason.replace("\0", "\ufffd"),
            body=event.data,
            event=event,
        )

    async def park(self, letters: Sequence[DeadLetter]) -> None:
        if not letters:
            return
        parked_at = self._clock.now()
        async with self._database.begin() as work:
            await work.write(
                self._sql.PARK_LETTERS,
                [
                    (letter.letter_id, letter.queue, letter.reason, parked_at, letter.body)
                    + (_event_columns(letter.event) if letter.event else (None,) * 5)
                    for letter in letters
                ],
            )
        self._parked.inc(len(letters))
        for letter in letters:
            log.error(
                "event parked",
                letter_id=letter.letter_id,
                queue=letter.queue,
                reason=letter.reason,
                trace_id=tracing.trace_id_of(letter.event.traceparent) if letter.event else "",
            )


def _passes(error: Exception) -> bool:
    """Whether trouble passes by itself. A key that stayed taken however often the use case was
    tried is somebody else's (see `retrying`), and will be at the next delivery.
    """
    is_passing = isinstance(error, Conflict | DatabaseUnavailable)
    return is_passing and not isinstance(error, KeyTaken)


def _event_columns(event: Event) -> tuple[object, ...]:
    return event.type, event.subject, event.sequence, event.time, event.traceparent
