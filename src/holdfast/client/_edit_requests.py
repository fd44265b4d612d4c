"""Edits and cancellations as request messages, checked like everything in `_requests`."""

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration

from holdfast.client._checks import LINE_NO_MAX, QUANTITY_MAX, WAIT_S_MAX, Checks
from holdfast.client._details import write_charges, write_lines, write_sourcing
from holdfast.client._times import seconds_to_wire
from holdfast.contracts.orders.v1 import orders_pb2


def edit_order(
    order_id: object,
    version: object,
    *,
    lines: object,
    charges: object,
    sourcing: object,
    wait_s: object = 0.0,
    only_preview: bool = False,
) -> orders_pb2.UpdateOrderRequest:
    """Of lines, charges and sourcing, None is left as it is."""
    checks = Checks()
    request = orders_pb2.UpdateOrderRequest(
        order_id=checks.text("order_id", order_id),
        version=checks.number("version", version, lowest=1),
        validate_only=only_preview,
        wait=_wait(checks, wait_s),
    )
    if lines is charges is sourcing is None:
        checks.add("lines", "are not given, nor charges or sourcing: there is nothing to change")
    if lines is not None:
        request.update_mask.paths.append("lines")
        write_lines(checks, request, lines)
    if charges is not None:
        request.update_mask.paths.append("charges")
        write_charges(checks, request, charges)
    if sourcing is not None:
        request.update_mask.paths.append("sourcing")
        write_sourcing(checks, request.sourcing, sourcing)
    checks.raise_any()
    return request


def cancel_order(
    order_id: object, reason: object, *, lines: object, version: object, wait_s: object
) -> orders_pb2.CancelOrderRequest:
    """Without lines the whole order, which needs no version and waits for nothing."""
    checks = Checks()
    request = orders_pb2.CancelOrderRequest(
        order_id=checks.text("order_id", order_id),
        reason=checks.text("reason", reason),
    )
    if lines is not None:
        request.version = checks.number("version", version, lowest=1)
        if wait := _wait(checks, wait_s):
            request.wait.CopyFrom(wait)
        _write_units(checks, request, lines)
    else:
        for name, is_given in (("version", version is not None), ("wait_s", wait_s != 0)):
            if is_given:
                checks.add(name, "is for units of lines: give lines with it, or leave it out")
    checks.raise_any()
    return request


def _write_units(checks: Checks, request: orders_pb2.CancelOrderRequest, lines: object) -> None:
    if not isinstance(lines, Mapping):
        checks.is_a("lines", lines, Mapping)
        return
    if not lines:
        checks.add("lines", "is empty; leave it out to cancel the whole order")
    for place, (line_no, units) in enumerate(lines.items()):
        at = f"lines[{place}]"
        request.lines.add(
            line_no=checks.number(f"{at}.line_no", line_no, lowest=1, highest=LINE_NO_MAX),
            quantity=checks.number(f"{at}.quantity", units, lowest=1, highest=QUANTITY_MAX),
        )


def _wait(checks: Checks, wait_s: object) -> Duration | None:
    return seconds_to_wire(checks.seconds("wait_s", wait_s, highest=WAIT_S_MAX))
