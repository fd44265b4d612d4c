"""Money as callers meet it: an integer of minor units with its currency, never a float."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

# ISO 4217, active codes, by how many decimals they have.
_DECIMALS_USUAL = 2
DECIMALS = {
    currency: decimals
    for decimals, currencies in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        2: """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for currency in currencies.split()
}
MINOR_MAX = 2**63 - 1
UNITS_DIGITS_MAX, DECIMALS_MAX = 18, 9  # what the wire carries
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<units>[0-9]{1,99})(?:\.(?P<rest>[0-9]{1,99}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in minor units (pence, cents, yen) of an ISO 4217 currency."""

    currency: str
    minor: int

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal amount such as "12.50" exactly.

        :raises ValueError: not a plain decimal number, no currency in use, finer than the
            currency's minor unit, or too large for 64 bits of it.
        """
        found = _amount(amount)
        if not isinstance(currency, str) or not is_currency(currency):
            raise ValueError(f"{currency!r} is not a currency in use, such as GBP (ISO 4217)")
        decimals = decimals_of(currency)
        rest = (found["rest"] or "").rstrip("0")
        if len(rest) > decimals:
            allowed = f"{decimals} decimals" if decimals else "no decimals"
            raise ValueError(f"{amount} is finer than {currency} allows: {allowed}")
        minor = int(found["units"] + rest.ljust(decimals, "0"))
        if minor > MINOR_MAX:
            raise ValueError(f"{amount} is too large: at most {cls(currency, MINOR_MAX)}")
        return cls(currency, -minor if found["sign"] else minor)

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

    :raises ValueError: not a plain decimal number, finer than 9 decimals, or of more than 18
        digits.
    """
    found = _amount(text)
    if len((found["rest"] or "").rstrip("0")) > DECIMALS_MAX:
        raise ValueError(f"{text} is finer than any currency allows: {DECIMALS_MAX} decimals")
    if len(found["units"].lstrip("0")) > UNITS_DIGITS_MAX:
        raise ValueError(f"{text} is too large: at most {UNITS_DIGITS_MAX} digits")
    return Decimal(found[0])


def _amount(text: str) -> re.Match[str]:
    found = _AMOUNT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is not an amount such as 12.50")
    return found


def is_currency(code: str) -> bool:
    """Whether ISO 4217 names it, and it is in use."""
    return code in DECIMALS


def decimals_of(currency: str) -> int:
    """How many decimals the currency's minor unit stands for."""
    return DECIMALS.get(currency, _DECIMALS_USUAL)
