"""What Inventory tells: facts in the past tense, each about one aggregate at one version."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from holdfast.inventory.domain.reservations.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock.levels import StockLevel


class StockReserved(NamedTuple):
    """Whatever the order wants is held for it."""

    reservation: Reservation
    is_repeat: bool = False  # this version was told before


class StockRejected(NamedTuple):
    """What the order wants was short; what is held stayed as it was."""

    reservation: Reservation
    is_repeat: bool = False  # this version was told before


class ReservationReleased(NamedTuple):
    """The order is over; nothing is held for it any more."""

    reservation: Reservation
    is_repeat: bool = False  # this version was told before


class ChangeCause(StrEnum):
    """Why a reservation changed without a question; the proto says what each means."""

    ALLOCATED = "ALLOCATED"
    DISPLACED = "DISPLACED"


class ReservationChanged(NamedTuple):
    """Inventory changed what it holds for the order, by itself."""

    reservation: Reservation
    cause: ChangeCause
    is_repeat: bool = False  # never


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


def answer(reservation: Reservation, *, is_repeat: bool = False) -> ReservationEvent:
    """Return the answer to the reservation's newest question: all of it, as it stands.

    :param is_repeat: it did not change: what it is now has been told.
    """
    if reservation.state is ReservationState.OVER:
        return ReservationReleased(reservation, is_repeat)
    if reservation.missing:
        return StockRejected(reservation, is_repeat)
    return StockReserved(reservation, is_repeat)


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
