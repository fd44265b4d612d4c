"""How callers' calls look on the wire, and what of the answers they write down."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.money_pb2 import Money

from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2
from proof.history import Facts
from proof.simulation import places_wire, transfers_wire
from proof.workload import UNLIMITED

CENT_NANOS = 10_000_000
LIMITED = inventory_pb2.BACKORDER_MODE_LIMITED
UNLIMITED_MODE = inventory_pb2.BACKORDER_MODE_UNLIMITED
EDITED = ("lines", "charges", "sourcing")  # of an order, as far as an edit names it


@dataclass(frozen=True, slots=True)
class Method:
    """How a call looks on the wire."""

    service: str
    path: str
    write: Callable[[Facts], Any]
    read: Callable[[bytes], dict[str, Any]]


def order_request(facts: Facts) -> orders_pb2.CreateOrderRequest:
    return orders_pb2.CreateOrderRequest(
        customer_id=facts["customer_id"],
        request_id=facts["request_id"],
        lines=[
            orders_pb2.OrderLine(product_id=product_id, quantity=quantity)
            for product_id, quantity in facts["lines"]
        ],
        hold=Duration(seconds=facts["hold_s"]) if "hold_s" in facts else None,
        charges=_charges(facts),
        sourcing=places_wire.sourcing(facts),
    )


def _charges(facts: Facts) -> list[orders_pb2.Charge]:
    return [
        orders_pb2.Charge(
            kind=orders_pb2.ChargeKind.Value(f"CHARGE_KIND_{kind}"),
            line_no=line_no,
            amount=_money(minor),
        )
        for kind, line_no, minor in facts.get("charges", ())
    ]


def _money(minor: int) -> Money:
    return Money(units=minor // 100, nanos=minor % 100 * CENT_NANOS)


def _edit_request(facts: Facts) -> orders_pb2.UpdateOrderRequest:
    return orders_pb2.UpdateOrderRequest(
        order_id=facts["order_id"],
        version=facts["version"],
        update_mask=FieldMask(paths=[name for name in EDITED if name in facts]),
        lines=[
            orders_pb2.OrderLine(
                line_no=line_no,
                product_id=product_id,
                quantity=quantity,
                unit_price=None if minor is None else _money(minor),
            )
            for line_no, product_id, quantity, minor in facts["lines"]
        ],
        charges=_charges(facts),
        sourcing=places_wire.sourcing(facts),
    )


def _cancel_request(facts: Facts) -> orders_pb2.CancelOrderRequest:
    return orders_pb2.CancelOrderRequest(
        order_id=facts["order_id"],
        version=facts["version"],
        lines=[
            orders_pb2.CancelledUnits(line_no=line_no, quantity=quantity)
            for line_no, quantity in facts["units"]
        ],
    )


def _confirm_request(facts: Facts) -> orders_pb2.ConfirmOrderRequest:
    request = orders_pb2.ConfirmOrderRequest(
        order_id=facts["order_id"], payment_reference=facts["payment_reference"]
    )
    if "kind" in facts:
        paid = _payment_request({**facts, "reference": facts["payment_reference"]})
        request.payment_kind = paid.kind
        request.amount.CopyFrom(paid.amount)
    return request


def _payment_request(facts: Facts) -> orders_pb2.RecordPaymentRequest:
    kind = orders_pb2.PaymentKind.Value(f"PAYMENT_KIND_{facts['kind']}")
    request = orders_pb2.RecordPaymentRequest(
        order_id=facts["order_id"], kind=kind, reference=facts["reference"]
    )
    request.amount.CopyFrom(_money(facts["amount_minor"]))
    return request


def _ship_request(facts: Facts) -> orders_pb2.ShipOrderRequest:
    return orders_pb2.ShipOrderRequest(
        order_id=facts["order_id"],
        shipment_id=facts["shipment_id"],
        items=[
            orders_pb2.ShipmentItem(line_no=line_no, quantity=quantity, location_id=location_id)
            for line_no, quantity, location_id in facts["items"]
        ],
        location_id=facts["location_id"],
    )


def _update_request(facts: Facts) -> orders_pb2.UpdateShipmentRequest:
    paths = ["tracking_number", *(["deliver_time"] if facts["delivered"] else [])]
    request = orders_pb2.UpdateShipmentRequest(
        order_id=facts["order_id"],
        shipment_id=facts["shipment_id"],
        shipment=orders_pb2.Shipment(tracking_number=facts["tracking_number"]),
        update_mask=FieldMask(paths=paths),
    )
    if facts["delivered"]:
        request.shipment.deliver_time.FromMicroseconds(facts["delivered"])
    return request


def _opening_request(facts: Facts) -> orders_pb2.OpenReturnRequest:
    return orders_pb2.OpenReturnRequest(
        order_id=facts["order_id"],
        request_id=facts["request_id"],
        lines=[
            orders_pb2.ReturnLine(line_no=line_no, quantity=quantity)
            for line_no, quantity in facts["lines"]
        ],
    )


def _receipt_request(facts: Facts) -> orders_pb2.ReceiveReturnRequest:
    return orders_pb2.ReceiveReturnRequest(
        return_id=facts["return_id"],
        request_id=facts["request_id"],
        lines=[
            orders_pb2.ReceiptLine(
                line_no=line_no,
                quantity=quantity,
                disposition=orders_pb2.Disposition.Value(f"DISPOSITION_{disposition}"),
                location_id=location_id,
            )
            for line_no, quantity, disposition, location_id in facts["lines"]
        ],
    )


def _status(number: int) -> str:
    name: str = orders_pb2.OrderStatus.Name(number)  # type: ignore[arg-type]
    return name.removeprefix("ORDER_STATUS_")


def _placed(body: bytes) -> dict[str, Any]:
    return state_of(orders_pb2.CreateOrderResponse.FromString(body))


def state_of(answer: orders_pb2.CreateOrderResponse) -> dict[str, Any]:
    return {"order_id": answer.order_id, "status": _status(answer.status)}


def _order(body: bytes) -> dict[str, Any]:
    order = orders_pb2.Order.FromString(body)
    return {
        "order_id": order.order_id,
        "status": _status(order.status),
        "version": order.version,
        "lines": [[line.product_id, line.quantity] for line in order.lines],
        "numbers": [line.line_no for line in order.lines],
        "total_minor": order.total.units * 100 + order.total.nanos // CENT_NANOS,
        "stock": [[one.product_id, one.location_id, one.quantity] for one in order.stock],
        "queued": [[one.product_id, one.quantity] for one in order.queued],
        "shipments": [[one.shipment_id, _items(one)] for one in order.shipments],
        "left_us": [one.ship_time.ToMicroseconds() for one in order.shipments],
    }


def _items(shipment: orders_pb2.Shipment) -> list[list[Any]]:
    return [[one.line_no, one.product_id, one.location_id, one.quantity] for one in shipment.items]


def _return(body: bytes) -> dict[str, Any]:
    one = orders_pb2.Return.FromString(body)
    return {
        "order_id": one.order_id,
        "return_id": one.return_id,
        "closed": one.state == orders_pb2.RETURN_STATE_CLOSED,
        "units": [[line.line_no, line.quantity, line.received] for line in one.lines],
        "receipts": [receipt.request_id for receipt in one.receipts],
    }


def _level(level: Any) -> dict[str, Any]:
    return {
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "quarantined": level.quarantined,
        "available": level.available,
    }


def _stock(body: bytes) -> dict[str, Any]:
    info = inventory_pb2.StockInfo.FromString(body)
    levels = [
        [one.location_id, one.on_hand, one.reserved, one.quarantined, one.version]
        for one in info.levels
    ]
    free = [[one.location_id, one.available] for one in info.levels]
    coming = transfers_wire.coming(info)
    numbers = {**_level(info), "queued": info.queued}
    return {**numbers, "levels": levels, "free": free, "coming": coming}


def _queue(body: bytes) -> dict[str, Any]:
    page = inventory_pb2.ListBackordersResponse.FromString(body)
    rows = [[one.order_id, one.quantity, one.units_ahead, one.position] for one in page.backorders]
    return {"rows": rows}


def _question(facts: Facts) -> inventory_pb2.ExplainStockRequest:
    request = inventory_pb2.ExplainStockRequest(product_id=facts["product_id"])
    if "as_of_us" in facts:
        request.as_of.FromMicroseconds(facts["as_of_us"])
    return request


def _explanation(body: bytes) -> dict[str, Any]:
    answer = inventory_pb2.ExplainStockResponse.FromString(body)
    return {
        "product_id": answer.product_id,
        "explained": [_explained(one) for one in answer.levels if one.movements],
    }


def _explained(told: inventory_pb2.ExplainedLevel) -> dict[str, Any]:
    level, earlier, newest = told.level, told.earlier, told.movements[0]
    return {
        "location_id": level.location_id,
        "units": [level.on_hand, level.reserved, level.quarantined],
        "version": level.version,
        "earlier": [earlier.on_hand, earlier.reserved, earlier.quarantined],
        "sums": sorted(
            [_kind(one.kind), one.movements, one.on_hand, one.reserved, one.quarantined]
            for one in told.sums
        ),
        "holds": [[one.order_id, one.quantity] for one in told.holds],
        "held": [told.hold_orders, told.hold_units],
        "movements": [one.movement_id for one in told.movements],
        "moved_at_us": newest.create_time.ToMicroseconds(),
    }


def _kind(number: int) -> str:
    name: str = inventory_pb2.MovementKind.Name(number)  # type: ignore[arg-type]
    return name.removeprefix("MOVEMENT_KIND_")


def _product(facts: Facts) -> inventory_pb2.CreateProductRequest:
    product = inventory_pb2.Product(product_id=facts["product_id"], name="A thing", active=True)
    product.safety_stock = facts.get("safety_stock", 0)
    product.unit_price.currency_code, product.unit_price.units = "GBP", 19
    product.unit_price.nanos = 99 * CENT_NANOS
    if units := facts.get("waits_max", 0):
        limited = units < UNLIMITED
        product.backorder.mode = LIMITED if limited else UNLIMITED_MODE
        product.backorder.units_max = units if limited else 0
    return inventory_pb2.CreateProductRequest(product=product)


ORDERS, INVENTORY = (
    "/holdfast.orders.v1.OrderService/",
    "/holdfast.inventory.v1.InventoryService/",
)
METHODS = {
    "CreateOrder": Method("orders", ORDERS + "CreateOrder", order_request, _placed),
    "GetOrderDetails": Method(
        "orders",
        ORDERS + "GetOrderDetails",
        lambda facts: orders_pb2.GetOrderDetailsRequest(order_id=facts["order_id"]),
        _order,
    ),
    "CancelOrder": Method(
        "orders",
        ORDERS + "CancelOrder",
        lambda facts: orders_pb2.CancelOrderRequest(order_id=facts["order_id"]),
        _order,
    ),
    "ConfirmOrder": Method(
        "orders",
        ORDERS + "ConfirmOrder",
        _confirm_request,
        _order,
    ),
    "ExtendHold": Method(
        "orders",
        ORDERS + "ExtendHold",
        lambda facts: orders_pb2.ExtendHoldRequest(
            order_id=facts["order_id"], hold=Duration(seconds=facts["hold_s"])
        ),
        _order,
    ),
    "EditOrder": Method("orders", ORDERS + "UpdateOrder", _edit_request, _order),
    "CancelUnits": Method("orders", ORDERS + "CancelOrder", _cancel_request, _order),
    "RecordPayment": Method("orders", ORDERS + "RecordPayment", _payment_request, _order),
    "ShipOrder": Method("orders", ORDERS + "ShipOrder", _ship_request, _order),
    "UpdateShipment": Method("orders", ORDERS + "UpdateShipment", _update_request, _order),
    "OpenReturn": Method("orders", ORDERS + "OpenReturn", _opening_request, _return),
    "ReceiveReturn": Method("orders", ORDERS + "ReceiveReturn", _receipt_request, _return),
    "CloseReturn": Method(
        "orders",
        ORDERS + "CloseReturn",
        lambda facts: orders_pb2.CloseReturnRequest(return_id=facts["return_id"]),
        _return,
    ),
    "GetStockInfo": Method(
        "inventory",
        INVENTORY + "GetStockInfo",
        lambda facts: inventory_pb2.GetStockInfoRequest(product_id=facts["product_id"]),
        _stock,
    ),
    "ListBackorders": Method(
        "inventory",
        INVENTORY + "ListBackorders",
        lambda facts: inventory_pb2.ListBackordersRequest(**facts),
        _queue,
    ),
    "ExplainStock": Method("inventory", INVENTORY + "ExplainStock", _question, _explanation),
    "UpdateStock": Method(
        "inventory",
        INVENTORY + "AdjustStock",
        lambda facts: inventory_pb2.AdjustStockRequest(**facts, reason="counted"),
        lambda body: _level(inventory_pb2.AdjustStockResponse.FromString(body).level),
    ),
    "QuarantineStock": Method(
        "inventory",
        INVENTORY + "QuarantineStock",
        lambda facts: inventory_pb2.QuarantineStockRequest(**facts, reason="looks odd"),
        lambda body: _level(inventory_pb2.QuarantineStockResponse.FromString(body).level),
    ),
    "ReleaseQuarantine": Method(
        "inventory",
        INVENTORY + "ReleaseQuarantine",
        lambda facts: inventory_pb2.ReleaseQuarantineRequest(**facts, reason="looked at"),
        lambda body: _level(inventory_pb2.ReleaseQuarantineResponse.FromString(body).level),
    ),
    "CreateLocation": Method(
        "inventory", INVENTORY + "CreateLocation", places_wire.creation, lambda _: {}
    ),
    "UpdateLocation": Method(
        "inventory", INVENTORY + "UpdateLocation", places_wire.switch, places_wire.location
    ),
    "ListLocations": Method(
        "inventory",
        INVENTORY + "ListLocations",
        lambda _: inventory_pb2.ListLocationsRequest(),
        places_wire.locations,
    ),
    "CheckAvailability": Method(
        "inventory", INVENTORY + "CheckAvailability", places_wire.basket, places_wire.availability
    ),
    "CreateTransfer": Method(
        "inventory", INVENTORY + "CreateTransfer", transfers_wire.sending, transfers_wire.transfer
    ),
    "ReceiveTransfer": Method(
        "inventory", INVENTORY + "ReceiveTransfer", transfers_wire.receipt, transfers_wire.transfer
    ),
    "CloseTransfer": Method(
        "inventory",
        INVENTORY + "CloseTransfer",
        lambda facts: inventory_pb2.CloseTransferRequest(transfer_id=facts["transfer_id"]),
        transfers_wire.transfer,
    ),
    "GetTransfer": Method(
        "inventory",
        INVENTORY + "GetTransfer",
        lambda facts: inventory_pb2.GetTransferRequest(transfer_id=facts["transfer_id"]),
        transfers_wire.transfer,
    ),
    "CreateProduct": Method("inventory", INVENTORY + "CreateProduct", _product, lambda _: {}),
}
