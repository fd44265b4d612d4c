"""Who moves stock and who changes a location wait for each other, on both engines."""

import asyncio

from holdfast.inventory.application.locations.update_location import UpdateLocation
from holdfast.inventory.domain.stock.levels import Short
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from tests.contract import warehouse
from tests.contract.warehouse import ANNA, Warehouse, order_id

house, service = warehouse.house, warehouse.service

LONG_ENOUGH_S = 0.3  # for a change that nothing holds up


async def test_a_location_is_switched_only_after_those_who_move_stock_there(
    house: Warehouse,
) -> None:
    await house.stock("DESK", 5, "annex")
    switch = UpdateLocation(house.store.begin)("annex", 1, {"active": False})

    async with house.store.begin() as work:
        book = StockBook(await work.lock_levels(["DESK"]), house.clock.now())
        switching = asyncio.ensure_future(switch)
        await asyncio.sleep(LONG_ENOUGH_S)
        waited = not switching.done()
        cause = Cause(ANNA, order_id=order_id(1))
        assert not isinstance(book.hold((), {"DESK": 2}, cause), Short)
        await work.save_book(book)
    await switching

    assert waited, "somebody was about to promise stock there"
    assert not await house.reserve(order_id(2), {"DESK": 1})
    async with house.database.read() as reading:
        (row,) = await reading.fetch(
            "SELECT inactive_after, (SELECT max(movement_id) FROM stock_movement) AS newest"
            " FROM location WHERE location_id = 'annex'"
        )
    assert row["inactive_after"] == row["newest"], "nothing came there since"
