"""Rules about who waits for stock: in their order, nobody before them, and not without need."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set

from proof.rules.due import ANSWERS, CHANGED, RESERVED
from proof.run_record import SERVED, RunRecord, Violation
from proof.snapshot import (
    QUEUED,
    Gate,
    Movement,
    ObservedEvent,
    Order,
    Reservation,
)

NO_GATE = Gate()


def queues_agree(record: RunRecord) -> Iterator[Violation]:
    """Part of 6: what an order waits for stands in its reservation, in the queue and, added up, at
    the product's gate; the gate has the product's policy. Nobody waits who must not: an order that
    wants what is there, or a product that nobody may wait for, unless units gave way.
    """
    snapshot = record.snapshot
    units = Counter[str]()
    for order_id in sorted({*snapshot.queues, *snapshot.reservations}):
        reservation = snapshot.reservations.get(order_id)
        rows = sorted(snapshot.queues.get(order_id, ()))
        known = sorted(reservation.queued) if reservation else []
        if rows != known:
            yield Violation(
                6, order_id, f"its reservation waits for {known}, the queues have {rows}"
            )
        for one in known:
            units[one.product_id] += one.units
        if reservation and known:
            for text in _must_not_wait(record, reservation):
                yield Violation(6, order_id, text)
    for product_id, product in snapshot.products.items():
        gate = snapshot.gates.get(product_id, NO_GATE)
        if gate[:2] != (units[product_id], product.waits_max):
            text = f"{units[product_id]} units wait, {product.waits_max} may: {gate}"
            yield Violation(6, product_id, text)


def _must_not_wait(record: RunRecord, reservation: Reservation) -> Iterator[str]:
    order = record.snapshot.orders.get(reservation.order_id)
    if order is None or record.gave_way(order.order_id):
        return
    if not order.questions and not order.first.sourcing.may_wait:
        yield f"it must not wait, and waits for {reservation.queued}"
    for one in reservation.queued:
        if not record.snapshot.products[one.product_id].waits_max:
            yield f"nobody may wait for {one.product_id}: {reservation.queued}"


def nothing_idle(record: RunRecord) -> Iterator[Violation]:
    """Part of 13: no queue is still to be served, and no unit is free where somebody who waits for
    it may have it from.
    """
    free = defaultdict[str, Counter[str]](Counter)  # by product, units by location
    inactive = {name for name, one in record.snapshot.locations.items() if not one.active}
    for level in record.snapshot.levels:
        rest = level.on_hand - level.reserved - level.quarantined
        rest -= record.kept_back(level.product_id)
        if rest > 0 and level.location_id not in inactive:
            free[level.product_id][level.location_id] += rest
    for product_id, gate in record.snapshot.gates.items():
        if gate.is_due:
            yield Violation(13, product_id, "its queue is to be served, and nobody does")
    for order_id, reservation in record.snapshot.reservations.items():
        for one in reservation.queued:
            there = {at: n for at, n in free[one.product_id].items() if _takes(reservation, at)}
            if there:
                yield Violation(13, order_id, f"it waits for {one}, {there} are free")


def _takes(reservation: Reservation, location_id: str) -> bool:
    """Whether an order that waits takes units from there; if it must not be split, where it holds
    others, if any.
    """
    wish, held = reservation.sourcing, {part.location_id for part in reservation.stock}
    if wish.strategy == "PINNED" and location_id not in wish.location_ids:
        return False
    return wish.may_split or not held or location_id in held


def gave_way(record: RunRecord) -> Iterator[Violation]:
    """Part of 10: promises give way only to what is missing at that level, unit by unit, and the
    youngest first.
    """
    for place, ledger in record.ledgers.items():
        held, newest = Counter[str](), dict[str, int]()
        taken = Counter[str]()
        free = 0
        for movement in ledger:
            deltas = movement.on_hand_delta, movement.reserved_delta, movement.quarantined_delta
            if movement.movement_id in record.displaced:
                taken[movement.order_id] -= movement.reserved_delta
                continue
            if taken:
                due = _youngest(held, newest, deltas[2] - deltas[0] - free)
                if taken != due:
                    text = f"{dict(taken)} gave way to {movement}, not {dict(due)}"
                    yield Violation(10, place[0], text)
                held, free, taken = held - taken, free + taken.total(), Counter()
            free += deltas[0] - deltas[1] - deltas[2]
            if movement.order_id:
                held[movement.order_id] += movement.reserved_delta
            if movement.kind == "RESERVATION":
                newest[movement.order_id] = movement.movement_id


def _youngest(held: Counter[str], newest: Mapping[str, int], missing: int) -> Counter[str]:
    """Who has to give up how much of what is missing."""
    due = Counter[str]()
    for order_id in sorted(+held, key=lambda one: newest[one], reverse=True):
        if missing > 0:
            due[order_id] = min(held[order_id], missing)
            missing -= due[order_id]
    return due


def nobody_overtakes(record: RunRecord) -> Iterator[Violation]:
    """Part of 2: nobody is promised units that the queue is owed, no more wait than may, and nobody
    is served while somebody waits who asked before and may have it from there. Judged by the events
    in the order in which they happened, where that is known. Not judged is who must not be split.
    """
    if record.observed_events is None or record.refusals_possible:
        return
    seen_versions = set[tuple[str, int]]()
    waits = defaultdict[str, Counter[str]](Counter)  # by order
    for seen in record.observed_events:
        key = seen.subject, seen.sequence
        is_known = seen.subject in record.snapshot.reservations and seen.content is not None
        if seen.type not in (*ANSWERS, CHANGED) or key in seen_versions or not is_known:
            continue
        seen_versions.add(key)
        before, now = waits[seen.subject], _waits_in(seen)
        waits[seen.subject] = now
        if seen.type == CHANGED:
            yield from _overtaking(record, seen, before - now, waits)
        elif seen.type == RESERVED:
            yield from _beyond_the_cap(record, seen, now - before, waits)
            yield from _taking_what_is_owed(record, seen, min(before, now, key=sum_of), waits)


def sum_of(units: Counter[str]) -> int:
    return units.total()


def _waits_in(seen: ObservedEvent) -> Counter[str]:
    parts = seen.content or ()
    return Counter({part.product_id: part.units for part in parts if part.location_id == QUEUED})


def _overtaking(
    record: RunRecord,
    seen: ObservedEvent,
    got: Counter[str],
    waits: Mapping[str, Counter[str]],
) -> Iterator[Violation]:
    orders = record.snapshot.orders
    if seen.subject not in orders:
        return
    placed_at = orders[seen.subject].history[0].at
    for order_id, units in waits.items():
        other = orders.get(order_id)
        if other is None or other.questions or other.history[0].at >= placed_at:
            continue
        for product_id in got & units:
            if not _may_have(other, _served_from(record, seen, product_id)):
                continue
            text = f"it was served {got} at version {seen.sequence}, {order_id} waits for {units}"
            yield Violation(2, seen.subject, f"{product_id}: {text}")


def _served_from(record: RunRecord, seen: ObservedEvent, product_id: str) -> Set[str]:
    """The locations where an order that was served got its units."""
    return {
        one.location_id
        for one in record.moved.get(seen.subject, ())
        if one.product_id == product_id
        and one.reason == SERVED
        and one.moved_at_us == seen.happened_us
    }


def _may_have(order: Order, locations: Set[str]) -> bool:
    """Whether an order takes units from these locations, and always did."""
    return all(
        one.may_split and (one.strategy != "PINNED" or not locations.isdisjoint(one.location_ids))
        for one in order.sourcings
    )


def _beyond_the_cap(
    record: RunRecord,
    seen: ObservedEvent,
    more: Counter[str],
    waits: Mapping[str, Counter[str]],
) -> Iterator[Violation]:
    for product_id in more:
        total = sum(units[product_id] for units in waits.values())
        allowed = record.snapshot.products[product_id].waits_max
        if total > allowed:
            text = f"{product_id}: with it {total} units wait, {allowed} may"
            yield Violation(2, seen.subject, text)


def _taking_what_is_owed(
    record: RunRecord,
    seen: ObservedEvent,
    own: Counter[str],
    waits: Mapping[str, Counter[str]],
) -> Iterator[Violation]:
    gained, first = Counter[str](), dict[str, Movement]()
    for movement in record.moved.get(seen.subject, ()):
        if movement.moved_at_us == seen.happened_us and movement.reason != SERVED:
            first.setdefault(movement.product_id, movement)
            gained[movement.product_id] += movement.reserved_delta
            if movement.kind == "RETURN":
                gained[movement.product_id] -= movement.on_hand_delta
    for product_id, units in gained.items():
        others = {name: its for name, its in waits.items() if name != seen.subject}
        owed = own[product_id] + sum(its[product_id] for its in others.values())
        free = _free_before(record, first[product_id])
        if owed and units > max(0, free - owed):
            text = f"{product_id}: it was promised {units} of {free} free units, {owed} wait"
            yield Violation(2, seen.subject, text)


def _free_before(record: RunRecord, movement: Movement) -> int:
    """Units of the product that were free just before a movement."""
    before: Sequence[Movement] = [
        one
        for one in record.by_product[movement.product_id]
        if one.movement_id < movement.movement_id
    ]
    return sum(one.on_hand_delta - one.reserved_delta - one.quarantined_delta for one in before)
