"""What there is at a place, what is promised of it, and what is missing: values, without rules."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from holdfast.inventory.domain.stock.sourcing import SourcingReason

NO_LOT = ""

LevelKey = tuple[str, str, str]  # product, location, lot


@dataclass(slots=True)
class StockLevel:
    """Units of one product at one location; changed only by a StockBook. Version 0: nothing was
    ever there.

    :param priority: its location's, as `active` is.
    :param queued: units of the product that orders wait for, wherever they may come from, and
        `queued_max`: how many may be; both only at its gate, the level at `main`.
    :param safety_stock: its product's: units that are not promised here.
    """

    product_id: str
    location_id: str
    on_hand: int = 0
    reserved: int = 0
    version: int = 0
    lot_id: str = NO_LOT
    priority: int = 0
    active: bool = True
    quarantined: int = 0
    queued: int = 0
    queued_max: int = 0
    safety_stock: int = 0

    @property
    def key(self) -> LevelKey:
        return self.product_id, self.location_id, self.lot_id

    @property
    def untaken(self) -> int:
        """Units that are there, promised to nobody and not in quarantine: they can go, though
        perhaps not be promised.
        """
        return self.on_hand - self.reserved - self.quarantined

    @property
    def available(self) -> int:
        """Units free to promise."""
        free = self.untaken if self.active else 0
        return max(0, free - self.safety_stock) if self.safety_stock else free


class HeldStock(NamedTuple):
    """Units of one product at one location, promised to an order; `lot_id` "": it has no lots."""

    product_id: str
    location_id: str
    lot_id: str
    quantity: int
    reason: SourcingReason = SourcingReason.PRIORITY

    @property
    def key(self) -> LevelKey:
        return self[:3]


class QueuedUnits(NamedTuple):
    """Units of one product that an order waits for, since it asked for them."""

    product_id: str
    quantity: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Shortage:
    """What was missing for one product: over all locations that it could come from, or, where they
    must not share, at the one that lacked least.

    :param available: units that could have been promised, now or later.
    """

    product_id: str
    wanted: int
    available: int


@dataclass(frozen=True, slots=True)
class Short:
    """Nothing was promised or given back: what was missing."""

    shortages: tuple[Shortage, ...]
