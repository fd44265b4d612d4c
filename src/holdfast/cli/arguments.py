"""Read what people type: order lines, prices, durations and times."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from holdfast.client import Money, OrderLine

CURRENCY = "GBP"
QUANTITY_MAX = 1_000_000_000
STOCK_MAX = 1_000_000_000_000

_LINE = re.compile(r"(?P<product>.+)=(?P<quantity>[0-9]{1,12})(?:@(?P<price>[^=@]+))?", re.ASCII)
_DURATION = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?P<unit>ms|s|m|h)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, None: 1.0}

CurrencyOption = Annotated[
    str,
    typer.Option(envvar="HOLDFAST_CURRENCY", metavar="CODE", help="ISO 4217 currency of prices."),
]
LimitOption = Annotated[int, typer.Option(min=1, metavar="N", help="Show at most so many.")]
FromOption = Annotated[
    datetime | None, typer.Option("--from", help="Only from this time on (UTC, inclusive).")
]
BeforeOption = Annotated[
    datetime | None, typer.Option("--before", help="Only before this time (UTC).")
]


def order_lines(texts: Sequence[str], currency: str) -> list[OrderLine]:
    """Read PRODUCT=QTY or PRODUCT=QTY@PRICE, such as LAMP-RED=2 or MUG=1@4.50."""
    return [_order_line(text, currency) for text in texts]


def price(text: str, currency: str) -> Money:
    """Read a decimal price such as 4.50."""
    try:
        return Money.parse(text, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def duration_s(text: str) -> float:
    """Read a duration such as 10s, 500ms, 2m or 1h; a bare number is seconds."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no duration such as 10s, 500ms, 2m or 1h")
    return float(found["number"]) * _SECONDS[found["unit"]]


def in_utc(time: datetime | None) -> datetime | None:
    """What people type is meant in UTC."""
    return None if time is None else time.replace(tzinfo=UTC)


def _order_line(text: str, currency: str) -> OrderLine:
    found = _LINE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no order line: write PRODUCT=QTY or PRODUCT=QTY@PRICE, "
            "such as LAMP-RED=2 or MUG=1@4.50"
        )
    unit_price = None if found["price"] is None else price(found["price"], currency)
    return OrderLine(found["product"], int(found["quantity"]), unit_price)
