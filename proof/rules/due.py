"""What must have been told, by what both databases say has happened, and what it must say."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from proof.goods import Sourcing
from proof.questions import CAME, LEFT, SHIPPING, Question, facts_of, questions_of
from proof.rules.stock import is_by_itself
from proof.run_record import OF_TRANSFERS, RunRecord
from proof.snapshot import (
    FROM,
    MISSING,
    QUARANTINED,
    QUEUED,
    REVISION,
    Change,
    Missing,
    Movement,
    ObservedEvent,
    Order,
    Part,
    Reservation,
)

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
RESERVED, REJECTED, RELEASED, CHANGED, LEVEL_CHANGED = (
    INVENTORY + name
    for name in (
        "StockReserved",
        "StockRejected",
        "ReservationReleased",
        "ReservationChanged",
        "StockLevelChanged",
    )
)
SHIPPED, REST_CANCELLED, RETURN_RECEIVED = (
    ORDERS + name for name in ("OrderShipped", "OrderRestCancelled", "ReturnReceived")
)
OF_STATUS = {
    "RESERVED": ORDERS + "OrderReserved",
    "CONFIRMED": ORDERS + "OrderConfirmed",
    "REJECTED": ORDERS + "OrderRejected",
    "CANCELLED": CANCELLED,
    "EXPIRED": EXPIRED,
    "PARTIALLY_SHIPPED": SHIPPED,
    "SHIPPED": SHIPPED,
}
PAID = ORDERS + "PaymentRecorded"
EDIT_REQUESTED, EDIT_REFUSED = ORDERS + "OrderEditRequested", ORDERS + "OrderEditRefused"
OF_ACTION = {
    "EDIT_ASKED": EDIT_REQUESTED,
    "EDITED": ORDERS + "OrderEdited",
    "EDIT_REFUSED": EDIT_REFUSED,
    "CUSTOMER_UPDATED": UPDATED,
    "DETAILS_UPDATED": UPDATED,
    "HOLD_EXTENDED": ORDERS + "HoldExtended",
    "PAYMENT_RECORDED": PAID,
    "SHIPPED": SHIPPED,
    "SHIPMENT_UPDATED": ORDERS + "ShipmentUpdated",
    "RETURN_OPENED": ORDERS + "ReturnOpened",
    "RETURN_RECEIVED": RETURN_RECEIVED,
    "RETURN_CLOSED": ORDERS + "ReturnClosed",
}
# What Inventory receives.
QUESTIONS = (
    PLACED,
    EDIT_REQUESTED,
    SHIPPED,
    REST_CANCELLED,
    RETURN_RECEIVED,
    CANCELLED,
    EXPIRED,
    AGAIN,
)
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


def told_by(seen: ObservedEvent) -> Told:
    """Which change an event tells of."""
    exchange = seen.type.partition(".v1.")[0]
    location_id = ""
    if seen.type == LEVEL_CHANGED and seen.content:
        location_id = seen.content[0].location_id
    return Told(Aggregate(exchange, seen.subject, location_id), seen.sequence, seen.type)


class Due(NamedTuple):
    """What an event must say.

    :param parts: sorted; None: whatever it says. Those without a place may be at any.
    :param others: what it may say instead.
    :param revision: of a question; 0: it is none.
    :param facts: of the order, each with the revision that first told of it. A question tells those
        since some earlier one that was answered, its own among them.
    :param is_over: the question wants nothing more, so that it says nothing of where from, or
        anything.
    """

    parts: list[Part] | None
    others: tuple[list[Part], ...] = ()
    revision: int = 0
    facts: tuple[tuple[int, Part], ...] = ()
    is_over: bool = False


def says(content: Sequence[Part], due: Due) -> bool:
    """Whether an event says what is due."""
    if due.parts is None:
        return True
    facts = sorted(one for one in content if one.product_id.startswith((LEFT, CAME)))
    rest = sorted(one for one in content if not one.product_id.startswith((LEFT, CAME)))
    if due.is_over:
        rest = [one for one in rest if not one.product_id.startswith(FROM)]
    return any(map(partial(_says, rest), (due.parts, *due.others))) and _tells(facts, due)


def _says(content: list[Part], due: list[Part]) -> bool:
    if content == due:
        return True
    somewhere = Counter[Part]()
    for part in content:
        at = part.location_id if part.location_id in (MISSING, QUEUED) else ""
        somewhere[Part(part.product_id, at, 0)] += part.units
    return due == sorted(place._replace(units=units) for place, units in somewhere.items())


def _tells(facts: list[Part], due: Due) -> bool:
    return not (facts or due.facts) or any(
        facts == sorted(part for first, part in due.facts if since < first <= due.revision)
        for since in range(due.revision)
    )


def due_events(record: RunRecord) -> Iterator[tuple[Told, Due]]:
    """What must have been told."""
    for order in record.snapshot.orders.values():
        yield from _due_of_order(order)
    answers = _answers(record.told)
    for order_id, reservation in record.snapshot.reservations.items():
        if order_id not in record.poison:
            asker = record.snapshot.orders.get(order_id)
            moved = record.moved.get(order_id, [])
            yield from _due_of_reservation(asker, reservation, moved, answers[order_id])
    silent = record.given_up  # told with the loss, as one change
    for (product_id, location_id), ledger in record.ledgers.items():
        aggregate = Aggregate("holdfast.inventory", product_id, location_id)
        for version, movement in enumerate(ledger, 1):
            by_transfer = movement.kind in OF_TRANSFERS
            if is_by_itself(movement) or (by_transfer and movement.movement_id not in silent):
                parts = [Part(product_id, location_id, movement.on_hand_after)]
                if movement.quarantined_after:
                    parts += [Part(QUARANTINED, location_id, movement.quarantined_after)]
                yield Told(aggregate, version, LEVEL_CHANGED), Due(sorted(parts))


def due_of_question(question: Question, order: Order, *more: Part) -> Due:
    """:param more: what else the event says."""
    units = [Part(name, "", number) for name, number in question.wanted.items()]
    parts = [Part(REVISION, "", question.revision), *units, *more]
    if units and question.sourcing != Sourcing():
        parts += [Part(f"{FROM}{tuple(question.sourcing)}", "", 0)]
    facts = tuple(facts_of(order))
    return Due(sorted(parts), (), question.revision, facts, not question.wanted)


def _due_of_order(order: Order) -> Iterator[tuple[Told, Due]]:
    aggregate = Aggregate("holdfast.orders", order.order_id)
    questions = {question.version: question for question in questions_of(order)}
    left = {one.version: one for one in order.shipments}
    yield Told(aggregate, 1, PLACED), due_of_question(questions[1], order)
    for now in order.history[1:]:
        event_type = OF_ACTION[now.action] if now.action else OF_STATUS.get(now.status, "")
        more: list[Part] = []
        if event_type == SHIPPED and now.version in left:
            shipment = left[now.version]
            units = sum(item.units for item in shipment.items)
            more = [Part(f"shipment {shipment.shipment_id}", "", units)]
        elif event_type == SHIPPED and now.status in SHIPPING:
            event_type = REST_CANCELLED
            more = [Part("total", "", order.edition_at(now.version).total_minor)]
        elif event_type == RETURN_RECEIVED:
            more = [
                Part(f"return {one.return_id}", "", 0)
                for one in order.returns
                if now.version in [receipt.version for receipt in one.receipts]
            ]
        due = _due_of_change(order, now, event_type)
        if now.version in questions and event_type in QUESTIONS:
            due = due_of_question(questions[now.version], order, *more)
        yield Told(aggregate, now.version, event_type), due


def _due_of_change(order: Order, now: Change, event_type: str) -> Due:
    """What a change must say that asks nothing."""
    others: list[list[Part]] = []
    match now.action:
        case "PAYMENT_RECORDED":
            others = [
                [Part(f"{one.kind} {one.reference}", "", one.amount_minor)]
                for one in order.payments
                if one.version == now.version
            ]
        case "EDIT_REFUSED":
            ended = [edit for edit in order.edits if edit.ended_version == now.version]
            others = [sorted(Part(m.product_id, "", m.wanted) for m in e.missing) for e in ended]
        case "SHIPMENT_UPDATED":
            others = [
                [Part(f"shipment {one.shipment_id}", "", sum(item.units for item in one.items))]
                for one in order.shipments
                if one.version < now.version
            ]
        case "RETURN_OPENED" | "RETURN_CLOSED":
            closes = now.action == "RETURN_CLOSED"
            others = [
                [Part(f"return {one.return_id}", "", 0)]
                for one in order.returns
                if (
                    one.is_closed and one.version < now.version
                    if closes
                    else one.version == now.version
                )
            ]
        case _ if event_type == OF_STATUS["REJECTED"]:
            others = [sorted(Part(one.product_id, "", one.wanted) for one in order.shortages)]
    return Due(others[0], tuple(others[1:])) if others else Due([])


class _Answer(NamedTuple):
    """An answer, or what Inventory changed by itself, as it was first seen."""

    type: str
    content: Sequence[Part]

    @property
    def revision(self) -> int:
        return sum(part.units for part in self.content if part.product_id == REVISION)

    @property
    def stock(self) -> list[Part]:
        return sorted(
            part
            for part in self.content
            if part.product_id != REVISION and part.location_id not in (MISSING, QUEUED)
        )

    @property
    def queued(self) -> Counter[str]:
        return Counter({p.product_id: p.units for p in self.content if p.location_id == QUEUED})


def _answers(observed: Sequence[ObservedEvent]) -> Mapping[str, dict[int, _Answer]]:
    """By reservation and version."""
    found = defaultdict[str, dict[int, _Answer]](dict)
    for seen in observed:
        if seen.type == CHANGED or (
            seen.type in ANSWERS and seen.sequence not in found[seen.subject]
        ):
            found[seen.subject][seen.sequence] = _Answer(seen.type, seen.content or ())
    return found


def _due_of_reservation(
    order: Order | None,
    reservation: Reservation,
    moved: Sequence[Movement],
    answers: Mapping[int, _Answer],
) -> Iterator[tuple[Told, Due]]:
    """One answer for each question that was decided, and they rise; which ones were overtaken, and
    never decided, only the answers tell. The last decided is the one that is kept. In between
    Inventory tells what it changed by itself, under the revision that it had decided. What is held
    is what the movements had made until then, and what it is not of what is promised waits; of an
    order that was never edited all that was ever reserved was reserved at first.
    """
    aggregate = Aggregate("holdfast.inventory", reservation.order_id)
    questions = questions_of(order) if order else []
    states, before = _states(moved), 0
    by_itself = any(one.type == CHANGED for one in answers.values())
    for version in range(1, reservation.version + 1):
        is_last = version == reservation.version
        answer = answers.get(version)
        revision = answer.revision if answer else reservation.revision if is_last else 0
        changes = answer is not None and answer.type == CHANGED
        fits = revision == before > 0 if changes else before < revision <= len(questions)
        ends = revision == reservation.revision if is_last else revision <= reservation.revision
        if order is None or not fits or not ends:
            due = Due([Part("a later question", "", before)])
            yield Told(aggregate, version, answer.type if answer else RESERVED), due
            continue
        before = revision
        seen = answer or _Answer("", ())
        event_type, held, missing = _decided(
            order, questions[revision - 1], reservation, moved, seen
        )
        event_type = CHANGED if changes else event_type
        if missing is None:
            yield Told(aggregate, version, event_type), Due(None)
            continue
        waits = reservation.waits if is_last else seen.queued
        waits = waits if waits <= held else Counter()
        held = held - waits
        rest = [Part(one.product_id, MISSING, one.wanted) for one in missing]
        rest += [Part(name, QUEUED, units) for name, units in waits.items()]
        if held and revision == 1 and not order.questions and not by_itself:
            stock = [_reserved(movement) for movement in moved if movement.kind == "RESERVATION"]
        else:
            stock, states = _placed(held, seen.stock, states[-1:] if is_last else states)
        due = Due(sorted([Part(REVISION, "", revision), *stock, *rest]))
        yield Told(aggregate, version, event_type), due


def _decided(
    order: Order,
    question: Question,
    reservation: Reservation,
    moved: Sequence[Movement],
    seen: _Answer,
) -> tuple[str, Counter[str], Sequence[Missing] | None]:
    """The type of the answer to a question, what is held then, and what was missing; None: that is
    not kept.
    """
    edit, nothing = question.edit, Counter[str]()
    if not question.wanted:
        return RELEASED, nothing, ()
    if question.revision == 1:
        was_held = seen.queued or any(movement.kind == "RESERVATION" for movement in moved)
        if reservation.state == "SHORT":
            return REJECTED, nothing, reservation.missing
        if reservation.state == "OVER" and not was_held:
            return REJECTED, nothing, None
    if edit and edit.state == "REFUSED":
        kept = order.to_hold(order.edition_at(question.version), question.version)
        return REJECTED, kept, edit.missing
    if edit and edit.state == "DROPPED" and seen.type == REJECTED:
        return REJECTED, nothing, None
    return RESERVED, question.wanted, ()


def _reserved(movement: Movement) -> Part:
    return Part(movement.product_id, movement.location_id, movement.reserved_delta)


def _states(moved: Sequence[Movement]) -> list[list[Part]]:
    """What was held before the first movement, and after each."""
    held, states = Counter[tuple[str, str]](), [list[Part]()]
    for movement in moved:
        held[movement.product_id, movement.location_id] += movement.reserved_delta
        states.append(sorted(Part(*place, units) for place, units in held.items() if units))
    return states


def _placed(
    held: Counter[str], told: list[Part], states: list[list[Part]]
) -> tuple[list[Part], list[list[Part]]]:
    """Where the units are that are held: as told, if the movements had made it so by then, or else
    at some place; and the states from then on.
    """
    fitting = [at for at, state in enumerate(states) if _units(state) == held]
    for at in fitting:
        if states[at] == told:
            return told, states[at:]
    if fitting:
        return states[fitting[0]], states[fitting[0] :]
    return [Part(name, "", units) for name, units in held.items()], states


def _units(parts: Sequence[Part]) -> Counter[str]:
    units = Counter[str]()
    for part in parts:
        units[part.product_id] += part.units
    return units
