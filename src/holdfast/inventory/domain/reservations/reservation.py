"""Reservations: the promise to one order, moved to what the order wants by its newest question.

none ─┬─ held ──> HELD ─┬─ wants other ─> HELD   (all of an increase, or none of it)
      ├─ short ─> SHORT ├─ over ────────> OVER
      └─ over ──> OVER  ┘   (the order was cancelled before it was heard of: OVER for good)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.stock.stock import Cause, HeldStock, Short, Shortage, StockBook


class ReservationState(StrEnum):
    """Where a reservation stands."""

    HELD = "HELD"  # units are promised to the order
    SHORT = "SHORT"  # the first question was refused, and nothing was ever promised
    OVER = "OVER"  # nothing is promised any more, whatever is still heard


class Wanted(NamedTuple):
    """All that an order wants of stock from now on.

    :param revision: rises with every question of the order.
    :param products: units to hold, at least one of each; none when the order is over.
    """

    order_id: str
    revision: int
    products: Mapping[str, int]
    over: bool


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for one order.

    :param version: rises by one with every decision; one version never tells two things.
    :param revision: of the newest question that was decided.
    :param stock: sorted by product, location and lot.
    :param missing: why `revision` was refused; empty if it was not.
    """

    order_id: str
    version: int
    revision: int
    state: ReservationState
    stock: tuple[HeldStock, ...] = ()
    missing: tuple[Shortage, ...] = ()


def hear(before: Reservation | None, wanted: Wanted, book: StockBook, cause: Cause) -> Reservation:
    """Decide a question: move what is held to what is wanted.

    A question that is not newer than the last decided one changes nothing, whatever it wants. An
    increase is promised whole or not at all; if it is short, all stays as it was. What is over
    stays over.
    """
    if before and wanted.revision <= before.revision:
        return before
    held = before.stock if before else ()
    version = before.version + 1 if before else 1
    decided = wanted.order_id, version, wanted.revision
    if wanted.over or (before and before.state is ReservationState.OVER):
        book.release(held, cause)
        return Reservation(*decided, ReservationState.OVER)
    match book.hold(held, wanted.products, cause):
        case Short(missing):
            state = ReservationState.HELD if held else ReservationState.SHORT
            return Reservation(*decided, state, held, missing)
        case stock:
            return Reservation(*decided, ReservationState.HELD, stock)
