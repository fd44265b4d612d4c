"""Shipments and returns as request messages, checked like everything in `_requests`."""

from collections.abc import Iterator
from typing import TypeVar

from holdfast.client._checks import LINE_NO_MAX, QUANTITY_MAX, Checks
from holdfast.client._shipping_types import Disposition, ReceiptLine, ReturnLine, ShipmentItem
from holdfast.client._shipping_wire import disposition_to_wire
from holdfast.client._times import time_to_wire
from holdfast.contracts.orders.v1 import orders_pb2

Item = TypeVar("Item", ShipmentItem, ReturnLine, ReceiptLine)


def ship_order(
    order_id: object, items: object, *, shipment_id: object, **texts: object
) -> orders_pb2.ShipOrderRequest:
    """Without items all that is held."""
    checks = Checks()
    request = orders_pb2.ShipOrderRequest(
        order_id=checks.text("order_id", order_id),
        shipment_id=checks.request_id(shipment_id, "shipment_id"),
    )
    for name, value in texts.items():
        setattr(request, name, checks.text(name, value))
    for at, item in () if items is None else _each(checks, "items", items, ShipmentItem):
        written = request.items.add(location_id=checks.text(f"{at}.location_id", item.location_id))
        _write_units(checks, written, at, item)
    checks.raise_any()
    return request


def update_shipment(
    order_id: object,
    shipment_id: object,
    *,
    delivered: object,
    not_delivered: object,
    **texts: object,
) -> orders_pb2.UpdateShipmentRequest:
    """What is None is left as it is."""
    checks = Checks()
    request = orders_pb2.UpdateShipmentRequest(
        order_id=checks.text("order_id", order_id),
        shipment_id=checks.text("shipment_id", shipment_id),
    )
    given = {name: value for name, value in texts.items() if value is not None}
    for name, value in given.items():
        setattr(request.shipment, name, checks.text(f"shipment.{name}", value))
    request.update_mask.paths.extend(given)
    arrival = time_to_wire(checks.instant("shipment.deliver_time", delivered))
    is_taken_back = checks.flag("not_delivered", not_delivered)
    if arrival is not None:
        request.shipment.deliver_time.CopyFrom(arrival)
    if arrival is not None and is_taken_back:
        checks.add("not_delivered", "must not be set beside delivered")
    if arrival is not None or is_taken_back:
        request.update_mask.paths.append("deliver_time")
    checks.raise_any()
    return request


def open_return(
    order_id: object, lines: object, request_id: object
) -> orders_pb2.OpenReturnRequest:
    checks = Checks()
    request = orders_pb2.OpenReturnRequest(
        order_id=checks.text("order_id", order_id), request_id=checks.request_id(request_id)
    )
    for at, line in _each(checks, "lines", lines, ReturnLine):
        written = request.lines.add(reason=checks.text(f"{at}.reason", line.reason))
        _write_units(checks, written, at, line)
    checks.raise_any()
    return request


def receive_return(
    return_id: object, lines: object, request_id: object
) -> orders_pb2.ReceiveReturnRequest:
    checks = Checks()
    request = orders_pb2.ReceiveReturnRequest(
        return_id=checks.text("return_id", return_id), request_id=checks.request_id(request_id)
    )
    for at, line in _each(checks, "lines", lines, ReceiptLine):
        written = request.lines.add(location_id=checks.text(f"{at}.location_id", line.location_id))
        _write_units(checks, written, at, line)
        disposition = checks.known(f"{at}.disposition", line.disposition, Disposition)
        if disposition is not None:
            written.disposition = disposition_to_wire(disposition)
    checks.raise_any()
    return request


def close_return(return_id: object) -> orders_pb2.CloseReturnRequest:
    checks = Checks()
    request = orders_pb2.CloseReturnRequest(return_id=checks.text("return_id", return_id))
    checks.raise_any()
    return request


def _each(
    checks: Checks, field: str, values: object, kind: type[Item]
) -> Iterator[tuple[str, Item]]:
    """Each item of a list that must not be empty, and where it stands."""
    for number, item in enumerate(checks.items(field, values)):
        at = f"{field}[{number}]"
        if isinstance(item, kind):
            yield at, item
        else:
            checks.is_a(at, item, kind)


def _write_units(
    checks: Checks,
    message: orders_pb2.ShipmentItem | orders_pb2.ReturnLine | orders_pb2.ReceiptLine,
    at: str,
    asked: ShipmentItem | ReturnLine | ReceiptLine,
) -> None:
    """How many units of which line."""
    message.line_no = checks.number(f"{at}.line_no", asked.line_no, lowest=1, highest=LINE_NO_MAX)
    message.quantity = checks.number(
        f"{at}.quantity", asked.quantity, lowest=1, highest=QUANTITY_MAX
    )
