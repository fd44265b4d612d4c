"""Read what people type: order lines, prices, durations and times."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, TypeVar

import typer

from holdfast.chassis import times
from holdfast.client import Money, OrderLine, OrderStatus, StockReason, parse_amount

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

CURRENCY = "GBP"
QUANTITY_MAX = 1_000_000_000
STOCK_MAX = 1_000_000_000_000
DURATION_S_MAX = 8_760 * 3_600.0

_LINE = re.compile(
    r"(?P<product>.+)=(?P<quantity>-?[0-9][0-9.,]*)(?:@(?P<price>[^=@]+))?", re.ASCII
)
_WHOLE = re.compile(r"-?[0-9]{1,30}", re.ASCII)
_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,3})?"
_PARTS = re.compile(rf"(?:{_NUMBER} ?(?:ms|s|min|m|h) ?)+|{_NUMBER}", re.ASCII)
_PART = re.compile(rf"({_NUMBER}) ?([a-z]*)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3_600.0, "": 1.0}

CurrencyOption = Annotated[
    str,
    typer.Option(envvar="HOLDFAST_CURRENCY", metavar="CODE", help="ISO 4217 currency of prices."),
]


def whole(lowest: int, highest: int | None = None) -> Callable[[object], int]:
    """A reader of whole numbers, which says what is wrong with another text."""

    def read(text: object) -> int:
        found = _WHOLE.fullmatch(str(text).strip())
        if found is None:
            raise typer.BadParameter(f"{text} is not a whole number, such as 12 (digits alone)")
        number = int(found[0])
        if number < lowest:
            raise typer.BadParameter(f"{text} is too small: it must be {lowest:,} or more")
        if highest is not None and number > highest:
            raise typer.BadParameter(f"{text} is too large: at most {highest:,}")
        return number

    return read


COUNT_MAX = 2**63 - 1

LimitOption = Annotated[
    int, typer.Option(parser=whole(1, COUNT_MAX), metavar="N", help="Show at most so many.")
]
VersionOption = Annotated[
    int | None,
    typer.Option(
        parser=whole(1, COUNT_MAX),
        metavar="N",
        help="Refuse if it changed since; default: as it is now.",
    ),
]


def time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC."""
    return _read(times.parse, text)


def given(text: str) -> str:
    """Refuse what is empty, as of a variable that was never set: it would mean everything."""
    if not text.strip():
        raise typer.BadParameter("is empty: write what it is, or leave it out")
    return text


LocationOption = Annotated[str, typer.Option(parser=given, metavar="ID", help="Where.")]
RequestIdOption = Annotated[
    str | None, typer.Option(metavar="ID", help="The same id and contents have one effect only.")
]
NameOption = Annotated[str | None, typer.Option(help="Who receives it.")]
EmailOption = Annotated[str | None, typer.Option(help="E-mail address.")]
PhoneOption = Annotated[str | None, typer.Option(help="Phone number.")]
AddressOption = Annotated[str | None, typer.Option(help="Postal address.")]


def typed(member: StrEnum) -> str:
    """A member of an enum as people type and read it: own-use for OWN_USE."""
    return member.lower().replace("_", "-")


def names_of(kinds: type[StrEnum]) -> str:
    """What people can type. UNKNOWN stands for what a newer service may tell; it is none."""
    return ", ".join(typed(member) for member in kinds if member != "UNKNOWN")


def one_of(kinds: type[E], what: str) -> Callable[[str], E]:
    """A reader of an enum's members, in any letters' case.

    :param what: they are, for the message.
    """
    known = {typed(member): member for member in kinds if member != "UNKNOWN"}

    def read(text: str) -> E:
        member = known.get(text.strip().lower().replace("_", "-"))
        if member is None:
            raise typer.BadParameter(f"{text!r} is no {what}; there are {names_of(kinds)}")
        return member

    return read


# UNKNOWN stands for what a newer service may answer; nobody can ask for it.
_STATUSES = {status.lower(): status for status in OrderStatus if status is not OrderStatus.UNKNOWN}


def order_status(text: str) -> OrderStatus:
    """Read the name of a status, in any letters."""
    status = _STATUSES.get(text.strip().lower())
    if status is None:
        known = ", ".join(_STATUSES.values())
        raise typer.BadParameter(f"{text!r} is no status; there are {known}")
    return status


