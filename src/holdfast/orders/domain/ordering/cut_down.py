"""Units of an order, or the rest of it, are cancelled: what it comes down to without them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import Charge, ChargeKind, charged_total
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.ordering.lines import OrderLine


def cut_down(before: Contents, kept: Mapping[int, int]) -> Contents:
    """Return the contents with only some of their units: who keeps these pays for them as before.

    Charges of a line are cut in proportion to its units; those of lines that go, go with them.
    Discounts of the whole order are cut in proportion to what the lines cost less their own
    discounts; its other charges stay. What a kind of charges comes to is rounded down, so that the
    total never rises.

    :param kept: units by line number; of one line at least.
    """
    lines = tuple(
        line._replace(quantity=kept[line.line_no])
        for line in before.lines
        if kept.get(line.line_no)
    )
    units = {line.line_no: line.quantity for line in before.lines}
    alike = defaultdict[tuple[int, ChargeKind], list[int]](list)
    for place, charge in enumerate(before.charges):
        alike[charge.line_no, charge.kind].append(place)
    cut = [charge.amount.minor for charge in before.charges]
    was = _cost(before.lines, before.charges, cut)
    for (line_no, _), places in alike.items():
        if line_no:
            _cut(cut, places, kept.get(line_no, 0), units[line_no])
    if was:
        now = _cost(lines, before.charges, cut)
        _cut(cut, alike[0, ChargeKind.DISCOUNT], now, was)
    charges = tuple(
        charge._replace(amount=Money(charge.amount.currency, minor))
        for charge, minor in zip(before.charges, cut, strict=True)
        if not charge.line_no or kept.get(charge.line_no)
    )
    return Contents(lines, charges, charged_total(lines, charges), before.sourcing)


def _cut(amounts: list[int], places: Sequence[int], part: int, whole: int) -> None:
    """Cut the amounts at some places in proportion, and their sum with them."""
    sums = accumulate((amounts[place] for place in places), initial=0)
    left = pairwise([so_far * part // whole for so_far in sums])
    for place, (without, with_it) in zip(places, left, strict=True):
        amounts[place] = with_it - without


def _cost(lines: Sequence[OrderLine], charges: Sequence[Charge], amounts: Sequence[int]) -> int:
    """What lines cost less their own discounts, in minor units.

    :param amounts: of the charges.
    """
    off = sum(
        minor
        for charge, minor in zip(charges, amounts, strict=True)
        if charge.line_no and charge.kind is ChargeKind.DISCOUNT
    )
    return sum(line.amount_minor for line in lines) - off
