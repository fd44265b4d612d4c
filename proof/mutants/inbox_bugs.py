"""Bugs on the receiving side: what is remembered, handled, parked, and when."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from holdfast.chassis.broker import DeadLetter, Event
from holdfast.chassis.database import Transaction
from holdfast.chassis.inbox import FORGET_EVENTS_MAX, Inbox, InboxReceiver, Unreadable
from holdfast.inventory.application.decide_reservations import DecideReservations
from holdfast.orders.application import settle_orders
from holdfast.orders.application.settle_orders import SettleOrders, StockAnswer
from holdfast.orders.domain.order import OrderStatus
from proof.mutants.planting import bug, original

INBOX = "tests/contract/test_inbox.py"

log = structlog.get_logger()

_first_seen = original(Inbox, "first_seen")
_receive = original(InboxReceiver, "receive")
_isolate = original(InboxReceiver, "_handle_or_isolate")


async def nothing_was_seen(self: Any, work: Transaction, event_ids: Sequence[str]) -> set[str]:
    return set(event_ids)


async def seen_by_this_process(self: Any, work: Transaction, event_ids: Sequence[str]) -> set[str]:
    seen: set[str] = self.__dict__.setdefault("_seen", set())
    new = {event_id for event_id in event_ids if event_id not in seen}
    seen |= new
    return new


async def seen_by_their_beginning(
    self: Any, work: Transaction, event_ids: Sequence[str]
) -> set[str]:
    short = {event_id[:12]: event_id for event_id in reversed(event_ids)}
    new = await _first_seen(self, work, list(short))
    return {short[beginning] for beginning in new}


async def decide_after_remembering(self: Any, commands: Sequence[Any]) -> None:
    async with self._begin() as work:
        new_ids = await work.first_seen([command.event_id for command in commands])
    async with self._begin() as work:
        fresh = {c.event_id: c for c in reversed(commands) if c.event_id in new_ids}
        if fresh:
            await self._decide(work, list(reversed(fresh.values())))


async def forget_after_a_second(self: Any) -> int:
    before = self._clock.now() - timedelta(seconds=1)
    return int(await self._database.execute(self._sql.FORGET_EVENTS, before, FORGET_EVENTS_MAX))


async def log_and_go_on(self: Any, events: Sequence[Event]) -> None:
    try:
        await _receive(self, events)
    except Exception:  # noqa: BLE001 - the bug
        log.warning("something went wrong, but we go on")


async def drop_what_is_unknown(self: Any, events: Sequence[Event]) -> None:
    known = []
    for event in events:
        try:
            self._read(event)
        except Unreadable as error:
            if "unknown type" in str(error):
                continue
        known.append(event)
    await _receive(self, known)


async def try_poison_for_ever(self: Any, events: Sequence[Event]) -> None:
    await self._handle_or_isolate([(event, self._read_checked(event)) for event in events])


async def park_the_whole_batch(self: Any, readable: Sequence[tuple[Event, Any]]) -> None:
    try:
        await self._handle([command for _, command in readable])
    except Exception as error:  # noqa: BLE001 - the bug
        await self.park([self._letter(event, f"failed: {error}") for event, _ in readable])


async def park_nothing(self: Any, letters: Sequence[DeadLetter]) -> None:
    for letter in letters:
        log.warning("event dropped", letter_id=letter.letter_id)


async def settle_after_remembering(self: Any, answers: Sequence[StockAnswer]) -> None:
    async with self._begin() as work:
        new_ids = await work.first_seen([answer.event_id for answer in answers])
    async with self._begin() as work:
        fresh = {a.order_id: a for a in reversed(answers) if a.event_id in new_ids}
        states = await work.lock_states(fresh.keys())
        pending = [one for one in states.values() if one.status is OrderStatus.PENDING]
        at = self._clock.now()
        await work.record(
            [settle_orders._settle(state, fresh[state.order_id], at) for state in pending]
        )


SETTLING_FAILED = "test_an_answer_whose_settling_failed_counts_as_never_seen"

BUGS = (
    bug(
        "no inbox",
        "Nothing is remembered: every delivery counts as the first.",
        (Inbox, "first_seen", nothing_was_seen),
    ),
    bug(
        "inbox in memory",
        "What was seen is known only to the process that saw it.",
        (Inbox, "first_seen", seen_by_this_process),
    ),
    bug(
        "inbox by half an id",
        "Two events whose ids begin alike are taken for one.",
        (Inbox, "first_seen", seen_by_their_beginning),
    ),
    bug(
        "inbox in another transaction",
        "Inventory remembers an event, commits, then decides: a failure in between loses it.",
        (DecideReservations, "__call__", decide_after_remembering),
    ),
    bug(
        "answers remembered in another transaction",
        "Orders remembers an answer, commits, then settles: a failure in between loses it.",
        (SettleOrders, "__call__", settle_after_remembering),
        tests=("tests/integration/test_saga.py::" + SETTLING_FAILED,),
        why_tests="the answer is asked for again under another id, and that one settles the order",
    ),
    bug(
        "TTL of 1 s in the inbox",
        "What was seen is forgotten after a second.",
        (Inbox, "forget_old", forget_after_a_second),
    ),
    bug(
        "swallow an exception",
        "Whatever goes wrong while events are handled is logged, and the events are acknowledged.",
        (InboxReceiver, "receive", log_and_go_on),
    ),
    bug(
        "drop an unknown type",
        "Events of a type that nobody knows are acknowledged and kept nowhere.",
        (InboxReceiver, "receive", drop_what_is_unknown),
    ),
    bug(
        "nack loop",
        "What can't be read fails its batch, which comes again for ever.",
        (InboxReceiver, "receive", try_poison_for_ever),
    ),
    bug(
        "park the whole batch",
        "An event that fails takes its neighbours along, also when its trouble would pass.",
        (InboxReceiver, "_handle_or_isolate", park_the_whole_batch),
    ),
    bug(
        "park nothing",
        "What can't be handled is acknowledged with a line in the log.",
        (InboxReceiver, "park", park_nothing),
    ),
)
