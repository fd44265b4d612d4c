"""Messages of Orders' API to the domain's words and back; all violations are found at once."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from google.type.money_pb2 import Money as WireMoney

from holdfast.chassis import money, times
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.pages import PAGE_BYTES_MAX
from holdfast.chassis.grpc.sizes import FRAME_BYTES
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ordering.place_orders import PlaceOrder
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.customers.customer import NAME_CHARACTERS_MAX, NOBODY, Customer
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import LINES_MAX
from holdfast.orders.domain.ordering.order import HOLD_MAX, OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, PaymentStatus, status_of
from holdfast.orders.presentation.ordering.details_wire import (
    DETAILS,
    read_charges,
    read_details,
    write_details,
)
from holdfast.orders.presentation.ordering.edits_wire import VERSION_MAX, write_edit
from holdfast.orders.presentation.ordering.lines_wire import (
    read_line,
    shortage_message,
    write_lines,
)
from holdfast.orders.presentation.ordering.own_wire import (
    as_told,
    read_customer_id,
    refuse_terms,
)
from holdfast.orders.presentation.ordering.sourcing_wire import read_sourcing, write_sourcing
from holdfast.orders.presentation.returns.wire import write_returns
from holdfast.orders.presentation.shipping.wire import write_shipments

BATCH_MAX = 1_000
ORDER_BYTES_MAX = PAGE_BYTES_MAX - FRAME_BYTES  # so that any order has room in a page
WAIT_S_MAX = 60.0
REASON_CHARACTERS_MAX = 500
CUSTOMER_CHARACTERS_MAX = {
    "name": NAME_CHARACTERS_MAX,
    "email": 320,
    "phone": 50,
    "address": 1_000,
}


def read_order(
    request: pb.CreateOrderRequest,
    caller: Caller,
    violations: Violations,
    new_id: Callable[[], str],
    at: str = "",
) -> PlaceOrder:
    """Read one request; `at` is the path of the request in its batch."""
    violations.size(f"{at}lines", len(request.lines), highest=LINES_MAX)
    refuse_terms(request.lines, caller, violations, at, charges=bool(request.charges))
    lines = request.lines if len(request.lines) <= LINES_MAX else ()
    asked = tuple(
        read_line(line, violations, f"{at}lines[{index}]") for index, line in enumerate(lines)
    )
    prices = (line.unit_price for line in asked)
    currencies = {price.currency for price in prices if isinstance(price, Money)}
    if len(currencies) > 1:
        violations.add(
            f"{at}lines", f"have {', '.join(sorted(currencies))}; an order has one currency"
        )
    return PlaceOrder(
        request_id=violations.optional_id(f"{at}request_id", request.request_id) or new_id(),
        customer_id=read_customer_id(request.customer_id, caller, violations, at),
        lines=asked,
        customer=read_customer(request.customer, violations, f"{at}customer."),
        caller=caller,
        hold=(
            read_hold(request.hold, violations, f"{at}hold") if request.HasField("hold") else None
        ),
        charges=(
            read_charges(request, violations, at, line_no_max=len(lines)) if request.charges else ()
        ),
        details=read_details(request, violations, at),
        sourcing=read_sourcing(request, violations, at),
    )


def read_customer(customer: pb.Customer, violations: Violations, at: str) -> Customer:
    if not customer.ByteSize():
        return NOBODY
    details = {}
    for field, limit in CUSTOMER_CHARACTERS_MAX.items():
        check = violations.email if field == "email" else violations.text
        details[field] = check(f"{at}{field}", getattr(customer, field), characters_max=limit)
    return Customer(**details)


def read_email(email: str, violations: Violations) -> str:
    """Read an e-mail address that is looked for; it may be empty."""
    return read_customer(pb.Customer(email=email), violations, "").email


def read_orders(
    request: pb.BatchCreateOrdersRequest,
    caller: Caller,
    violations: Violations,
    new_id: Callable[[], str],
) -> list[PlaceOrder | Violations]:
    """Read a batch: a bad request becomes its own violations and never fails its neighbours."""
    size = len(request.requests)
    violations.size("requests", size, highest=BATCH_MAX)
    read: list[PlaceOrder | Violations] = []
    for one in request.requests if size <= BATCH_MAX else ():
        own = Violations()
        if one.HasField("wait"):
            own.add("wait", "must not be set in a batch")
        order = read_order(one, caller, own, new_id)
        read.append(own if own else order)
    return read


def read_hold(hold: Duration, violations: Violations, field: str = "hold") -> timedelta:
    """Return how long to hold; more than nothing, and at most HOLD_MAX. What is finer than a
    microsecond is rounded up.
    """
    hold_ns = violations.span_ns(field, hold)
    if not 0 < hold_ns <= HOLD_MAX // timedelta(microseconds=1) * 1_000:
        hours = HOLD_MAX // timedelta(hours=1)
        violations.add(field, f"must be more than 0 and at most {hours} hours")
        return HOLD_MAX
    return timedelta(microseconds=-(-hold_ns // 1_000))


def read_confirming_payment(
    request: pb.ConfirmOrderRequest, violations: Violations
) -> Payment | None:
    """Return what is known of the payment that confirms; None: only its reference."""
    if not request.payment_kind and not request.HasField("amount"):
        return None
    kind = _KINDS.get(request.payment_kind, PaymentKind.NAMED)
    if kind not in (PaymentKind.AUTHORIZED, PaymentKind.CAPTURED):
        violations.add("payment_kind", "must be AUTHORIZED or CAPTURED where an amount is given")
    return Payment(kind, request.payment_reference, _read_paid(request.amount, violations))


def _read_paid(named: WireMoney, violations: Violations) -> Money:
    """Read an amount; where something else is wrong, it may be without a currency."""
    if not (named.units or named.nanos):
        violations.add("amount", "must be more than 0")
    if not named.currency_code:  # that of the order, which was not looked for or can't be
        money.to_billionths(violations, "amount", named)
        return Money("", 0)
    return Money(*money.to_minor(violations, "amount", named))


def read_payment(request: pb.RecordPaymentRequest, violations: Violations) -> Payment:
    """Return the fact; its amount's currency has been filled in."""
    kind = PaymentKind.CAPTURED
    if request.kind in _KINDS:
        kind = _KINDS[request.kind]
    else:
        known = ", ".join(f"{number} {kind}" for number, kind in _KINDS.items())
        violations.add("kind", f"{request.kind} is none that can be recorded; there are {known}")
    reference = violations.id("reference", request.reference)
    return Payment(kind, reference, _read_paid(request.amount, violations))


