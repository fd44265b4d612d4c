"""Which events Orders listens to, and how their bytes become answers."""

from google.protobuf.message import DecodeError

from holdfast.chassis.messaging.broker import Event, Subscription
from holdfast.chassis.messaging.inbox import Unreadable
from holdfast.chassis.validation import InvalidRequest, Violations
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.contracts.inventory.v1.inventory_pb2 import SourcingReason
from holdfast.orders.application.ordering.hear_inventory import HeardAnswer
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.ordering.stock import BY_RANK, HeldStock, QueuedUnits, StockAnswer

NUMBER_MAX = 2**63 - 1

_Answer = (
    events_pb2.StockReserved
    | events_pb2.StockRejected
    | events_pb2.ReservationReleased
    | events_pb2.ReservationChanged
)
_ANSWERS: dict[str, type[_Answer]] = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        events_pb2.StockReserved,
        events_pb2.StockRejected,
        events_pb2.ReservationReleased,
        events_pb2.ReservationChanged,
    )
}

# What Orders receives; Inventory declares the same queue when it publishes.
INVENTORY_TO_ORDERS = Subscription("holdfast.orders.answers", tuple(_ANSWERS))
# Who must hear of orders; Inventory declares the same queue when it consumes.
ORDERS_TO_INVENTORY = Subscription(
    "holdfast.inventory.orders",
    (
        "holdfast.orders.v1.OrderPlaced",
        "holdfast.orders.v1.OrderEditRequested",
        "holdfast.orders.v1.OrderShipped",
        "holdfast.orders.v1.OrderRestCancelled",
        "holdfast.orders.v1.ReturnReceived",
        "holdfast.orders.v1.OrderCancelled",
        "holdfast.orders.v1.OrderExpired",
        "holdfast.orders.v1.StockAskedAgain",
    ),
)


def read(event: Event) -> HeardAnswer:
    """Turn an event of Inventory into an answer.

    :raises Unreadable: unknown type, wrong bytes, or values that no answer can have.
    """
    if event.type not in _ANSWERS:
        raise Unreadable(f"unknown type {event.type}")
    violations = Violations()
    try:
        message = _ANSWERS[event.type].FromString(event.data)
        answer = _read_answer(message, event.sequence, violations)
        violations.raise_any()
    except DecodeError as error:
        raise Unreadable(f"these bytes are no {event.type}") from error
    except InvalidRequest as error:
        raise Unreadable(str(error)) from error
    return HeardAnswer(event.event_id, answer, Caller("inventory", event.traceparent))


def _reason(number: int, violations: Violations) -> str:
    if number not in SourcingReason.values():
        violations.add("reason", f"{number} is none that Inventory has")
        return BY_RANK
    return SourcingReason.Name(SourcingReason.ValueType(number)).removeprefix("SOURCING_REASON_")


def _read_answer(message: _Answer, sequence: int, violations: Violations) -> StockAnswer:
    state = message.state
    stock = tuple(
        HeldStock(
            violations.id("product_id", one.product_id),
            one.location_id,
            one.quantity,
            _reason(one.reason, violations) if one.reason else BY_RANK,
        )
        for one in state.stock
    )
    missing = tuple(
        Shortage(violations.id("product_id", one.product_id), one.wanted, one.available)
        for one in state.missing
    )
    queued = tuple(
        QueuedUnits(violations.id("product_id", one.product_id), one.quantity)
        for one in state.queued
    )
    # A change tells again what became of the newest question, either way.
    is_change = isinstance(message, events_pb2.ReservationChanged)
    if not is_change and isinstance(message, events_pb2.StockRejected) != bool(missing):
        violations.add("missing", "must be there for what was short, and for nothing else")
    if isinstance(message, events_pb2.ReservationReleased) and (stock or queued):
        violations.add("stock", "must be empty when the order is over")
    return StockAnswer(
        violations.uuid("order_id", message.order_id),
        violations.within("sequence", sequence, lowest=1, highest=NUMBER_MAX),
        violations.within("revision", state.revision, lowest=1, highest=NUMBER_MAX),
        stock,
        missing,
        queued,
    )
