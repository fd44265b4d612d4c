"""Lines to orders: an order is whole, or it is held back and every reason is told by line."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.importing.flaws import Flaw, quoted
from holdfast.importing.formats import Line, NoOrderLine

GUEST = "guest"
NAME_CHARS_MAX = 500
ORDER_LINES_MAX = 2_000
ORDER_SPAN = timedelta(days=1)  # numbers that begin anew must not join the orders of two years

# Why lines or whole orders became no order, beside the reasons of the formats.
BLANK = "blank"
UNREADABLE = "unreadable"
HELD_BACK = "held_back"  # read well, and their order is not placed
NOTHING_LEFT = "no_line_left"
CANCELLATION = "cancellation"  # of nothing that is stock


class FileLine(NamedTuple):
    """Units of one product at a price in minor units."""

    product_id: str
    quantity: int
    unit_price_minor: int


@dataclass(slots=True)
class FileOrder:
    """What one customer ordered at one moment; the lines stand in the order of the file."""

    number: str
    customer_id: str
    at: datetime
    lines: list[FileLine] = field(default_factory=list)
    line: int = 0  # of the file, where it begins


class CancelledLine(NamedTuple):
    """Units of one product that are taken back, and the line of the file that says so."""

    product_id: str
    quantity: int
    line: int


@dataclass(slots=True)
class Cancellation:
    """What one customer took back at one moment; the lines stand in the order of the file."""

    number: str
    customer_id: str
    at: datetime
    lines: list[CancelledLine]
    line: int  # of the file, where it begins


@dataclass(slots=True)
class Finished:
    """What is whole, in time order, and how many orders and cancellations are held back."""

    orders: list[FileOrder] = field(default_factory=list)
    cancellations: list[Cancellation] = field(default_factory=list)
    orders_held_back: int = 0
    cancellations_held_back: int = 0


@dataclass(slots=True)
class CatalogueEntry:
    """What the file says about one product: its commonest name and price, and all the demand."""

    name: str
    unit_price_minor: int
    demand: int


class _Gathered:
    """An order, or a cancellation, in the making."""

    def __init__(self, first: Line, part: int, *, is_cancellation: bool) -> None:
        self.is_cancellation = is_cancellation
        self.first, self.at, self.customer_id = first, first.at, first.customer_id
        self.part = part
        self.lines: list[FileLine] = []
        self.cancelled: list[CancelledLine] = []
        self.line_count = 0

    def take(self, line: Line, part: int) -> str | None:
        """Add a line; what is wrong with it beside the others, if anything is."""
        first = f"line {self.first.number:,}"
        self.line_count += 1
        if self.line_count > ORDER_LINES_MAX:
            pass
        elif self.is_cancellation:
            self.cancelled.append(CancelledLine(line.product_id, line.quantity, line.number))
        else:
            self.lines.append(FileLine(line.product_id, line.quantity, line.unit_price_minor))
        self.at = self.at or line.at
        if part != self.part:
            return f"it has lines before and after the second header, from {first} on: the same?"
        if self.at and line.at and abs(line.at - self.at) > ORDER_SPAN:
            return (
                f"its date is {line.at:%Y-%m-%d}, and in {first} it is {self.at:%Y-%m-%d}: if "
                "these are two orders, give one of them another number"
            )
        if line.customer_id is not None and line.customer_id != self.customer_id:
            before = quoted(self.customer_id) if self.customer_id else "none, a guest"
            return (
                f"its customer is {quoted(line.customer_id)}, and in {first} "
                f"it is {before}: an order has one customer, so give one of them another number"
            )
        if self.line_count == ORDER_LINES_MAX + 1:
            return f"it has more than {ORDER_LINES_MAX:,} lines, which no order may have: split it"
        return None


class Orders:
    """What the lines of a file come to, line by line.

    :param is_cancellation: whether an order number is that of a cancellation.
    """

    def __init__(self, is_cancellation: Callable[[str], bool]) -> None:
        self._is_cancellation = is_cancellation
        self.flaws: list[Flaw] = []
        self.stopped_by: Flaw | None = None
        self.skipped_lines: Counter[str] = Counter()
        self._gathered: dict[str, _Gathered] = {}
        self._flawed: set[str] = set()
        self._part = 0
        self._without_lines: dict[str, None] = {}  # numbers, also of those that have others
        self._names: dict[str, Counter[str]] = {}
        self._prices: dict[str, Counter[int]] = {}

    def skip(self, reason: str, lines: int = 1) -> None:
        self.skipped_lines[reason] += lines

    def begin_part(self, flaw: Flaw) -> None:
        """Another file was joined here; no order lacks the line that shows it."""
        self.flaws.append(flaw)
        self._part += 1

    def report(self, flaw: Flaw) -> None:
        """A line of a flawed order, which is held back; without one, all are."""
        self.flaws.append(flaw)
        if flaw.order:
            self._flawed.add(flaw.order)
        else:
            self.stopped_by = self.stopped_by or flaw

    def leave_out(self, line: NoOrderLine) -> None:
        self.skip(line.reason)
        self._without_lines[line.order] = None

    def take(self, line: Line) -> None:
        order = self._gathered.get(line.order)
        if order is None:
            is_cancellation = self._is_cancellation(line.order)
            order = _Gathered(line, self._part, is_cancellation=is_cancellation)
            self._gathered[line.order] = order
        problem = order.take(line, self._part)
        if problem:
            self.report(Flaw(line.number, line.order, problem))
        if order.is_cancellation:
            return
        self._names.setdefault(line.product_id, Counter())[line.description] += 1
        self._prices.setdefault(line.product_id, Counter())[line.unit_price_minor] += 1

    def skipped_orders(self) -> Counter[str]:
        """Orders of which the format's rules left nothing, by reason."""
        return Counter(
            CANCELLATION if self._is_cancellation(number) else NOTHING_LEFT
            for number in self._without_lines
            if number not in self._gathered and number not in self._flawed
        )

    def finish(self) -> Finished:
        """What is whole, and how much is held back."""
        for number, order in self._gathered.items():
            if order.at is None and number not in self._flawed:
                self.report(Flaw(order.first.number, number, "none of its lines has a date"))
        done = Finished()
        held_back = set(self._flawed)
        for number, order in self._gathered.items():
            if self.stopped_by or number in self._flawed or order.at is None:
                self.skip(HELD_BACK, order.line_count)
                held_back.add(number)
                continue
            known = (number, order.customer_id or GUEST, order.at)
            if order.is_cancellation:
                done.cancellations.append(Cancellation(*known, order.cancelled, order.first.number))
            else:
                done.orders.append(FileOrder(*known, order.lines, order.first.number))
        done.orders.sort(key=lambda order: order.at)  # stable: the file decides within a moment
        done.cancellations.sort(key=lambda cancellation: cancellation.at)
        done.cancellations_held_back = sum(map(self._is_cancellation, held_back))
        done.orders_held_back = len(held_back) - done.cancellations_held_back
        self.flaws.sort()
        return done

    def catalogue(self, orders: list[FileOrder]) -> dict[str, CatalogueEntry]:
        demand: Counter[str] = Counter()
        for order in orders:
            for line in order.lines:
                demand[line.product_id] += line.quantity
        return {
            product_id: CatalogueEntry(
                name=_commonest_name(self._names[product_id]),
                unit_price_minor=self._prices[product_id].most_common(1)[0][0],
                demand=units,
            )
            for product_id, units in demand.items()
        }


def _commonest_name(descriptions: Counter[str]) -> str:
    """The description seen most often, white space folded; the first of equals; empty if none."""
    names: Counter[str] = Counter()
    for description, count in descriptions.items():
        folded = " ".join(description.split())
        if folded:
            names[folded] += count
    if not names:
        return ""
    printable = "".join(c for c in names.most_common(1)[0][0] if c.isprintable())
    return printable[:NAME_CHARS_MAX]
