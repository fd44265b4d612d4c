"""Bugs on the receiving side: what is remembered, handled, parked, and when."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog

from holdfast.chassis.database.seam import Transaction
from holdfast.chassis.messaging.broker import DeadLetter, Event
from holdfast.chassis.messaging.inbox import FORGET_EVENTS_MAX, Inbox, InboxReceiver
from holdfast.inventory.application.reservations.hear_orders import HearOrders
from holdfast.orders.application.ordering.hear_inventory import HearInventory
from proof.mutants.planting import bug, edited, knowing, original

SAGA = "tests/integration/test_saga.py"

log = structlog.get_logger()

_first_seen = original(Inbox, "first_seen")
_receive = original(InboxReceiver, "receive")
_hear_orders = original(HearOrders, "__call__")
_hear_inventory = original(HearInventory, "__call__")


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


async def decide_after_remembering(self: Any, questions: Sequence[Any]) -> None:
    async with self._begin() as work:
        new_ids = await work.first_seen([question.event_id for question in questions])
    hear = HearOrders(knowing(self._begin, first_seen=new_ids), self._clock)
    await _hear_orders(hear, questions)


async def settle_after_remembering(self: Any, heard: Sequence[Any]) -> None:
    async with self._begin() as work:
        new_ids = await work.first_seen([one.event_id for one in heard])
    hear = HearInventory(knowing(self._begin, first_seen=new_ids), self._clock)
    await _hear_inventory(hear, heard)


async def forget_after_a_second(self: Any) -> int:
    before = self._clock.now() - timedelta(seconds=1)
    return int(await self._database.execute(self._sql.FORGET_EVENTS, before, FORGET_EVENTS_MAX))


async def log_and_go_on(self: Any, events: Sequence[Event]) -> None:
    try:
        await _receive(self, events)
    except Exception:  # noqa: BLE001 - the bug
        log.warning("something went wrong, but we go on")


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
        (HearOrders, "__call__", decide_after_remembering),
        tests=(f"{SAGA}::test_a_question_whose_decision_failed_counts_as_never_seen",),
        why_tests="the question is asked again under another id, and that one is decided",
    ),
    bug(
        "answers remembered in another transaction",
        "Orders remembers an answer, commits, then settles: a failure in between loses it.",
        (HearInventory, "__call__", settle_after_remembering),
        tests=(f"{SAGA}::test_an_answer_whose_settling_failed_counts_as_never_seen",),
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
        edited(
            InboxReceiver,
            "_receive",
            ("unreadable.append", '"unknown type" in str(error) or unreadable.append'),
        ),
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
