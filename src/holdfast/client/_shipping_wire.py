"""Shipments and returns, from the wire and to it."""

from collections.abc import Iterable

from holdfast.client._enums import by_number
from holdfast.client._money_wire import money_from_wire
from holdfast.client._shipping_types import (
    Disposition,
    ReceiptLine,
    Return,
    ReturnLine,
    ReturnReceipt,
    ReturnState,
    Shipment,
    ShipmentItem,
)
from holdfast.client._times import time_from_wire
from holdfast.contracts.orders.v1 import orders_pb2


def shipments_from_wire(messages: Iterable[orders_pb2.Shipment]) -> tuple[Shipment, ...]:
    return tuple(
        Shipment(
            shipment_id=m.shipment_id,
            items=tuple(
                ShipmentItem(one.line_no, one.quantity, one.location_id, one.product_id)
                for one in m.items
            ),
            carrier=m.carrier,
            tracking_number=m.tracking_number,
            tracking_url=m.tracking_url,
            ship_time=time_from_wire(m.ship_time),
            deliver_time=time_from_wire(m.deliver_time) if m.HasField("deliver_time") else None,
        )
        for m in messages
    )


def return_from_wire(message: orders_pb2.Return) -> Return:
    return Return(
        return_id=message.return_id,
        order_id=message.order_id,
        state=_STATES.get(message.state, ReturnState.UNKNOWN),
        lines=tuple(
            ReturnLine(m.line_no, m.quantity, m.reason, m.product_id, m.received)
            for m in message.lines
        ),
        receipts=tuple(_receipt_from_wire(receipt) for receipt in message.receipts),
        value=money_from_wire(message.value),
        open_time=time_from_wire(message.open_time),
        close_time=time_from_wire(message.close_time) if message.HasField("close_time") else None,
    )


def _receipt_from_wire(message: orders_pb2.ReturnReceipt) -> ReturnReceipt:
    return ReturnReceipt(
        request_id=message.request_id,
        lines=tuple(
            ReceiptLine(
                m.line_no,
                m.quantity,
                _DISPOSITIONS.get(m.disposition, Disposition.UNKNOWN),
                m.location_id,
                m.product_id,
            )
            for m in message.lines
        ),
        receive_time=time_from_wire(message.receive_time),
    )


def disposition_to_wire(disposition: Disposition) -> orders_pb2.Disposition.ValueType:
    return orders_pb2.Disposition.Value(f"DISPOSITION_{disposition}")


_DISPOSITIONS = by_number(orders_pb2.Disposition.Value, "DISPOSITION", Disposition)
_STATES = by_number(orders_pb2.ReturnState.Value, "RETURN_STATE", ReturnState)
