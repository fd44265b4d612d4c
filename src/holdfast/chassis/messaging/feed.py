"""The feed: all that a service has told the world, in one order that never changes.

Positions are given by the relay, after the commit, to what leaves the outbox (`STAMP_EVENTS`): they
are dense, and whoever has read up to one has missed nothing below it. A number that is taken before
the commit can't do that: slow transactions commit lower ones later.

A cursor names the feed, a position, and the event that stands there. So a cursor of what a restored
database has lost is known as such, however far the feed has grown since.
"""

import asyncio
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple
from zlib import crc32

from pydantic import BaseModel, Field

from holdfast.chassis.clock import Clock
from holdfast.chassis.database.clocks import earlier_now
from holdfast.chassis.database.seam import Database, Leadership, Reading, Row, instant
from holdfast.chassis.messaging.broker import Event
from holdfast.chassis.messaging.outbox import POSITION_MAX
from holdfast.chassis.messaging.sql import SQL
from holdfast.chassis.metrics import FEED_LAG, FEED_POSITION
from holdfast.chassis.process.lifecycle import Loop, every

PAGE_EVENTS_MAX = 1_000
STEP_EVENTS = 100  # read first: a page of large events is cut before the rest of it is read
PAGE_BYTES_MAX = 3 * 1024 * 1024
ENVELOPE_BYTES = 400  # of one event on the wire beside its data, about
SCANNED_MAX = 20_000  # positions looked at for one page of few types
LOOK_S = 0.025  # between looks at what another process has stamped, while somebody waits for it
CUT_EVENTS = 2_000  # at once
CUT_EVERY_S = 60.0

EARLIEST, LATEST = "earliest", "latest"
_CURSOR = re.compile(r"([0-9a-f]{12})-(0|[1-9][0-9]{0,18})-([0-9a-f]{8})", re.ASCII)


class FeedSettings(BaseModel):
    """How long a service's feed can be followed from behind.

    :param feed_days: events older than this leave the feed; whoever was away for longer starts
        anew.
    """

    feed_days: float = Field(default=30.0, gt=0, le=36_500)


FEED_DEFAULTS = FeedSettings()


class CursorMalformed(Exception):
    """The text is no cursor of any feed."""

    def __init__(self) -> None:
        super().__init__(
            "is no cursor: take one as it was answered, "
            f'or "{EARLIEST}" for all that is kept, or "{LATEST}" for what comes from now on'
        )


class CursorExpired(Exception):
    """What follows the cursor was cut off, or a part of it, for its age."""

    def __init__(self) -> None:
        super().__init__(f"events after this cursor are not kept any more: {_ANEW}")


