"""Inventory's events on their way out: from the domain to protobuf in an envelope."""

from collections.abc import Callable, Iterable
from datetime import datetime

from google.protobuf.message import Message

from holdfast.chassis.broker import Event
from holdfast.contracts.inventory.v1 import events_pb2, inventory_pb2
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import (
    InventoryEvent,
    ReservationReleased,
    StockLevelChanged,
    StockRejected,
    StockReserved,
)
from holdfast.inventory.domain.stock import ReservedStock

# With more, what was reserved is left out of an event: a message must fit through the broker, and
# the ledger tells it by order.
STOCK_BYTES_MAX = 2 * 1024 * 1024


class EventCodec:
    """Gives events their envelope: id, type, aggregate, time and trace."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def encode(self, event: InventoryEvent, at: datetime, caller: Caller) -> Event:
        message = _message(event)
        return Event(
            event_id=self._new_id(),
            type=message.DESCRIPTOR.full_name,
            subject=event.product_id if isinstance(event, StockLevelChanged) else event.order_id,
            sequence=event.sequence,
            time=at,
            data=message.SerializeToString(),
            traceparent=caller.traceparent,
        )


def _message(event: InventoryEvent) -> Message:
    match event:
        case StockReserved():
            return _with_stock(events_pb2.StockReserved(order_id=event.order_id), event.stock)
        case ReservationReleased():
            return _with_stock(events_pb2.ReservationReleased(order_id=event.order_id), event.stock)
        case StockRejected():
            missing = [
                events_pb2.MissingStock(
                    product_id=s.product_id, wanted=s.wanted, available=s.available
                )
                for s in event.shortages
            ]
            return events_pb2.StockRejected(order_id=event.order_id, missing=missing)
        case StockLevelChanged():
            level = inventory_pb2.StockLevel(
                location_id=event.location_id,
                on_hand=event.on_hand,
                reserved=event.reserved,
                available=event.on_hand - event.reserved,
                version=event.sequence,
            )
            return events_pb2.StockLevelChanged(product_id=event.product_id, level=level)


def _with_stock(
    message: events_pb2.StockReserved | events_pb2.ReservationReleased,
    parts: Iterable[ReservedStock],
) -> Message:
    for product_id, location_id, quantity in parts:
        message.stock.add(product_id=product_id, location_id=location_id, quantity=quantity)
    if message.ByteSize() > STOCK_BYTES_MAX:  # many products, each from many locations
        del message.stock[:]
    return message
