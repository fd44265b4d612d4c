"""Which lines of an order a person means, and what it is to have after an edit."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from shlex import quote

from holdfast.cli.exits import USAGE, Failed
from holdfast.client import (
    Charge,
    InvalidRequest,
    Order,
    OrderLine,
    ReceiptLine,
    ReturnLine,
    ShipmentItem,
    Violation,
)

_PLACE = re.compile(r"(?:lines|items)\[([0-9]+)\]\.?")


def edited_lines(
    order: Order, by_product: Sequence[OrderLine], by_number: Sequence[OrderLine]
) -> list[OrderLine]:
    """All lines as they are to be: those that nobody named stay, and a quantity of 0 removes one.

    :param by_product: a product that the order has not is added.
    :param by_number: lines by their numbers; their products don't matter.
    :raises Failed: it can't be told which line is meant, there is none, or none would be left.
    """
    asked = _by_number(order, by_number)
    added: dict[str, OrderLine] = {}
    for change in by_product:
        numbers = _lines_of(order, change)
        if not numbers and added.setdefault(change.product_id, change) is not change:
            raise Failed(f"{change.product_id} is named twice", USAGE)
        for line_no in numbers:
            _ask(asked, line_no, change)
    changed = (_changed(line, asked.get(line.line_no)) for line in order.lines)
    lines = [*(line for line in changed if line.quantity), *added.values()]
    if not lines:
        raise Failed(
            "nothing would be left of the order; cancel it as a whole:\n"
            f"  holdfast order cancel {quote(order.order_id)}",
            USAGE,
        )
    return lines


def named_units(order: Order, units: Sequence[OrderLine]) -> dict[int, int]:
    """Units by line number, of lines that are named by it or by their product.

    :raises Failed: it can't be told which line is meant, there is none, or it is named twice.
    """
    numbered = [
        line if line.line_no else replace(line, line_no=_line_of(order, line)) for line in units
    ]
    return {no: line.quantity for no, line in _by_number(order, numbered).items()}


def cancelled_units(order: Order, units: Sequence[OrderLine]) -> dict[int, int]:
    """Units to cancel by line number.

    :raises Failed: there is no such line, it is named twice, or has fewer units.
    """
    has = {line.line_no: line.quantity for line in order.lines}
    asked = named_units(order, units)
    for line_no, quantity in asked.items():
        if quantity > has[line_no]:
            raise Failed(f"line {line_no} has only {has[line_no]} units", USAGE)
    return asked


def edited_charges(
    order: Order, lines: Sequence[OrderLine], asked: Sequence[Charge]
) -> list[Charge]:
    """All charges as they are to be: those that are asked for, unless they are 0, in place of those
    of their kind and line (or of the whole order); all others stay, but for those of lines that go.
    """
    numbers = {0, *(line.line_no for line in lines)}
    replaced = {(charge.kind, charge.line_no) for charge in asked}
    kept = [
        charge
        for charge in order.charges
        if charge.line_no in numbers and (charge.kind, charge.line_no) not in replaced
    ]
    return kept + [charge for charge in asked if charge.amount]


@contextmanager
def lines_as_numbered(
    lines: Sequence[OrderLine | ShipmentItem | ReturnLine | ReceiptLine],
) -> Iterator[None]:
    """Tell what is wrong with lines by their numbers, which are not their places in the request."""
    new = [place for place, line in enumerate(lines) if not line.line_no]

    def named(at: re.Match[str]) -> str:
        place = int(at[1])
        if place in new:
            return f"new line {new.index(place) + 1}, "
        return f"line {lines[place].line_no}, "

    try:
        yield
    except InvalidRequest as error:
        error.violations = tuple(
            Violation(_PLACE.sub(named, v.field), v.description) for v in error.violations
        )
        raise


def _by_number(order: Order, lines: Sequence[OrderLine]) -> dict[int, OrderLine]:
    known = {line.line_no for line in order.lines}
    asked: dict[int, OrderLine] = {}
    for line in lines:
        if line.line_no not in known:
            raise Failed(f"the order has no line {line.line_no}: {_shown(order)}", USAGE)
        _ask(asked, line.line_no, line)
    return asked


def _ask(asked: dict[int, OrderLine], line_no: int, change: OrderLine) -> None:
    if asked.setdefault(line_no, change) is not change:
        raise Failed(f"line {line_no} is named twice", USAGE)


def _lines_of(order: Order, change: OrderLine) -> list[int]:
    """The numbers of the product's lines; none where one is to be added."""
    numbers = _numbers_of(order, change.product_id)
    if not numbers and not change.quantity:
        raise _no_line(order, change)
    if len(numbers) > 1 and change.quantity:
        raise _many_lines(numbers, change, "--line ")
    return numbers


def _line_of(order: Order, named: OrderLine) -> int:
    """The number of the one line that the product stands on."""
    numbers = _numbers_of(order, named.product_id)
    if not numbers:
        raise _no_line(order, named)
    if len(numbers) > 1:
        raise _many_lines(numbers, named, "")
    return numbers[0]


def _numbers_of(order: Order, product_id: str) -> list[int]:
    return [line.line_no for line in order.lines if line.product_id == product_id]


def _no_line(order: Order, named: OrderLine) -> Failed:
    return Failed(f"the order has no line of {named.product_id}: {_shown(order)}", USAGE)


def _many_lines(numbers: Sequence[int], named: OrderLine, option: str) -> Failed:
    lines = " and ".join(map(str, numbers))
    example = f"{option}{numbers[0]}={named.quantity}"
    return Failed(f"{named.product_id} stands on lines {lines}; say which: {example}", USAGE)


def _changed(line: OrderLine, change: OrderLine | None) -> OrderLine:
    """The line with other units, and with its price as it was unless another one is given."""
    if change is None:
        return replace(line, unit_price=None)
    return replace(line, quantity=change.quantity, unit_price=change.unit_price)


def _shown(order: Order) -> str:
    return f"see holdfast order get {quote(order.order_id)}"
