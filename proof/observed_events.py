"""Read events as they were seen on the audit queue into what the checker needs of them."""

from collections.abc import Callable, Iterable

from google.protobuf.message import DecodeError
from google.type.money_pb2 import Money

from holdfast.chassis.messaging.broker import Event
from holdfast.contracts.inventory.v1 import events_pb2 as inventory_events
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import events_pb2 as orders_events
from holdfast.contracts.orders.v1 import orders_pb2
from proof.goods import Sourcing
from proof.questions import CAME, LEFT, fact_name
from proof.snapshot import (
    FROM,
    MISSING,
    QUARANTINED,
    QUEUED,
    REVISION,
    ObservedEvent,
    Part,
    since_1970_us,
)


def observed_event(event: Event) -> ObservedEvent:
    """Keep of an event what the checker needs."""
    read = _CONTENTS.get(event.type)
    content: tuple[Part, ...] | None = None
    if read is not None:
        try:
            content = tuple(read(event.data))
        except DecodeError:
            content = None
    named = event.event_id, event.type, event.subject, event.sequence
    return ObservedEvent(*named, content, since_1970_us(event.time))


def _nothing(_: bytes) -> Iterable[Part]:
    return ()


def _placed(data: bytes) -> Iterable[Part]:
    return _wanted(orders_events.OrderPlaced.FromString(data).wanted)


def _cancelled(data: bytes) -> Iterable[Part]:
    return _wanted(orders_events.OrderCancelled.FromString(data).wanted)


def _expired(data: bytes) -> Iterable[Part]:
    return _wanted(orders_events.OrderExpired.FromString(data).wanted)


def _edit_requested(data: bytes) -> Iterable[Part]:
    return _wanted(orders_events.OrderEditRequested.FromString(data).wanted)


def _edit_refused(data: bytes) -> Iterable[Part]:
    missing = orders_events.OrderEditRefused.FromString(data).missing
    return [Part(one.product_id, "", one.wanted) for one in missing]


def _asked_again(data: bytes) -> Iterable[Part]:
    return _wanted(orders_events.StockAskedAgain.FromString(data).wanted)


def _wanted(wanted: orders_events.StockWanted) -> Iterable[Part]:
    """What is wanted, after the revision, and from where; nothing more when the order is over. Then
    what left and what came.
    """
    yield Part(REVISION, "", wanted.revision)
    for one in wanted.products:
        yield Part(one.product_id, "", one.quantity)
    sourcing = _sourcing(wanted.sourcing)
    if sourcing != Sourcing():
        yield Part(f"{FROM}{tuple(sourcing)}", "", 0)
    for left in wanted.shipped:
        name = fact_name(LEFT, left.shipment_id, left.product_id)
        yield Part(name, left.location_id, left.quantity)
    for came in wanted.received:
        kind = orders_pb2.Disposition.Name(came.disposition).removeprefix("DISPOSITION_")
        name = fact_name(CAME, came.receipt_id, came.product_id, kind)
        yield Part(name, came.location_id, came.quantity)


def _sourcing(message: inventory_pb2.Sourcing) -> Sourcing:
    name = inventory_pb2.SourcingStrategy.Name(message.strategy)
    strategy = name.removeprefix("SOURCING_STRATEGY_").replace("UNSPECIFIED", "PRIORITY")
    may_split = message.may_split or not message.HasField("may_split")
    return Sourcing(strategy, tuple(message.location_ids), may_split, message.in_stock_only)


def _shipped(data: bytes) -> Iterable[Part]:
    message = orders_events.OrderShipped.FromString(data)
    return [*_wanted(message.wanted), _shipment(message.shipment)]


def _shipment_updated(data: bytes) -> Iterable[Part]:
    return [_shipment(orders_events.ShipmentUpdated.FromString(data).shipment)]


def _shipment(shipment: orders_pb2.Shipment) -> Part:
    units = sum(item.quantity for item in shipment.items)
    return Part(f"shipment {shipment.shipment_id}", "", units)


def _rest_cancelled(data: bytes) -> Iterable[Part]:
    message = orders_events.OrderRestCancelled.FromString(data)
    return [*_wanted(message.wanted), Part("total", "", _minor(message.total))]


