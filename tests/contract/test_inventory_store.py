"""The promises of Inventory's store, kept on both engines."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from holdfast.chassis.database.seam import Conflict, KeyTaken
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.inventory.application.ports import ProductFilter, RecordedChange, StockInfo
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.events import StockReserved, level_changed
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.reservations.reservation import (
    Reservation,
    ReservationState,
    Wanted,
    hear,
)
from holdfast.inventory.domain.stock.levels import (
    NO_LOT,
    HeldStock,
    QueuedUnits,
    Shortage,
    StockLevel,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from tests.contract import warehouse
from tests.contract.conftest import START, together
from tests.contract.warehouse import ANNA, DESK, LAMP, Warehouse, order_id
from tests.unit.holding import hold

service, house = warehouse.service, warehouse.house
LATER = START + timedelta(microseconds=1)


async def test_a_product_is_read_as_it_was_created_and_its_id_is_taken_once(
    house: Warehouse,
) -> None:
    async with house.store.begin() as work:
        again = await work.add_product(Product("LAMP-灯", "", "", "GBP", 1, active=True), START)
        found = [await work.lock_product(name) for name in ("LAMP-灯", "DESK", "CHAIR")]
        existing = await work.existing_products(["DESK", "CHAIR", "LAMP-灯"])

    assert again is False
    assert found == [LAMP, DESK, None]
    assert existing == {"DESK", "LAMP-灯"}


async def test_a_revised_product_is_read_with_its_new_details(house: Warehouse) -> None:
    revised = DESK.revised(expected_version=1, name="Oak desk", active=True, price_minor=2**63 - 1)

    async with house.store.begin() as work:
        await work.save_product(revised, START)

    assert (await house.info("DESK")).product == revised
    assert (await house.info("LAMP-灯")).product == LAMP


async def test_products_are_listed_by_id_page_by_page_although_new_ones_come_in(
    house: Warehouse,
) -> None:
    async with house.store.begin() as work:
        for name in ("a", "B", "é", "10", "9", "_", "日本"):
            await work.add_product(Product(name, "", "", "GBP", 1, active=True), START)
    found: list[str] = []

    after = ""
    while page := await house.store.products(ProductFilter(), after=after, limit=2):
        found += [product.product_id for product in page]
        after = found[-1]
        async with house.store.begin() as work:
            await work.add_product(Product("!early", "", "", "GBP", 1, active=True), START)

    assert found == sorted(["a", "B", "é", "10", "9", "_", "日本", "DESK", "LAMP-灯"])


async def test_stock_is_read_with_its_levels_by_location_and_unknown_products_are_left_out(
    house: Warehouse,
) -> None:
    await house.stock("DESK", 3, "shop")
    await house.stock("DESK", 5)
    await house.reserve(order_id(1), {"DESK": 6})

    found = await house.store.stock_info(["DESK", "CHAIR", "LAMP-灯"])

    assert found == {
        "DESK": StockInfo(
            DESK,
            (
                StockLevel("DESK", MAIN_LOCATION, 5, 5, version=2),
                StockLevel("DESK", "shop", 3, 1, version=2, priority=100),
            ),
        ),
        "LAMP-灯": StockInfo(LAMP, ()),  # its gate is no stock
    }
    assert (found["DESK"].on_hand, found["DESK"].reserved) == (8, 6)


async def test_a_reservation_is_read_as_it_was_decided_and_as_it_was_released(
    house: Warehouse,
) -> None:
    await house.stock("DESK", 2)
    await house.stock("DESK", 1, "shop")
    stock = (HeldStock("DESK", "main", NO_LOT, 2), HeldStock("DESK", "shop", NO_LOT, 1))
    decided = [
        Reservation(order_id(1), 1, 1, ReservationState.HELD, stock),
        Reservation(
            order_id(2), 1, 1, ReservationState.SHORT, (), (Shortage("LAMP-灯", 2**40, 0),)
        ),
        Reservation(order_id(3), 1, 2, ReservationState.OVER),
        Reservation(
            order_id(4), 1, 1, ReservationState.HELD, queued=(QueuedUnits("DESK", 4, LATER),)
        ),
    ]
    decided = [one._replace(placed_at=START) for one in decided]
    over = Reservation(order_id(1), 4, 7, ReservationState.OVER, placed_at=START)
    async with house.store.begin() as work:
        book = StockBook(await work.lock_levels(["DESK"]), START)
        assert hold(book, (), {"DESK": 3}, Cause(ANNA, order_id=order_id(1))) == stock
        await work.save_book(book)
        await work.save_reservations(decided, {}, START)
    async with house.store.begin() as work:
        found = await work.reservations([order_id(number) for number in (3, 2, 1, 4, 5)])
        await work.save_reservations([over], found, START)
    async with house.store.begin() as work:
        after = await work.reservations([order_id(1)])

    assert list(found.values()) == decided
    assert after == {order_id(1): over}


async def test_what_was_decided_on_another_version_is_never_written(house: Warehouse) -> None:
    await house.stock("DESK", 5)
    await house.reserve(order_id(1), {"DESK": 2})
    async with house.store.begin() as work:
        known = await work.reservations([order_id(1)])
        book = StockBook(await work.lock_levels(["DESK"]), START)
        over = hear(
            known[order_id(1)],
            Wanted(order_id(1), 2, {}, over=True),
            book,
            Cause(ANNA, order_id=order_id(1)),
        )
        await work.save_book(book)
        await work.save_reservations([over], known, START)

    async def write_again(part: str) -> None:
        async with house.store.begin() as work:
            if part == "level":
                await work.save_book(book)
            else:
                await work.save_reservations([over], known, START)

    for part in ("level", "reservation"):
        with pytest.raises(Conflict, match=part):
            await write_again(part)


async def test_an_order_is_reserved_once_although_two_decide_it_at_once(house: Warehouse) -> None:
    await house.stock("DESK", 10)

    both_began = together(house.database, 2)
    outcomes = await asyncio.gather(
        *(house.reserve(order_id(1), {"DESK": 3}, began=both_began) for _ in range(2)),
        return_exceptions=True,
    )

    assert sorted(map(repr, map(type, outcomes))) == sorted(map(repr, (bool, KeyTaken)))
    assert (await house.info("DESK")).reserved == 3


async def test_two_who_reserve_the_last_units_at_once_never_get_more_than_there_are(
    house: Warehouse,
) -> None:
    await house.stock("DESK", 5)
    await house.stock("LAMP-灯", 5)

    all_began = together(house.database, 8)

    async def reserve(number: int) -> bool:
        names = ["DESK", "LAMP-灯"][:: 1 if number % 2 else -1]  # asked for crosswise
        return await house.reserve(order_id(number), dict.fromkeys(names, 2), began=all_began)

    outcomes = await asyncio.gather(*map(reserve, range(8)))

    assert outcomes.count(True) == 2
    assert ((await house.info("DESK")).reserved, (await house.info("LAMP-灯")).reserved) == (4, 4)


@pytest.mark.parametrize("stocked", [[], ["shop"], ["shop", MAIN_LOCATION]])
async def test_who_waited_for_a_product_sees_what_came_to_a_new_place_meanwhile(
    house: Warehouse, stocked: list[str]
) -> None:
    for place in stocked:
        await house.stock("DESK", 1, place)
    async with house.store.begin() as work:
        await work.add_location(Location("annex"))

    async def receive(quantity: int, then: Callable[[], Awaitable[object]]) -> None:
        async with house.store.begin() as work:
            book = StockBook(await work.lock_levels(["DESK", "LAMP-灯"]), START)
            await then()
            level = book.level("DESK", Location("annex"))
            book.set_on_hand(level, level.on_hand + quantity, Cause(ANNA))
            await work.save_book(book)

    async with asyncio.TaskGroup() as group:

        async def let_another_wait() -> None:
            group.create_task(receive(4, lambda: asyncio.sleep(0)))
            await asyncio.sleep(0.2)  # until it waits

        await receive(3, let_another_wait)

    assert (await house.info("DESK")).on_hand == 7 + len(stocked)


async def test_a_change_of_stock_is_kept_under_its_request_id_for_ever(house: Warehouse) -> None:
    done = RecordedChange("r-1", "hash", StockLevel("DESK", "shop", 5, 2, version=9))

    async with house.store.begin() as work:
        await work.record_changes([done], START)

    async with house.store.begin() as work:
        assert await work.recorded_changes(["r-1", "r-2"]) == {"r-1": done}
        assert await work.recorded_changes([]) == {}

    async def do_again() -> None:
        async with house.store.begin() as work:
            await work.record_changes([done], START)

    with pytest.raises(Conflict):
        await do_again()


async def test_what_is_announced_leaves_with_the_transaction_in_its_order(
    house: Warehouse,
) -> None:
    stock = (HeldStock("DESK", "main", NO_LOT, 2),)
    reserved = StockReserved(Reservation(order_id(1), 1, 1, ReservationState.HELD, stock))
    changed = level_changed(StockLevel("DESK", "main", 5, 2, 7))

    async with house.store.begin() as work:
        await work.announce([(reserved, ANNA), (changed, ANNA)], START)

    async with house.database.read() as reading:
        rows = await reading.fetch("SELECT * FROM outbox ORDER BY position")
    assert [(row["subject"], row["sequence"]) for row in rows] == [(order_id(1), 1), ("DESK", 7)]
    assert {row["traceparent"] for row in rows} == {ANNA.traceparent}
    assert events_pb2.StockReserved.FromString(rows[0]["data"]).state.stock[0].quantity == 2
    assert events_pb2.StockLevelChanged.FromString(rows[1]["data"]).level.available == 3
