"""Rows to lines: what the cells of a row say, by the rules of the format that was asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from holdfast.importing.dates import DateOrder, moment
from holdfast.importing.encodings import Encoding
from holdfast.importing.flaws import Flaw, Unintelligible, UnreadableText, quoted
from holdfast.importing.header import DATA_SET, Columns
from holdfast.importing.identities import CHARACTERS_MAX, identity, seen
from holdfast.importing.numbers import minor_units, quantity
from holdfast.importing.rows import BadRow, Row

# A request id is made of it, and has no more room.
ORDER_CHARACTERS_MAX = CHARACTERS_MAX - len("invoice-")


class Format(StrEnum):
    """Whose rules a file follows."""

    GENERAL = "general"  # none but the columns
    ONLINE_RETAIL = "online-retail"  # the UCI Online Retail data set's


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read a file of orders.

    :param encoding: what its bytes mean; None: UTF-8, or what a byte order mark says.
    :param decimal_comma: numbers have a comma where others have a point.
    :param dates: what comes first in a date such as 03/04/2026; None: such dates are refused.
    :param currency: of all prices (ISO 4217).
    """

    format: Format = Format.GENERAL
    encoding: Encoding | None = None
    decimal_comma: bool = False
    dates: DateOrder | None = None
    currency: str = "GBP"


class Line(NamedTuple):
    """One line of an order or a cancellation, understood; its quantity is 1 or more.

    `at` and `customer_id` are None where the cell is empty.
    """

    number: int
    order: str
    product_id: str
    description: str
    quantity: int
    at: datetime | None
    unit_price_minor: int
    customer_id: str | None


class NoOrderLine(NamedTuple):
    """A line that says something else by the format's rules, and why."""

    order: str
    reason: str


class GeneralFormat:
    """No rules but that a line says what is ordered, how many, for how much, by whom and when."""

    def __init__(self, columns: Columns, options: ReadOptions) -> None:
        self._columns, self._options = columns, options
        at = columns.at
        self._order, self._product, self._quantity = at["order"], at["product"], at["quantity"]
        self._date, self._price, self._customer = at["date"], at["price"], at["customer"]
        self._description, self._currency = at.get("description"), at.get("currency")

    def read(self, row: Row | BadRow) -> Line | NoOrderLine | Flaw:
        """What a row says, or what is wrong with it."""
        order = ""
        try:
            if isinstance(row, BadRow):
                order = self._order_before_it_went_wrong(row.cells)
                raise Unintelligible(row.problem)  # noqa: TRY301  # one place makes flaws
            cells = self._cut(row.cells)
            if len(cells) != self._columns.width:
                order = self._order_before_it_went_wrong(cells)
                raise Unintelligible(self._why_misshapen(len(cells)))  # noqa: TRY301
            order = self._likely_order(cells[self._order])
            order = self._order_number(cells[self._order])
            return self._line(row.line, order, cells)
        except Unintelligible as error:
            return Flaw(row.line, order, error.problem)

    def is_cancellation(self, order: str) -> bool:
        """Whether what stands under this order number takes back what was ordered before."""
        return False

    def looks_whole(self, text: str) -> bool:
        """Whether a text is a row of its own by the look of it, though it stands in quotes."""
        cells = text.split(self._columns.separator)
        if len(cells) != self._columns.width:
            return False
        for check in (self._quantity_in, self._price_in):
            try:
                check(cells)
            except Unintelligible:
                continue
            return True
        return False

    def _cut(self, cells: list[str]) -> list[str]:
        """Without separators at the end that have nothing behind them."""
        width = self._columns.width
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            return cells[:width]
        return cells

    def _why_misshapen(self, columns: int) -> str:
        more = "a cell with a separator or a line break in it must stand in quotes"
        fewer = "the line is cut off, or a line break stands in a cell without quotes"
        cause = more if columns > self._columns.width else fewer
        return f"it has {columns} columns instead of {self._columns.width}: {cause}"

    def _order_before_it_went_wrong(self, cells: Sequence[str]) -> str:
        """The order number, where nothing before it can have shifted it; else empty."""
        return "" if self._order != 0 or not cells else self._likely_order(cells[0])

    def _likely_order(self, cell: str) -> str:
        """Which order a line is of to a person's eye, so that it is held back; empty if unclear."""
        try:
            return self._order_number(seen(cell))
        except Unintelligible:
            return ""

    def _order_number(self, cell: str) -> str:
        return identity("order number", cell, characters_max=ORDER_CHARACTERS_MAX)

    def _line(self, number: int, order: str, cells: Sequence[str]) -> Line | NoOrderLine:
        self._require_currency(cells)
        units, minor = self._quantity_in(cells), self._price_in(cells)
        if units <= 0:
            raise Unintelligible(f"the quantity {quoted(cells[self._quantity])} is not 1 or more")
        if minor < 0:
            raise Unintelligible(f"the price {quoted(cells[self._price])} is less than 0")
        return self._understood(number, order, cells, units, minor)

    def _understood(
        self, number: int, order: str, cells: Sequence[str], units: int, minor: int
    ) -> Line:
        description = "" if self._description is None else cells[self._description]
        product_id = identity("product", cells[self._product])
        customer_id = self._customer_in(cells)
        return Line(
            number, order, product_id, description, units, self._at(cells), minor, customer_id
        )

    def _require_currency(self, cells: Sequence[str]) -> None:
        named = "" if self._currency is None else cells[self._currency].strip(" ")
        if named and named != self._options.currency:
            raise Unintelligible(
                f"the currency is {quoted(named)}, and the file is read in "
                f"{self._options.currency}: give --currency, or a file for each currency"
            )

    def _quantity_in(self, cells: Sequence[str]) -> int:
        return quantity(cells[self._quantity], decimal_comma=self._options.decimal_comma)

    def _price_in(self, cells: Sequence[str]) -> int:
        options = self._options
        return minor_units(
            cells[self._price], options.currency, decimal_comma=options.decimal_comma
        )

    def _at(self, cells: Sequence[str]) -> datetime | None:
        cell = cells[self._date]
        return moment(cell, self._options.dates) if cell.strip(" ") else None

    def _customer_in(self, cells: Sequence[str]) -> str | None:
        cell = cells[self._customer]
        return identity("customer", cell) if cell.strip(" ") else None


