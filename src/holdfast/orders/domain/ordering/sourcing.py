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
    """

    strategy: Strategy = Strategy.PRIORITY
    location_ids: tuple[str, ...] = ()
    may_split: bool = True


BY_PRIORITY = Sourcing()
