"""Rules about events: all told, all heard, once each, and nothing left lying about."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from proof.run_record import RunRecord, Violation
from proof.snapshot import MISSING, REVISION, Edition, ObservedEvent, Order, Part, Reservation

ORDERS, INVENTORY = "holdfast.orders.v1.", "holdfast.inventory.v1."
PLACED, CANCELLED, EXPIRED, UPDATED, AGAIN = (
    ORDERS + name
    for name in (
        "OrderPlaced",
        "OrderCancelled",
        "OrderExpired",
        "OrderUpdated",
        "StockAskedAgain",
    )
)
RESERVED, REJECTED, RELEASED, LEVEL_CHANGED = (
    INVENTORY + name
    for name in ("StockReserved", "StockRejected", "ReservationReleased", "StockLevelChanged")
)
OF_STATUS = {
    "RESERVED": ORDERS + "OrderReserved",
    "CONFIRMED": ORDERS + "OrderConfirmed",
    "REJECTED": ORDERS + "OrderRejected",
    "CANCELLED": CANCELLED,
    "EXPIRED": EXPIRED,
}
PAID = ORDERS + "PaymentRecorded"
EDIT_REQUESTED, EDIT_REFUSED = ORDERS + "OrderEditRequested", ORDERS + "OrderEditRefused"
OF_ACTION = {
    "EDIT_ASKED": EDIT_REQUESTED,
    "EDITED": ORDERS + "OrderEdited",
    "EDIT_REFUSED": EDIT_REFUSED,
    "CUSTOMER_UPDATED": UPDATED,
    "HOLD_EXTENDED": ORDERS + "HoldExtended",
    "PAYMENT_RECORDED": PAID,
}
QUESTIONS = (PLACED, EDIT_REQUESTED, CANCELLED, EXPIRED, AGAIN)  # what Inventory receives
ANSWERS = (RESERVED, REJECTED, RELEASED)  # what Orders receives; again when asked again


class Aggregate(NamedTuple):
    """What a sequence counts: an order, a reservation, or a level at its location."""

    exchange: str
    subject: str
    location_id: str = ""


class Told(NamedTuple):
    """One change of an aggregate, as an event must tell it."""

    aggregate: Aggregate
    sequence: int
    type: str


def in_order(record: RunRecord) -> Iterator[Violation]:
    """7. Every change is seen at least once, the first sight of an aggregate's changes in their
    order and without a gap; nothing is seen that did not happen, and what is seen twice says the
    same twice. A question that is late is asked again as it was; only answers come under several
    ids.
    """
    if record.observed_events is None:
        return
    due = dict(_due(record))
    ids = defaultdict[Told, dict[str, None]](dict)
    highest = dict[Aggregate, int]()
    by_id = dict[str, ObservedEvent]()
    for seen in record.observed_events:
        if seen.event_id in record.poison or seen.subject in record.poison:
            continue
        if by_id.setdefault(seen.event_id, seen) != seen:
            yield Violation(7, seen.subject, f"{seen.event_id} was seen with two contents")
        told = _told(seen)
        if seen.type == AGAIN:
            yield from _asked_again(record, seen)
            continue
        if told not in due:
            text = f"{seen.type} {seen.sequence} was seen and did not happen"
            yield Violation(7, seen.subject, text)
            continue
        if seen.content is None or not _says(seen.content, due[told]):
            yield Violation(7, seen.subject, f"{seen.type} says {seen.content}, not {due[told]}")
        is_first = told not in ids
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
    """The same question: what the order wanted when it was placed, or by an edit, or that it is
    over.
    """
    order = record.snapshot.orders.get(seen.subject)
    asked = [_wanted(order.first), *map(_wanted, order.questions), _over(order)] if order else []
    if seen.content is None or sorted(seen.content) not in asked:
        yield Violation(7, seen.subject, f"it was asked again for {seen.content}, not {asked}")
    elif order and not 1 <= seen.sequence <= order.version:
        yield Violation(7, seen.subject, f"it was asked again at version {seen.sequence}")


def _told(seen: ObservedEvent) -> Told:
    exchange = seen.type.partition(".v1.")[0]
    location_id = ""
    if seen.type == LEVEL_CHANGED and seen.content:
        location_id = seen.content[0].location_id
    return Told(Aggregate(exchange, seen.subject, location_id), seen.sequence, seen.type)


def _due(record: RunRecord) -> Iterator[tuple[Told, list[Part] | None]]:
    """What must have been told, by what both databases say has happened; None: whatever it says."""
    for order in record.snapshot.orders.values():
        yield from _due_of_order(order)
    for order_id, reservation in record.snapshot.reservations.items():
        if order_id in record.poison:
            continue
        asker = record.snapshot.orders.get(order_id)
        if asker and asker.questions:
            yield from _due_of_edited(asker, reservation, record.observed_events or ())
            continue
        stock = sorted(
            Part(movement.product_id, movement.location_id, movement.reserved_delta)
            for movement in record.moved.get(order_id, [])
            if movement.kind == "RESERVATION"
        )
        yield from _due_of_reservation(reservation, stock)
    for (product_id, location_id), ledger in record.ledgers.items():
        aggregate = Aggregate("holdfast.inventory", product_id, location_id)
        for version, movement in enumerate(ledger, 1):
            if movement.kind in ("RECEIPT", "ADJUSTMENT"):
                part = Part(product_id, location_id, movement.on_hand_after)
                yield Told(aggregate, version, LEVEL_CHANGED), [part]


def _wanted(edition: Edition) -> list[Part]:
    """What an order wants of stock: units by product, under the question's revision."""
    units = (Part(name, "", n) for name, n in edition.demand.items())
    return sorted([Part(REVISION, "", edition.revision), *units])


