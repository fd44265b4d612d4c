"""Rules about events: all told, all heard, once each, and nothing left lying about."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from proof.questions import questions_of
from proof.rules.due import (
    AGAIN,
    ANSWERS,
    CHANGED,
    QUESTIONS,
    Aggregate,
    Told,
    due_events,
    due_of_question,
    says,
    told_by,
)
from proof.run_record import RunRecord, Violation
from proof.snapshot import ObservedEvent, Order


def in_order(record: RunRecord) -> Iterator[Violation]:
    """7. Every change is seen at least once, the first sight of an aggregate's changes in their
    order and without a gap; nothing is seen that did not happen, and what is seen twice says the
    same twice. A question that is late is asked again as it was; only answers come under several
    ids.
    """
    if record.observed_events is None:
        return
    due = dict(due_events(record))
    ids = defaultdict[Told, dict[str, None]](dict)
    highest = dict[Aggregate, int]()
    by_id = dict[str, ObservedEvent]()
    for seen in record.observed_events:
        if seen.event_id in record.poison or seen.subject in record.poison:
            continue
        if by_id.setdefault(seen.event_id, seen) != seen:
            yield Violation(7, seen.subject, f"{seen.event_id} was seen with two contents")
        told = told_by(seen)
        if (
            seen.type in ANSWERS and told not in due
        ):  # again, after a change by itself: as it stands
            told = told._replace(type=CHANGED)
        if seen.type == AGAIN:
            yield from _asked_again(record, seen)
            continue
        if told not in due:
            text = f"{seen.type} {seen.sequence} was seen and did not happen"
            yield Violation(7, seen.subject, text)
            continue
        if seen.content is None or not says(seen.content, due[told]):
            text = f"{seen.type} {seen.sequence} says {seen.content}, not {due[told]}"
            yield Violation(7, seen.subject, text)
        is_first = told not in ids
        if told.type == seen.type:
            ids[told][seen.event_id] = None
        before = highest.get(told.aggregate, 0)
        if is_first and before > told.sequence and not record.refusals_possible:
            text = f"{seen.type} {seen.sequence} was first seen after {before}"
            yield Violation(7, seen.subject, text)
        highest[told.aggregate] = max(before, told.sequence)
    for told in sorted(due.keys() - ids.keys()):
        text = f"{told.type} {told.sequence} was never seen"
        yield Violation(7, told.aggregate.subject, text)
    for told, event_ids in ids.items():
        if len(event_ids) > 1 and told.type not in ANSWERS:
            text = f"{told.type} {told.sequence} has {len(event_ids)} ids: {sorted(event_ids)}"
            yield Violation(7, told.aggregate.subject, text)


def _asked_again(record: RunRecord, seen: ObservedEvent) -> Iterator[Violation]:
    """The same question as some before: what the order wanted then, with what left and came."""
    order = record.snapshot.orders.get(seen.subject)
    asked = [due_of_question(question, order) for question in questions_of(order)] if order else []
    if seen.content is None or not any(says(seen.content, due) for due in asked):
        yield Violation(7, seen.subject, f"it was asked again for {seen.content}, not {asked}")
    elif order and not 1 <= seen.sequence <= order.version:
        yield Violation(7, seen.subject, f"it was asked again at version {seen.sequence}")


def one_effect(record: RunRecord) -> Iterator[Violation]:
    """8. Each event that a service receives is in its inbox and had its effect once: no question
    has more than one answer, and nothing is in an inbox that nobody sent. Without an audit queue
    only the numbers are held against each other.
    """
    if record.observed_events is None:
        yield from _inboxes_are_large_enough(record)
        return
    letters = {letter.letter_id for letter in record.snapshot.letters}
    sent: Mapping[str, dict[str, ObservedEvent]] = {"inventory": {}, "orders": {}}
    for seen in record.observed_events:
        if seen.type in QUESTIONS:
            sent["inventory"].setdefault(seen.event_id, seen)
        elif seen.type in (*ANSWERS, CHANGED):
            sent["orders"].setdefault(seen.event_id, seen)
    for service, events in sent.items():
        inbox = record.snapshot.inboxes[service]
        for event_id in () if record.forgetful else sorted(events.keys() - inbox - letters):
            if event_id not in record.poison and event_id not in record.lost:
                text = f"{events[event_id].type} {event_id} is not in the inbox of {service}"
                yield Violation(8, events[event_id].subject, text)
        for event_id in sorted(inbox - events.keys()):
            if event_id not in record.poison:
                yield Violation(8, event_id, f"in the inbox of {service}, never seen")
    if not record.forgetful:
        answers = [seen for seen in sent["orders"].values() if seen.type in ANSWERS]
        yield from _answered_once(list(sent["inventory"].values()), answers)


def _answered_once(
    questions: Sequence[ObservedEvent], answers: Sequence[ObservedEvent]
) -> Iterator[Violation]:
    asked = Counter(seen.subject for seen in questions)
    answered = Counter(seen.subject for seen in answers)
    for subject, times in answered.items():
        if times > asked[subject]:
            yield Violation(8, subject, f"asked {asked[subject]} times, answered {times} times")


def _inboxes_are_large_enough(record: RunRecord) -> Iterator[Violation]:
    if record.forgetful:
        return
    decided = sum(
        max(1, one.version - len(record.by_inventory.get(one.order_id, ())))
        for one in record.snapshot.reservations.values()
    )
    settled = sum(len(_heard(order)) for order in record.snapshot.orders.values())
    for service, effects in (("inventory", decided), ("orders", settled)):
        known = len(record.snapshot.inboxes[service])
        if known < effects:
            yield Violation(8, service, f"{known} events are in its inbox, {effects} had effects")


def _heard(order: Order) -> set[int]:
    """The revisions that Orders must have heard an answer to."""
    decided = any(now.status in ("RESERVED", "CONFIRMED", "REJECTED") for now in order.history)
    edits = {one.revision for one in order.questions if one.state in ("APPLIED", "REFUSED")}
    return edits | ({1} if decided else set()) | ({order.answered} if order.answered else set())


def nothing_parked(record: RunRecord) -> Iterator[Violation]:
    """9. No dead letter but the poison that was sent, each with its reason, and all of the poison
    that must be there; nothing is left in any queue.
    """
    letters = {letter.letter_id for letter in record.snapshot.letters}
    for letter in record.snapshot.letters:
        if letter.letter_id not in record.poison and letter.letter_id not in record.parked:
            text = f"parked by {letter.service}: {letter.type or 'no event'}: {letter.reason}"
            yield Violation(9, letter.letter_id, text)
        elif not letter.reason:
            yield Violation(9, letter.letter_id, f"parked by {letter.service} without a reason")
    for letter_id in sorted(set(record.parked) - letters):
        yield Violation(9, letter_id, "was sent and is not parked")
    for queue, messages in sorted(record.queues.items()):
        if messages:
            yield Violation(9, queue, f"{messages} messages are left in it")


def liveness(record: RunRecord) -> Iterator[Violation]:
    """13. Nothing waits any more: no order is PENDING or without an answer of Inventory, no outbox
    holds an event.
    """
    for order_id in sorted(record.snapshot.unanswered):
        yield Violation(13, order_id, "it still waits for an answer of Inventory")
    for order in record.snapshot.orders.values():
        if order.status == "PENDING":
            yield Violation(13, order.order_id, "it is still PENDING")
    for service, waiting in record.snapshot.outboxes.items():
        if waiting:
            yield Violation(13, service, f"{waiting} events wait in its outbox")
