"""Make up a wholesaler's busy week, so that the demo needs no download.

The same seed gives the same file, in the same format as the real data and with its oddities: a few
products sell every day and most hardly ever, one customer buys a lamp and another a hundred lines,
guests have no number, some orders come back, and postage stands between the goods.
"""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

HEADER = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
INVOICES_DEFAULT = 2_000
SEED_DEFAULT = 2010
PRODUCTS = 600
CUSTOMERS = 400
INVOICE_LINES_MAX = 100

_OPENING = datetime(2010, 12, 1, 8, 0, tzinfo=UTC)
_AT = "%Y-%m-%d %H:%M:%S"
_FIRST_INVOICE = 100_001
_POPULARITY_EXPONENT = 0.8  # Zipf: the n-th product sells n ** -0.8 as often as the first
_LINES_MEDIAN_LOG, _LINES_SPREAD = 1.7, 1.0  # of a log-normal: median 5 lines, 1 in 100 has 50
_PACKS, _PACK_WEIGHTS = (1, 2, 3, 4, 6, 12, 24, 48, 144), (22, 16, 8, 10, 18, 16, 7, 2, 1)
_CANCELLED_SHARE = 0.03
_POSTAGE_SHARE = 0.04
_GUEST_SHARE = 0.15
_SPOILED_SHARE = 0.01  # a line without a price, or without a quantity

_COLOURS = ("RED", "WHITE", "PINK", "BLUE", "IVORY", "GREEN", "SILVER", "BLACK", "MINT", "CREAM")
_STYLES = ("RETROSPOT", "METAL", "VINTAGE", "WOODEN", "HANGING", "ENAMEL", "POLKADOT", "HEART")
_THINGS = ("LANTERN", "MUG", "CAKE STAND", "BUNTING", "DOORMAT", "TEA TOWEL", "CLOCK", "CANDLE")
_COUNTRIES = ("United Kingdom", "France", "Germany", "EIRE")


class _Product(NamedTuple):
    code: str
    description: str
    price: str


class _Line(NamedTuple):
    invoice: str
    code: str
    description: str
    quantity: int
    at: str
    price: str
    customer: str
    country: str


def write_sample(path: Path, *, invoices: int = INVOICES_DEFAULT, seed: int = SEED_DEFAULT) -> None:
    """Write a file with so many invoices to place, and a few cancellations among them.

    The same arguments write the same bytes, on every machine.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(_sample_lines(invoices, random.Random(seed)))  # noqa: S311  # no secret


def _sample_lines(invoices: int, chance: random.Random) -> Iterator[_Line]:
    products = _products(chance)
    popularity = list(accumulate((n + 1) ** -_POPULARITY_EXPONENT for n in range(PRODUCTS)))
    at, number = _OPENING, _FIRST_INVOICE
    for _ in range(invoices):
        at += timedelta(minutes=chance.randint(0, 9))
        lines = _invoice(str(number), at.strftime(_AT), products, popularity, chance)
        yield from lines
        number += 1
        if chance.random() < _CANCELLED_SHARE:
            at += timedelta(minutes=1)
            yield _returned(chance.choice(lines), f"C{number}", at.strftime(_AT))
            number += 1


def _products(chance: random.Random) -> list[_Product]:
    names = [f"{c} {s} {t}" for c in _COLOURS for s in _STYLES for t in _THINGS]
    codes = chance.sample(range(20_000, 90_000), PRODUCTS)
    return [
        _Product(f"{code}{chance.choice(('', '', '', 'A', 'B'))}", name, _price(chance))
        for code, name in zip(codes, chance.sample(names, PRODUCTS), strict=True)
    ]


def _price(chance: random.Random) -> str:
    pounds = chance.choice((0, 1, 1, 2, 2, 3, 4, 6, 8, 12))
    return f"{pounds}.{chance.choice(('25', '45', '65', '85', '95'))}"


def _invoice(
    number: str,
    at: str,
    products: list[_Product],
    popularity: list[float],
    chance: random.Random,
) -> list[_Line]:
    guest = chance.random() < _GUEST_SHARE
    customer = "" if guest else f"{chance.randrange(12_346, 12_346 + CUSTOMERS)}.0"
    country = chance.choices(_COUNTRIES, (90, 4, 4, 2))[0]
    size = int(chance.lognormvariate(_LINES_MEDIAN_LOG, _LINES_SPREAD))
    size = min(max(size, 1), INVOICE_LINES_MAX)
    bought = chance.choices(products, cum_weights=popularity, k=size)
    quantities = chance.choices(_PACKS, _PACK_WEIGHTS, k=size)
    lines = [
        _Line(number, p.code, p.description, quantity, at, p.price, customer, country)
        for p, quantity in zip(bought, quantities, strict=True)
    ]
    # The first line stays whole, so that every invoice has something to order.
    lines[1:] = [_perhaps_spoiled(line, chance) for line in lines[1:]]
    if chance.random() < _POSTAGE_SHARE:
        lines.append(_Line(number, "POST", "POSTAGE", 1, at, "18.0", customer, country))
    return lines


def _perhaps_spoiled(line: _Line, chance: random.Random) -> _Line:
    if chance.random() >= _SPOILED_SHARE:
        return line
    if chance.random() < 0.5:
        return line._replace(quantity=-line.quantity, description="damaged")
    return line._replace(price="0.0", description="")


def _returned(line: _Line, number: str, at: str) -> _Line:
    return line._replace(invoice=number, quantity=-abs(line.quantity), at=at)