def _over(order: Order) -> list[Part]:
    """That it wants nothing more: its last question."""
    return [Part(REVISION, "", 2 + len(order.questions))]


def _says(content: Sequence[Part], due: list[Part] | None) -> bool:
    """Whether an event says what is due; parts without a place may be at any."""
    if due is None or sorted(content) == due:
        return True
    somewhere = Counter[Part]()
    for part in content:
        at = MISSING if part.location_id == MISSING else ""
        somewhere[Part(part.product_id, at, 0)] += part.units
    return due == sorted(place._replace(units=units) for place, units in somewhere.items())


def _due_of_order(order: Order) -> Iterator[tuple[Told, list[Part]]]:
    aggregate = Aggregate("holdfast.orders", order.order_id)
    yield Told(aggregate, 1, PLACED), _wanted(order.first)
    for now in order.history[1:]:
        event_type = OF_ACTION[now.action] if now.action else OF_STATUS.get(now.status, "")
        content: list[Part] = []
        if event_type == OF_STATUS["REJECTED"]:
            content = sorted(Part(one.product_id, "", one.wanted) for one in order.shortages)
        elif event_type == PAID:
            content = [
                Part(f"{one.kind} {one.reference}", "", one.amount_minor)
                for one in order.payments
                if one.version == now.version
            ]
        elif event_type == EDIT_REQUESTED:
            asked = [edit for edit in order.questions if edit.asked_version == now.version]
            content = _wanted(asked[0]) if asked else []
        elif event_type == EDIT_REFUSED:
            ended = [edit for edit in order.edits if edit.ended_version == now.version]
            content = sorted(Part(m.product_id, "", m.wanted) for e in ended for m in e.missing)
        elif event_type in QUESTIONS:
            content = _over(order)
        yield Told(aggregate, now.version, event_type), content


def _due_of_reservation(
    reservation: Reservation, stock: list[Part]
) -> Iterator[tuple[Told, list[Part] | None]]:
    """:param stock: what was ever reserved for the order."""
    aggregate = Aggregate("holdfast.inventory", reservation.order_id)
    first = Part(REVISION, "", 1)
    match reservation.state:
        case "HELD":
            yield Told(aggregate, 1, RESERVED), sorted([first, *stock])
        case "SHORT":
            missing = [Part(one.product_id, MISSING, one.wanted) for one in reservation.missing]
            yield Told(aggregate, 1, REJECTED), sorted([first, *missing])
        case "OVER":
            if stock:
                yield Told(aggregate, 1, RESERVED), sorted([first, *stock])
            elif reservation.version > 1:
                yield Told(aggregate, 1, REJECTED), None  # what was missing is not kept
            over = [Part(REVISION, "", reservation.revision)]
            yield Told(aggregate, reservation.version, RELEASED), over


def _due_of_edited(
    order: Order, reservation: Reservation, observed: Sequence[ObservedEvent]
) -> Iterator[tuple[Told, list[Part] | None]]:
    """One answer for each question that was decided; that of an edit which the order's end dropped
    may have come after the end, and then there was none.
    """
    aggregate = Aggregate("holdfast.inventory", order.order_id)
    held = order.first
    yield Told(aggregate, 1, RESERVED), _wanted(held)
    version = 1
    ends = reservation.state == "OVER"
    for edit in order.questions:
        left = reservation.version - version - ends
        if edit.state == "DROPPED" and not left:
            continue
        version += 1
        stays = {seen.type for seen in observed if seen[2:4] == (order.order_id, version)}
        if edit.state == "REFUSED" or (edit.state == "DROPPED" and REJECTED in stays):
            missing = [Part(one.product_id, MISSING, one.wanted) for one in edit.missing]
            kept = _wanted(held._replace(revision=edit.revision))
            due = sorted([*kept, *missing]) if edit.state == "REFUSED" else None
            yield Told(aggregate, version, REJECTED), due
            continue
        held = edit
        yield Told(aggregate, version, RESERVED), _wanted(edit)
    if ends:
        over = [Part(REVISION, "", reservation.revision)]
        yield Told(aggregate, reservation.version, RELEASED), over


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
        elif seen.type in ANSWERS:
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
        yield from _answered_once(list(sent["inventory"].values()), list(sent["orders"].values()))


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
    decided = sum(reservation.version for reservation in record.snapshot.reservations.values())
    settled = sum(
        any(change.status in ("RESERVED", "CONFIRMED", "REJECTED") for change in order.history)
        + (order.answered > 1 + len(order.questions))
        + sum(edit.state in ("APPLIED", "REFUSED") for edit in order.questions)
        for order in record.snapshot.orders.values()
    )
    for service, effects in (("inventory", decided), ("orders", settled)):
        known = len(record.snapshot.inboxes[service])
        if known < effects:
            yield Violation(8, service, f"{known} events are in its inbox, {effects} had effects")


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
    holds an event, every notification is sent.
    """
    for order_id in sorted(record.snapshot.unanswered):
        yield Violation(13, order_id, "it still waits for an answer of Inventory")
    for order in record.snapshot.orders.values():
        if order.status == "PENDING":
            yield Violation(13, order.order_id, "it is still PENDING")
    for service, waiting in record.snapshot.outboxes.items():
        if waiting:
            yield Violation(13, service, f"{waiting} events wait in its outbox")
    for notice in record.snapshot.notices:
        if not notice.is_sent:
            text = f"its notification of {notice.status} is not sent"
            yield Violation(13, notice.order_id, text)
