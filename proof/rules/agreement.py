"""The rule between the services: what Orders says of an order is what Inventory holds for it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from proof.run_record import RunRecord, Violation
from proof.snapshot import Edition, Movement, Order, Part, Reservation

# Written down here a second time: who shares a mistake cannot find it. None: nothing is there.
AGREEMENT: dict[str, tuple[str | None, ...]] = {
    "PENDING": (None, "HELD", "SHORT"),
    "RESERVED": ("HELD",),
    "CONFIRMED": ("HELD",),
    "REJECTED": ("SHORT",),
    "CANCELLED": ("OVER",),
    "EXPIRED": ("OVER",),
}


def agreement(record: RunRecord) -> Iterator[Violation]:
    """6. A RESERVED or CONFIRMED order holds exactly its units; any other that is decided holds
    nothing: short, over, or never begun. Who was short wanted more than there was. Inventory has
    decided the newest question of every order, Orders has heard the answer, and its copy is what is
    held.
    """
    snapshot = record.snapshot
    for order_id, order in snapshot.orders.items():
        reservation = snapshot.reservations.get(order_id)
        state = reservation.state if reservation else None
        if state not in AGREEMENT[order.status]:
            text = f"it is {order.status}, Inventory has it {state or 'not'}"
            yield Violation(6, order_id, text)
        if reservation:
            for text in _differences(order, reservation, record.demands[order_id]):
                yield Violation(6, order_id, text)
    for order_id, reservation in snapshot.reservations.items():
        if order_id not in snapshot.orders and order_id not in record.poison:
            text = f"Inventory has it {reservation.state}, Orders does not know it"
            yield Violation(6, order_id, text)
        edits = snapshot.orders[order_id].questions if order_id in snapshot.orders else ()
        for text in _effect(reservation, record.moved.get(order_id, []), edits):
            yield Violation(6, order_id, text)
    for order_id in sorted(record.moved.keys() - snapshot.reservations.keys()):
        yield Violation(6, order_id, "it moved stock without a reservation")


def _differences(order: Order, reservation: Reservation, demand: Counter[str]) -> Iterator[str]:
    """What an order and its reservation tell differently."""
    held = _units(reservation.stock)
    if held and held != demand:
        yield f"it asks for {dict(demand)}, held are {dict(held)}"
    refused = [edit for edit in order.questions if edit.revision == reservation.revision]
    wanted = refused[0].demand if refused else demand
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
    known = order.sequence, order.revision, sorted(order.stock)
    if known != (reservation.version, reservation.revision, sorted(reservation.stock)):
        yield f"Orders knows {known}, Inventory holds {reservation}"


def _effect(
    reservation: Reservation, moved: Sequence[Movement], edits: Sequence[Edition]
) -> Iterator[str]:
    """Whether a reservation is what its movements make: one of a kind for each question.

    :param edits: those that asked for other units.
    """
    kinds = Counter((m.product_id, m.location_id, m.kind) for m in moved)
    if kinds and max(kinds.values()) > 1 + len(edits):
        yield f"it moved the same stock twice: {kinds}"
    net = Counter[tuple[str, str]]()
    for movement in moved:
        net[movement.product_id, movement.location_id] += movement.reserved_delta
    left = sorted(Part(*place, units) for place, units in net.items() if units)
    if left != sorted(reservation.stock):
        yield f"it holds {reservation.stock}, its movements leave {left}"
    if bool(reservation.stock) != (reservation.state == "HELD"):
        yield f"it is {reservation.state} and holds {reservation.stock}"
    refused = [edit.missing for edit in edits if edit.revision == reservation.revision]
    lacks = reservation.state == "SHORT" or any(refused)
    if bool(reservation.missing) != lacks or (refused and reservation.missing not in refused):
        yield f"it is {reservation.state} and lacks {reservation.missing}"
    most = 1 + len(edits) + (reservation.state == "OVER")
    if not 1 <= reservation.version <= most:
        yield f"it is {reservation.state} at version {reservation.version}"


def _units(stock: Sequence[Part]) -> Counter[str]:
    units = Counter[str]()
    for part in stock:
        units[part.product_id] += part.units
    return units