def read_customer_details(
    request: pb.UpdateOrderRequest | pb.UpdateCustomerRequest,
    violations: Violations,
    *,
    beside: Sequence[str] = (),
    version_lowest: int,
) -> dict[str, str]:
    """Return new customer information by field name, for the fields of the mask.

    :param beside: what else the mask may name.
    """
    customer = read_customer(request.customer, violations, "customer.")
    fields = list(CUSTOMER_CHARACTERS_MAX)
    known = {"customer": fields} | {f"customer.{field}": [field] for field in fields}
    known |= {name: [] for name in beside}
    violations.update_mask(request.update_mask.paths, known)
    violations.within("version", request.version, lowest=version_lowest, highest=VERSION_MAX)
    named = (field for path in request.update_mask.paths for field in known.get(path, ()))
    return {field: getattr(customer, field) for field in named}


def read_new_details(request: pb.UpdateOrderRequest, violations: Violations) -> dict[str, object]:
    """Return new details by name, for those that the mask names."""
    details = read_details(request, violations)
    return {name: getattr(details, name) for name in DETAILS if name in request.update_mask.paths}


def state_message(state: OrderState) -> pb.CreateOrderResponse:
    message = pb.CreateOrderResponse(order_id=state.order_id, status=_STATUS[state.status])
    if state.expires_at is not None:
        times.write(message.expires_time, state.expires_at)
    return message


def outcome_message(order: Order) -> pb.CreateOrderResponse:
    message = state_message(order.state)
    message.shortages.extend(map(shortage_message, order.shortages))
    return message


def result_in_short(result: pb.BatchCreateOrdersResult) -> pb.BatchCreateOrdersResult:
    """The same outcome, without the shortages or the large details that an answer can't take."""
    if result.HasField("error"):
        return pb.BatchCreateOrdersResult(error=statuses.in_short(result.error))
    order = result.order
    return pb.BatchCreateOrdersResult(
        order=pb.CreateOrderResponse(
            order_id=order.order_id,
            status=order.status,
            expires_time=order.expires_time if order.HasField("expires_time") else None,
        )
    )


def order_message(order: Order) -> pb.Order:
    message = pb.Order(
        order_id=order.order_id,
        request_id=order.request_id,
        customer_id=order.customer_id,
        status=_STATUS[order.state.status],
        shortages=map(shortage_message, order.shortages),
        version=order.state.version,
    )
    write_lines(message, order.lines)
    money.write(message.total, *order.total)
    write_customer(message.customer, order.customer)
    times.write(message.create_time, order.placed_at)
    times.write(message.update_time, order.updated_at)
    for change in order.history:
        by = as_told(change.caller)
        written = message.history.add(
            version=change.version,
            status=_STATUS[change.status],
            reason=change.reason,
            actor=by.name,
            credential_id=by.credential_id,
            action=change.action,
        )
        times.write(written.change_time, change.at)
    _write_payments(message, order)
    write_details(message, order)
    write_edit(message, order)
    write_sourcing(message, order)
    write_shipments(message, order)
    write_returns(message, order)
    _fit(message)
    return message


def _fit(message: pb.Order) -> None:
    """Leave out what an answer has no room for, beginning with what is missed least."""
    if message.ByteSize() <= ORDER_BYTES_MAX:
        return
    if message.HasField("edit"):
        for field in ("lines", "charges", "missing"):
            message.edit.ClearField(field)
    for part in ("stock", "queued", "history"):
        if message.ByteSize() > ORDER_BYTES_MAX:
            message.ClearField(part)


def write_customer(message: pb.Customer, customer: Customer) -> None:
    message.name = customer.name
    message.email = customer.email
    message.phone = customer.phone
    message.address = customer.address


def _write_payments(message: pb.Order, order: Order) -> None:
    if order.state.expires_at is not None:
        times.write(message.expires_time, order.state.expires_at)
    message.payment_reference = order.state.confirmed_by or ""
    known = [one.payment for one in order.payments]
    message.payment_status = _PAYMENT_STATUS[status_of(known, order.total)]
    for (kind, reference, amount), at in order.payments:
        payment = message.payments.add(
            kind=pb.PaymentKind.Value(f"PAYMENT_KIND_{kind}"), reference=reference
        )
        money.write(payment.amount, *amount)
        times.write(payment.record_time, at)


_KINDS: dict[int, PaymentKind] = {
    pb.PaymentKind.Value(f"PAYMENT_KIND_{kind}"): kind
    for kind in PaymentKind
    if kind is not PaymentKind.NAMED  # that one comes with ConfirmOrder
}
_PAYMENT_STATUS = {
    status: pb.PaymentStatus.Value(f"PAYMENT_STATUS_{status}") for status in PaymentStatus
}
_STATUS = {status: pb.OrderStatus.Value(f"ORDER_STATUS_{status}") for status in OrderStatus}
