"""Which events of Orders a customer hears of by mail."""

from typing import Any

from google.protobuf.message import Message

from holdfast.client import Event
from holdfast.contracts.orders.v1 import events_pb2 as events
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.notifier.domain.mail import MailKind

_KINDS: dict[Any, MailKind] = {
    events.OrderConfirmed: MailKind.CONFIRMED,
    events.OrderEdited: MailKind.EDITED,
    events.OrderRestCancelled: MailKind.REST_CANCELLED,
    events.OrderRejected: MailKind.REJECTED,
    events.OrderCancelled: MailKind.CANCELLED,
    events.OrderExpired: MailKind.EXPIRED,
    events.ReturnReceived: MailKind.RETURN_RECEIVED,
}

# Of which what has happened decides, beside the type.
DECIDED_BY_DATA = (events.OrderShipped, events.PaymentRecorded)

TYPES = frozenset(kind.DESCRIPTOR.full_name for kind in (*_KINDS, *DECIDED_BY_DATA))


def kind_of(event: Event) -> MailKind | None:
    """Return what a customer is told when this has happened; None: nothing.

    Nothing is told of what the shop does with the customer there (OrderPlaced, OrderReserved,
    holds, edits that were refused, ReturnOpened), of payments that come in, nor of what leaves no
    trace of whether it was told before (ShipmentUpdated).
    """
    return kind_told_by(event.data)


def kind_told_by(happened: Message | None) -> MailKind | None:
    """Return the same of what an event tells."""
    match happened:
        case events.OrderShipped(wanted=wanted):
            return MailKind.SHIPPED if wanted.over else MailKind.PARTIALLY_SHIPPED
        case events.PaymentRecorded(payment=payment):
            is_refund = payment.kind == orders_pb2.PAYMENT_KIND_REFUNDED
            return MailKind.REFUNDED if is_refund else None
        case data:
            return _KINDS.get(type(data))
