"""A second opinion on cancellations: piles of what was sold, taken from the top.

Nothing here comes from the product, as in `recomputation`, whose reading of the lines it shares.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

Place = tuple[str, int]  # an invoice, and the number of its line, from 1
Pile = list[tuple[Place, int]]  # units of a product that a customer bought, the latest on top


@dataclass
class Invoice:
    """A sale or a cancellation, as the file has it: each line a product and units."""

    number: str
    customer: str
    date: str
    lines: list[tuple[str, int]] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.number.startswith("C")


@dataclass
class ExpectedReturns:
    """What must come back, by invoice and cancellation; and what must not, in units by reason."""

    units: dict[tuple[str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    unmatched: Counter[str] = field(default_factory=Counter)

    @property
    def shipped(self) -> set[str]:
        """Invoices that something comes back of."""
        return {sold for sold, _ in self.units}


def expected_returns(invoices: Collection[Invoice], filled: Collection[str]) -> ExpectedReturns:
    """Go through the invoices in time order.

    :param filled: invoices whose orders got what they asked for.
    """
    expected = ExpectedReturns()
    piles: dict[tuple[str, str], Pile] = defaultdict(list)
    not_filled: Counter[tuple[str, str]] = Counter()
    known: set[str] = set()
    bought: set[tuple[str, str]] = set()
    for invoice in sorted(invoices, key=attrgetter("date")):
        if not invoice.is_cancellation:
            known.add(invoice.customer)
        for line_no, (product, units) in enumerate(invoice.lines, 1):
            who = invoice.customer, product
            if invoice.is_cancellation:
                left = units
                for place, taken in _off(piles[who], units) if invoice.customer else ():
                    expected.units[place[0], invoice.number][place[1]] += taken
                    left -= taken
                if not left:
                    continue
                refused = min(left, not_filled[who]) if invoice.customer else 0
                not_filled[who] -= refused
                expected.unmatched["order_not_filled"] += refused
                expected.unmatched[_why(who, known, bought)] += left - refused
            else:
                bought.add(who)
                if invoice.number in filled:
                    piles[who].append(((invoice.number, line_no), units))
                else:
                    not_filled[who] += units
    expected.unmatched = +expected.unmatched
    return expected


def _off(pile: Pile, units: int) -> Iterator[tuple[Place, int]]:
    """Take so many units off a pile, as far as it goes."""
    while pile and units:
        place, there = pile.pop()
        taken = min(units, there)
        if there > taken:
            pile.append((place, there - taken))
        units -= taken
        yield place, taken


def _why(who: tuple[str, str], known: set[str], bought: set[tuple[str, str]]) -> str:
    if not who[0]:
        return "guest"
    if who[0] not in known:
        return "unknown_customer"
    return "more_than_sold" if who in bought else "no_earlier_sale"
