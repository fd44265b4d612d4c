"""Charges: amounts beside the prices, all given by the caller. Sums, never rates."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.errors import TotalTooLarge, WrongCharges
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.ordering.lines import OrderLine, total_of

CHARGES_MAX = 500


class ChargeKind(StrEnum):
    """What is added to the lines of an order, or taken off."""

    DISCOUNT = "DISCOUNT"  # taken off
    SHIPPING = "SHIPPING"
    FEE = "FEE"
    TAX = "TAX"
    TAX_INCLUDED = "TAX_INCLUDED"  # told only: it is in the prices


ADDED = (ChargeKind.SHIPPING, ChargeKind.FEE, ChargeKind.TAX)


class Charge(NamedTuple):
    """One amount; `line_no` 0 is the whole order."""

    kind: ChargeKind
    line_no: int
    code: str
    amount: Money


def charged_total(lines: Sequence[OrderLine], charges: Sequence[Charge]) -> Money:
    """Return what the lines cost with everything added and taken off.

    :raises WrongCharges: a discount is above what it is taken off from, in all.
    :raises MixedCurrencies, TotalTooLarge: see `total_of`.
    """
    goods = total_of(lines)
    left = Counter({line.line_no: line.amount_minor for line in lines})
    added, problems = 0, {}
    for place, charge in enumerate(charges):
        assert charge.amount.currency == goods.currency, "it was given that of the order"
        minor = charge.amount.minor
        match charge.kind:
            case ChargeKind.DISCOUNT if charge.line_no:
                left[charge.line_no] -= minor
                if left[charge.line_no] < 0:
                    problems[place] = f"is more than line {charge.line_no} costs"
            case kind if kind in ADDED:
                added += minor
            case _:
                pass
    off = sum(c.amount.minor for c in charges if c.kind is ChargeKind.DISCOUNT)
    of_order = [p for p, c in enumerate(charges) if c.kind is ChargeKind.DISCOUNT and not c.line_no]
    if off > goods.minor and of_order:
        problems[of_order[-1]] = "is more than all lines cost, less their own discounts"
    if problems:
        raise WrongCharges(problems)
    minor = goods.minor - off + added
    if minor > MINOR_MAX:
        raise TotalTooLarge
    return Money(goods.currency, minor)
