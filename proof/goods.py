"""Goods of orders as plain facts: where they come from, what left, what came back."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

BY_PRIORITY = "PRIORITY"


class Sourcing(NamedTuple):
    """Where the stock of an order is to come from."""

    strategy: str = BY_PRIORITY
    location_ids: tuple[str, ...] = ()
    may_split: bool = True
    in_stock_only: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether the order may wait for what is not there."""
        return self.may_split and not self.in_stock_only


class Item(NamedTuple):
    """Units of a line that left from a location, or came to one.

    :param disposition: what becomes of units that came; empty: they left.
    """

    line_no: int
    product_id: str
    location_id: str
    units: int
    disposition: str = ""


class Shipment(NamedTuple):
    """What left at once.

    :param version: the order's with it.
    :param revision: of the question that first told of it.
    """

    shipment_id: str
    version: int
    revision: int
    items: tuple[Item, ...]
    tracking_number: str = ""
    is_delivered: bool = False


class Receipt(NamedTuple):
    """What came back at once; its facts as those of a shipment."""

    request_id: str
    version: int
    revision: int
    items: tuple[Item, ...]


class Return(NamedTuple):
    """What may come back.

    :param lines: units by line number, each with its product.
    """

    return_id: str
    request_id: str
    version: int
    lines: tuple[tuple[int, str, int], ...]
    is_closed: bool = False
    receipts: tuple[Receipt, ...] = ()

    @property
    def received(self) -> Counter[int]:
        """Units that came, by line number."""
        return units_by_line(item for receipt in self.receipts for item in receipt.items)

    @property
    def claimed(self) -> Counter[int]:
        """Units that no other return may name, by line number."""
        if self.is_closed:
            return self.received
        return Counter({line_no: units for line_no, _, units in self.lines})


def units_by_line(items: Iterable[Item]) -> Counter[int]:
    """Units by line number."""
    units = Counter[int]()
    for item in items:
        units[item.line_no] += item.units
    return units


def units_by_product(items: Iterable[Item]) -> Counter[str]:
    """Units by product."""
    units = Counter[str]()
    for item in items:
        units[item.product_id] += item.units
    return units
