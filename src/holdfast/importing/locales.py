"""How numbers and dates are written somewhere, for files whose sender has said so."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from holdfast.chassis.identifiers import named
from holdfast.importing.dates import DateOrder
from holdfast.importing.flaws import Unintelligible, quoted

DIGITS_MAX = 30
_EXPONENT = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+[eE][+-]?[0-9]+", re.ASCII)


class Locale(StrEnum):
    """Whose manner of writing a file has; without one numbers are 1234.56 and dates 2026-03-31."""

    EN_GB = "en-GB"
    EN_US = "en-US"
    DE = "de"
    DE_CH = "de-CH"
    DA = "da"
    ES = "es"
    FI = "fi"
    FR = "fr"
    IT = "it"
    NB = "nb"
    NL = "nl"
    PL = "pl"
    PT = "pt"
    SV = "sv"


@dataclass(frozen=True, slots=True)
class Manner:
    """What stands before decimals, what may stand between thousands, and what begins a date."""

    decimal: str = "."
    thousands: str = ""
    dates: DateOrder | None = None


_SPACES = " \u00a0\u202f"  # the plain one, and those that don't break
_COMMA_AND_POINT = Manner(",", ".", DateOrder.DMY)
_COMMA_AND_SPACE = Manner(",", _SPACES, DateOrder.DMY)
_MANNERS = {
    Locale.EN_GB: Manner(".", ",", DateOrder.DMY),
    Locale.EN_US: Manner(".", ",", DateOrder.MDY),
    Locale.DE: _COMMA_AND_POINT,
    Locale.DE_CH: Manner(".", "'\u2019", DateOrder.DMY),
    Locale.DA: _COMMA_AND_POINT,
    Locale.ES: Manner(",", "." + _SPACES, DateOrder.DMY),
    Locale.FI: _COMMA_AND_SPACE,
    Locale.FR: _COMMA_AND_SPACE,
    Locale.IT: _COMMA_AND_POINT,
    Locale.NB: _COMMA_AND_SPACE,
    Locale.NL: _COMMA_AND_POINT,
    Locale.PL: _COMMA_AND_SPACE,
    Locale.PT: Manner(",", "." + _SPACES, DateOrder.DMY),
    Locale.SV: Manner(",", _SPACES, DateOrder.YMD),
}
_PLAIN = Manner()


def manner_of(locale: Locale | None) -> Manner:
    """How somebody writes; None: as programs do."""
    return _MANNERS[locale] if locale else _PLAIN


@lru_cache(maxsize=16_384)
def number(text: str, locale: Locale | None = None) -> str:
    """A number as programs write it, such as -1234.50; digits behind the mark stay as they are.

    Thousands marks stand between groups of three digits, or the number is refused: 1.5 is no
    number in German, and never 15; nor is 0.500, which nobody writes for 500.

    :raises Unintelligible: it is no number in this manner of writing; the problem is to be read
        after the name of the column.
    """
    stripped = text.strip(" ")
    found = _pattern(locale).fullmatch(stripped)
    if found is None:
        raise Unintelligible(f"is {quoted(text)}, {_why_not(stripped, locale)}")
    if len(stripped) > DIGITS_MAX:
        raise Unintelligible(f"is {quoted(text)}, which is too long for a number")
    whole = re.sub("[^0-9]", "", found["whole"])
    rest = f".{found['rest']}" if found["rest"] else ""
    return f"{found['sign']}{whole}{rest}"


def is_of_few_digits(number: Decimal) -> bool:
    """Whether it can be written out, which of 1E+999999 nobody wants."""
    return number.is_finite() and abs(number.adjusted()) < DIGITS_MAX


@lru_cache(maxsize=len(Locale) + 1)
def _pattern(locale: Locale | None) -> re.Pattern[str]:
    manner = manner_of(locale)
    grouped = (
        f"|[1-9][0-9]{{0,2}}(?P<mark>[{re.escape(manner.thousands)}])"
        "[0-9]{3}(?:(?P=mark)[0-9]{3})*"
        if manner.thousands
        else ""
    )
    decimals = f"(?:{re.escape(manner.decimal)}(?P<rest>[0-9]+))?"
    return re.compile(rf"(?P<sign>-?)(?P<whole>[0-9]+{grouped}){decimals}", re.ASCII)


def _why_not(text: str, locale: Locale | None) -> str:
    if _EXPONENT.fullmatch(text):
        return "a number with an exponent, which may have lost digits: write it out"
    is_marked = any(mark in text for mark in ".,'\u2019" + _SPACES)
    if is_marked and not text.strip("0123456789.,'\u2019-" + _SPACES):
        if locale is None:
            return (
                "which may be read in more than one way: write 1234.56, or say how the file is "
                "written, by --locale de for 1.234,56, --locale en-GB for 1,234.56"
            )
        manner = manner_of(locale)
        shown = f"1{manner.thousands[0]}234{manner.decimal}56"
        return f"which is no number as --locale {locale} writes them: {shown}"
    odd = next((c for c in text if c not in "0123456789.,- "), "")
    because = f", because of {odd!r} ({named(odd)})" if odd else ""
    return f"which is no number{because}: write digits only"
