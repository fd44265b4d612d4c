"""Two batches side by side, as a crowd of callers makes them."""

import asyncio
from collections.abc import Sequence

from holdfast.inventory.application.stock.change_stock import (
    AdjustOnHand,
    EndQuarantine,
    LevelAsItWas,
    Quarantine,
    SetOnHand,
    StockChange,
)
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.orders.application.ordering.place_orders import PlaceOrders
from holdfast.orders.application.ports import RecordedRequest, RequestKey
from holdfast.orders.domain.ordering.new_order import NewOrder
from holdfast.orders.domain.ordering.order import OrderState
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.two_services import BOB, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def test_a_repeat_is_not_refused_while_its_first_try_is_being_recorded(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=1)
    may_record = asyncio.Event()

    async def record_late(orders: Sequence[NewOrder]) -> dict[RequestKey, RecordedRequest]:
        await may_record.wait()
        return await shop.store.record_orders(orders)

    place = PlaceOrders(record_late, shop.reader, shop.stock_check, shop.clock, shop.orders_relay)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(place([asks("r-1", LAMP=1)]))
        await checked(shop, times=1)
        await shop.change_stock([SetOnHand("LAMP", MAIN_LOCATION, 0, None, "", "", BOB)])
        second = group.create_task(place([asks("r-1", LAMP=1)]))
        await checked(shop, times=2)
        may_record.set()

    assert isinstance(first.result()[0], OrderState)
    assert second.result() == first.result()


async def checked(shop: TwoServices, *, times: int) -> None:
    """Wait until stock was asked for so often and the answers have been looked at."""
    while shop.stock_check.asked < times:
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)


async def test_a_repeat_of_a_stock_change_is_not_refused_for_what_its_first_try_did(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    changes: list[StockChange] = [
        SetOnHand("LAMP", MAIN_LOCATION, 9, 1, "counted", "r-1", BOB),
        AdjustOnHand("LAMP", MAIN_LOCATION, -5, "broken", "", "r-2", BOB),
        Quarantine("LAMP", MAIN_LOCATION, 4, "wet", "r-3", BOB),
        EndQuarantine("LAMP", MAIN_LOCATION, 4, False, "dry", "r-4", BOB),
    ]

    told = [await twice_at_once(shop, change) for change in changes]

    assert told == [{StockLevel, LevelAsItWas}] * len(changes)


async def twice_at_once(shop: TwoServices, change: StockChange) -> set[type]:
    """Ask for a change in two batches while neither can go on; return how they were answered."""

    async def outcome() -> type:
        return type(*await shop.change_stock([change]))

    async with asyncio.TaskGroup() as group, shop.inventory.begin() as work:
        await work.fetch("UPDATE stock_level SET version = version RETURNING product_id")
        twins = [group.create_task(outcome()) for _ in range(2)]
        await asyncio.sleep(0.3)  # until both wait
    return {twin.result() for twin in twins}
