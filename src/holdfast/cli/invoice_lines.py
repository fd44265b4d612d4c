"""Understand one line of the UCI Online Retail format, or say what is wrong with it."""

import csv
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import NamedTuple

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
)
GUEST = "guest"

LINE_BYTES_MAX = 65_536
ID_CHARS_MAX = 64
QUANTITY_MAX = 1_000_000_000

# Postage, carriage, manual corrections, samples, discounts, bad debt, charity: nothing on a shelf.
NOT_STOCK = frozenset(
    {"POST", "DOT", "C2", "M", "S", "D", "B", "BANK CHARGES", "AMAZONFEE", "CRUK"}
)
NOT_STOCK_PREFIX = "GIFT_"  # gift vouchers

# Why a line, or a whole invoice, became no order.
CANCELLATION = "cancellation"
NOT_A_PRODUCT = "not_stock"
QUANTITY_NOT_POSITIVE = "quantity_0_or_less"
PRICE_NOT_POSITIVE = "price_0_or_less"

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,12}")
_PRICE = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_FLOAT_ID = re.compile(r"([0-9]+)\.0+")
_DATE_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")


class Unintelligible(Exception):
    """A line says nothing that can be used; the problem completes the sentence "this line ..."."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def cells_of(raw: bytes) -> list[str]:
    """The cells of one line of CSV.

    :raises Unintelligible: it is too long, no text, or badly quoted.
    """
    if len(raw) > LINE_BYTES_MAX:
        raise Unintelligible(f"is longer than {LINE_BYTES_MAX} bytes")
    if b"\0" in raw:
        raise Unintelligible("contains a NUL")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Unintelligible(f"is not UTF-8 at byte {error.start + 1}") from error
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise Unintelligible(f"has a stray quote ({error})") from error


class Record(NamedTuple):
    """One line, understood; whether it is an order line is another question."""

    invoice: str
    product_id: str
    description: str
    quantity: int
    at: datetime
    unit_price_minor: int
    customer_id: str


def record_of(cells: list[str], columns: list[int], width: int) -> Record:
    """The record in a line's cells.

    :param columns: where the cells of `COLUMNS` stand.
    :param width: how many cells a line must have.
    :raises Unintelligible: a cell is missing, or holds what it should not.
    """
    if len(cells) != width:
        raise Unintelligible(f"has {len(cells)} columns instead of {width}")
    invoice, code, description, quantity, at, price, customer = [cells[at] for at in columns]
    return Record(
        invoice=_id("invoice number", invoice),
        product_id=_id("stock code", code),
        description=description,
        quantity=_quantity(quantity.strip()),
        at=_date(at.strip()),
        unit_price_minor=_minor_units(price.strip()),
        customer_id=_customer_id(customer),
    )


@lru_cache(maxsize=16_384)
def _id(what: str, text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise Unintelligible(f"has no {what}")
    if len(stripped) > ID_CHARS_MAX or not stripped.isprintable():
        problem = f"more than {ID_CHARS_MAX} characters or a control character in the {what}"
        raise Unintelligible(f"has {problem}")
    return stripped


@lru_cache(maxsize=16_384)
def _customer_id(text: str) -> str:
    """A spreadsheet made numbers of the ids: 17850.0 is customer 17850."""
    stripped = text.strip()
    if not stripped:
        return GUEST
    number = _FLOAT_ID.fullmatch(stripped)
    return _id("customer id", number[1] if number else stripped)


def _quantity(text: str) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise Unintelligible(f"has a quantity that is no whole number: {_quoted(text)}")
    quantity = int(text)
    if abs(quantity) > QUANTITY_MAX:
        raise Unintelligible(f"has a quantity beyond {QUANTITY_MAX:,}: {text}")
    return quantity


@lru_cache(maxsize=16_384)
def _minor_units(text: str) -> int:
    if not _PRICE.fullmatch(text):
        raise Unintelligible(f"has a price that is no number: {_quoted(text)}")
    return int((Decimal(text) * 100).to_integral_value(rounding=ROUND_HALF_EVEN))


@lru_cache(maxsize=16_384)
def _date(text: str) -> datetime:
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise Unintelligible(f"has a date that cannot be read: {_quoted(text)}")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def skip_reason(record: Record) -> str | None:
    """Why a line is no order line; None for one that is."""
    code = record.product_id.upper()
    if record.invoice[0] in "Cc":
        return CANCELLATION
    if code in NOT_STOCK or code.startswith(NOT_STOCK_PREFIX):
        return NOT_A_PRODUCT
    if record.quantity <= 0:
        return QUANTITY_NOT_POSITIVE
    if record.unit_price_minor <= 0:
        return PRICE_NOT_POSITIVE
    return None
