"""Changes of stock as request messages, checked like everything in `_requests`."""

from holdfast.client._checks import STOCK_MAX, Checks
from holdfast.client._stock_types import StockReason
from holdfast.client._stock_wire import stock_reason_to_wire
from holdfast.client._types import StockRequest
from holdfast.contracts.inventory.v1 import inventory_pb2

_Quarantine = inventory_pb2.QuarantineStockRequest | inventory_pb2.ReleaseQuarantineRequest
_Change = inventory_pb2.UpdateStockRequest | inventory_pb2.AdjustStockRequest | _Quarantine


def update_stock(request: object) -> inventory_pb2.UpdateStockRequest:
    checks = Checks()
    message = inventory_pb2.UpdateStockRequest()
    if isinstance(request, StockRequest):
        message.product_id = checks.text("product_id", request.product_id)
        message.quantity = checks.number("quantity", request.quantity, lowest=0, highest=STOCK_MAX)
        message.location_id = checks.text("location_id", request.location_id)
        message.reason = checks.text("reason", request.reason)
        message.request_id = checks.request_id(request.request_id)
        if request.expected_version is not None:
            message.expected_version = checks.number(
                "expected_version", request.expected_version, lowest=0
            )
        _write_reason_code(checks, message, request.reason_code)
        message.displace = checks.flag("displace", request.displace)
    else:
        checks.is_a("request", request, StockRequest)
    checks.raise_any()
    return message


def adjust_stock(
    *,
    product_id: object,
    delta: object,
    location_id: object,
    reason: object,
    reference: object,
    request_id: object,
    reason_code: object,
    displace: object,
) -> inventory_pb2.AdjustStockRequest:
    checks = Checks()
    units = checks.number("delta", delta, lowest=-STOCK_MAX, highest=STOCK_MAX)
    if units == 0:
        checks.add("delta", "must not be 0")
    request = inventory_pb2.AdjustStockRequest(
        product_id=checks.text("product_id", product_id),
        delta=units,
        location_id=checks.text("location_id", location_id),
        reason=checks.text("reason", reason),
        reference=checks.text("reference", reference),
        request_id=checks.request_id(request_id),
        displace=checks.flag("displace", displace),
    )
    _write_reason_code(checks, request, reason_code)
    checks.raise_any()
    return request


def quarantine(
    product_id: object, *, displace: object, **change: object
) -> inventory_pb2.QuarantineStockRequest:
    checks = Checks()
    request = inventory_pb2.QuarantineStockRequest(displace=checks.flag("displace", displace))
    _write_quarantine(checks, request, product_id, change)
    checks.raise_any()
    return request


def release_quarantine(
    product_id: object, *, write_off: object, **change: object
) -> inventory_pb2.ReleaseQuarantineRequest:
    checks = Checks()
    request = inventory_pb2.ReleaseQuarantineRequest(write_off=checks.flag("write_off", write_off))
    _write_quarantine(checks, request, product_id, change)
    checks.raise_any()
    return request


def _write_quarantine(
    checks: Checks, request: _Quarantine, product_id: object, change: dict[str, object]
) -> None:
    """What both have: quantity, location_id, reason, reason_code and request_id."""
    request.product_id = checks.text("product_id", product_id)
    request.quantity = checks.number("quantity", change["quantity"], lowest=1, highest=STOCK_MAX)
    request.location_id = checks.text("location_id", change["location_id"])
    request.reason = checks.text("reason", change["reason"])
    request.request_id = checks.request_id(change["request_id"])
    _write_reason_code(checks, request, change["reason_code"])


def _write_reason_code(
    checks: Checks,
    message: _Change,
    reason_code: object,
) -> None:
    """None: not said."""
    if reason_code is None:
        return
    known = checks.known("reason_code", reason_code, StockReason)
    if known is not None:
        message.reason_code = stock_reason_to_wire(known)
