"""What one decision about an order may do in a small scope, whoever else waits."""

from collections.abc import Iterable

from holdfast.inventory.domain.reservations.reservation import Reservation, Wanted
from holdfast.inventory.domain.stock.movements import Movement, MovementKind
from holdfast.inventory.domain.stock.sourcing import Sourcing, Strategy
from holdfast.inventory.domain.stock.stock import StockBook
from proof.scope_world import PRODUCT, World, require


def judge_decision(
    world: World, before: Reservation | None, after: Reservation, book: StockBook, wanted: Wanted
) -> None:
    """A new promise takes no unit that the queue is owed, and lets no more wait than may; who wants
    less gives up what waits before what is held.

    :raises Violated: it does.
    """
    moved = book.movements
    came = sum(one.on_hand_delta for one in moved if one.kind is MovementKind.RETURN)
    free = came + sum(on_hand - held for _, on_hand, held in world.levels)
    gained = _promised(moved)
    may_gain = max(0, free - world.queue.units)
    require(gained <= may_gain, "a promise took what the queue is owed", world)
    units = book.queued.get(PRODUCT, world.queue.units)
    is_within = units <= max(world.queue.units, world.queue.units_max)
    require(is_within, "more wait than may", world)
    if before is None or wanted.over or after.missing:
        return
    left = sum(-one.reserved_delta for one in moved if one.kind is MovementKind.SHIPMENT)
    there = sum(
        part.quantity for part in before.stock if may_take(wanted.sourcing, part.location_id)
    )
    stays = min(there - left, wanted.products.get(PRODUCT, 0))
    require(_held(after) >= stays, "what was held was given up for what waits", world)
    times = {one.since for one in before.queued}
    kept = sum(one.quantity for one in after.queued if one.since in times)
    rest = wanted.products.get(PRODUCT, 0) - _held(after)
    waited = sum(one.quantity for one in before.queued)
    require(kept >= min(waited, rest), "an edit lost its place in the queue", world)


def may_take(sourcing: Sourcing, location_id: str) -> bool:
    """Whether an order may have units from there."""
    return sourcing.strategy is not Strategy.PINNED or location_id in sourcing.location_ids


def _promised(movements: Iterable[Movement]) -> int:
    """Units that the order was promised, less what it gave back."""
    kinds = MovementKind.RESERVATION, MovementKind.RELEASE
    return sum(one.reserved_delta for one in movements if one.kind in kinds)


def _held(reservation: Reservation) -> int:
    return sum(part.quantity for part in reservation.stock)
