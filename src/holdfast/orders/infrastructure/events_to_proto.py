"""Orders' events on their way out: from the domain to protobuf in an envelope."""

from collections.abc import Callable
from datetime import datetime

from google.protobuf.message import Message

from holdfast.chassis import money, times
from holdfast.chassis.grpc import sourcing
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
    OrderRestCancelled,
    OrderShipped,
    OrderUpdated,
    PaymentRecorded,
    ReturnClosed,
    ReturnOpened,
    ReturnReceived,
    ShipmentUpdated,
    StockAskedAgain,
)
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY
from holdfast.orders.domain.ordering.stock import StockWanted
from holdfast.orders.domain.shipping.shipment import Shipment


class EventCodec:
    """Gives events their envelope: id, type, aggregate, time and trace."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def encode(
        self, event: OrderEvent, order_id: str, version: int, at: datetime, caller: Caller
    ) -> Event:
        message = _message(event, order_id, at)
        return Event(
            event_id=self._new_id(),
            type=message.DESCRIPTOR.full_name,
            subject=order_id,
            sequence=version,
            time=at,
            data=message.SerializeToString(),
            traceparent=caller.traceparent,
            is_repeat=isinstance(event, StockAskedAgain),
        )


def _message(event: OrderEvent, order_id: str, at: datetime) -> Message:
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
            times.write(recorded.payment.record_time, at)
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
        case OrderShipped() | ShipmentUpdated() | OrderRestCancelled():
            return _shipping_message(event, order_id)
        case ReturnOpened() | ReturnReceived() | ReturnClosed():
            return _return_message(event, order_id)
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


def _shipping_message(
    event: OrderShipped | ShipmentUpdated | OrderRestCancelled, order_id: str
) -> Message:
    match event:
        case OrderShipped(wanted, shipment):
            shipped = events_pb2.OrderShipped(order_id=order_id)
            _write_wanted(shipped.wanted, wanted)
            _write_shipment(shipped.shipment, shipment)
            return shipped
        case ShipmentUpdated(shipment):
            updated = events_pb2.ShipmentUpdated(order_id=order_id)
            _write_shipment(updated.shipment, shipment)
            return updated
        case OrderRestCancelled(wanted, total):
            rest = events_pb2.OrderRestCancelled(order_id=order_id)
            _write_wanted(rest.wanted, wanted)
            money.write(rest.total, *total)
            return rest


def _return_message(event: ReturnOpened | ReturnReceived | ReturnClosed, order_id: str) -> Message:
    match event:
        case ReturnOpened(goods_return):
            return events_pb2.ReturnOpened(order_id=order_id, return_id=goods_return.return_id)
        case ReturnReceived(wanted, goods_return):
            received = events_pb2.ReturnReceived(
                order_id=order_id, return_id=goods_return.return_id
            )
            _write_wanted(received.wanted, wanted)
            return received
        case ReturnClosed(goods_return):
            return events_pb2.ReturnClosed(order_id=order_id, return_id=goods_return.return_id)


def _shortage(s: Shortage) -> orders_pb2.Shortage:
    return orders_pb2.Shortage(product_id=s.product_id, wanted=s.wanted, available=s.available)


def _write_wanted(message: events_pb2.StockWanted, wanted: StockWanted) -> None:
    message.revision = wanted.revision
    message.over = wanted.over
    for shipment_id, product_id, location_id, quantity in wanted.shipped:
        message.shipped.add(
            shipment_id=shipment_id,
            product_id=product_id,
            location_id=location_id,
            quantity=quantity,
        )
    for receipt in wanted.received:
        message.received.add(
            receipt_id=receipt.receipt_id,
            product_id=receipt.product_id,
            location_id=receipt.location_id,
            quantity=receipt.quantity,
            disposition=orders_pb2.Disposition.Value(f"DISPOSITION_{receipt.disposition}"),
        )
    if wanted.sourcing is not BY_PRIORITY:
        sourcing.write(message.sourcing, *wanted.sourcing)
    if wanted.asked_at is not None:
        times.write(message.asked_time, wanted.asked_at)
    for product_id, quantity in wanted.products.items():
        message.products.add(product_id=product_id, quantity=quantity)


def _write_shipment(message: orders_pb2.Shipment, shipment: Shipment) -> None:
    shipment_id, _, items, carrier, number, url, _, shipped_at, delivered_at = shipment
    message.shipment_id, message.carrier = shipment_id, carrier
    message.tracking_number, message.tracking_url = number, url
    message.items.extend(orders_pb2.ShipmentItem(**item._asdict()) for item in items)
    times.write(message.ship_time, shipped_at)
    if delivered_at is not None:
        times.write(message.deliver_time, delivered_at)
