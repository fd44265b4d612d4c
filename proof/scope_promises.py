"""What must hold in a small scope: at every moment, and when no message is under way."""

from collections import Counter

from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.movements import MovementKind
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.status import SHIPPABLE, OrderStatus
from proof.scope_decisions import may_take
from proof.scope_steps import told
from proof.scope_world import Booked, Scope, Violated, World, require, units_at


def judge_moment(world: World, scope: Scope) -> None:
    """What must hold at every moment."""
    outside = world.queue.received + world.queue.found - world.queue.lost
    for at, on_hand, reserved in world.levels:
        require(0 <= reserved <= on_hand, "more is promised than there is", world)
        came = units_at(world.ledger, at) + (outside if at == MAIN_LOCATION else 0)
        is_level = on_hand == scope.levels[at] + came
        require(is_level, "units came from nowhere, or went there", world)
        held = sum(
            part.quantity
            for reservation in world.reservations
            if reservation
            for part in reservation.stock
            if part.location_id == at
        )
        require(held == reserved, "reserved is not what is held", world)
    waits = sum(map(_waits, world.reservations))
    require(waits == world.queue.units, "the gate's queue is not what is waited for", world)
    recorded = Counter[Booked]()
    for number, order in enumerate(world.orders):
        if order:
            moved = _recorded(number, order)
            recorded += moved
            left = -sum(one.units for one in moved if one.units < 0)
            back = sum(one.units for one in moved if one.units > 0)
            ordered = sum(line.quantity for line in order.lines)
            require(left <= ordered, "more left than was ordered", world)
            require(back <= left, "more came back than left", world)
            stays = not (order.state.status.is_final and order.to_ship)
            require(stays, "what is over can still leave", world)
    require(Counter(world.ledger) <= recorded, "what is booked never happened, or once", world)


def judge_end(world: World, scope: Scope) -> None:
    """What must hold when no message is under way."""
    judge_moment(world, scope)
    recorded = Counter[Booked]()
    for number, (order, held) in enumerate(zip(world.orders, world.reservations, strict=True)):
        if order:
            _judge_order(world, order, held)
            recorded += _recorded(number, order)
    require(Counter(world.ledger) == recorded, "a fact is not booked", world)
    free = [at for at, on_hand, reserved in world.levels if on_hand > reserved]
    for one in world.reservations:
        may_have = one and one.queued and any(may_take(one.sourcing, at) for at in free)
        require(not may_have, "a unit is free, and somebody waits", world)


def _judge_order(world: World, order: Order, reservation: Reservation | None) -> None:
    state = order.state
    require(state.status is not OrderStatus.PENDING, "an order is stuck", world)
    require(state.editions.revision is None, "an edit is stuck", world)
    if reservation is None:
        raise Violated("an order was never decided", world)
    same = reservation.revision == state.asked == state.answered
    require(same, "a question is unheard or unanswered", world)
    newest = told(reservation)
    copy = state.stock_sequence, order.stock_revision, order.stock, order.queued
    is_new = copy == (newest.sequence, newest.revision, newest.stock, newest.queued)
    require(is_new, "the copy is stale", world)
    held = sum(part.quantity for part in reservation.stock)
    left = sum(order.goods.shipped().values())
    ordered = sum(line.quantity for line in order.lines)
    waits = _waits(reservation)
    if state.status in SHIPPABLE:
        require(held + waits + left == ordered, "a promise is not the demand", world)
        require(order.to_ship == order.stock, "what is held can't leave", world)
        return
    over = reservation.state is not ReservationState.HELD
    require(not held and not waits and over, "units are held for an order that is over", world)
    if state.status is OrderStatus.SHIPPED:
        require(left == ordered, "an order has lines that never left", world)


def _waits(reservation: Reservation | None) -> int:
    return sum(one.quantity for one in reservation.queued) if reservation else 0


def _recorded(number: int, order: Order) -> Counter[Booked]:
    """What Orders has recorded, as Inventory is to book it: each once."""
    facts = Counter[Booked]()
    for shipment in order.shipments:
        units = Counter[str]()
        for item in shipment.items:
            units[item.location_id] += item.quantity
        for at, quantity in units.items():
            by = number, MovementKind.SHIPMENT, shipment.shipment_id, at
            facts[Booked(*by, -quantity)] += 1
    for one in order.returns:
        for receipt in one.receipts:
            for line in receipt.lines:
                by = number, MovementKind.RETURN, receipt.request_id, line.location_id
                facts[Booked(*by, line.quantity)] += 1
    return facts