# Why a line became no order line.
NOT_A_PRODUCT = "not_stock"
QUANTITY_NOT_POSITIVE = "quantity_0_or_less"
PRICE_NOT_POSITIVE = "price_0_or_less"

# Postage, carriage, manual corrections, samples, discounts, bad debt, charity: nothing on a shelf.
_NOT_STOCK = frozenset(
    {"POST", "DOT", "C2", "M", "S", "D", "B", "BANK CHARGES", "AMAZONFEE", "CRUK"}
)
_NOT_STOCK_PREFIX = "GIFT_"  # gift vouchers
_FLOAT_CUSTOMER = re.compile(r" *([0-9]+)\.0+ *", re.ASCII)
_TINY_PRICE = re.compile(r" *0?\.00[1-4]0* *", re.ASCII)  # part of a penny: as good as nothing


class OnlineRetailFormat(GeneralFormat):
    """The UCI Online Retail data set: what is no order line in it is left out by its rules."""

    def __init__(self, columns: Columns, options: ReadOptions) -> None:
        if not columns.is_data_sets():
            raise UnreadableText(
                f"line {columns.line}, the header is not that of the UCI Online Retail data set "
                f"({', '.join(DATA_SET)}): leave --format away"
            )
        super().__init__(columns, options)
        self._dates = options.dates or DateOrder.MDY

    def is_cancellation(self, order: str) -> bool:
        """As the data set marks them, by a C before the number."""
        return order[0] in "Cc"

    def _line(self, number: int, order: str, cells: Sequence[str]) -> Line | NoOrderLine:
        units, minor = self._quantity_in(cells), self._price_in(cells)
        code = cells[self._product].strip(" ").upper()
        if code in _NOT_STOCK or code.startswith(_NOT_STOCK_PREFIX):
            return NoOrderLine(order, NOT_A_PRODUCT)
        if self.is_cancellation(order):
            if units >= 0:
                raise Unintelligible(
                    f"the quantity {quoted(cells[self._quantity])} of a cancellation is not below 0"
                )
            return self._understood(number, order, cells, -units, minor)
        if units <= 0:
            return NoOrderLine(order, QUANTITY_NOT_POSITIVE)
        if minor <= 0:
            return NoOrderLine(order, PRICE_NOT_POSITIVE)
        return self._understood(number, order, cells, units, minor)

    def _price_in(self, cells: Sequence[str]) -> int:
        return 0 if _TINY_PRICE.fullmatch(cells[self._price]) else super()._price_in(cells)

    def _at(self, cells: Sequence[str]) -> datetime | None:
        cell = cells[self._date]
        return moment(cell, self._dates) if cell.strip(" ") else None

    def _customer_in(self, cells: Sequence[str]) -> str | None:
        """A spreadsheet made numbers of the ids: 17850.0 is customer 17850."""
        number = _FLOAT_CUSTOMER.fullmatch(cells[self._customer])
        return number[1] if number else super()._customer_in(cells)


def format_of(columns: Columns, options: ReadOptions) -> GeneralFormat:
    """The rules that were asked for.

    :raises UnreadableText: the header is not that format's.
    """
    if options.format is Format.ONLINE_RETAIL:
        return OnlineRetailFormat(columns, options)
    return GeneralFormat(columns, options)
