"""Money: a whole number of minor units in one currency; never a float."""

from typing import NamedTuple

MINOR_MAX = 2**63 - 1


class Amount(NamedTuple):
    """A price of 0 or more as somebody named it without a currency: in that of the product."""

    billionths: int


class Money(NamedTuple):
    """An amount of 0 or more in minor units (pence, cents, yen) of an ISO 4217 currency."""

    currency: str
    minor: int
