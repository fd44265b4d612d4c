"""Goods that need a person today: orders wait for them, or nothing of them is left."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.client import (
    BackorderedUnits,
    DeadlineExceeded,
    Product,
    StockInfo,
    Unavailable,
)
from holdfast.console.screens.backorders import customers_of
from holdfast.console.screens.products import stock_of
from holdfast.console.visit import Visit

ROWS_MAX = 10
FIRST_MAX = 3  # of a queue
INVENTORY_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A product that orders wait for.

    :param first: those who are served first.
    """

    info: StockInfo
    first: Sequence[BackorderedUnits]


@dataclass(frozen=True, slots=True)
class Wanting:
    """What was found.

    :param waiting: those who wait longest first.
    :param low: on sale, were there once, and nothing of them is free; nobody waits for them.
    :param customers: whose orders wait, by order.
    :param more_wait, more_low: there are more than these.
    """

    waiting: list[Waiting]
    low: Sequence[StockInfo]
    customers: Mapping[str, str]
    more_wait: bool
    more_low: bool

    @property
    def is_any(self) -> bool:
        return bool(self.waiting or self.low)


NOTHING = Wanting([], [], {}, more_wait=False, more_low=False)


async def wanting(visit: Visit) -> Wanting | None:
    """What of the goods needs somebody; None: Inventory does not answer."""
    if not visit.may("stock:read"):
        return NOTHING
    try:
        async with asyncio.timeout(INVENTORY_S_MAX):
            return await _wanting(visit)
    except (TimeoutError, Unavailable, DeadlineExceeded):
        return None  # what is told about orders still needs people


async def _wanting(visit: Visit) -> Wanting:
    listed = visit.client.inventory.product_page
    (queued, more_wait), (low, more_low) = await asyncio.gather(
        listed(waited_for=True, page_size=ROWS_MAX),
        listed(active=True, available_max=0, waited_for=False, page_size=ROWS_MAX),
    )
    infos, queues = await asyncio.gather(
        stock_of(visit, [one.product_id for one in (*queued, *low)]), _first(visit, queued)
    )
    waiting = [Waiting(*one) for one in zip(infos, queues, strict=False) if one[1]]
    waiting.sort(key=lambda one: one.first[0].since_time)
    return Wanting(
        waiting,
        infos[len(queued) :],
        await customers_of(visit, (one.order_id for row in waiting for one in row.first)),
        bool(more_wait),
        bool(more_low),
    )


async def _first(visit: Visit, queued: Sequence[Product]) -> list[Sequence[BackorderedUnits]]:
    """Who is served first of each product; of some perhaps nobody, who waited a moment ago."""
    page = visit.client.inventory.backorder_page
    pages = await asyncio.gather(*(page(one.product_id, page_size=FIRST_MAX) for one in queued))
    return [first for first, _ in pages]
