"""The queue of a product: who waits for how many units of it, and how many more may.

Whatever becomes free belongs to the queue first: a new promise never takes what it is owed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from holdfast.inventory.domain.stock.levels import HeldStock, QueuedUnits, StockLevel

UNLIMITED = 1_000_000_000_000  # as `units_max`: any number of units


@dataclass(slots=True)
class ProductQueue:
    """How many units of a product orders wait for, and how many may be waited for."""

    units: int = 0
    units_max: int = 0

    @property
    def room(self) -> int:
        """Units that may be waited for beside those."""
        if self.units_max == UNLIMITED:
            return UNLIMITED
        return max(0, self.units_max - self.units)


Queues = Mapping[str, ProductQueue]  # by product; one that nobody waits for, or may, has none
NO_QUEUES: Queues = {}


def queues_of(levels: Iterable[StockLevel]) -> dict[str, ProductQueue]:
    """Read the queues from the gates among the levels."""
    return {
        level.product_id: ProductQueue(level.queued, level.queued_max)
        for level in levels
        if level.queued or level.queued_max
    }


def kept_in_queue(
    queued: Sequence[QueuedUnits], held: Iterable[HeldStock], wanted: Mapping[str, int]
) -> tuple[QueuedUnits, ...]:
    """What an order goes on waiting for when this is what it wants: units that it wants no more go
    from its queue first, the youngest first; only then from what it holds.
    """
    left = dict(wanted)
    for part in held:
        left[part.product_id] = left.get(part.product_id, 0) - part.quantity
    kept = []
    for one in sorted(queued, key=lambda one: one.since):
        units = min(one.quantity, left.get(one.product_id, 0))
        if units > 0:
            kept.append(one._replace(quantity=units))
            left[one.product_id] -= units
    return tuple(kept)


def units_of(queued: Iterable[QueuedUnits]) -> dict[str, int]:
    """Add up what is waited for, by product."""
    units: dict[str, int] = {}
    for one in queued:
        units[one.product_id] = units.get(one.product_id, 0) + one.quantity
    return units


def joined(queued: Iterable[QueuedUnits]) -> tuple[QueuedUnits, ...]:
    """The same, sorted; what is of one product and one time is one."""
    units: dict[tuple[str, datetime], int] = {}
    for one in queued:
        key = one.product_id, one.since
        units[key] = units.get(key, 0) + one.quantity
    return tuple(QueuedUnits(name, n, since) for (name, since), n in sorted(units.items()))
