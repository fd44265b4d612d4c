"""google.type.Money at the edge, integers of minor units inside (ISO 4217 tells their size)."""

from google.type.money_pb2 import Money

from holdfast.chassis.validation import Violations

MINOR_MAX = 2**63 - 1

# ISO 4217, active codes, by the number of digits after the decimal point.
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"
_TWO_DIGITS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
DIGITS = (
    dict.fromkeys(_NO_DIGITS.split(), 0)
    | dict.fromkeys(_TWO_DIGITS.split(), 2)
    | dict.fromkeys(_THREE_DIGITS.split(), 3)
    | dict.fromkeys(_FOUR_DIGITS.split(), 4)
)
_SCALES = {currency: 10**digits for currency, digits in DIGITS.items()}
_NANOS = 1_000_000_000


def to_minor(violations: Violations, field: str, money: Money) -> tuple[str, int]:
    """Return (currency, minor units) of an amount of 0 or more that its currency can express."""
    currency = money.currency_code
    digits = DIGITS.get(currency)
    if digits is None:
        violations.add(f"{field}.currency_code", f"{currency!r} is no ISO 4217 currency in use")
        return currency, 0
    step = _NANOS // 10**digits
    minor, too_fine = divmod(to_billionths(violations, field, money), step)
    if too_fine:
        violations.add(f"{field}.nanos", f"{currency} has {digits_text(digits)}")
    elif minor > MINOR_MAX:
        violations.add(field, f"must be at most {MINOR_MAX:,} minor units")
    return currency, minor


def digits_text(digits: int) -> str:
    """Say how fine a currency is."""
    return f"only {digits} digits after the point" if digits else "no digits after the point"


def to_billionths(violations: Violations, field: str, money: Money) -> int:
    """Return an amount of 0 or more in billionths of a unit, whatever its currency is."""
    if money.units < 0 or money.nanos < 0:
        violations.add(field, "must be 0 or more")
        return 0
    if money.nanos >= _NANOS:
        violations.add(field, "must have nanos of 0 to 999,999,999")
        return 0
    return money.units * _NANOS + money.nanos


def write(message: Money, currency: str, minor: int) -> None:
    """Set a message's field to the amount."""
    scale = _SCALES[currency]
    message.currency_code = currency
    message.units, rest = divmod(minor, scale)
    message.nanos = rest * (_NANOS // scale)