StatusOption = Annotated[
    OrderStatus | None,
    typer.Option(
        parser=order_status, metavar="STATUS", help=f"Only {', '.join(_STATUSES.values())}."
    ),
]

_TIME_HELP = "ISO 8601, such as 2026-03-02T09:00+01:00; UTC without an offset."
FromOption = Annotated[
    datetime | None,
    typer.Option("--from", parser=time, metavar="TIME", help=f"Only from then on. {_TIME_HELP}"),
]
BeforeOption = Annotated[
    datetime | None,
    typer.Option("--before", parser=time, metavar="TIME", help=f"Only before then. {_TIME_HELP}"),
]


def order_lines(texts: Sequence[str], currency: str | None, *, lowest: int = 1) -> list[OrderLine]:
    """Read PRODUCT=QTY or PRODUCT=QTY@PRICE, such as LAMP-RED=2 or MUG=1@4.50.

    :param currency: of the prices; None: that of each product, whatever it is.
    :param lowest: quantity; 0 where that takes a line away.
    """
    return [_order_line(text, currency, lowest) for text in texts]


def numbered_lines(texts: Sequence[str], *, lowest: int) -> list[OrderLine]:
    """Read LINE=QTY or LINE=QTY@PRICE, where LINE is a line's number; each of them once."""
    return [_numbered_line(text, lowest) for text in texts]


def units_of_lines(texts: Sequence[str]) -> list[OrderLine]:
    """Read LINE=QTY, where LINE is a line's number or, if it is none, the product on the line."""
    return [_units_of_line(text) for text in texts]


def price(text: str, currency: str) -> Money:
    """Read a decimal price such as 4.50."""
    return _read(Money.parse, text, currency)


def duration_s(text: str, option: str) -> float:
    """Read a duration such as 10s, 500ms, 2m or 1h30m; a bare number is seconds.

    :param option: where it was typed, for the message.
    """
    if not _PARTS.fullmatch(text.strip()):
        raise typer.BadParameter(
            f"{text!r} is no duration: write 10s, 500ms, 2m or 1h30m (a bare number is seconds)",
            param_hint=option,
        )
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > DURATION_S_MAX:
        raise typer.BadParameter(f"{text} is too long: at most a year, 8760h", param_hint=option)
    return seconds


def _numbered_line(text: str, lowest: int) -> OrderLine:
    if not _LINE.fullmatch(text) or not _WHOLE.fullmatch(text.partition("=")[0]):
        raise typer.BadParameter(
            f"{text!r} names no units of a line: write its number and the units, such as 2=1"
        )
    line = _order_line(text, None, lowest)
    return replace(line, product_id="", line_no=whole(1)(line.product_id))


def _units_of_line(text: str) -> OrderLine:
    numbered = _WHOLE.fullmatch(text.partition("=")[0])
    line = _numbered_line(text, 1) if numbered else _order_line(text, None, 1)
    if line.unit_price is not None:
        raise typer.BadParameter(f"{text!r} has a price; write LINE=QTY, such as 2=1")
    return line


def _order_line(text: str, currency: str | None, lowest: int) -> OrderLine:
    found = _LINE.fullmatch(text)
    if found is None:
        raise typer.BadParameter(
            f"{text!r} is no order line: write PRODUCT=QTY or PRODUCT=QTY@PRICE, "
            "such as LAMP-RED=2 or MUG=1@4.50"
        )
    unit_price: Money | Decimal | None = None
    if found["price"] is not None:
        asked = found["price"]
        unit_price = price(asked, currency) if currency else _read(parse_amount, asked)
    return OrderLine(found["product"], _quantity(text, found["quantity"], lowest), unit_price)


def _quantity(line: str, text: str, lowest: int) -> int:
    try:
        return whole(lowest, QUANTITY_MAX)(text)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"in {line!r} the quantity {error.message}") from error


def _read(reader: Callable[..., T], *texts: str) -> T:
    """What is wrong with a text is told to the person who typed it."""
    try:
        return reader(*texts)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


ReasonCodeOption = Annotated[
    StockReason | None,
    typer.Option(
        parser=one_of(StockReason, "reason code"),
        metavar="CODE",
        help=f"Why, for counting: {names_of(StockReason)}.",
    ),
]
