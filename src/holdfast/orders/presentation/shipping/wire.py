"""Shipments on the wire: read with all their violations, written as they are."""

from collections.abc import Callable

from holdfast.chassis import times
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.shipping.ship_order import ShipOrder, UpdateShipment
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.shipping.shipment import (
    ITEMS_MAX,
    AskedItem,
    Shipment,
    shipped_by_line,
)
from holdfast.orders.presentation.ordering.lines_wire import read_units

TRAVELS_CHARACTERS_MAX = {"carrier": 200, "tracking_number": 200, "tracking_url": 2_000}
UPDATED = (*TRAVELS_CHARACTERS_MAX, "deliver_time")


def read_shipment(
    request: pb.ShipOrderRequest, caller: Caller, violations: Violations, new_id: Callable[[], str]
) -> ShipOrder:
    if len(request.items) > ITEMS_MAX:
        violations.size("items", len(request.items), highest=ITEMS_MAX)
    items = tuple(
        AskedItem(
            *read_units(one, violations, f"items[{i}]"),
            _location(f"items[{i}].location_id", one.location_id, violations),
        )
        for i, one in enumerate(request.items[:ITEMS_MAX])
    )
    return ShipOrder(
        violations.uuid("order_id", request.order_id),
        violations.optional_id("shipment_id", request.shipment_id) or new_id(),
        items,
        _location("location_id", request.location_id, violations),
        *_read_travels(request, violations),
        caller,
    )


def _location(field: str, location_id: str, violations: Violations) -> str:
    return violations.optional_id(field, location_id, characters_max=LOCATION_CHARACTERS_MAX)


def _read_travels(
    given: pb.ShipOrderRequest | pb.Shipment, violations: Violations, at: str = ""
) -> tuple[str, str, str]:
    carrier, number, url = (
        violations.text(f"{at}{name}", getattr(given, name), characters_max=limit)
        for name, limit in TRAVELS_CHARACTERS_MAX.items()
    )
    return carrier, number, url


def read_update(
    request: pb.UpdateShipmentRequest, caller: Caller, violations: Violations
) -> UpdateShipment:
    named = set(request.update_mask.paths)
    violations.update_mask(request.update_mask.paths, UPDATED)
    carrier, number, url = _read_travels(request.shipment, violations, "shipment.")
    delivered_at = None
    if "deliver_time" in named and request.shipment.HasField("deliver_time"):
        delivered_at = violations.instant("shipment.deliver_time", request.shipment.deliver_time)
    return UpdateShipment(
        violations.uuid("order_id", request.order_id),
        violations.id("shipment_id", request.shipment_id),
        carrier if "carrier" in named else None,
        number if "tracking_number" in named else None,
        url if "tracking_url" in named else None,
        delivered_at,
        caller,
        takes_back_delivery="deliver_time" in named and delivered_at is None,
    )


def write_shipments(message: pb.Order, order: Order) -> None:
    """Write what has left, and of each line how much; its lines are written."""
    if not order.shipments:
        return
    shipped = shipped_by_line(order.shipments)
    for line in message.lines:
        line.shipped = shipped[line.line_no]
    for shipment in order.shipments:
        write_shipment(message.shipments.add(), shipment)


def write_shipment(message: pb.Shipment, shipment: Shipment) -> None:
    message.shipment_id = shipment.shipment_id
    for line_no, product_id, location_id, quantity in shipment.items:
        message.items.add(
            line_no=line_no, product_id=product_id, location_id=location_id, quantity=quantity
        )
    message.carrier = shipment.carrier
    message.tracking_number = shipment.tracking_number
    message.tracking_url = shipment.tracking_url
    times.write(message.ship_time, shipment.shipped_at)
    if shipment.delivered_at:
        times.write(message.deliver_time, shipment.delivered_at)
