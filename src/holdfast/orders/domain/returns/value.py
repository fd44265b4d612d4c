"""What units that came back cost. Nothing is given back here: payments are told, never made."""

from collections import Counter
from collections.abc import Iterable, Mapping

from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import ADDED, ChargeKind
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.returns.returned import Return


def values(contents: Contents, returns: Iterable[Return]) -> list[Money]:
    """Return what the received units of each return cost, with their share of charges.

    It is by how much less the order would cost if they had been cancelled, in the order of the
    returns: see `cut_down`. So nobody pays twice for a unit, or is given back more than was paid.
    """
    cost = _Cost(contents)
    currency = contents.total.currency
    return [Money(currency, cost.less(one.received)) for one in returns]


class _Cost:
    """What an order costs as units of it go, but for what goes with none of them.

    `cut_down` says the same, and goes through all lines for it: 200 returns would be too many.
    """

    def __init__(self, contents: Contents) -> None:
        self._lines = {line.line_no: line for line in contents.lines}
        self._kept = {line.line_no: line.quantity for line in contents.lines}
        self._charges = Counter[tuple[int, ChargeKind]]()
        for charge in contents.charges:
            self._charges[charge.line_no, charge.kind] += charge.amount.minor
        self._off = self._charges[0, ChargeKind.DISCOUNT]
        parts = [self._of_line(line_no) for line_no in self._lines]
        self._was = self._goods = sum(goods for goods, _ in parts)
        self._added = sum(added for _, added in parts)

    def less(self, units: Mapping[int, int]) -> int:
        """Take units of lines off; return what they cost, in minor units."""
        before = self._minor()
        for line_no, quantity in units.items():
            goods, added = self._of_line(line_no)
            self._kept[line_no] -= quantity
            goods_left, added_left = self._of_line(line_no)
            self._goods += goods_left - goods
            self._added += added_left - added
        return before - self._minor()

    def _of_line(self, line_no: int) -> tuple[int, int]:
        """What is left of a line costs less its discounts, and what is added to that."""
        line, kept = self._lines[line_no], self._kept[line_no]

        def share(kind: ChargeKind) -> int:
            return self._charges[line_no, kind] * kept // line.quantity

        goods = kept * line.unit_price.minor - share(ChargeKind.DISCOUNT)
        return goods, sum(map(share, ADDED))

    def _minor(self) -> int:
        off = self._off * self._goods // self._was if self._was else self._off
        return self._goods + self._added - off
