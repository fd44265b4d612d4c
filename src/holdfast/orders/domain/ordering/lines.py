"""The lines of an order: what is asked for, what it costs, and how many units of each product."""

from collections.abc import Sequence
from typing import NamedTuple

from holdfast.orders.domain.errors import MixedCurrencies, TotalTooLarge
from holdfast.orders.domain.money import MINOR_MAX, Money

LINES_MAX = 2_000  # one reservation locks at most this many products
QUANTITY_MAX = 1_000_000_000  # units on one line


class OrderLine(NamedTuple):
    """One product asked for, at its price. The same product may stand on several lines.

    :param line_no: names the line as long as the order lives; that of a removed line is never given
        to another one.
    """

    product_id: str
    quantity: int
    unit_price: Money
    line_no: int

    @property
    def amount_minor(self) -> int:
        """What the line costs, before discounts."""
        return self.quantity * self.unit_price.minor


def total_of(lines: Sequence[OrderLine]) -> Money:
    """Return the sum of quantity x unit price.

    :raises MixedCurrencies: the lines have more than one currency.
    :raises TotalTooLarge: the sum does not fit into 64 bits.
    """
    assert 1 <= len(lines) <= LINES_MAX, "the edge has checked the number of lines"
    currencies, minor = set(), 0
    for _, quantity, (currency, price_minor), _ in lines:
        assert 1 <= quantity <= QUANTITY_MAX, "the edge has checked the quantity"
        assert price_minor >= 0, "the edge has checked the price"
        currencies.add(currency)
        minor += quantity * price_minor
    if len(currencies) > 1:
        raise MixedCurrencies(currencies)
    if minor > MINOR_MAX:
        raise TotalTooLarge
    return Money(currencies.pop(), minor)


def demand_of(lines: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Return units per product: lines of the same product are summed for stock."""
    demand: dict[str, int] = {}
    for product_id, quantity in lines:
        demand[product_id] = demand.get(product_id, 0) + quantity
    return demand
