"""Which events Inventory listens to, and how their bytes become commands."""

from collections import Counter
from collections.abc import Callable

from google.protobuf.message import DecodeError

from holdfast.chassis.broker import Event, Subscription
from holdfast.chassis.inbox import Unreadable
from holdfast.chassis.validation import InvalidRequest, Violations
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.inventory.application.decide_reservations import (
    ReleaseStock,
    ReservationCommand,
    ReserveStock,
)
from holdfast.inventory.domain.caller import Caller

QUANTITY_MAX = 2_000 * 1_000_000_000  # of one product: the most lines times the most units a line

_PLACED = events_pb2.OrderPlaced.DESCRIPTOR.full_name
_CANCELLED = events_pb2.OrderCancelled.DESCRIPTOR.full_name
_EXPIRED = events_pb2.OrderExpired.DESCRIPTOR.full_name

# What Inventory receives; Orders declares the same queue when it publishes.
ORDERS_TO_INVENTORY = Subscription("holdfast.inventory.orders", (_PLACED, _CANCELLED, _EXPIRED))
# Who must hear Inventory's answers; Orders declares the same queue when it consumes.
INVENTORY_TO_ORDERS = Subscription(
    "holdfast.orders.answers",
    ("holdfast.inventory.v1.StockReserved", "holdfast.inventory.v1.StockRejected"),
)


def read(event: Event) -> ReservationCommand:
    """Turn an event of Orders into a command.

    :raises Unreadable: unknown type, wrong bytes, or values that no order can have.
    """
    reader = _READERS.get(event.type)
    if reader is None:
        raise Unreadable(f"unknown type {event.type}")
    violations = Violations()
    try:
        command = reader(event, Caller("orders", event.traceparent), violations)
        violations.raise_any()
    except DecodeError as error:
        raise Unreadable(f"these bytes are no {event.type}") from error
    except InvalidRequest as error:
        raise Unreadable(str(error)) from error
    return command


def _read_placed(event: Event, caller: Caller, violations: Violations) -> ReserveStock:
    message = events_pb2.OrderPlaced.FromString(event.data)
    demand: Counter[str] = Counter()
    for product in message.products:
        violations.id("product_id", product.product_id)
        violations.within("quantity", product.quantity, lowest=1, highest=QUANTITY_MAX)
        demand[product.product_id] += product.quantity
    if not demand:
        violations.add("products", "are missing")
    order_id = violations.uuid("order_id", message.order_id)
    return ReserveStock(event.event_id, order_id, demand, caller)


def _read_cancelled(event: Event, caller: Caller, violations: Violations) -> ReleaseStock:
    message = events_pb2.OrderCancelled.FromString(event.data)
    order_id = violations.uuid("order_id", message.order_id)
    return ReleaseStock(event.event_id, order_id, message.reason or "order cancelled", caller)


def _read_expired(event: Event, caller: Caller, violations: Violations) -> ReleaseStock:
    message = events_pb2.OrderExpired.FromString(event.data)
    order_id = violations.uuid("order_id", message.order_id)
    return ReleaseStock(event.event_id, order_id, "order expired", caller)


_READERS: dict[str, Callable[[Event, Caller, Violations], ReservationCommand]] = {
    _PLACED: _read_placed,
    _CANCELLED: _read_cancelled,
    _EXPIRED: _read_expired,
}

assert set(_READERS) == set(ORDERS_TO_INVENTORY.types), "every type received has its reader"
