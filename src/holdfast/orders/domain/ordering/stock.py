"""What an order wants of stock, and what Inventory answers: the whole, never a difference."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.ordering.sourcing import BY_PRIORITY, Sourcing


class ShippedUnits(NamedTuple):
    """Units of one product that left from one location in a shipment."""

    shipment_id: str
    product_id: str
    location_id: str
    quantity: int


class ReceivedUnits(NamedTuple):
    """Units of one product that came back to one location in a receipt."""

    receipt_id: str
    product_id: str
    location_id: str
    quantity: int
    disposition: str


class StockWanted(NamedTuple):
    """A question to Inventory: what the order wants to hold from now on.

    :param revision: rises by one with every question of the order, from 1; never used again.
    :param products: units per product; none when the order is over.
    :param shipped: what has left since the last question that was answered; `received`: what came
        back since then.
    :param asked_at: when it was asked first, if this is not the first time. What has to wait for
        stock waits since then.
    """

    revision: int
    products: Mapping[str, int]
    sourcing: Sourcing = BY_PRIORITY
    shipped: tuple[ShippedUnits, ...] = ()
    received: tuple[ReceivedUnits, ...] = ()
    asked_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will leave for this order: all is given back, for good."""
        return not self.products


BY_RANK = "PRIORITY"


class HeldStock(NamedTuple):
    """Units of one product at one location that Inventory holds for an order.

    :param reason: why from there, by the name that Inventory gives it.
    """

    product_id: str
    location_id: str
    quantity: int
    reason: str = BY_RANK


class QueuedUnits(NamedTuple):
    """Units of one product that wait for stock."""

    product_id: str
    quantity: int


class StockAnswer(NamedTuple):
    """All that Inventory holds for an order, and all that waits for stock: after it has decided a
    question, or has changed by itself what it holds.

    :param sequence: the reservation's version: a higher one is newer.
    :param revision: of the newest question that it has decided.
    :param missing: why that question was refused; empty if it was not.
    :param queued: each product once.
    """

    order_id: str
    sequence: int
    revision: int
    stock: tuple[HeldStock, ...]
    missing: tuple[Shortage, ...]
    queued: tuple[QueuedUnits, ...] = ()
