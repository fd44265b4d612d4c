"""Amounts, dates and names as they stand in mails."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, tzinfo
from decimal import Decimal

from holdfast.client import Money, Order
from holdfast.notifier.domain.mail import Language

NAME_CHARACTERS_MAX = 80
REFERENCE_CHARACTERS_MAX = 40
NO_BREAK = "\u00a0"

_MONTHS = {
    Language.EN: "January February March April May June July August September October November "
    "December",
    Language.DE: "Januar Februar März April Mai Juni "  # codespell:ignore
    "Juli August September Oktober November Dezember",  # codespell:ignore
}
# What turns the direction of writing until it is ended (Unicode, Bidi_Control); the marks LRM, RLM
# and ALM turn nothing but themselves, and stay.
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What mail programs make a link of: among others any two labels of a domain, whatever is around
# them, in any script, and with the stops that IDNA takes for one (UTS 46, section 2.3).
_LINK = re.compile(
    r"://|@|\bwww[.\u3002\uff0e\uff61]|[\w-][.\u3002\uff0e\uff61][^\W\d_][\w-]", re.IGNORECASE
)


def printable(text: str) -> str:
    """Return a text without what is no letter or sign, nor turns others around: line feeds stay."""
    lines = _TURNS.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join("".join(map(_or_blank, line)) for line in lines)


def one_line(text: str) -> str:
    """Return a text with one blank wherever there are some, line breaks and control characters."""
    return " ".join(printable(text).split())


def _or_blank(character: str) -> str:
    return " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character


def name_of(text: str) -> str:
    """Return a customer's name to greet them by; "": better by none.

    A name is what anybody can type into a shop, with somebody else's address: so it brings no link
    into a mail, and no tale.
    """
    name = one_line(text)
    return "" if len(name) > NAME_CHARACTERS_MAX or "/" in name or _LINK.search(name) else name


def number_of(order: Order) -> str:
    """Return what to call an order: by the shop's reference, or by its id where that is none, a
    tale or a link. Customers who order by themselves may choose it.
    """
    reference = one_line(order.details.reference)
    if len(reference) > REFERENCE_CHARACTERS_MAX or _LINK.search(reference):
        return order.order_id
    return reference or order.order_id


def money_in(language: Language) -> Callable[[Money, int], str]:
    """Make what writes an amount, or so many times it: `GBP 1,234.50`, in German `1.234,50 GBP`."""

    def money(amount: Money, times: int = 1) -> str:
        whole = Money(amount.currency, amount.minor * times)
        digits = f"{Decimal(whole.amount):,}"
        if language is Language.EN:
            return f"{whole.currency}{NO_BREAK}{digits}"
        digits = digits.translate(str.maketrans(",.", ".,"))
        return f"{digits}{NO_BREAK}{whole.currency}"

    return money


def date_in(language: Language, zone: tzinfo) -> Callable[[datetime], str]:
    """Make what writes the day of a time: `28 November 2026`, in German `28. November 2026`."""
    months = _MONTHS[language].split()

    def date(time: datetime) -> str:
        there = time.astimezone(zone)
        day = f"{there.day}." if language is Language.DE else str(there.day)
        return f"{day}{NO_BREAK}{months[there.month - 1]} {there.year}"

    return date
