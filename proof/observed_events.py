"""Read events as they were seen on the audit queue into what the checker needs of them."""

from collections.abc import Callable, Iterable

from google.protobuf.message import DecodeError

from holdfast.chassis.messaging.broker import Event
from holdfast.contracts.inventory.v1 import events_pb2 as inventory_events
from holdfast.contracts.orders.v1 import events_pb2 as orders_events
from holdfast.contracts.orders.v1 import orders_pb2
from proof.snapshot import MISSING, REVISION, ObservedEvent, Part


def observed_event(event: Event) -> ObservedEvent:
    """Keep of an event what the checker needs."""
    read = _CONTENTS.get(event.type)
    content: tuple[Part, ...] | None = None
    if read is not None:
        try:
            content = tuple(read(event.data))
        except DecodeError:
            content = None
    return ObservedEvent(event.event_id, event.type, event.subject, event.sequence, content)


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
    """What is wanted, after the revision; nothing more when the order is over."""
    return [
        Part(REVISION, "", wanted.revision),
        *(Part(one.product_id, "", one.quantity) for one in wanted.products),
    ]


def _order_rejected(data: bytes) -> Iterable[Part]:
    shortages = orders_events.OrderRejected.FromString(data).shortages
    return [Part(one.product_id, "", one.wanted) for one in shortages]


def _payment(data: bytes) -> Iterable[Part]:
    """The fact in place of the product, its amount in place of the units."""
    payment = orders_events.PaymentRecorded.FromString(data).payment
    kind = orders_pb2.PaymentKind.Name(payment.kind).removeprefix("PAYMENT_KIND_")
    minor = payment.amount.units * 100 + payment.amount.nanos // 10_000_000
    return [Part(f"{kind} {payment.reference}", "", minor)]


def _stock_rejected(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.StockRejected.FromString(data).state)


def _reserved(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.StockReserved.FromString(data).state)


def _released(data: bytes) -> Iterable[Part]:
    return _state(inventory_events.ReservationReleased.FromString(data).state)


def _state(state: inventory_events.ReservationState) -> Iterable[Part]:
    """What is held, and what was missing, after the revision."""
    return [
        Part(REVISION, "", state.revision),
        *(Part(one.product_id, one.location_id, one.quantity) for one in state.stock),
        *(Part(one.product_id, MISSING, one.wanted) for one in state.missing),
    ]


def _level_changed(data: bytes) -> Iterable[Part]:
    message = inventory_events.StockLevelChanged.FromString(data)
    return [Part(message.product_id, message.level.location_id, message.level.on_hand)]


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
    "holdfast.orders.v1.OrderCancelled": _cancelled,
    "holdfast.orders.v1.OrderExpired": _expired,
    "holdfast.orders.v1.StockAskedAgain": _asked_again,
    "holdfast.orders.v1.OrderUpdated": _nothing,
    "holdfast.inventory.v1.StockReserved": _reserved,
    "holdfast.inventory.v1.StockRejected": _stock_rejected,
    "holdfast.inventory.v1.ReservationReleased": _released,
    "holdfast.inventory.v1.StockLevelChanged": _level_changed,
}
