"""Reservations: the promise to one order, decided once and for ever under the order's id.

none ─ reserve ─┬─> RESERVED ─ release ─> RELEASED
                └─> REFUSED
none ─ release ───> TOMBSTONE   (a cancellation overtook its order; a later reserve does nothing)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.inventory.domain.stock import (
    Cause,
    Reserved,
    ReservedStock,
    Short,
    Shortage,
    StockBook,
)


class ReservationState(StrEnum):
    """Where a reservation stands."""

    RESERVED = "RESERVED"
    REFUSED = "REFUSED"
    RELEASED = "RELEASED"
    TOMBSTONE = "TOMBSTONE"


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was decided for one order.

    :param version: 1 when decided, 2 when released.
    """

    order_id: str
    state: ReservationState
    stock: tuple[ReservedStock, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    version: int = 1

    @classmethod
    def decide(
        cls, order_id: str, demand: Mapping[str, int], book: StockBook, cause: Cause
    ) -> "Reservation":
        """Reserve the whole demand, or refuse with what is missing."""
        match book.reserve(demand, cause):
            case Reserved(stock):
                return cls(order_id, ReservationState.RESERVED, stock=stock)
            case Short(shortages):
                return cls(order_id, ReservationState.REFUSED, shortages=shortages)

    @classmethod
    def tombstone(cls, order_id: str) -> "Reservation":
        """Remember that the order must not be reserved any more."""
        return cls(order_id, ReservationState.TOMBSTONE)

    def release(self, book: StockBook, cause: Cause) -> "Reservation":
        """Give the stock back; a repeat, or nothing to give, returns the same reservation."""
        if self.state is not ReservationState.RESERVED:
            return self
        book.release(self.stock, cause)
        return replace(self, state=ReservationState.RELEASED, version=self.version + 1)
