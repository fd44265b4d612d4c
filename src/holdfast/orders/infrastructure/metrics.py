"""What Orders tells of its business in figures: what becomes of orders, and who waits."""

from collections import Counter
from collections.abc import Sequence

from holdfast.chassis.clock import Clock, made_at_s
from holdfast.chassis.database.seam import Engine
from holdfast.chassis.messaging.measuring import Look, waiting
from holdfast.chassis.metrics import BatchHistogram, counter, gauge
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.infrastructure.ordering.sql import SQL

_OUTCOMES = {
    OrderStatus.PENDING: "placed",
    OrderStatus.RESERVED: "reserved",
    OrderStatus.CONFIRMED: "confirmed",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.EXPIRED: "expired",
}

ORDERS = counter(
    "holdfast_orders_total",
    "What became of orders: placed, then confirmed, reserved (held, and confirmed later), rejected,"
    " cancelled or expired; replayed is a request id that was recorded before.",
    outcome=(*_OUTCOMES.values(), "replayed"),
)
SETTLE_SECONDS = BatchHistogram(
    "holdfast_order_settle_seconds",
    "From the placing of an order to Inventory's decision.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0),
)
PENDING = gauge(
    "holdfast_pending_orders",
    "Orders that Inventory has not decided, at most 10,000 of them counted.",
)
PENDING_AGE_SECONDS = gauge(
    "holdfast_pending_oldest_age_seconds",
    "For how long the oldest of them has waited; 0: none waits.",
)
HOLDS = gauge("holdfast_holds", "Holds that run, at most 10,000 of them counted.")
HOLDS_OVERDUE_AGE_SECONDS = gauge(
    "holdfast_holds_overdue_age_seconds",
    "For how long the first of them has outlived its end, with its units reserved; 0: none has.",
)
_BY_STATUS = {status: ORDERS.labels(outcome) for status, outcome in _OUTCOMES.items()}
REPLAYED = ORDERS.labels("replayed")


def count_changes(changes: Sequence[OrderChange]) -> None:
    """Tell what became of orders; call it once it is durable."""
    of_status = [change for change in changes if change.action is Action.STATUS]
    for status, orders in Counter(change.status for change in of_status).items():
        if (series := _BY_STATUS.get(status)) is not None:
            series.inc(orders)
    if settled := list(filter(_settles, of_status)):
        at_s = settled[0].at.timestamp()  # one transaction, one moment
        # An order's id tells when it was placed.
        SETTLE_SECONDS.observe_all([max(0.0, at_s - made_at_s(one.order_id)) for one in settled])


def _settles(change: OrderChange) -> bool:
    match change.status:
        case OrderStatus.CONFIRMED:
            return change.confirmed_by is None  # else it was held, and is paid for now
        case OrderStatus.RESERVED | OrderStatus.REJECTED:
            return True
    return False


def pending_orders(engine: Engine, clock: Clock) -> Look:
    """Return what tells how many orders are undecided, and since when."""
    return waiting(SQL[engine].COUNT_PENDING, clock, PENDING, PENDING_AGE_SECONDS)


def holds(engine: Engine, clock: Clock) -> Look:
    """Return what tells how many holds run, and whether one has outlived its end."""
    return waiting(SQL[engine].COUNT_HOLDS, clock, HOLDS, HOLDS_OVERDUE_AGE_SECONDS)
