"""What lists of orders are asked for: which orders, and which page of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.chassis.grpc import pages
from holdfast.chassis.validation import UUID_FORM, Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ports import OrderFilter
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import PaymentStatus
from holdfast.orders.presentation.ordering.own_wire import refuse_others
from holdfast.orders.presentation.ordering.wire import read_email

REQUEST_IDS_MAX = 1_000
ID_FORM = "00000000-0000-0000-0000-000000000000"
UUID_BEGINNING = re.compile(r"[0-9a-f-]{4,36}")
_PAYMENT_STATUSES: dict[int, PaymentStatus] = {
    pb.PaymentStatus.Value(f"PAYMENT_STATUS_{status}"): status for status in PaymentStatus
}
_STATUSES: dict[int, OrderStatus] = {
    pb.OrderStatus.Value(f"ORDER_STATUS_{status}"): status for status in OrderStatus
}


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Which page of which orders is asked for."""

    wanted: OrderFilter
    filter_text: str
    before: str
    size: int


def read_page(request: pb.ListOrdersRequest, caller: Caller, violations: Violations) -> OrderPage:
    refuse_others(request.customer_id, caller, violations)
    created_from, created_before = violations.period(request)
    wanted = OrderFilter(
        customer_id=violations.optional_id("customer_id", request.customer_id),
        status=_read_status(request.status, violations),
        product_id=violations.optional_id("product_id", request.product_id),
        created_from=created_from,
        created_before=created_before,
        request_ids=_read_request_ids(request.request_ids, violations),
        to_ship=request.to_ship,
        location_id=violations.optional_id("location_id", request.location_id),
        by_hold_end=request.by_hold_end,
    )
    if wanted.by_hold_end:
        _check_holds(wanted, caller, violations)
    return _page_of("orders", wanted, caller, request, violations)


def read_search(
    request: pb.SearchOrdersRequest, caller: Caller, violations: Violations
) -> OrderPage:
    refuse_others(request.customer_id, caller, violations)
    payment_status = None
    if request.payment_status:
        payment_status = _PAYMENT_STATUSES.get(request.payment_status)
        if payment_status is None:
            violations.add("payment_status", f"{request.payment_status} is none that there is")
    prefix = request.order_id_prefix.lower()
    has_form = all(
        (one == "-") == (form == "-") for one, form in zip(prefix, ID_FORM, strict=False)
    )
    if prefix and not (UUID_BEGINNING.fullmatch(prefix) and has_form):
        violations.add("order_id_prefix", "must be 4 to 36 characters of an order id")
    created_from, created_before = violations.period(request)
    wanted = OrderFilter(
        customer_id=violations.optional_id("customer_id", request.customer_id),
        status=_read_status(request.status, violations),
        product_id=violations.optional_id("product_id", request.product_id),
        created_from=created_from,
        created_before=created_before,
        order_id_prefix=prefix,
        reference=violations.optional_id("reference", request.reference),
        email=read_email(request.email, violations),
        channel=violations.optional_id("channel", request.channel),
        payment_status=payment_status,
        to_ship=request.to_ship,
        location_id=violations.optional_id("location_id", request.location_id),
    )
    if wanted == OrderFilter():
        violations.add("order_id_prefix", "is empty, and so is all else: name what to look for")
    return _page_of("search", wanted, caller, request, violations)


def _page_of(
    kind: str,
    wanted: OrderFilter,
    caller: Caller,
    request: pb.ListOrdersRequest | pb.SearchOrdersRequest,
    violations: Violations,
) -> OrderPage:
    wanted = replace(wanted, owner=caller.customer_id)
    filter_text = f"{kind} {wanted!r}"
    form = wanted.PLACE_BY_HOLD_END if wanted.by_hold_end else UUID_FORM
    before = pages.read_token(violations, request.page_token, filter_text, cursor_form=form)
    return OrderPage(wanted, filter_text, before, pages.page_size(violations, request.page_size))


def _check_holds(wanted: OrderFilter, caller: Caller, violations: Violations) -> None:
    if caller.customer_id:  # it goes by everybody's holds, and how long it takes would tell of them
        violations.add("by_hold_end", "must not be set: it is for who works for the shop")
    if wanted.status not in (None, OrderStatus.RESERVED):
        violations.add("status", "must be RESERVED or none with by_hold_end: no other has a hold")
    if wanted.request_ids:
        violations.add("request_ids", "must be empty with by_hold_end")


def _read_status(number: int, violations: Violations) -> OrderStatus | None:
    found = _STATUSES.get(number)
    if number and found is None:
        known = ", ".join(f"{one} {status}" for one, status in sorted(_STATUSES.items()))
        violations.add("status", f"{number} is no order status; there are {known}")
    return found


def _read_request_ids(request_ids: Sequence[str], violations: Violations) -> tuple[str, ...]:
    if request_ids:
        violations.size("request_ids", len(request_ids), highest=REQUEST_IDS_MAX)
    for index, request_id in enumerate(request_ids[:REQUEST_IDS_MAX]):
        violations.id(f"request_ids[{index}]", request_id)
    return tuple(sorted(set(request_ids)))