class CursorUnknown(Exception):
    """The cursor is of another feed, of events that a restored database has lost, or made up."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}: {_ANEW}")


_ANEW = "take the newest cursor, read anew what you follow, then go on from that cursor"


class Entry(NamedTuple):
    """An event of the feed.

    :param cursor: what follows it is asked for by this.
    """

    cursor: str
    event: Event


class Page(NamedTuple):
    """Events in their order.

    :param next_cursor: goes on after the last position that was looked at, whatever was there.
    :param position: that position.
    :param newest: the newest position there was.
    """

    entries: list[Entry]
    next_cursor: str
    position: int
    newest: int


class Feed:
    """One service's feed, as one of its processes reads it and waits for it."""

    def __init__(self, database: Database, service: str) -> None:
        self._database, self._service = database, service
        self._sql = SQL[database.engine]
        self._newest = 0
        self._waiting = 0
        self._asked, self._look, self._news = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._position, self._lag = FEED_POSITION.labels(service), FEED_LAG.labels(service)
        self._lag_max = 0
        self.is_closed = False

    def loops(
        self, clock: Clock, settings: FeedSettings, leadership: Leadership
    ) -> dict[str, Loop]:
        """What has to run in every process; what is too old is cut off by the one that leads."""
        trimming = Trimming(self._database, clock, settings)
        return {
            f"{self._service} feed": self.run,
            f"{self._service} feed trimming": every(CUT_EVERY_S, trimming, leadership=leadership),
        }

    async def read(self, after: str, *, types: Collection[str] = (), limit: int) -> Page:
        """Return up to `limit` events that follow a cursor; fewer where they are large, and where
        few of many are of the types. A repeat of the call returns the same, and perhaps more.

        :param after: a cursor; EARLIEST: before all that is kept; LATEST: after all there is.
        :param types: full names; none: all.
        :raises CursorMalformed, CursorExpired, CursorUnknown: there is no such place.
        """
        named = None if after in (EARLIEST, LATEST) else cursor_of(after)
        async with self._database.read() as reading:
            (head,) = await reading.fetch(self._sql.FEED_HEAD)
            newest, oldest = head["last"], head["oldest"] or 1
            if named is not None:
                _require_known(named, head["feed_id"], newest)
                start = named.position
            else:
                start = newest if after == LATEST else oldest - 1
            upper = min(newest, start + SCANNED_MAX) if types else newest
            rows, is_cut = await self._rows(reading, start, upper, types, limit)
            if is_cut:
                upper = rows[-1]["position"]
            # Read last: what is there now was there when the rows were read, because only what is
            # oldest leaves.
            there = await self._checks(reading, {start or 1, upper})
        if named is not None:
            _require_there(named, newest, there)
        if upper and upper not in there:
            raise CursorExpired
        self._lag_max = max(self._lag_max, newest - upper)
        end = Cursor(head["feed_id"], upper, there[upper] if upper else NO_CHECK)
        return Page([_entry(head["feed_id"], row) for row in rows], str(end), upper, newest)

    async def _rows(
        self, reading: Reading, start: int, upper: int, types: Collection[str], limit: int
    ) -> tuple[list[Row], bool]:
        """Return the events between two positions, and whether there was no room for all."""
        rows: list[Row] = []
        room, step = PAGE_BYTES_MAX, min(limit, STEP_EVENTS)
        while start < upper:
            if types:
                sql = self._sql.FEED_EVENTS_OF_TYPES
                found = await reading.fetch(sql, start, upper, step, sorted(types))
            else:
                found = await reading.fetch(self._sql.FEED_EVENTS, start, upper, step)
            for row in found:
                room -= len(row["data"]) + ENVELOPE_BYTES
                if room < 0 and rows:
                    return rows, True
                rows.append(row)
            if len(found) < step:
                return rows, False
            start = rows[-1]["position"]
            if len(rows) == limit:
                return rows, True
            used = PAGE_BYTES_MAX - room
            step = min(limit - len(rows), max(room, 0) * len(rows) // used + 1)
        return rows, False

    async def _checks(self, reading: Reading, positions: Collection[int]) -> dict[int, str]:
        rows = await reading.fetch(self._sql.FEED_PLACES, sorted(positions))
        return {row["position"]: check_of(row["event_id"]) for row in rows}

    async def beyond(self, position: int, *, within_s: float) -> None:
        """Return when there may be something after a position, after so long, or at the end."""
        self._waiting += 1
        self._asked.set()
        try:
            async with asyncio.timeout(within_s):
                while self._newest <= position and not self.is_closed:
                    await self._news.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._asked.clear()

    async def run(self) -> None:
        """Look for news as long as somebody waits for some, until cancelled."""
        while True:
            await self._asked.wait()
            self._look.clear()
            async with self._database.read() as reading:
                (head,) = await reading.fetch(self._sql.FEED_HEAD)
            if head["last"] > self._newest:
                self._newest = head["last"]
                self._tell()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._look.wait()

    def stamped(self) -> None:
        """Look at once: this process has put something into the feed."""
        self._look.set()

    def close(self) -> None:
        """Let everybody go on who waits; nobody waits from now on."""
        self.is_closed = True
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def measure(self, reading: Reading) -> None:
        """Tell where the feed is, and how far behind it the last of its readers was since then."""
        (head,) = await reading.fetch(self._sql.FEED_HEAD)
        self._position.set(head["last"])
        self._lag.set(self._lag_max)
        self._lag_max = 0


class Trimming:
    """Cuts off what is older than it is kept, some at a time; never the newest event: with it, the
    cursors of those who have read everything would go.
    """

    def __init__(self, database: Database, clock: Clock, settings: FeedSettings) -> None:
        self._database, self._clock = database, clock
        self._sql = SQL[database.engine]
        self._keep = timedelta(days=settings.feed_days)

    async def __call__(self) -> int:
        """Return how many events were cut off; call again until 0."""
        before = await earlier_now(self._database, self._clock.now()) - self._keep
        async with self._database.read() as reading:
            (head,) = await reading.fetch(self._sql.FEED_HEAD)
            first = head["oldest"]
            if first is None or first == head["last"]:
                return 0
            end = min(first + CUT_EVENTS, head["last"])
            young = await reading.fetch(self._sql.FIRST_KEPT, first, end, before)
        cut = young[0]["position"] if young else end
        if cut == first:
            return 0
        return await self._database.execute(self._sql.CUT_FEED, cut)


class Cursor(NamedTuple):
    """A place in a feed, as text `feed-position-check`, which is nobody else's business.

    :param check: of the event at the position; NO_CHECK at 0, where none is.
    """

    feed_id: str
    position: int
    check: str

    def __str__(self) -> str:
        return f"{self.feed_id}-{self.position}-{self.check}"


NO_CHECK = "0" * 8


def check_of(event_id: str) -> str:
    """Return by what a cursor knows the event at its position."""
    return f"{crc32(event_id.encode()):08x}"


def cursor_of(text: str) -> Cursor:
    """Read a cursor.

    :raises CursorMalformed: it is none.
    """
    found = _CURSOR.fullmatch(text)
    if found is None or int(found[2]) > POSITION_MAX:
        raise CursorMalformed
    return Cursor(found[1], int(found[2]), found[3])


def _require_known(cursor: Cursor, feed_id: str, newest: int) -> None:
    if cursor.feed_id != feed_id:
        raise CursorUnknown("this cursor is of another feed")
    if cursor.position > newest:
        raise CursorUnknown("the feed has nothing at this cursor's place (was it restored?)")


def _require_there(cursor: Cursor, newest: int, there: Mapping[int, str]) -> None:
    """See that the event at the cursor is the one that was there when it was made."""
    if cursor.position == 0:
        if newest and 1 not in there:
            raise CursorExpired
        check: str | None = NO_CHECK
    else:
        check = there.get(cursor.position)
    if check is None:
        raise CursorExpired
    if check != cursor.check:
        raise CursorUnknown("another event is at this cursor's place (was the feed restored?)")


def _entry(feed_id: str, row: Row) -> Entry:
    event_id = row["event_id"]
    return Entry(
        str(Cursor(feed_id, row["position"], check_of(event_id))),
        Event(
            event_id=event_id,
            type=row["type"],
            subject=row["subject"],
            sequence=row["sequence"],
            time=instant(row["happened_at"]),
            data=row["data"],
            traceparent=row["traceparent"],
        ),
    )