def _return_opened(data: bytes) -> Iterable[Part]:
    return [_return(orders_events.ReturnOpened.FromString(data).return_id)]


def _return_received(data: bytes) -> Iterable[Part]:
    message = orders_events.ReturnReceived.FromString(data)
    return [*_wanted(message.wanted), _return(message.return_id)]


def _return_closed(data: bytes) -> Iterable[Part]:
    return [_return(orders_events.ReturnClosed.FromString(data).return_id)]


def _return(return_id: str) -> Part:
    return Part(f"return {return_id}", "", 0)


def _minor(amount: Money) -> int:
    return amount.units * 100 + amount.nanos // 10_000_000


def _order_rejected(data: bytes) -> Iterable[Part]:
    shortages = orders_events.OrderRejected.FromString(data).shortages
    return [Part(one.product_id, "", one.wanted) for one in shortages]


def _payment(data: bytes) -> Iterable[Part]:
    """The fact in place of the product, its amount in place of the units."""
    payment = orders_events.PaymentRecorded.FromString(data).payment
    kind = orders_pb2.PaymentKind.Name(payment.kind).removeprefix("PAYMENT_KIND_")
    return [Part(f"{kind} {payment.reference}", "", _minor(payment.amount))]


def _stock_rejected(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.StockRejected.FromString(data).state)


def _reserved(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.StockReserved.FromString(data).state)


def _changed(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.ReservationChanged.FromString(data).state)


def _released(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.ReservationReleased.FromString(data).state)


def _state(state: inventory_events.ReservationState) -> Iterable[Part]:
    """What is held, what waits, and what was missing, after the revision."""
    return [
        Part(REVISION, "", state.revision),
        *(Part(one.product_id, one.location_id, one.quantity) for one in state.stock),
        *(Part(one.product_id, QUEUED, one.quantity) for one in state.queued),
        *(Part(one.product_id, MISSING, one.wanted) for one in state.missing),
    ]


def _level_changed(data: bytes) -> Iterable[Part]:
    message = inventory_events.StockLevelChanged.FromString(data)
    level = message.level
    parts = [Part(message.product_id, level.location_id, level.on_hand)]
    if level.quarantined:
        parts += [Part(QUARANTINED, level.location_id, level.quarantined)]
    return parts


_CONTENTS: dict[str, Callable[[bytes], Iterable[Part]]] = {
    "holdfast.orders.v1.OrderPlaced": _placed,
    "holdfast.orders.v1.OrderReserved": _nothing,
    "holdfast.orders.v1.HoldExtended": _nothing,
    "holdfast.orders.v1.PaymentRecorded": _payment,
    "holdfast.orders.v1.OrderConfirmed": _nothing,
    "holdfast.orders.v1.OrderRejected": _order_rejected,
    "holdfast.orders.v1.OrderEditRequested": _edit_requested,
    "holdfast.orders.v1.OrderEdited": _nothing,
    "holdfast.orders.v1.OrderEditRefused": _edit_refused,
    "holdfast.orders.v1.OrderShipped": _shipped,
    "holdfast.orders.v1.ShipmentUpdated": _shipment_updated,
    "holdfast.orders.v1.OrderRestCancelled": _rest_cancelled,
    "holdfast.orders.v1.ReturnOpened": _return_opened,
    "holdfast.orders.v1.ReturnReceived": _return_received,
    "holdfast.orders.v1.ReturnClosed": _return_closed,
    "holdfast.orders.v1.OrderCancelled": _cancelled,
    "holdfast.orders.v1.OrderExpired": _expired,
    "holdfast.orders.v1.StockAskedAgain": _asked_again,
    "holdfast.orders.v1.OrderUpdated": _nothing,
    "holdfast.inventory.v1.StockReserved": _reserved,
    "holdfast.inventory.v1.StockRejected": _stock_rejected,
    "holdfast.inventory.v1.ReservationReleased": _released,
    "holdfast.inventory.v1.ReservationChanged": _changed,
    "holdfast.inventory.v1.StockLevelChanged": _level_changed,
}
