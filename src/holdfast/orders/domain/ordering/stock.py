"""What an order wants of stock, and what Inventory answers: the whole, never a difference."""

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.orders.domain.errors import Shortage


class StockWanted(NamedTuple):
    """A question to Inventory: what the order wants to hold from now on.

    :param revision: rises by one with every question of the order, from 1; never used again.
    :param products: units per product; none when the order is over.
    """

    revision: int
    products: Mapping[str, int]

    @property
    def over(self) -> bool:
        """Whether nothing more will leave for this order: all is given back, for good."""
        return not self.products


class HeldStock(NamedTuple):
    """Units of one product at one location that Inventory holds for an order."""

    product_id: str
    location_id: str
    quantity: int


class StockAnswer(NamedTuple):
    """All that Inventory holds for an order after it has decided a question.

    :param sequence: the reservation's version: a higher one is newer.
    :param revision: of the question that it answers.
    :param missing: why that question was refused; empty if it was not.
    """

    order_id: str
    sequence: int
    revision: int
    stock: tuple[HeldStock, ...]
    missing: tuple[Shortage, ...]
