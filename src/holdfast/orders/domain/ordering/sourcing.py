"""Where an order's stock is to come from: a wish that is kept and told; Inventory follows it."""

from enum import StrEnum
from typing import NamedTuple


class Strategy(StrEnum):
    """By what rule Inventory chooses locations; the proto says what each means."""

    PRIORITY = "PRIORITY"
    FEWEST_SHIPMENTS = "FEWEST_SHIPMENTS"
    NEAREST = "NEAREST"
    PINNED = "PINNED"


class Sourcing(NamedTuple):
    """Where an order's stock is to come from.

    :param location_ids: for NEAREST and PINNED; else none.
    :param may_split: whether several locations may share it.
    :param in_stock_only: whether what is not there is refused, also where it may be back-ordered.
    """

    strategy: Strategy = Strategy.PRIORITY
    location_ids: tuple[str, ...] = ()
    may_split: bool = True
    in_stock_only: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether it may wait for stock: what comes from one location as a whole never does."""
        return self.may_split and not self.in_stock_only


BY_PRIORITY = Sourcing()
