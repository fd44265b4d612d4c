"""Reservations: the promise to one order, moved to what the order wants by its newest question.

none ─┬─ held ──> HELD ─┬─ wants other ─> HELD   (all of an increase, or none of it; what has left
      │                 │                         is booked first, and never refused)
      ├─ short ─> SHORT ├─ over ────────> OVER
      └─ over ──> OVER  ┘   (the order was cancelled before it was heard of: OVER for good)
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.stock.facts import ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.goods import receive, ship
from holdfast.inventory.domain.stock.levels import (
    HeldStock,
    LevelKey,
    QueuedUnits,
    Short,
    Shortage,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.parts import first_of, sum_of
from holdfast.inventory.domain.stock.queues import joined
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing
from holdfast.inventory.domain.stock.stock import StockBook

NOTHING_BOOKED: Set[str] = frozenset()
RECEIPT = "\n"  # before the name of a receipt: no id has it, so that no shipment's name is like it


class ReservationState(StrEnum):
    """Where a reservation stands."""

    HELD = "HELD"  # units are promised to the order, or wait for stock
    SHORT = "SHORT"  # the first question was refused, and nothing was ever promised
    OVER = "OVER"  # nothing is promised any more, whatever is still heard


class Wanted(NamedTuple):
    """All that an order wants of stock from now on.

    :param revision: rises with every question of the order.
    :param products: units to hold, at least one of each; none when the order is over.
    :param shipped: what has left since the last question that Orders has an answer to.
    :param received: likewise, what has come back.
    :param asked_at: when the order asked it first: what has to wait, waits since then.
    """

    order_id: str
    revision: int
    products: Mapping[str, int]
    over: bool
    sourcing: Sourcing = BY_PRIORITY
    shipped: tuple[ShippedUnits, ...] = ()
    received: tuple[ReceivedUnits, ...] = ()
    asked_at: datetime | None = None

    @property
    def facts(self) -> set[str]:
        """Names of the shipments and receipts that it tells of."""
        return {one.shipment_id for one in self.shipped} | {
            RECEIPT + one.receipt_id for one in self.received
        }


class Reservation(NamedTuple):
    """What is held for one order.

    :param version: rises by one with every decision; one version never tells two things.
    :param revision: of the newest question that was decided.
    :param stock: sorted by product, location and lot.
    :param missing: why `revision` was refused; empty if it was not.
    :param sourcing: by which `stock` was found.
    :param queued: what waits for stock beside it, sorted by product and time.
    :param placed_at: when the order asked its first question; None: it was never told.
    """

    order_id: str
    version: int
    revision: int
    state: ReservationState
    stock: tuple[HeldStock, ...] = ()
    missing: tuple[Shortage, ...] = ()
    sourcing: Sourcing = BY_PRIORITY
    queued: tuple[QueuedUnits, ...] = ()
    placed_at: datetime | None = None


def changed(now: Mapping[str, Reservation], known: Mapping[str, Reservation]) -> list[Reservation]:
    """Those that are not as they were known, in the order in which everyone writes them."""
    return [one for order_id, one in sorted(now.items()) if one is not known.get(order_id)]


def hear(
    before: Reservation | None,
    wanted: Wanted,
    book: StockBook,
    cause: Cause,
    booked: Set[str] = NOTHING_BOOKED,
) -> Reservation:
    """Decide a question: book what has left, then move what is held to what is wanted.

    A question that is not newer than the last decided one changes nothing, whatever it wants. An
    increase is promised whole or not at all; if it is short, all stays as it was. What is promised
    may have to wait for stock, where the product allows it: behind all who were placed before this
    order, also where an edit was asked by a clock that is behind. By another sourcing than before,
    all of it is found anew. What is over stays over.

    :param booked: names of the order's facts (see `Wanted.facts`) that were booked before.
    """
    if before and wanted.revision <= before.revision:
        return before
    held, queued = (before.stock, before.queued) if before else ((), ())
    placed_at = before.placed_at if before else wanted.asked_at
    version = before.version + 1 if before else 1
    decided = wanted.order_id, version, wanted.revision
    if shipped := [one for one in wanted.shipped if one.shipment_id not in booked]:
        held = ship(book, held, shipped, cause)
    if received := [one for one in wanted.received if RECEIPT + one.receipt_id not in booked]:
        receive(book, received, cause)
    if wanted.over or (before and before.state is ReservationState.OVER):
        book.release(held, cause)
        if queued:
            book.requeue(queued, ())
        return Reservation(*decided, ReservationState.OVER, placed_at=placed_at)
    sourcing = wanted.sourcing
    moves = before is not None and before.sourcing != sourcing
    since = max(filter(None, (placed_at, wanted.asked_at)), default=None)
    answer = book.hold(
        held, wanted.products, cause, sourcing, moves=moves, queued=queued, since=since
    )
    if isinstance(answer, Short):
        has = bool(held or queued)
        state = ReservationState.HELD if has else ReservationState.SHORT
        by = before.sourcing if before and has else sourcing
        _look_elsewhere(held, queued, by, book)
        return Reservation(*decided, state, held, answer.shortages, by, queued, placed_at)
    held, queued = answer
    return Reservation(*decided, ReservationState.HELD, held, (), sourcing, queued, placed_at)


def serve(before: Reservation, waiting: QueuedUnits, book: StockBook, cause: Cause) -> Reservation:
    """Promise an order what is free of the units that it waits for; perhaps none."""
    taken = book.serve(before.stock, waiting, before.sourcing, cause)
    if not taken:
        return before
    left = waiting.quantity - sum(part.quantity for part in taken)
    rest = (waiting._replace(quantity=left),) if left else ()
    others = (one for one in before.queued if one != waiting)
    return before._replace(
        version=before.version + 1,
        stock=sum_of(before.stock, (), taken),
        queued=joined((*others, *rest)),
    )


def displace(
    before: Reservation, key: LevelKey, units: int, book: StockBook, cause: Cause
) -> tuple[Reservation, int]:
    """Take up to so many units of a level back from an order: they wait for stock, since the order
    was placed, and so before all that was placed later, whatever the policy says.

    :returns: the reservation, and how many units were taken.
    """
    there = [part for part in before.stock if part.key == key]
    taken = first_of(there, units)
    count = sum(part.quantity for part in taken)
    if not count:
        return before, 0
    book.release(taken, cause)
    waiting = (QueuedUnits(key[0], count, before.placed_at or book.at),)
    book.requeue((), waiting)
    changed = before._replace(
        version=before.version + 1,
        stock=sum_of(before.stock, taken, ()),
        queued=joined(before.queued + waiting),
    )
    _look_elsewhere(changed.stock, before.queued, before.sourcing, book)
    return changed, count


def _look_elsewhere(
    held: Sequence[HeldStock], queued: Iterable[QueuedUnits], sourcing: Sourcing, book: StockBook
) -> None:
    """What must not be split comes from where the order holds the rest; once it holds nothing, from
    anywhere, also of products where nothing moved.
    """
    if not held and not sourcing.may_split:
        book.wake(one.product_id for one in queued)
