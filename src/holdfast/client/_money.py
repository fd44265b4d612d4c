"""Money as callers meet it: an integer of minor units with its currency, never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

# ISO 4217: how many decimals a currency has. Every currency not named here has two.
_DECIMALS_USUAL = 2
_DECIMALS = {
    currency: decimals
    for decimals, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}
_AMOUNT = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units (pence, cents, yen) of an ISO 4217 currency."""

    currency: str
    minor: int

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal amount such as "12.50" exactly.

        :raises ValueError: not a plain decimal number, or finer than the currency's minor unit.
        """
        exact = parse_amount(amount)
        if _CURRENCY.fullmatch(currency) is None:
            raise ValueError(f"{currency!r} is not a currency such as GBP")
        decimals = decimals_of(currency)
        minor = exact.scaleb(decimals)
        if minor != int(minor):
            raise ValueError(f"{amount} is finer than {currency} allows: {decimals} decimals")
        return cls(currency, int(minor))

    @property
    def amount(self) -> str:
        """The amount alone as a decimal number, such as "12.50"; JPY has no decimals."""
        decimals = decimals_of(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"

    def __str__(self) -> str:
        """Amount and currency, such as "12.50 GBP"."""
        return f"{self.amount} {self.currency}"


def parse_amount(text: str) -> Decimal:
    """Read a decimal amount such as "12.50" exactly, leaving open in which currency.

    :raises ValueError: not a plain decimal number of at most 18 digits and 9 decimals.
    """
    if _AMOUNT.fullmatch(text.strip()) is None:
        raise ValueError(f"{text!r} is not an amount such as 12.50")
    return Decimal(text.strip())


def decimals_of(currency: str) -> int:
    """How many decimals the currency's minor unit stands for."""
    return _DECIMALS.get(currency, _DECIMALS_USUAL)
