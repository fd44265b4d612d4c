"""What Inventory tells: facts in the past tense, each about one aggregate at one version."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.levels import StockLevel


class StockReserved(NamedTuple):
    """Whatever the order wants is held for it."""

    reservation: Reservation


class StockRejected(NamedTuple):
    """What the order wants was short; what is held stayed as it was."""

    reservation: Reservation


class ReservationReleased(NamedTuple):
    """The order is over; nothing is held for it any more."""

    reservation: Reservation


class ChangeCause(StrEnum):
    """Why a reservation changed without a question; the proto says what each means."""

    ALLOCATED = "ALLOCATED"
    DISPLACED = "DISPLACED"


class ReservationChanged(NamedTuple):
    """Inventory changed what it holds for the order, by itself."""

    reservation: Reservation
    cause: ChangeCause


@dataclass(frozen=True, slots=True)
class StockLevelChanged:
    """On hand changed by a receipt or an adjustment."""

    product_id: str
    sequence: int
    location_id: str
    on_hand: int
    reserved: int
    available: int
    quarantined: int


ReservationEvent = StockReserved | StockRejected | ReservationReleased | ReservationChanged
InventoryEvent = ReservationEvent | StockLevelChanged


def answer(reservation: Reservation) -> ReservationEvent:
    """Return the answer to the reservation's newest question: all of it, as it stands."""
    if reservation.state is ReservationState.OVER:
        return ReservationReleased(reservation)
    return StockRejected(reservation) if reservation.missing else StockReserved(reservation)


def level_changed(level: StockLevel) -> StockLevelChanged:
    """Return what to tell about a level as it is now."""
    return StockLevelChanged(
        level.product_id,
        level.version,
        level.location_id,
        level.on_hand,
        level.reserved,
        level.available,
        level.quarantined,
    )
