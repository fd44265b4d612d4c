"""Orders' events on their way out: from the domain to protobuf in an envelope."""

from collections.abc import Callable
from datetime import datetime

from google.protobuf.message import Message

from holdfast.chassis import money, times
from holdfast.chassis.messaging.broker import Event
from holdfast.contracts.orders.v1 import events_pb2, orders_pb2
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.events import (
    HoldExtended,
    OrderCancelled,
    OrderConfirmed,
    OrderEdited,
    OrderEditRefused,
    OrderEditRequested,
    OrderEvent,
    OrderExpired,
    OrderPlaced,
    OrderRejected,
    OrderReserved,
    OrderUpdated,
    PaymentRecorded,
    StockAskedAgain,
)
from holdfast.orders.domain.ordering.stock import StockWanted


class EventCodec:
    """Gives events their envelope: id, type, aggregate, time and trace."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def encode(
        self, event: OrderEvent, order_id: str, version: int, at: datetime, caller: Caller
    ) -> Event:
        message = _message(event, order_id)
        return Event(
            event_id=self._new_id(),
            type=message.DESCRIPTOR.full_name,
            subject=order_id,
            sequence=version,
            time=at,
            data=message.SerializeToString(),
            traceparent=caller.traceparent,
        )


def _message(event: OrderEvent, order_id: str) -> Message:
    match event:
        case OrderPlaced(customer_id, wanted, total):
            placed = events_pb2.OrderPlaced(order_id=order_id, customer_id=customer_id)
            _write_wanted(placed.wanted, wanted)
            money.write(placed.total, *total)
            return placed
        case OrderConfirmed():
            return events_pb2.OrderConfirmed(order_id=order_id)
        case OrderReserved(expires_at):
            reserved = events_pb2.OrderReserved(order_id=order_id)
            times.write(reserved.expires_time, expires_at)
            return reserved
        case HoldExtended(expires_at):
            extended = events_pb2.HoldExtended(order_id=order_id)
            times.write(extended.expires_time, expires_at)
            return extended
        case PaymentRecorded(payment):
            recorded = events_pb2.PaymentRecorded(order_id=order_id)
            recorded.payment.kind = orders_pb2.PaymentKind.Value(f"PAYMENT_KIND_{payment.kind}")
            recorded.payment.reference = payment.reference
            money.write(recorded.payment.amount, *payment.amount)
            return recorded
        case OrderRejected(shortages):
            rejected = events_pb2.OrderRejected(order_id=order_id)
            rejected.shortages.extend(map(_shortage, shortages))
            return rejected
        case OrderEditRequested(wanted):
            requested = events_pb2.OrderEditRequested(order_id=order_id)
            _write_wanted(requested.wanted, wanted)
            return requested
        case OrderEdited(total):
            edited = events_pb2.OrderEdited(order_id=order_id)
            money.write(edited.total, *total)
            return edited
        case OrderEditRefused(missing):
            refused = events_pb2.OrderEditRefused(order_id=order_id)
            refused.missing.extend(map(_shortage, missing))
            return refused
        case OrderCancelled(wanted):
            cancelled = events_pb2.OrderCancelled(order_id=order_id)
            _write_wanted(cancelled.wanted, wanted)
            return cancelled
        case OrderExpired(wanted):
            expired = events_pb2.OrderExpired(order_id=order_id)
            _write_wanted(expired.wanted, wanted)
            return expired
        case OrderUpdated():
            return events_pb2.OrderUpdated(order_id=order_id)
        case StockAskedAgain(wanted):
            again = events_pb2.StockAskedAgain(order_id=order_id)
            _write_wanted(again.wanted, wanted)
            return again


def _shortage(s: Shortage) -> orders_pb2.Shortage:
    return orders_pb2.Shortage(product_id=s.product_id, wanted=s.wanted, available=s.available)


def _write_wanted(message: events_pb2.StockWanted, wanted: StockWanted) -> None:
    message.revision = wanted.revision
    message.over = wanted.over
    for product_id, quantity in wanted.products.items():
        message.products.add(product_id=product_id, quantity=quantity)
