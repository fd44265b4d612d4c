"""Lists of products that fit, on both engines: each filter finds what `StockInfo` says."""

import pytest

from holdfast.inventory.application.ports import ProductFilter, StockInfo
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.locations.location import Location
from holdfast.inventory.infrastructure.products import SCARCE_MAX
from holdfast.inventory.infrastructure.sql import SQL
from tests.contract import warehouse
from tests.contract.conftest import START
from tests.contract.warehouse import Warehouse, order_id

service, house = warehouse.service, warehouse.house

# What is at `main` and at `shop`, and the safety stock; None: nothing was ever there.
STOCK = {
    "A": (0, None, 0),
    "A 1": (5, 16, 0),
    "A-": (SCARCE_MAX, None, 0),
    "A-1": (SCARCE_MAX + 1, None, 0),
    "AB": (None, 100, 0),
    "Ax": (SCARCE_MAX + 3, 3, 3),
    "B": (None, None, 0),
    "Bx": (None, 3, 0),
    "B日": (7, None, 9),
    "a": (500, 500, 0),
    "off": (1, None, 0),
    "日": (30, None, 0),
}
QUEUED = {"a": 995, "日": 30, "B": 4}
AVAILABLE = [None, 0, 3, SCARCE_MAX, SCARCE_MAX + 1]


async def filled(house: Warehouse) -> dict[str, StockInfo]:
    """Stock as above; some of it is promised, and some is waited for."""
    async with house.store.begin() as work:
        for name, (_, _, kept) in STOCK.items():
            made = Product(name, "", "", "GBP", 1, active=name != "off", safety_stock=kept)
            await work.add_product(made, START)
    for name, (main, shop, _) in STOCK.items():
        for units, place in ((main, "main"), (shop, "shop")):
            if units is not None:
                await house.stock(name, units, place)
    assert await house.reserve(order_id(1), {"A 1": 19, "日": 10})
    async with house.database.begin() as work:
        work.defer(SQL[house.database.engine].SET_QUEUED_AT_GATES, [*QUEUED.items()])
    return await house.store.stock_info([*STOCK, "DESK", "LAMP-灯"])


async def listed(house: Warehouse, wanted: ProductFilter) -> list[str]:
    """All pages, of two products each."""
    found, after = list[str](), ""
    while page := await house.store.products(wanted, after=after, limit=2):
        found += [product.product_id for product in page]
        after = found[-1]
    return found


def fits(info: StockInfo, wanted: ProductFilter) -> bool:
    was_there = any(level.version for level in info.levels)
    most = wanted.available_max
    return (
        info.product.product_id.startswith(wanted.id_prefix)
        and wanted.active in (None, info.product.active)
        and (most is None or (was_there and info.available <= most))
        and wanted.waited_for in (None, info.queue.units > 0)
    )


WANTED = [
    ProductFilter(prefix, active, most, waits)
    for prefix in ("", "A", "B日")
    for active in (None, True, False)
    for most in AVAILABLE
    for waits in (None, False, True)
]


@pytest.mark.parametrize("main_active", [True, False])
async def test_all_that_fits_is_listed_by_id_and_nothing_else(
    house: Warehouse, main_active: bool
) -> None:
    infos = await filled(house)
    if not main_active:
        async with house.store.begin() as work:
            await work.lock_location("main")
            await work.save_location(Location("main", active=False, priority=0, version=2))
        infos = await house.store.stock_info(infos)

    found = {wanted: await listed(house, wanted) for wanted in WANTED}

    assert found == {
        wanted: sorted(name for name, info in infos.items() if fits(info, wanted))
        for wanted in WANTED
    }
    little = found[ProductFilter(available_max=SCARCE_MAX)]
    assert ("A-1" in little) is not main_active, "what is where nothing is promised is not free"
