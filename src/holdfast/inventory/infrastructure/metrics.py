"""What Inventory tells of its business in figures: what moves, and who waits for stock."""

from collections import Counter
from collections.abc import Sequence

from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Engine
from holdfast.chassis.messaging.measuring import Look, waiting
from holdfast.chassis.metrics import counter, gauge
from holdfast.inventory.domain.stock.movements import Movement, MovementKind
from holdfast.inventory.infrastructure.sql import SQL

MOVEMENTS = counter(
    "holdfast_stock_movements_total",
    "Records in the ledger of stock, by kind.",
    kind=[kind.lower() for kind in MovementKind],
)
BACKORDERS = gauge(
    "holdfast_backorders",
    "Parts of orders that wait for stock, one for each order and product, at most 10,000 counted.",
)
BACKORDER_AGE_SECONDS = gauge(
    "holdfast_backorder_oldest_age_seconds",
    "For how long the oldest of them has waited; 0: none waits.",
)


def count_movements(movements: Sequence[Movement]) -> None:
    """Tell what moved; call it once it is durable."""
    for kind, records in Counter(movement.kind for movement in movements).items():
        MOVEMENTS.labels(kind.lower()).inc(records)


def waiting_for_stock(engine: Engine, clock: Clock) -> Look:
    """Return what tells how much waits for stock, and since when."""
    return waiting(SQL[engine].COUNT_BACKORDERS, clock, BACKORDERS, BACKORDER_AGE_SECONDS)
