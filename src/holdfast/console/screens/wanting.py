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
from holdfast.console.screens.looking import BEGINNING, look
from holdfast.console.screens.products import name_of, stock_of
from holdfast.console.visit import Visit

ROWS_MAX = 10
FIRST_MAX = 3  # of a queue
LOOKED_MAX = 500  # products, which take 40 ms; the first page must not keep anybody waiting
LOOKED_AT_ONCE = 500
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
    :param looked: only so many products were looked at, the first by id; 0: all.
    """

    waiting: list[Waiting]
    low: list[StockInfo]
    customers: Mapping[str, str]
    more_wait: bool
    more_low: bool
    looked: int

    @property
    def is_any(self) -> bool:
        return bool(self.waiting or self.low)


NOTHING = Wanting([], [], {}, more_wait=False, more_low=False, looked=0)


async def wanting(visit: Visit) -> Wanting | None:
    """Look through the first products; None: Inventory does not answer."""
    try:
        async with asyncio.timeout(INVENTORY_S_MAX):
            return await _wanting(visit)
    except (TimeoutError, Unavailable, DeadlineExceeded):
        return None  # what is told about orders still needs people


async def _wanting(visit: Visit) -> Wanting:
    inventory = visit.client.inventory

    async def page(token: str) -> tuple[Sequence[Product], str]:
        return await inventory.product_page(token, page_size=LOOKED_AT_ONCE)

    async def keep(given: Sequence[Product]) -> Sequence[StockInfo]:
        found = await stock_of(visit, [one.product_id for one in given])
        return [one for one in found if one.queued or _is_low(one)]

    found = await look(
        page,
        keep,
        name=name_of,
        start=BEGINNING,
        rows_max=LOOKED_MAX,
        looked_max=LOOKED_MAX,
    )
    queued = [one for one in found.rows if one.queued]
    low = [one for one in found.rows if not one.queued]
    pages = await asyncio.gather(
        *(
            inventory.backorder_page(info.product.product_id, page_size=FIRST_MAX)
            for info in queued[:ROWS_MAX]
        )
    )
    waiting = [
        Waiting(info, first) for info, (first, _) in zip(queued, pages, strict=False) if first
    ]
    waiting.sort(key=lambda one: one.first[0].since_time)
    return Wanting(
        waiting,
        low[:ROWS_MAX],
        await customers_of(visit, (one.order_id for row in waiting for one in row.first)),
        len(queued) > ROWS_MAX,
        len(low) > ROWS_MAX,
        found.looked,
    )


def _is_low(info: StockInfo) -> bool:
    """Whether each location where it is has no more than its safety stock, or less."""
    return info.product.active and not info.available and bool(info.levels)
