"""Inventory's events on their way out: from the domain to protobuf in an envelope."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message

from holdfast.chassis.messaging.broker import Event
from holdfast.contracts.inventory.v1 import events_pb2, inventory_pb2
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import (
    InventoryEvent,
    ReservationChanged,
    ReservationEvent,
    ReservationReleased,
    StockLevelChanged,
    StockRejected,
    StockReserved,
)
from holdfast.inventory.domain.stock.queues import units_of
from holdfast.inventory.domain.stock.sourcing import SourcingReason

# With more, what was reserved is left out of an event: a message must fit through the broker, and
# the ledger tells it by order.
STOCK_BYTES_MAX = 2 * 1024 * 1024


class EventCodec:
    """Gives events their envelope: id, type, aggregate, time and trace."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id

    def encode(self, event: InventoryEvent, at: datetime, caller: Caller) -> Event:
        message = _message(event)
        if isinstance(event, StockLevelChanged):
            subject, sequence, is_repeat = event.product_id, event.sequence, False
        else:
            subject, sequence = event.reservation.order_id, event.reservation.version
            is_repeat = event.is_repeat
        return Event(
            event_id=self._new_id(),
            type=message.DESCRIPTOR.full_name,
            subject=subject,
            sequence=sequence,
            time=at,
            data=message.SerializeToString(),
            traceparent=caller.traceparent,
            is_repeat=is_repeat,
        )


def _message(event: InventoryEvent) -> Message:
    match event:
        case StockReserved():
            return _told(event, events_pb2.StockReserved())
        case StockRejected():
            return _told(event, events_pb2.StockRejected())
        case ReservationReleased():
            return _told(event, events_pb2.ReservationReleased())
        case ReservationChanged(_, cause):
            number = events_pb2.ReservationCause.Value(f"RESERVATION_CAUSE_{cause}")
            return _told(event, events_pb2.ReservationChanged(cause=number))
        case StockLevelChanged():
            level = inventory_pb2.StockLevel(
                location_id=event.location_id,
                on_hand=event.on_hand,
                reserved=event.reserved,
                available=event.available,
                version=event.sequence,
                quarantined=event.quarantined,
            )
            return events_pb2.StockLevelChanged(product_id=event.product_id, level=level)


Answer = TypeVar(
    "Answer",
    events_pb2.StockReserved,
    events_pb2.StockRejected,
    events_pb2.ReservationReleased,
    events_pb2.ReservationChanged,
)


def _told(event: ReservationEvent, message: Answer) -> Answer:
    """Write the whole reservation into an answer."""
    reservation = event.reservation
    message.order_id = reservation.order_id
    state = message.state
    state.revision = reservation.revision
    for product_id, location_id, _, quantity, reason in reservation.stock:
        held = state.stock.add(product_id=product_id, location_id=location_id, quantity=quantity)
        if reason is not SourcingReason.PRIORITY:
            held.reason = inventory_pb2.SourcingReason.Value(f"SOURCING_REASON_{reason}")
    if message.ByteSize() > STOCK_BYTES_MAX:  # many products, each from many locations
        del state.stock[:]
    for short in reservation.missing:
        state.missing.add(
            product_id=short.product_id, wanted=short.wanted, available=short.available
        )
    if reservation.queued:
        for product_id, units in units_of(reservation.queued).items():
            state.queued.add(product_id=product_id, quantity=units)
    return message
