"""Units of an order, or the rest of it, are cancelled: what it comes down to without them."""

from collections.abc import Mapping

from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind, charged_total
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.ordering.lines import OrderLine


def cut_down(before: Contents, kept: Mapping[int, int]) -> Contents:
    """Return the contents with only some of their units: who keeps these pays for them as before.

    Charges of a line are cut in proportion to its units, rounded down; those of lines that go, go
    with them. Discounts of the whole order are cut in proportion to what the lines cost less their
    own discounts, so that they never are above it; its other charges stay.

    :param kept: units by line number; of one line at least.
    """
    lines = tuple(
        line._replace(quantity=kept[line.line_no])
        for line in before.lines
        if kept.get(line.line_no)
    )
    units = {line.line_no: line.quantity for line in before.lines}
    of_lines = {
        place: charge.amount.minor * kept.get(charge.line_no, 0) // units[charge.line_no]
        for place, charge in enumerate(before.charges)
        if charge.line_no
    }
    was = _cost(before.lines, before.charges, {})
    now = _cost(lines, before.charges, of_lines)
    charges = []
    for place, charge in enumerate(before.charges):
        minor = of_lines.get(place, charge.amount.minor)
        if charge.kind is ChargeKind.DISCOUNT and not charge.line_no and was:
            minor = minor * now // was
        if not charge.line_no or kept.get(charge.line_no):
            charges.append(charge._replace(amount=Money(charge.amount.currency, minor)))
    total = charged_total(lines, charges)
    return Contents(lines, tuple(charges), total, before.sourcing)


def _cost(lines: tuple[OrderLine, ...], charges: tuple[Charge, ...], cut: Mapping[int, int]) -> int:
    """What lines cost less their own discounts, in minor units.

    :param cut: what charges come down to, by their places; the others stay.
    """
    off = sum(
        cut.get(place, charge.amount.minor)
        for place, charge in enumerate(charges)
        if charge.line_no and charge.kind is ChargeKind.DISCOUNT
    )
    return sum(line.amount_minor for line in lines) - off
