"""Bugs between a commit and the broker: what the outbox and its relay must not do."""

import asyncio
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, Transaction, instant
from holdfast.chassis.messaging.broker import Broker, BrokerUnavailable, Event
from holdfast.chassis.messaging.outbox import RELAY_EVENTS_MAX, Outbox, Relay
from holdfast.chassis.messaging.sql import SQL
from proof.mutants.planting import bug, edited, original

MESSAGES = "tests/contract/test_messages.py"
PATIENCE = 3
CLAIM_S = 5.0

_append = original(Outbox, "append")
_relay_init = original(Relay, "__init__")
_relay_batch = original(Relay, "relay_batch")


async def _next(relay: Any, sql: str, *arguments: object) -> list[Any]:
    async with relay._database.read() as reading:
        return list(await reading.fetch(sql, *arguments))


def _events(rows: Sequence[Any]) -> list[Event]:
    return [
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


async def _move(relay: Any, rows: Sequence[Any]) -> None:
    await relay._database.execute(relay._sql.STAMP_EVENTS, [row["position"] for row in rows])


# What row locks would be: rows that another relay works on are skipped.
_claimed: dict[tuple[str, int], float] = {}


async def relay_what_no_other_has(self: Any) -> bool:
    now = asyncio.get_running_loop().time()
    rows = await _next(self, self._sql.NEXT_EVENTS, RELAY_EVENTS_MAX)
    mine = [row for row in rows if _claimed.get((row["event_id"], row["position"]), 0) <= now]
    for row in mine:
        _claimed[row["event_id"], row["position"]] = now + CLAIM_S
    try:
        if not mine:
            return True
        taken = await self._broker.publish(_events(mine))
        await _move(self, [row for row in mine if row["event_id"] in taken])
    finally:
        for row in mine:
            _claimed.pop((row["event_id"], row["position"]), None)
    if len(taken) < len(mine):
        raise BrokerUnavailable("some were not taken")
    return True


async def relay_always(self: Any, filled: bool) -> bool:
    return bool(await self.relay_batch())


async def give_up(self: Any) -> bool:
    try:
        done = await _relay_batch(self)
    except BrokerUnavailable:
        self._given = getattr(self, "_given", 0) + 1
        if self._given >= PATIENCE:
            await _move(self, await _next(self, self._sql.NEXT_EVENTS, RELAY_EVENTS_MAX))
        raise
    self._given = 0
    return bool(done)


# Whoever appends knows no broker, so the relay lends it its own.
_brokers: "WeakKeyDictionary[Outbox, Broker]" = WeakKeyDictionary()
_publishing: set["asyncio.Task[None]"] = set()


def lend_the_broker(
    self: Any, database: Any, outbox: Outbox, broker: Broker, *rest: Any, **limits: Any
) -> None:
    _brokers[outbox] = broker
    _relay_init(self, database, outbox, broker, *rest, **limits)


def _start(work: Any) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _publishing.add(task)
    task.add_done_callback(_publishing.discard)


def publish_at_once(self: Outbox, work: Transaction, events: Sequence[Event]) -> None:
    async def publish() -> None:
        try:
            await _brokers[self].publish(events)
        except BrokerUnavailable:
            return  # the relay publishes it later

    if events and self in _brokers:
        _start(publish())
    _append(self, work, events)


def append_afterwards(self: Any, work: Transaction, events: Sequence[Event]) -> None:
    rows = [
        (e.event_id, e.type, e.subject, e.sequence, e.time, e.traceparent, e.data) for e in events
    ]

    async def append() -> None:
        try:
            async with self._database.begin() as later:
                later.defer(self._sql.APPEND_EVENTS, rows)
                later.after_commit(self.filled.set)
        except (Conflict, DatabaseUnavailable):
            return

    if rows:
        work.after_commit(lambda: _start(append()))


def keep_the_database(self: Any, database: Any) -> None:
    _outbox_init(self, database)
    self._database = database


_outbox_init = original(Outbox, "__init__")


BUGS = (
    bug(
        "publish before commit",
        "Events are published while their transaction is open; rolled back, they were told.",
        (Relay, "__init__", lend_the_broker),
        (Outbox, "append", publish_at_once),
    ),
    bug(
        "mark before confirm",
        "The relay moves its rows to the feed, then publishes them.",
        edited(
            Relay,
            "relay_batch",
            (
                "    taken = await",
                "    positions = [row['position'] for row in rows]\n"
                "    await self._database.execute(self._sql.STAMP_EVENTS, positions)\n"
                "    await failpoint('events confirmed')\n"
                "    taken = await",
            ),
        ),
    ),
    bug(
        "mark what was not taken",
        "The relay moves all that it published, whether the broker has it or not.",
        edited(Relay, "relay_batch", (' if row["event_id"] not in taken]', " if False]")),
    ),
    bug(
        "cursor relay",
        "The relay goes on after the last position that it has seen; what commits late, or was "
        "refused before something that was taken, is never read.",
        edited(
            Relay,
            "relay_batch",
            (
                "    if not rows:\n",
                "    rows = [row for row in rows if row['position'] > getattr(self, '_place', 0)]\n"
                "    if not rows:\n",
            ),
            (
                "    if done := _ready(rows, left):\n",
                "    if done := _ready(rows, left):\n        self._place = max(done)\n",
            ),
        ),
    ),
    bug(
        "SKIP LOCKED with two relays",
        "Every process relays, each what no other is working on: later events overtake.",
        (Relay, "relay_batch", relay_what_no_other_has),
        (Relay, "_relay_or_tell", relay_always),
    ),
    bug(
        "newest first",
        "The relay publishes in the wrong order.",
        *(
            edited(sql, "NEXT_EVENTS", ("ORDER BY position", "ORDER BY position DESC"))
            for sql in SQL.values()
        ),
    ),
    bug(
        "dual write",
        "Events are written in a transaction of their own, after the one that causes them.",
        (Outbox, "__init__", keep_the_database),
        (Outbox, "append", append_afterwards),
    ),
    bug(
        "a relay that gives up",
        "After three failures in a row the relay throws away what it can't get rid of.",
        (Relay, "relay_batch", give_up),
    ),
)
