"""Decide reservations: all of an order or nothing, and give back; a batch in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from holdfast.inventory.application.ports import Begin, Clock, Work
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import InventoryEvent, answer
from holdfast.inventory.domain.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock import Cause, StockBook


class ReserveStock(NamedTuple):
    """An order was placed: `demand` is units per product, at least one of each."""

    event_id: str
    order_id: str
    demand: Mapping[str, int]
    caller: Caller


@dataclass(frozen=True, slots=True)
class ReleaseStock:
    """An order was cancelled or has expired."""

    event_id: str
    order_id: str
    reason: str
    caller: Caller


ReservationCommand = ReserveStock | ReleaseStock


class DecideReservations:
    """Handle orders' events as they arrived; each has its effect once, answers go to the outbox.

    An order is decided once, under its id: the same question under a new event id gets the same
    answer again, until the stock is released, and changes nothing. A release that comes before its
    order leaves a tombstone, so that the order is not reserved later.

    :raises Conflict, DatabaseUnavailable: nothing happened, or it is unknown; call again with the
        same commands.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, commands: Sequence[ReservationCommand]) -> None:
        async with self._begin() as work:
            new_ids = await work.first_seen([command.event_id for command in commands])
            # An event that stands twice in one batch is taken once: the first time.
            fresh = {c.event_id: c for c in reversed(commands) if c.event_id in new_ids}
            if fresh:
                await self._decide(work, list(reversed(fresh.values())))

    async def _decide(self, work: Work, commands: Sequence[ReservationCommand]) -> None:
        at = self._clock.now()
        known = await work.reservations({command.order_id for command in commands})
        book = await work.stock_book(_products_touched(commands, known), at)
        now = dict(known)
        told: list[tuple[InventoryEvent, Caller]] = []
        for command in commands:
            before = now.get(command.order_id)
            after = now[command.order_id] = _apply(command, before, book)
            event = answer(after)
            # A question gets its answer again; once the stock is released, nobody waits for one.
            is_release = after.state is ReservationState.RELEASED
            is_asked = isinstance(command, ReserveStock) and not is_release
            if event and (after is not before or is_asked):
                told.append((event, command.caller))
        await work.announce(told, at)
        await work.save_book(book)
        await work.save_reservations(
            [now[order_id] for order_id in sorted(now.keys() - known.keys())],
            [now[order_id] for order_id in sorted(known) if now[order_id] is not known[order_id]],
            at,
        )


def _products_touched(
    commands: Sequence[ReservationCommand], known: Mapping[str, Reservation]
) -> set[str]:
    products = {stock.product_id for reservation in known.values() for stock in reservation.stock}
    for command in commands:
        if isinstance(command, ReserveStock) and command.order_id not in known:
            products.update(command.demand)
    return products


def _apply(command: ReservationCommand, before: Reservation | None, book: StockBook) -> Reservation:
    match command:
        case ReserveStock():
            cause = Cause(command.caller, order_id=command.order_id)
            return before or Reservation.decide(command.order_id, command.demand, book, cause)
        case ReleaseStock():
            cause = Cause(command.caller, reason=command.reason, order_id=command.order_id)
            if before is None:
                return Reservation.tombstone(command.order_id)
            return before.release(book, cause)


assert set(ReservationState) == {"RESERVED", "REFUSED", "RELEASED", "TOMBSTONE"}, (
    "a new state needs its rule in _apply and answer"
)
