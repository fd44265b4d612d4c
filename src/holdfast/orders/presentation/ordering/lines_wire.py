"""Lines and shortages on the wire, wherever a message has them."""

from collections.abc import Iterable

from holdfast.chassis import money
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ordering.place_orders import AskedLine
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Amount, Money
from holdfast.orders.domain.ordering.lines import QUANTITY_MAX, OrderLine

LINE_NO_MAX = 2**31 - 1


def read_line(line: pb.OrderLine, violations: Violations, at: str) -> AskedLine:
    product_id = violations.id(f"{at}.product_id", line.product_id)
    quantity = violations.within(f"{at}.quantity", line.quantity, lowest=1, highest=QUANTITY_MAX)
    if not line.HasField("unit_price"):
        return AskedLine(product_id, quantity, None)
    at, named = f"{at}.unit_price", line.unit_price
    if not named.currency_code:
        return AskedLine(product_id, quantity, Amount(money.to_billionths(violations, at, named)))
    return AskedLine(product_id, quantity, Money(*money.to_minor(violations, at, named)))


def read_units(
    asked: pb.CancelledUnits | pb.ShipmentItem | pb.ReturnLine | pb.ReceiptLine,
    violations: Violations,
    at: str,
) -> tuple[int, int]:
    """Read of which line, and how many units of it."""
    return (
        violations.within(f"{at}.line_no", asked.line_no, lowest=1, highest=LINE_NO_MAX),
        violations.within(f"{at}.quantity", asked.quantity, lowest=1, highest=QUANTITY_MAX),
    )


def write_lines(message: pb.Order | pb.OrderEdit, lines: Iterable[OrderLine]) -> None:
    # Written in place: a message that is passed to another one's constructor is copied.
    for product_id, quantity, unit_price, line_no in lines:
        written = message.lines.add(product_id=product_id, quantity=quantity, line_no=line_no)
        money.write(written.unit_price, *unit_price)


def shortage_message(shortage: Shortage) -> pb.Shortage:
    return pb.Shortage(
        product_id=shortage.product_id, wanted=shortage.wanted, available=shortage.available
    )
