"""Reservations: the promise to one order, moved to what the order wants by its newest question.

none ─┬─ held ──> HELD ─┬─ wants other ─> HELD   (all of an increase, or none of it; what has left
      │                 │                         is booked first, and never refused)
      ├─ short ─> SHORT ├─ over ────────> OVER
      └─ over ──> OVER  ┘   (the order was cancelled before it was heard of: OVER for good)
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.stock.facts import ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.levels import HeldStock, Short, Shortage
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY, Sourcing
from holdfast.inventory.domain.stock.stock import StockBook

NOTHING_BOOKED: Set[str] = frozenset()
RECEIPT = "\n"  # before the name of a receipt: no id has it, so that no shipment's name is like it


class ReservationState(StrEnum):
    """Where a reservation stands."""

    HELD = "HELD"  # units are promised to the order
    SHORT = "SHORT"  # the first question was refused, and nothing was ever promised
    OVER = "OVER"  # nothing is promised any more, whatever is still heard


class Wanted(NamedTuple):
    """All that an order wants of stock from now on.

    :param revision: rises with every question of the order.
    :param products: units to hold, at least one of each; none when the order is over.
    :param shipped: what has left since the last question that Orders has an answer to.
    :param received: likewise, what has come back.
    """

    order_id: str
    revision: int
    products: Mapping[str, int]
    over: bool
    sourcing: Sourcing = BY_PRIORITY
    shipped: tuple[ShippedUnits, ...] = ()
    received: tuple[ReceivedUnits, ...] = ()

    @property
    def facts(self) -> set[str]:
        """Names of the shipments and receipts that it tells of."""
        return {one.shipment_id for one in self.shipped} | {
            RECEIPT + one.receipt_id for one in self.received
        }


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is held for one order.

    :param version: rises by one with every decision; one version never tells two things.
    :param revision: of the newest question that was decided.
    :param stock: sorted by product, location and lot.
    :param missing: why `revision` was refused; empty if it was not.
    :param sourcing: by which `stock` was found.
    """

    order_id: str
    version: int
    revision: int
    state: ReservationState
    stock: tuple[HeldStock, ...] = ()
    missing: tuple[Shortage, ...] = ()
    sourcing: Sourcing = BY_PRIORITY


def hear(
    before: Reservation | None,
    wanted: Wanted,
    book: StockBook,
    cause: Cause,
    booked: Set[str] = NOTHING_BOOKED,
) -> Reservation:
    """Decide a question: book what has left, then move what is held to what is wanted.

    A question that is not newer than the last decided one changes nothing, whatever it wants. An
    increase is promised whole or not at all; if it is short, all stays as it was. By another
    sourcing than before, all of it is found anew. What is over stays over.

    :param booked: names of the order's facts (see `Wanted.facts`) that were booked before.
    """
    if before and wanted.revision <= before.revision:
        return before
    held = before.stock if before else ()
    version = before.version + 1 if before else 1
    decided = wanted.order_id, version, wanted.revision
    if shipped := [one for one in wanted.shipped if one.shipment_id not in booked]:
        held = book.ship(held, shipped, cause)
    if received := [one for one in wanted.received if RECEIPT + one.receipt_id not in booked]:
        book.receive(received, cause)
    if wanted.over or (before and before.state is ReservationState.OVER):
        book.release(held, cause)
        return Reservation(*decided, ReservationState.OVER)
    sourcing = wanted.sourcing
    moves = before is not None and before.sourcing != sourcing
    match book.hold(held, wanted.products, cause, sourcing, moves=moves):
        case Short(missing):
            state = ReservationState.HELD if held else ReservationState.SHORT
            by = before.sourcing if before and held else sourcing
            return Reservation(*decided, state, held, missing, by)
        case stock:
            return Reservation(*decided, ReservationState.HELD, stock, (), sourcing)
