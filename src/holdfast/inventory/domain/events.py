"""What Inventory tells: facts in the past tense, each about one aggregate at one version."""

from dataclasses import dataclass
from typing import NamedTuple

from holdfast.inventory.domain.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock import ReservedStock, Shortage, StockLevel


class StockReserved(NamedTuple):
    """All of an order's stock is reserved."""

    order_id: str
    sequence: int
    stock: tuple[ReservedStock, ...]


@dataclass(frozen=True, slots=True)
class StockRejected:
    """An order's stock was short; nothing is reserved."""

    order_id: str
    sequence: int
    shortages: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True)
class ReservationReleased:
    """An order's stock is free again."""

    order_id: str
    sequence: int
    stock: tuple[ReservedStock, ...]


@dataclass(frozen=True, slots=True)
class StockLevelChanged:
    """On hand changed by a receipt or an adjustment."""

    product_id: str
    sequence: int
    location_id: str
    on_hand: int
    reserved: int


InventoryEvent = StockReserved | StockRejected | ReservationReleased | StockLevelChanged


def answer(reservation: Reservation) -> StockReserved | StockRejected | ReservationReleased | None:
    """Return what to tell about a reservation as it stands; None for a tombstone: nobody asks."""
    facts = reservation.order_id, reservation.version
    match reservation.state:
        case ReservationState.RESERVED:
            return StockReserved(*facts, reservation.stock)
        case ReservationState.REFUSED:
            return StockRejected(*facts, reservation.shortages)
        case ReservationState.RELEASED:
            return ReservationReleased(*facts, reservation.stock)
        case ReservationState.TOMBSTONE:
            return None


def level_changed(level: StockLevel) -> StockLevelChanged:
    """Return what to tell about a level as it is now."""
    return StockLevelChanged(
        level.product_id, level.version, level.location_id, level.on_hand, level.reserved
    )
