"""Which events Inventory listens to, and how their bytes become questions."""

from datetime import datetime

from google.protobuf.message import DecodeError

from holdfast.chassis.messaging.broker import Event, Subscription
from holdfast.chassis.messaging.inbox import Unreadable
from holdfast.chassis.validation import InvalidRequest, Violations
from holdfast.contracts.orders.v1 import events_pb2, orders_pb2
from holdfast.inventory.application.reservations.hear_orders import StockQuestion
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.reservations.reservation import Wanted
from holdfast.inventory.domain.stock.facts import Disposition, ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.sourcing import BY_PRIORITY
from holdfast.inventory.presentation.availability_wire import read_sourcing

_Question = (
    events_pb2.OrderPlaced
    | events_pb2.OrderEditRequested
    | events_pb2.OrderShipped
    | events_pb2.OrderRestCancelled
    | events_pb2.ReturnReceived
    | events_pb2.OrderCancelled
    | events_pb2.OrderExpired
    | events_pb2.StockAskedAgain
)

QUANTITY_MAX = 2_000 * 1_000_000_000  # of one product: the most lines times the most units a line
REVISION_MAX = 2**63 - 1
_DISPOSITIONS: dict[int, Disposition] = {
    orders_pb2.Disposition.Value(f"DISPOSITION_{one}"): one for one in Disposition
}

# The events of Orders that say what an order wants of stock, and why a level changes by each.
_QUESTIONS: dict[str, tuple[type[_Question], str]] = {
    kind.DESCRIPTOR.full_name: (kind, reason)
    for kind, reason in (
        (events_pb2.OrderPlaced, ""),
        (events_pb2.OrderEditRequested, "order edited"),
        (events_pb2.OrderShipped, "order shipped"),
        (events_pb2.OrderRestCancelled, "rest cancelled"),
        (events_pb2.ReturnReceived, "order returned"),
        (events_pb2.OrderCancelled, "order cancelled"),
        (events_pb2.OrderExpired, "order expired"),
        (events_pb2.StockAskedAgain, ""),
    )
}

# What Inventory receives; Orders declares the same queue when it publishes.
ORDERS_TO_INVENTORY = Subscription("holdfast.inventory.orders", tuple(_QUESTIONS))
# Who must hear Inventory's answers; Orders declares the same queue when it consumes.
INVENTORY_TO_ORDERS = Subscription(
    "holdfast.orders.answers",
    (
        "holdfast.inventory.v1.StockReserved",
        "holdfast.inventory.v1.StockRejected",
        "holdfast.inventory.v1.ReservationReleased",
        "holdfast.inventory.v1.ReservationChanged",
    ),
)


def read(event: Event) -> StockQuestion:
    """Turn an event of Orders into a question.

    :raises Unreadable: unknown type, wrong bytes, or values that no order can have.
    """
    if event.type not in _QUESTIONS:
        raise Unreadable(f"unknown type {event.type}")
    kind, reason = _QUESTIONS[event.type]
    violations = Violations()
    try:
        message = kind.FromString(event.data)
        wanted = _read_wanted(message, event.time, violations)
        violations.raise_any()
    except DecodeError as error:
        raise Unreadable(f"these bytes are no {event.type}") from error
    except InvalidRequest as error:
        raise Unreadable(str(error)) from error
    if wanted.over and not reason:
        reason = "order over"
    return StockQuestion(event.event_id, wanted, reason, Caller("orders", event.traceparent))


def _read_wanted(message: _Question, at: datetime, violations: Violations) -> Wanted:
    asked = message.wanted
    products: dict[str, int] = {}
    for product in asked.products:
        violations.id("product_id", product.product_id)
        violations.within("quantity", product.quantity, lowest=1, highest=QUANTITY_MAX)
        if product.product_id in products:
            violations.add("products", f"{product.product_id} is there twice")
        products[product.product_id] = product.quantity
    if asked.over == bool(products):
        violations.add("products", "must be there, unless the order is over")
    return Wanted(
        violations.uuid("order_id", message.order_id),
        violations.within("revision", asked.revision, lowest=1, highest=REVISION_MAX),
        products,
        asked.over,
        read_sourcing(asked.sourcing, violations) if asked.HasField("sourcing") else BY_PRIORITY,
        tuple(_read_shipped(one, violations) for one in asked.shipped),
        tuple(_read_received(one, violations) for one in asked.received),
        violations.instant("asked_time", asked.asked_time) if asked.HasField("asked_time") else at,
    )


def _read_received(one: events_pb2.ReceivedUnits, violations: Violations) -> ReceivedUnits:
    disposition = _DISPOSITIONS.get(one.disposition)
    if disposition is None:
        violations.add("disposition", f"{one.disposition} is none")
    return ReceivedUnits(
        violations.id("receipt_id", one.receipt_id),
        violations.id("product_id", one.product_id),
        violations.id("location_id", one.location_id),
        violations.within("quantity", one.quantity, lowest=1, highest=QUANTITY_MAX),
        disposition or Disposition.QUARANTINE,
    )


def _read_shipped(one: events_pb2.ShippedUnits, violations: Violations) -> ShippedUnits:
    return ShippedUnits(
        violations.id("shipment_id", one.shipment_id),
        violations.id("product_id", one.product_id),
        violations.id("location_id", one.location_id),
        violations.within("quantity", one.quantity, lowest=1, highest=QUANTITY_MAX),
    )
