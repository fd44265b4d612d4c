"""What callers ask for as request messages: every value is checked here, and nowhere else.

Each function raises InvalidRequest, with all violations, before anything can be sent.
"""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from holdfast.client._checks import HOLD_S_MAX, WAIT_S_MAX, Checks
from holdfast.client._details import (
    write_charges,
    write_details,
    write_lines,
    write_sourcing,
)
from holdfast.client._pages import PAGE_SIZE_MAX
from holdfast.client._times import seconds_to_wire, time_to_wire
from holdfast.client._types import (
    Customer,
    Details,
    OrderRequest,
    OrderStatus,
    PaymentKind,
    PaymentStatus,
)
from holdfast.client._wire import (
    payment_kind_to_wire,
    payment_status_to_wire,
    status_to_wire,
)
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2


def create_order(request: object, wait_s: object = 0.0) -> orders_pb2.CreateOrderRequest:
    checks = Checks()
    message = orders_pb2.CreateOrderRequest()
    if isinstance(request, OrderRequest):
        _write_order(checks, message, request)
    else:
        checks.is_a("request", request, OrderRequest)
    wait = seconds_to_wire(checks.seconds("wait_s", wait_s, highest=WAIT_S_MAX))
    if wait is not None:
        message.wait.CopyFrom(wait)
    checks.raise_any()
    return message


def _write_order(
    checks: Checks, message: orders_pb2.CreateOrderRequest, request: OrderRequest
) -> None:
    message.request_id = checks.request_id(request.request_id)
    message.customer_id = checks.text("customer_id", request.customer_id)
    write_lines(checks, message, request.lines)
    if request.hold_s is not None:
        message.hold.CopyFrom(_hold(checks, request.hold_s))
    write_charges(checks, message, request.charges)
    if request.details is not None and checks.is_a("details", request.details, Details):
        write_details(checks, message, request.details)
    if request.customer is not None and checks.is_a("customer", request.customer, Customer):
        for field in ("name", "email", "phone", "address"):
            value = checks.text(f"customer.{field}", getattr(request.customer, field))
            setattr(message.customer, field, value)
        message.customer.SetInParent()
    if request.sourcing is not None:
        write_sourcing(checks, message.sourcing, request.sourcing)


def _hold(checks: Checks, hold_s: object) -> Duration:
    seconds = checks.seconds("hold_s", hold_s, highest=HOLD_S_MAX, zero=False)
    return seconds_to_wire(seconds) or Duration()


def confirm_order(
    order_id: object, payment: object, kind: object, amount: object
) -> orders_pb2.ConfirmOrderRequest:
    checks = Checks()
    request = orders_pb2.ConfirmOrderRequest(
        order_id=checks.text("order_id", order_id),
        payment_reference=checks.text("payment_reference", payment),
    )
    if kind is not None or amount is not None:
        if kind in (PaymentKind.AUTHORIZED, PaymentKind.CAPTURED) and isinstance(kind, PaymentKind):
            request.payment_kind = payment_kind_to_wire(kind)
        else:
            checks.add("kind", "must be PaymentKind.AUTHORIZED or CAPTURED, beside an amount")
        request.amount.CopyFrom(checks.line_price("amount", amount))
    checks.raise_any()
    return request


def extend_hold(order_id: object, hold_s: object) -> orders_pb2.ExtendHoldRequest:
    checks = Checks()
    request = orders_pb2.ExtendHoldRequest(
        order_id=checks.text("order_id", order_id), hold=_hold(checks, hold_s)
    )
    checks.raise_any()
    return request


def record_payment(
    order_id: object, kind: object, amount: object, reference: object
) -> orders_pb2.RecordPaymentRequest:
    checks = Checks()
    done = kind if isinstance(kind, PaymentKind) else PaymentKind.UNKNOWN
    if done in (PaymentKind.UNKNOWN, PaymentKind.NAMED):
        checks.add("kind", "must be PaymentKind.AUTHORIZED, CAPTURED, REFUNDED or VOIDED")
        done = PaymentKind.CAPTURED
    request = orders_pb2.RecordPaymentRequest(
        order_id=checks.text("order_id", order_id),
        kind=payment_kind_to_wire(done),
        reference=checks.text("reference", reference),
        amount=checks.line_price("amount", amount),
    )
    checks.raise_any()
    return request


def get_order(order_id: object) -> orders_pb2.GetOrderDetailsRequest:
    checks = Checks()
    request = orders_pb2.GetOrderDetailsRequest(order_id=checks.text("order_id", order_id))
    checks.raise_any()
    return request


