"""Quantities and amounts as files have them: exact, or refused with what to write instead."""

import re
from functools import lru_cache

from holdfast.chassis.identifiers import named
from holdfast.client import Money
from holdfast.importing.flaws import Unintelligible, quoted

QUANTITY_MAX = 1_000_000_000
MINOR_MAX = 2**63 - 1
_DIGITS_MAX = 19

_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]*)(?:(?P<mark>[.,])(?P<rest>[0-9]*))?", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[0-9]*[.,]?[0-9]+[eE][+-]?[0-9]+", re.ASCII)
_LIKE_ONE_OR_THOUSANDS = re.compile(r"(-?[1-9][0-9]{0,2})\.([0-9]{3})", re.ASCII)


@lru_cache(maxsize=16_384)
def quantity(text: str, *, decimal_comma: bool = False) -> int:
    """A whole number, which may be negative or end in zeros behind the decimal mark: 6.0 is 6.

    :raises Unintelligible: it is anything else; nothing is rounded.
    """
    negative, whole, rest = _parts("quantity", text, decimal_comma=decimal_comma)
    if rest.strip("0"):
        raise Unintelligible(f"the quantity {quoted(text)} is not a whole number")
    if two_meanings := one_or_thousands(f"{whole}.{rest}"):
        raise Unintelligible(f"the quantity {quoted(text)} {two_meanings}")
    number = int(whole or "0")
    if number > QUANTITY_MAX:
        raise Unintelligible(f"the quantity {quoted(text)} is beyond {QUANTITY_MAX:,}")
    return -number if negative else number


@lru_cache(maxsize=16_384)
def minor_units(text: str, currency: str, *, decimal_comma: bool = False) -> int:
    """An amount in pence, cents, yen; it may be negative.

    :raises Unintelligible: it is no plain number, finer than the currency, or too large.
    """
    negative, whole, rest = _parts("price", text, decimal_comma=decimal_comma)
    decimals = decimals_of(currency)
    fine = rest.rstrip("0")
    if len(fine) > decimals:
        raise Unintelligible(
            f"the price {quoted(text)} is finer than {currency} allows ({decimals} decimals), and "
            "nothing is rounded here: write an amount that can be paid"
        )
    if decimals < 3 and (two_meanings := one_or_thousands(f"{whole}.{rest}")):
        raise Unintelligible(f"the price {quoted(text)} {two_meanings}")
    minor = int((whole or "0") + fine.ljust(decimals, "0"))
    if minor > MINOR_MAX:
        raise Unintelligible(f"the price {quoted(text)} is larger than any amount can be")
    return -minor if negative else minor


@lru_cache(maxsize=256)
def decimals_of(currency: str) -> int:
    """How many decimals a currency has."""
    return len(Money(currency, 0).amount.partition(".")[2])


def _parts(what: str, text: str, *, decimal_comma: bool) -> tuple[bool, str, str]:
    """Whether it is negative, and the digits before and behind the decimal mark."""
    stripped = text.strip(" ")
    if not stripped:
        raise Unintelligible(f"the {what} is empty")
    found = _NUMBER.fullmatch(stripped)
    if found is None or not (found["whole"] or found["rest"]):
        raise Unintelligible(f"the {what} {quoted(text)} {_why_no_number(stripped)}")
    mark, rest = found["mark"] or "", found["rest"] or ""
    if mark == "," and not decimal_comma:
        if two_meanings := one_or_thousands(f"{found['whole']}.{rest}"):
            raise Unintelligible(f"the {what} {quoted(text)} {two_meanings}")
        raise Unintelligible(
            f"the {what} {quoted(text)} has a decimal comma: write a point, or give "
            "--decimal-comma if the whole file is written so"
        )
    if mark == "." and decimal_comma:
        raise Unintelligible(
            f"the {what} {quoted(text)} has a decimal point, though --decimal-comma was given: "
            "write a comma"
        )
    if len(found["whole"].lstrip("0")) > _DIGITS_MAX:
        raise Unintelligible(f"the {what} {quoted(text)} is too large")
    return bool(found["sign"]), found["whole"], rest


def one_or_thousands(number: str) -> str | None:
    """What a number may mean whose mark may be for decimals or for thousands; None: it is sure.

    :param number: with a point, whatever its mark was.
    """
    found = _LIKE_ONE_OR_THOUSANDS.fullmatch(number)
    if found is None:
        return None
    whole, rest = found.groups()
    fine = rest.rstrip("0")
    one = f"{whole}.{fine}" if fine else whole
    return (
        f"may mean {one} or {whole}{rest}, since its mark may be for decimals or for thousands: "
        "write it in a form that means one"
    )


def _why_no_number(text: str) -> str:
    if _EXPONENT.fullmatch(text):
        return "is written with an exponent, which may have lost digits: write it out"
    odd = [c for c in text if c not in "0123456789.,"] or [c for c in text if c in ".,"]
    character = next((c for c in odd if c != " "), odd[0])
    return f"is no plain number, because of {character!r} ({named(character)}): write digits only"
