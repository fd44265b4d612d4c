"""What an order is to have after an edit, from what a person typed and the order as it is."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from shlex import quote

from holdfast.cli.exits import USAGE, Failed
from holdfast.client import Charge, ChargeKind, InvalidRequest, Order, OrderLine, Violation

_PLACE = re.compile(r"lines\[([0-9]+)\]\.?")


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


def units_by_line(order: Order, units: Sequence[OrderLine]) -> dict[int, int]:
    """Units to cancel by line number.

    :raises Failed: there is no such line, it is named twice, or has fewer units.
    """
    has = {line.line_no: line.quantity for line in order.lines}
    asked = {no: line.quantity for no, line in _by_number(order, units).items()}
    for line_no, quantity in asked.items():
        if quantity > has[line_no]:
            raise Failed(f"line {line_no} has only {has[line_no]} units", USAGE)
    return asked


def edited_charges(
    order: Order, lines: Sequence[OrderLine], amounts: Mapping[ChargeKind, Decimal]
) -> list[Charge]:
    """All charges as they are to be: of the whole order one of each kind that is given, unless it
    is 0, in place of those of its kind; all others stay, but for those of lines that go.
    """
    numbers = {0, *(line.line_no for line in lines)}
    kept = [
        charge
        for charge in order.charges
        if charge.line_no in numbers and (charge.line_no or charge.kind not in amounts)
    ]
    return kept + [Charge(kind, amount) for kind, amount in amounts.items() if amount]


@contextmanager
def lines_as_numbered(lines: Sequence[OrderLine]) -> Iterator[None]:
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
    name = change.product_id
    numbers = [line.line_no for line in order.lines if line.product_id == name]
    if not numbers and not change.quantity:
        raise Failed(f"the order has no line of {name}: {_shown(order)}", USAGE)
    if len(numbers) > 1 and change.quantity:
        named = " and ".join(map(str, numbers))
        example = f"--line {numbers[0]}={change.quantity}"
        raise Failed(f"{name} stands on lines {named}; say which: {example}", USAGE)
    return numbers


def _changed(line: OrderLine, change: OrderLine | None) -> OrderLine:
    """The line with other units, and with its price as it was unless another one is given."""
    if change is None:
        return replace(line, unit_price=None)
    return replace(line, quantity=change.quantity, unit_price=change.unit_price)


def _shown(order: Order) -> str:
    return f"see holdfast order get {quote(order.order_id)}"
