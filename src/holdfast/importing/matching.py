"""Which sale a cancellation takes back: the latest before it that has units left, then the next."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from holdfast.importing.orders import GUEST, Cancellation, CancelledLine, FileOrder


class Unmatched(StrEnum):
    """Why units that are cancelled belong to no sale."""

    GUEST = "guest"  # nobody can say whose they were
    UNKNOWN_CUSTOMER = "unknown_customer"  # there is no earlier order of that customer
    NO_EARLIER_SALE = "no_earlier_sale"  # none that has the product
    ORDER_NOT_FILLED = "order_not_filled"  # it was ordered, and the order came to nothing
    MORE_THAN_SOLD = "more_than_sold"  # or as much as that came back before


@dataclass(slots=True)
class Sale:
    """An order of the file, and what of it can still come back.

    :param is_filled: whether its goods were promised; of one that is not nothing can come back.
    :param left: units by line number, from 1.
    """

    order: FileOrder
    is_filled: bool
    left: dict[int, int]


class UnmatchedUnits(NamedTuple):
    """Units of one line of a cancellation that belong to no sale."""

    cancellation: Cancellation
    line: CancelledLine
    units: int
    reason: Unmatched


@dataclass(slots=True)
class Matches:
    """Every unit that is cancelled and was not taken back before, either in a sale or unmatched."""

    # Units by line number, by the numbers of order and cancellation; both in time order.
    returns: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)
    unmatched: list[UnmatchedUnits] = field(default_factory=list)


def match(
    cancellations: Sequence[Cancellation],
    sales: Sequence[Sale],
    taken_back: Mapping[tuple[str, str], int],
) -> Matches:
    """Find the sales that cancellations take back; what they take is no longer `left` of them.

    The customer's latest order before the cancellation that has units of the product left gives
    them, its last line first, then the one before it. Run again with what came of it in
    `taken_back`, wholly or in part, it finds the rest of the same.

    :param cancellations: in time order.
    :param sales: in time order.
    :param taken_back: units that earlier runs took back, by numbers of cancellation and product;
        `left` is without them.
    """
    known = _Known(sales, {one.customer_id for one in cancellations} - {GUEST})
    before = Counter(taken_back)
    matches = Matches()
    for cancellation in cancellations:
        for line in cancellation.lines:
            done = min(before[cancellation.number, line.product_id], line.quantity)
            before[cancellation.number, line.product_id] -= done
            if done < line.quantity:
                _match_line(cancellation, line, line.quantity - done, known, matches)
    return matches


class _Known:
    """The sales by who bought and what."""

    def __init__(self, sales: Sequence[Sale], customers: set[str]) -> None:
        self._first: dict[str, Sale] = {}
        self._of: dict[tuple[str, str], list[tuple[Sale, int]]] = {}
        for sale in sales:
            customer_id = sale.order.customer_id
            if customer_id not in customers:
                continue
            self._first.setdefault(customer_id, sale)
            for line_no, line in enumerate(sale.order.lines, 1):
                of_product = self._of.setdefault((customer_id, line.product_id), [])
                of_product.append((sale, line_no))

    def has_customer(self, cancellation: Cancellation) -> bool:
        first = self._first.get(cancellation.customer_id)
        return first is not None and _is_earlier(first, cancellation)

    def earlier(self, cancellation: Cancellation, product_id: str) -> list[tuple[Sale, int]]:
        """The lines of the customer's earlier orders that have the product, the latest first."""
        of_product = self._of.get((cancellation.customer_id, product_id), [])
        return [one for one in reversed(of_product) if _is_earlier(one[0], cancellation)]


def _is_earlier(sale: Sale, cancellation: Cancellation) -> bool:
    """Within a moment the file decides."""
    return (sale.order.at, sale.order.line) < (cancellation.at, cancellation.line)


def _match_line(
    cancellation: Cancellation, line: CancelledLine, units: int, known: _Known, matches: Matches
) -> None:
    earlier = known.earlier(cancellation, line.product_id)
    for sale, line_no, taken in _taken(earlier, units, is_filled=True):
        of_order = matches.returns.setdefault(sale.order.number, {})
        of_line = of_order.setdefault(cancellation.number, {})
        of_line[line_no] = of_line.get(line_no, 0) + taken
        units -= taken
    came_to_nothing = sum(taken for *_, taken in _taken(earlier, units, is_filled=False))
    if cancellation.customer_id == GUEST:
        rest = Unmatched.GUEST
    elif not known.has_customer(cancellation):
        rest = Unmatched.UNKNOWN_CUSTOMER
    else:
        rest = Unmatched.MORE_THAN_SOLD if earlier else Unmatched.NO_EARLIER_SALE
    for reason, left in (
        (Unmatched.ORDER_NOT_FILLED, came_to_nothing),
        (rest, units - came_to_nothing),
    ):
        if left:
            matches.unmatched.append(UnmatchedUnits(cancellation, line, left, reason))


def _taken(
    earlier: Sequence[tuple[Sale, int]], units: int, *, is_filled: bool
) -> Iterator[tuple[Sale, int, int]]:
    """Take so many units, as far as there are any; from which lines, and how many of each."""
    for sale, line_no in earlier:
        taken = min(units, sale.left[line_no])
        if sale.is_filled is is_filled and taken:
            sale.left[line_no] -= taken
            units -= taken
            yield sale, line_no, taken
