"""Returns: what may come back, and what has. What came is a fact, told to Inventory, never asked.

A return that is open counts with all that may come; one that is closed with what came.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.orders.domain.errors import WrongLines, refuse_wrong
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.stock import ReceivedUnits
from holdfast.orders.domain.returns.errors import OverReceipt, OverReturn

RETURNS_MAX = 200  # of one order: all are told with it


class Disposition(StrEnum):
    """What becomes of units that came back."""

    RESTOCK = "RESTOCK"
    QUARANTINE = "QUARANTINE"
    WRITE_OFF = "WRITE_OFF"


class ReturnLine(NamedTuple):
    """Units of a line that may come back, and why."""

    line_no: int
    product_id: str
    quantity: int
    reason: str


class ReceiptLine(NamedTuple):
    """Units of a line that came."""

    line_no: int
    product_id: str
    quantity: int
    disposition: Disposition
    location_id: str


class Receipt(NamedTuple):
    """One parcel.

    :param revision: of the question to Inventory that first told of it.
    :param request_hash: digest of what was asked for, to tell a repeat from another receipt.
    """

    request_id: str
    revision: int
    lines: tuple[ReceiptLine, ...]
    request_hash: str
    received_at: datetime


class Return(NamedTuple):
    """Units that left and may come back.

    :param closed_at: None: it is open.
    """

    return_id: str
    order_id: str
    request_id: str
    request_hash: str
    lines: tuple[ReturnLine, ...]
    opened_at: datetime
    receipts: tuple[Receipt, ...] = ()
    closed_at: datetime | None = None

    @property
    def received(self) -> Counter[int]:
        """Units that have come, by line number."""
        units = Counter[int]()
        for receipt in self.receipts:
            for line in receipt.lines:
                units[line.line_no] += line.quantity
        return units

    @property
    def claimed(self) -> Counter[int]:
        """Units that can be in no other return, by line number."""
        if self.closed_at is not None:
            return self.received
        return Counter({line.line_no: line.quantity for line in self.lines})


class AskedReturnLine(NamedTuple):
    """Units of a line that are to come back."""

    line_no: int
    quantity: int
    reason: str


class AskedReceiptLine(NamedTuple):
    """Units of a line that are said to have come."""

    line_no: int
    quantity: int
    disposition: Disposition
    location_id: str


def unanswered_receipts(returns: Iterable[Return], answered: int) -> tuple[ReceivedUnits, ...]:
    """What has come and Inventory has not answered for."""
    units = Counter[tuple[str, str, str, str]]()
    for one in returns:
        for receipt in one.receipts:
            if receipt.revision > answered:
                for _, product_id, quantity, disposition, location_id in receipt.lines:
                    units[receipt.request_id, product_id, location_id, disposition] += quantity
    return tuple(
        ReceivedUnits(receipt_id, product_id, location_id, quantity, disposition)
        for (receipt_id, product_id, location_id, disposition), quantity in units.items()
    )


def may_come(
    order_id: str,
    lines: Sequence[OrderLine],
    shipped: Counter[int],
    returns: Iterable[Return],
    asked: Sequence[AskedReturnLine],
) -> tuple[ReturnLine, ...]:
    """Return what may come back, by line numbers.

    :param shipped: units that have left, by line number.
    :raises WrongLines: there is no such line, or it is named twice.
    :raises OverReturn: fewer have left and are in no other return.
    """
    left = Counter(shipped)
    for one in returns:
        left.subtract(one.claimed)
    products = {line.line_no: line.product_id for line in lines}
    refuse_wrong(WrongLines(_unknown_or_twice(products, asked)))
    for line_no, quantity, _ in asked:
        if quantity > left[line_no]:
            raise OverReturn(order_id, line_no, wanted=quantity, left=left[line_no])
    return tuple(ReturnLine(no, products[no], units, reason) for no, units, reason in sorted(asked))


def came(to: Return, asked: Sequence[AskedReceiptLine]) -> tuple[ReceiptLine, ...]:
    """Return what came by an open return; a line may be named for several dispositions or places.

    :raises WrongLines: the return has no such line.
    :raises OverReceipt: fewer are still to come.
    """
    left = to.claimed
    left.subtract(to.received)
    products = {line.line_no: line.product_id for line in to.lines}
    unknown = {
        place: f"there is no line {line.line_no}"
        for place, line in enumerate(asked)
        if line.line_no not in products
    }
    refuse_wrong(WrongLines(unknown))
    for line_no, quantity, _, _ in asked:
        if quantity > left[line_no]:
            raise OverReceipt(to.return_id, line_no, wanted=quantity, left=left[line_no])
        left[line_no] -= quantity
    return tuple(
        ReceiptLine(line_no, products[line_no], quantity, disposition, location_id)
        for line_no, quantity, disposition, location_id in asked
    )


def _unknown_or_twice(
    products: Iterable[int], asked: Sequence[AskedReturnLine]
) -> Mapping[int, str]:
    known = set(products)
    problems = dict[int, str]()
    for place, (line_no, *_) in enumerate(asked):
        if line_no not in known:
            problems[place] = f"there is no line {line_no}, or it is named twice"
        known.discard(line_no)
    return problems