def list_orders(
    *,
    customer_id: object,
    status: object,
    product_id: object,
    created_from: object,
    created_before: object,
    request_ids: object,
    to_ship: object,
    location_id: object,
    by_hold_end: object,
) -> orders_pb2.ListOrdersRequest:
    checks = Checks()
    named = () if request_ids == () else checks.items("request_ids", request_ids)
    request = orders_pb2.ListOrdersRequest(
        customer_id=checks.text("customer_id", customer_id),
        status=_status(checks, status),
        product_id=checks.text("product_id", product_id),
        created_from=time_to_wire(checks.instant("created_from", created_from)),
        created_before=time_to_wire(checks.instant("created_before", created_before)),
        request_ids=[checks.text(f"request_ids[{n}]", one) for n, one in enumerate(named)],
        to_ship=checks.flag("to_ship", to_ship),
        location_id=checks.text("location_id", location_id),
        by_hold_end=checks.flag("by_hold_end", by_hold_end),
    )
    checks.raise_any()
    return request


def search_orders(
    *,
    status: object,
    payment_status: object,
    created_from: object,
    created_before: object,
    to_ship: object,
    **texts: object,
) -> orders_pb2.SearchOrdersRequest:
    checks = Checks()
    request = orders_pb2.SearchOrdersRequest(
        status=_status(checks, status),
        created_from=time_to_wire(checks.instant("created_from", created_from)),
        created_before=time_to_wire(checks.instant("created_before", created_before)),
        to_ship=checks.flag("to_ship", to_ship),
    )
    for name, value in texts.items():
        setattr(request, name, checks.text(name, value))
    if payment_status is not None:
        known = checks.known("payment_status", payment_status, PaymentStatus)
        request.payment_status = payment_status_to_wire(known)
    checks.raise_any()
    return request


def _status(checks: Checks, status: object) -> orders_pb2.OrderStatus.ValueType:
    return status_to_wire(None if status is None else checks.known("status", status, OrderStatus))


def update_order(
    order_id: object,
    version: object,
    contact: dict[str, str | None],
    details: dict[str, object],
) -> orders_pb2.UpdateOrderRequest:
    """Of contact and details, None is left as it is."""
    checks = Checks()
    new = {
        field: checks.text(f"customer.{field}", value)
        for field, value in contact.items()
        if value is not None
    }
    given = {name: value for name, value in details.items() if value is not None}
    request = orders_pb2.UpdateOrderRequest(
        order_id=checks.text("order_id", order_id),
        version=checks.number("version", version, lowest=1),
        customer=orders_pb2.Customer(**new),
        update_mask=FieldMask(paths=[*(f"customer.{field}" for field in new), *given]),
    )
    write_details(checks, request, Details(**given))  # type: ignore[arg-type]
    checks.raise_any()
    return request


def watch_order(order_id: object) -> orders_pb2.WatchOrderRequest:
    checks = Checks()
    request = orders_pb2.WatchOrderRequest(order_id=checks.text("order_id", order_id))
    checks.raise_any()
    return request


def get_stock(product_id: object) -> inventory_pb2.GetStockInfoRequest:
    checks = Checks()
    request = inventory_pb2.GetStockInfoRequest(product_id=checks.text("product_id", product_id))
    checks.raise_any()
    return request


def product_ids(values: object) -> list[str]:
    """Ids to look up, as many as there are."""
    checks = Checks()
    ids = [
        checks.text(f"product_ids[{number}]", value)
        for number, value in enumerate(checks.items("product_ids", values))
    ]
    checks.raise_any()
    return ids


def list_movements(
    *,
    product_id: object,
    location_id: object,
    order_id: object,
    created_from: object,
    created_before: object,
) -> inventory_pb2.ListMovementsRequest:
    checks = Checks()
    request = inventory_pb2.ListMovementsRequest(
        product_id=checks.text("product_id", product_id),
        location_id=checks.text("location_id", location_id),
        order_id=checks.text("order_id", order_id),
        created_from=time_to_wire(checks.instant("created_from", created_from)),
        created_before=time_to_wire(checks.instant("created_before", created_before)),
    )
    checks.raise_any()
    return request


def page_bounds(page_size: object, limit: object) -> tuple[int, int | None]:
    """How many items a page has, at most as many as it can have, and how many are wanted in all;
    None: as many as there are.
    """
    checks = Checks()
    size = min(checks.number("page_size", page_size, lowest=1), PAGE_SIZE_MAX)
    wanted = None if limit is None else checks.number("limit", limit, lowest=1)
    checks.raise_any()
    return size, wanted


def seconds(field: str, value: object, *, highest: float, zero: bool = True) -> float:
    """A time limit."""
    checks = Checks()
    checked = checks.seconds(field, value, highest=highest, zero=zero)
    checks.raise_any()
    return checked


def address(field: str, value: object) -> str:
    """Where a service is."""
    checks = Checks()
    checked = checks.text(field, value)
    if checked == "":
        checks.add(field, "must not be empty: give HOST:PORT")
    elif "://" in checked and checked.startswith("http"):
        checks.add(field, f"is {checked}: give HOST:PORT of gRPC, not a URL")
    elif ":" not in checked:
        checks.add(field, f"is {checked}, without a port: give HOST:PORT")
    checks.raise_any()
    return checked
