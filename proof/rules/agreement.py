"""The rule between the services: what Orders says of an order is what Inventory holds for it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from proof.goods import Sourcing
from proof.run_record import RunRecord, Violation
from proof.snapshot import Edition, Movement, Order, Part, Reservation

# Written down here a second time: who shares a mistake cannot find it. None: nothing is there.
AGREEMENT: dict[str, tuple[str | None, ...]] = {
    "PENDING": (None, "HELD", "SHORT"),
    "RESERVED": ("HELD",),
    "CONFIRMED": ("HELD",),
    "PARTIALLY_SHIPPED": ("HELD",),
    "SHIPPED": ("OVER",),
    "REJECTED": ("SHORT",),
    "CANCELLED": ("OVER",),
    "EXPIRED": ("OVER",),
}


# Why stock may be held where it is, by the rule that found it.
REASONS = {
    "PRIORITY": {"PRIORITY"},
    "NEAREST": {"NEAREST", "PRIORITY"},
    "PINNED": {"PINNED"},
    "FEWEST_SHIPMENTS": {"HAS_ALL", "FEWEST"},
    "UNSPLIT": {"HAS_ALL"},
}
WAITED = {"PRIORITY", "NEAREST", "PINNED"}  # of what had to wait


def agreement(record: RunRecord) -> Iterator[Violation]:
    """6. A RESERVED, CONFIRMED or PARTIALLY_SHIPPED order holds exactly its units that have not
    left and do not wait for stock; any other that is decided holds nothing: short, over, or never
    begun. Who was short wanted more than there was. Inventory has decided the newest question of
    every order, Orders has heard the answer, and its copy, less what left since, is what is held,
    for the same reasons, and what waits. It is held where the order wants it.
    """
    snapshot = record.snapshot
    for order_id, order in snapshot.orders.items():
        reservation = snapshot.reservations.get(order_id)
        state = reservation.state if reservation else None
        if state not in AGREEMENT[order.status]:
            text = f"it is {order.status}, Inventory has it {state or 'not'}"
            yield Violation(6, order_id, text)
        if reservation:
            was_served = bool(record.by_inventory.get(order_id))
            differences = _differences(order, reservation, record.to_hold[order_id])
            for text in (*differences, *_misplaced(order, reservation, was_served)):
                yield Violation(6, order_id, text)
    for order_id, reservation in snapshot.reservations.items():
        if order_id not in snapshot.orders and order_id not in record.poison:
            text = f"Inventory has it {reservation.state}, Orders does not know it"
            yield Violation(6, order_id, text)
        edits = snapshot.orders[order_id].questions if order_id in snapshot.orders else ()
        by_itself = record.by_inventory.get(order_id, [])
        for text in _effect(reservation, record.moved.get(order_id, []), edits, by_itself):
            yield Violation(6, order_id, text)
    for order_id in sorted(record.moved.keys() - snapshot.reservations.keys()):
        yield Violation(6, order_id, "it moved stock without a reservation")


def _differences(order: Order, reservation: Reservation, demand: Counter[str]) -> Iterator[str]:
    """What an order and its reservation tell differently."""
    promised = _units(reservation.stock) + reservation.waits
    if promised and promised != demand:
        waits = f", {dict(reservation.waits)} wait" if reservation.queued else ""
        yield f"it asks for {dict(demand)}, held are {dict(_units(reservation.stock))}{waits}"
    refused = [edit for edit in order.questions if edit.revision == reservation.revision]
    wanted = order.to_hold(refused[0], refused[0].asked_version) if refused else demand
    for missing in reservation.missing:
        if missing.wanted != wanted[missing.product_id] or missing.available >= missing.wanted:
            yield f"it asks for {dict(wanted)}, refused for {missing}"
    short = sorted(reservation.missing) if reservation.state == "SHORT" else []
    if order.status == "REJECTED" and short != sorted(order.shortages):
        yield f"it is short of {order.shortages}, Inventory said {reservation.missing}"
    if not order.answered <= order.asked or reservation.revision > order.asked:
        yield f"it has asked {order.asked}, {reservation.revision} is decided"
    if order.status == "PENDING":
        return  # the answer is on its way; that it still is, is for another rule
    if not reservation.revision == order.asked == order.answered:
        yield (
            f"it has asked {order.asked}, {reservation.revision} is decided, "
            f"{order.answered} answered"
        )
    known = order.sequence, order.revision, _effective(order)
    if known != (reservation.version, reservation.revision, sorted(reservation.stock)):
        yield f"Orders knows {known}, Inventory holds {reservation}"
    if order.reasons != reservation.reasons:
        yield f"Orders knows that it is held for {order.reasons}, Inventory for {reservation}"
    if _units(order.queued) != reservation.waits:
        yield f"Orders knows {order.queued} to wait, Inventory has {reservation.queued}"


def _effective(order: Order) -> list[Part]:
    """What is held as Inventory last told, less what has left since then."""
    units = Counter({part[:2]: part.units for part in order.stock})
    for shipment in order.shipments:
        if shipment.revision > order.revision:
            for item in shipment.items:
                units[item.product_id, item.location_id] -= item.units
    return sorted(Part(*place, quantity) for place, quantity in units.items() if quantity)


def _misplaced(order: Order, reservation: Reservation, was_served: bool) -> Iterator[str]:
    """What is held otherwise than the order wants it: where, and why there.

    :param was_served: it got units that it waited for, wherever they came first.
    """
    if reservation.state != "HELD" or order.status == "PENDING":
        return
    sourcing = order.edition_at(order.version).sourcing
    if reservation.sourcing != sourcing:
        yield f"its stock is to come by {sourcing}, Inventory has {reservation.sourcing}"
    places = {part.location_id for part in reservation.stock}
    if sourcing.strategy == "PINNED" and not places <= {*sourcing.location_ids}:
        yield f"it is pinned to {sourcing.location_ids} and holds stock at {sorted(places)}"
    if not sourcing.may_split and len(places) > 1:
        yield f"it must not be split and holds stock at {sorted(places)}"
    reasons = REASONS[_rule(sourcing)] | (WAITED if was_served else set())
    if not set(reservation.reasons) <= reasons:
        yield f"its stock is to come by {sourcing}, it is held for {reservation.reasons}"


def _rule(sourcing: Sourcing) -> str:
    return sourcing.strategy if sourcing.may_split else "UNSPLIT"


def _effect(
    reservation: Reservation,
    moved: Sequence[Movement],
    edits: Sequence[Edition],
    by_itself: Sequence[Movement],
) -> Iterator[str]:
    """Whether a reservation is what its movements make: one of a kind for each question.

    :param edits: those that asked for other units.
    :param by_itself: movements that no question made.
    """
    asked = [movement for movement in moved if movement not in by_itself]
    kinds = Counter(m[1:4] for m in asked if m.kind in ("RESERVATION", "RELEASE"))
    if kinds and max(kinds.values()) > 1 + len(edits) + len(by_itself):
        yield f"it moved the same stock twice: {kinds}"
    net = Counter[tuple[str, str]]()
    for movement in moved:
        net[movement.product_id, movement.location_id] += movement.reserved_delta
    left = sorted(Part(*place, units) for place, units in net.items() if units)
    if left != sorted(reservation.stock):
        yield f"it holds {reservation.stock}, its movements leave {left}"
    has = reservation.stock + reservation.queued
    if bool(has) != (reservation.state == "HELD"):
        yield f"it is {reservation.state} and has {has}"
    refused = [edit.missing for edit in edits if edit.revision == reservation.revision]
    lacks = reservation.state == "SHORT" or any(refused)
    if bool(reservation.missing) != lacks or (refused and reservation.missing not in refused):
        yield f"it is {reservation.state} and lacks {reservation.missing}"
    if not 1 <= reservation.version <= reservation.revision + len(by_itself):
        yield f"it is {reservation.state} at version {reservation.version}"


def _units(stock: Sequence[Part]) -> Counter[str]:
    units = Counter[str]()
    for part in stock:
        units[part.product_id] += part.units
    return units
