"""Which events Orders listens to, and how their bytes become answers."""

from google.protobuf.message import DecodeError

from holdfast.chassis.broker import Event, Subscription
from holdfast.chassis.inbox import Unreadable
from holdfast.chassis.validation import InvalidRequest, Violations
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.orders.application.settle_orders import StockAnswer
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage

_RESERVED = events_pb2.StockReserved.DESCRIPTOR.full_name
_REJECTED = events_pb2.StockRejected.DESCRIPTOR.full_name

# What Orders receives; Inventory declares the same queue when it publishes.
INVENTORY_TO_ORDERS = Subscription("holdfast.orders.answers", (_RESERVED, _REJECTED))
# Who must hear of orders; Inventory declares the same queue when it consumes.
ORDERS_TO_INVENTORY = Subscription(
    "holdfast.inventory.orders",
    (
        "holdfast.orders.v1.OrderPlaced",
        "holdfast.orders.v1.OrderCancelled",
        "holdfast.orders.v1.OrderExpired",
    ),
)


def read(event: Event) -> StockAnswer:
    """Turn an event of Inventory into an answer.

    :raises Unreadable: unknown type, wrong bytes, or values that no answer can have.
    """
    violations = Violations()
    shortages: tuple[Shortage, ...] = ()
    try:
        if event.type == _RESERVED:
            order_id = events_pb2.StockReserved.FromString(event.data).order_id
        elif event.type == _REJECTED:
            order_id, shortages = _read_rejected(event.data, violations)
        else:
            raise Unreadable(f"unknown type {event.type}")
        order_id = violations.uuid("order_id", order_id)
        violations.raise_any()
    except DecodeError as error:
        raise Unreadable(f"these bytes are no {event.type}") from error
    except InvalidRequest as error:
        raise Unreadable(str(error)) from error
    return StockAnswer(event.event_id, order_id, shortages, Caller("inventory", event.traceparent))


def _read_rejected(data: bytes, violations: Violations) -> tuple[str, tuple[Shortage, ...]]:
    message = events_pb2.StockRejected.FromString(data)
    if not message.missing:
        violations.add("missing", "is empty")
    for missing in message.missing:
        violations.id("missing.product_id", missing.product_id)
    return message.order_id, tuple(
        Shortage(missing.product_id, missing.wanted, missing.available)
        for missing in message.missing
    )
