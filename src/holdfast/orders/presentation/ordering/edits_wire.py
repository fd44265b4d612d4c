"""Edits on the wire: read with all their violations, written as they stand."""

from collections.abc import Iterator, Sequence

from google.type.money_pb2 import Money as WireMoney

from holdfast.chassis import money
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ordering.edit_orders import CancelUnits, EditOrder
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.edits import EditedLine, EditState
from holdfast.orders.domain.ordering.lines import LINES_MAX
from holdfast.orders.presentation.ordering.details_wire import read_charges, write_charges
from holdfast.orders.presentation.ordering.lines_wire import (
    LINE_NO_MAX,
    read_line,
    read_units,
    shortage_message,
    write_lines,
)
from holdfast.orders.presentation.ordering.own_wire import refuse_terms
from holdfast.orders.presentation.ordering.sourcing_wire import read_sourcing

EDITED = ("lines", "charges", "sourcing")  # what makes an UpdateOrder an edit
VERSION_MAX = 2**63 - 1


def amounts_in(request: pb.UpdateOrderRequest) -> Iterator[WireMoney]:
    """The amounts that an edit gives: those without a currency are in the order's."""
    for line in request.lines:
        if line.HasField("unit_price"):
            yield line.unit_price
    for charge in request.charges:
        if charge.HasField("amount"):
            yield charge.amount


def read_edit(
    request: pb.UpdateOrderRequest, order_id: str, caller: Caller, violations: Violations
) -> EditOrder:
    """Read an edit whose amounts all have a currency."""
    named = set(request.update_mask.paths)
    refuse_terms(request.lines, caller, violations, charges="charges" in named)
    if beside := sorted(named.difference(EDITED)):
        text = f"names {', '.join(beside)}: {', '.join(EDITED)} go in a call of their own"
        violations.add("update_mask", text)
    version = violations.within("version", request.version, lowest=1, highest=VERSION_MAX)
    lines = _read_lines(request.lines, violations) if "lines" in named else None
    charges = None
    if "charges" in named:
        asked = read_charges(request, violations, line_no_max=LINE_NO_MAX)
        charges = tuple(
            Charge(*one[:3], amount) for one in asked if isinstance(amount := one.amount, Money)
        )
    sourcing = read_sourcing(request, violations) if "sourcing" in named else None
    return EditOrder(order_id, version, lines, charges, caller, sourcing=sourcing)


def refuse_edit_fields(request: pb.UpdateOrderRequest, violations: Violations) -> None:
    """Refuse what only an edit has where the mask names nothing that makes it one."""
    for field, is_given in (
        ("lines", bool(request.lines)),
        ("charges", bool(request.charges)),
        ("sourcing", request.HasField("sourcing")),
        ("validate_only", request.validate_only),
        ("wait", request.HasField("wait")),
    ):
        if is_given:
            text = f"is only for {', '.join(EDITED)}, and update_mask names none of them"
            violations.add(field, text)


def _read_lines(lines: Sequence[pb.OrderLine], violations: Violations) -> tuple[EditedLine, ...]:
    violations.size("lines", len(lines), highest=LINES_MAX)
    edited = []
    for index, line in enumerate(lines[:LINES_MAX]):
        at = f"lines[{index}]"
        product_id, quantity, price = read_line(line, violations, at)
        line_no = violations.within(f"{at}.line_no", line.line_no, lowest=0, highest=LINE_NO_MAX)
        assert price is None or isinstance(price, Money) or violations, "it was given a currency"
        unit_price = price if isinstance(price, Money) else None
        edited.append(EditedLine(line_no, product_id, quantity, unit_price))
    return tuple(edited)


def read_cancelled_units(
    request: pb.CancelOrderRequest,
    order_id: str,
    reason: str,
    caller: Caller,
    violations: Violations,
) -> CancelUnits:
    violations.size("lines", len(request.lines), highest=LINES_MAX)
    version = violations.within("version", request.version, lowest=1, highest=VERSION_MAX)
    units = tuple(
        read_units(one, violations, f"lines[{i}]")
        for i, one in enumerate(request.lines[:LINES_MAX])
    )
    return CancelUnits(order_id, version, units, caller, reason or "units cancelled")


def write_edit(message: pb.Order, order: Order) -> None:
    edit = order.edit
    if edit is None:
        return
    written = message.edit
    written.edition, written.state = edit.edition, _STATE[edit.state]
    if edit.state is not EditState.APPLIED:
        write_lines(written, edit.contents.lines)
        write_charges(written, edit.contents.charges)
    money.write(written.total, *edit.contents.total)
    written.missing.extend(map(shortage_message, edit.missing))
    written.request_version = edit.asked_version
    written.end_version = edit.ended_version or 0


_STATE = {state: pb.EditState.Value(f"EDIT_STATE_{state}") for state in EditState}
