"""Returns on the wire: read with all their violations, written as they are."""

from collections.abc import Callable, Iterable

from holdfast.chassis import money, times
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.returns.return_goods import OpenReturn, ReceiveReturn
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.lines import LINES_MAX
from holdfast.orders.domain.returns.returned import (
    AskedReceiptLine,
    AskedReturnLine,
    Disposition,
    Return,
)
from holdfast.orders.domain.returns.value import values
from holdfast.orders.presentation.ordering.lines_wire import read_units

REASON_CHARACTERS_MAX = 500
MAIN_LOCATION = "main"

_DISPOSITIONS: dict[int, Disposition] = {
    pb.Disposition.Value(f"DISPOSITION_{one}"): one for one in Disposition
}
_NUMBERS = {one: pb.Disposition.Value(f"DISPOSITION_{one}") for one in Disposition}


def read_opening(
    request: pb.OpenReturnRequest, caller: Caller, violations: Violations, new_id: Callable[[], str]
) -> OpenReturn:
    violations.size("lines", len(request.lines), highest=LINES_MAX)
    lines = tuple(
        AskedReturnLine(
            *read_units(line, violations, f"lines[{index}]"),
            violations.text(
                f"lines[{index}].reason", line.reason, characters_max=REASON_CHARACTERS_MAX
            ),
        )
        for index, line in enumerate(request.lines[:LINES_MAX])
    )
    return OpenReturn(
        violations.uuid("order_id", request.order_id),
        new_id(),
        violations.optional_id("request_id", request.request_id) or new_id(),
        lines,
        caller,
    )


def read_receipt(
    request: pb.ReceiveReturnRequest,
    caller: Caller,
    violations: Violations,
    new_id: Callable[[], str],
) -> ReceiveReturn:
    """Read a receipt; of which order is found by the return."""
    violations.size("lines", len(request.lines), highest=LINES_MAX)
    lines = []
    for index, line in enumerate(request.lines[:LINES_MAX]):
        disposition = _DISPOSITIONS.get(line.disposition)
        if disposition is None:
            known = ", ".join(Disposition)
            violations.add(
                f"lines[{index}].disposition", f"{line.disposition} is none; there are {known}"
            )
        location_id = violations.optional_id(
            f"lines[{index}].location_id",
            line.location_id or MAIN_LOCATION,
            characters_max=LOCATION_CHARACTERS_MAX,
        )
        units = read_units(line, violations, f"lines[{index}]")
        lines.append(AskedReceiptLine(*units, disposition or Disposition.QUARANTINE, location_id))
    return ReceiveReturn(
        "",
        violations.uuid("return_id", request.return_id),
        violations.optional_id("request_id", request.request_id) or new_id(),
        tuple(lines),
        caller,
    )


def write_returns(message: pb.Order, order: Order) -> None:
    for one, value in _with_values(order):
        _write_return(message.returns.add(), one, value)


def return_message(order: Order, return_id: str) -> pb.Return:
    """Return one of an order's returns, as it is told with the order."""
    ((found, value),) = (each for each in _with_values(order) if each[0].return_id == return_id)
    message = pb.Return()
    _write_return(message, found, value)
    return message


def _with_values(order: Order) -> Iterable[tuple[Return, Money]]:
    if not order.returns:
        return ()
    return zip(order.returns, values(order.contents, order.returns), strict=True)


def _write_return(message: pb.Return, one: Return, value: Money) -> None:
    message.return_id, message.order_id = one.return_id, one.order_id
    message.state = pb.RETURN_STATE_CLOSED if one.closed_at else pb.RETURN_STATE_OPEN
    received = one.received
    for line in one.lines:
        message.lines.add(
            line_no=line.line_no,
            product_id=line.product_id,
            quantity=line.quantity,
            reason=line.reason,
            received=received[line.line_no],
        )
    for receipt in one.receipts:
        written = message.receipts.add(request_id=receipt.request_id)
        times.write(written.receive_time, receipt.received_at)
        for came in receipt.lines:
            written.lines.add(
                line_no=came.line_no,
                product_id=came.product_id,
                quantity=came.quantity,
                disposition=_NUMBERS[came.disposition],
                location_id=came.location_id,
            )
    money.write(message.value, *value)
    times.write(message.open_time, one.opened_at)
    if one.closed_at:
        times.write(message.close_time, one.closed_at)
