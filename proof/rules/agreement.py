"""The rule between the services: what Orders says of an order is what Inventory holds for it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from holdfast.orders.domain.order import OrderStatus
from holdfast.verification import AGREEMENT
from proof.run_record import RunRecord, Violation
from proof.snapshot import Missing, Movement, Order, Reservation


def agreement(record: RunRecord) -> Iterator[Violation]:
    """6. A CONFIRMED order has one reservation of exactly its units and no release; any other that
    is decided has no effect on stock left: refused, released exactly as reserved, or never begun.
    Who was refused wanted more than there was.
    """
    snapshot = record.snapshot
    for order_id, order in snapshot.orders.items():
        reservation = snapshot.reservations.get(order_id)
        state = reservation.state if reservation else None
        if state not in AGREEMENT[OrderStatus(order.status)]:
            text = f"it is {order.status}, Inventory has it {state or 'not'}"
            yield Violation(6, order_id, text)
        if reservation and state in ("RESERVED", "RELEASED"):
            held = _units(record.moved.get(order_id, []), "RESERVATION")
            if held != record.demands[order_id]:
                asked = dict(record.demands[order_id])
                text = f"it asks for {asked}, reserved was {dict(held)}"
                yield Violation(6, order_id, text)
        for text in _shortages(order, reservation, record.demands[order_id]):
            yield Violation(6, order_id, text)
    for order_id, reservation in snapshot.reservations.items():
        if order_id not in snapshot.orders and order_id not in record.poison:
            text = f"Inventory has it {reservation.state}, Orders does not know it"
            yield Violation(6, order_id, text)
        for text in _effect(reservation, record.moved.get(order_id, [])):
            yield Violation(6, order_id, text)
    for order_id in sorted(record.moved.keys() - snapshot.reservations.keys()):
        yield Violation(6, order_id, "it moved stock without a reservation")


def _effect(reservation: Reservation, moved: Sequence[Movement]) -> Iterator[str]:
    kinds = Counter((m.product_id, m.location_id, m.kind) for m in moved)
    if kinds and max(kinds.values()) > 1:
        yield f"it moved the same stock twice: {kinds}"
    net = Counter[tuple[str, str]]()
    for movement in moved:
        net[movement.product_id, movement.location_id] += movement.reserved_delta
    match reservation.state:
        case "RESERVED":
            fits = all(movement.kind == "RESERVATION" for movement in moved)
        case "RELEASED":
            fits = not any(net.values())
        case _:
            fits = not moved
    if not fits:
        yield f"it is {reservation.state}, its movements leave {dict(net)} of {len(moved)}"
    if reservation.version != (2 if reservation.state == "RELEASED" else 1):
        yield f"it is {reservation.state} at version {reservation.version}"


def _shortages(
    order: Order, reservation: Reservation | None, demand: Counter[str]
) -> Iterator[str]:
    refused = reservation.shortages if reservation and reservation.state == "REFUSED" else ()
    if reservation and reservation.state == "REFUSED" and not refused:
        yield "it is refused, nothing was missing"
    for missing in refused:
        if missing.wanted != demand[missing.product_id] or missing.available >= missing.wanted:
            yield f"it asks for {dict(demand)}, refused for {missing}"
    if order.status == "REJECTED" and refused and _sorted(order.shortages) != _sorted(refused):
        yield f"it is short of {order.shortages}, Inventory said {refused}"


def _sorted(shortages: Sequence[Missing]) -> list[Missing]:
    return sorted(shortages)


def _units(moved: Sequence[Movement], kind: str) -> Counter[str]:
    units = Counter[str]()
    for movement in moved:
        if movement.kind == kind:
            units[movement.product_id] += abs(movement.reserved_delta)
    return units
