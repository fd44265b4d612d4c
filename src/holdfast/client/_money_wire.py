"""Money, to the wire and from it: exact, or an error."""

from decimal import Context, Decimal, Inexact, InvalidOperation

from google.type.money_pb2 import Money as WireMoney

from holdfast.client._money import Money, decimals_of

_NANO_DECIMALS = 9
_BILLIONTH = Decimal("1E-9")
_EXACTLY = Context(prec=18 + _NANO_DECIMALS, traps=[Inexact, InvalidOperation])


def money_to_wire(money: Money) -> WireMoney:
    """Exact: minor units become whole units and billionths, both with the amount's sign."""
    scale = 10 ** decimals_of(money.currency)
    units, rest = divmod(abs(money.minor), scale)
    sign = -1 if money.minor < 0 else 1
    return WireMoney(
        currency_code=money.currency,
        units=sign * units,
        nanos=sign * rest * (10**_NANO_DECIMALS // scale),
    )


def price_to_wire(price: Money | Decimal) -> WireMoney:
    """Exact, or ValueError; a Decimal leaves the currency open, which means the product's."""
    if isinstance(price, Money):
        return money_to_wire(price)
    try:
        exact = price.quantize(_BILLIONTH, context=_EXACTLY)
        units, nanos = divmod(int(abs(exact).scaleb(_NANO_DECIMALS)), 10**_NANO_DECIMALS)
    except (Inexact, InvalidOperation, ValueError) as error:  # ValueError: not a number
        raise ValueError(f"{price} is no price of at most 18 digits and 9 decimals") from error
    sign = -1 if price < 0 else 1
    return WireMoney(units=sign * units, nanos=sign * nanos)


def money_from_wire(message: WireMoney) -> Money:
    """Exact, or ValueError: an amount finer than the minor unit would have to be rounded."""
    scale = 10 ** decimals_of(message.currency_code)
    rest, too_fine = divmod(abs(message.nanos), 10**_NANO_DECIMALS // scale)
    if too_fine:
        raise ValueError(f"{message.nanos} nanos are finer than {message.currency_code} allows")
    sign = -1 if message.nanos < 0 else 1
    return Money(message.currency_code, message.units * scale + sign * rest)
