"""What Inventory's ledger and its tables hold, on both engines."""

import sqlite3 as sqlite_driver
from datetime import timedelta

import asyncpg
import pytest

from holdfast.chassis.database.seam import Conflict
from holdfast.inventory.application.ports import MovementFilter
from holdfast.inventory.application.stock.explain_stock import ExplainStock, Question
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.explaining import NOTHING, KindSum, Numbers
from holdfast.inventory.domain.stock.movements import Cause, MovementKind, ReasonCode
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.inventory.infrastructure.ledger import Ledger
from tests.contract import warehouse
from tests.contract.conftest import START
from tests.contract.warehouse import ANNA, Warehouse, order_id

service, house = warehouse.service, warehouse.house

ALL = MovementFilter()


async def test_every_change_of_a_level_is_in_the_ledger_with_its_cause(house: Warehouse) -> None:
    await house.stock("DESK", 10**12)
    await house.reserve(order_id(1), {"DESK": 4})

    reservation, receipt = (m.movement for m in await house.store.movements(ALL, limit=9))

    assert (receipt.kind, receipt.on_hand_delta, receipt.on_hand_after) == (
        "RECEIPT",
        10**12,
        10**12,
    )
    assert (receipt.order_id, receipt.reason, receipt.reference) == (None, "delivery", "d-1")
    assert (receipt.actor, receipt.at) == ("anna", START)
    assert (reservation.kind, reservation.reserved_delta) == ("RESERVATION", 4)
    assert (reservation.order_id, reservation.reserved_after) == (order_id(1), 4)


async def test_movements_with_a_reason_of_few_are_numbered_among_those_without(
    house: Warehouse,
) -> None:
    plain, counted = Cause(ANNA), Cause(ANNA, reason_code=ReasonCode.FOUND)
    quantities = list(range(1, 9))

    async with house.store.begin() as work:
        book = StockBook(await work.lock_levels(["DESK"]), START)
        for quantity in quantities:
            level = book.level("DESK", Location(MAIN_LOCATION))
            book.set_on_hand(level, quantity, counted if quantity % 3 == 2 else plain)
        await work.save_book(book)

    newest_first = [found.movement for found in await house.store.movements(ALL, limit=9)]
    assert [m.on_hand_after for m in reversed(newest_first)] == quantities
    assert [bool(m.reason_code) for m in reversed(newest_first)] == [
        quantity % 3 == 2 for quantity in quantities
    ]


async def test_movements_of_one_transaction_are_numbered_in_the_order_of_their_books(
    house: Warehouse,
) -> None:
    for product_id in ("DESK", "LAMP-灯"):
        await house.stock(product_id, 1)
    quantities = [number * 7 % 10 + 2 for number in range(10)]

    async with house.store.begin() as work:
        for quantity in quantities:
            book = StockBook(await work.lock_levels(["LAMP-灯", "DESK"]), START)
            for product_id in ("LAMP-灯", "DESK"):
                book.set_on_hand(
                    book.level(product_id, Location(MAIN_LOCATION)), quantity, Cause(ANNA)
                )
            await work.save_book(book)

    newest_first = [found.movement for found in await house.store.movements(ALL, limit=20)]
    assert [(m.product_id, m.on_hand_after) for m in reversed(newest_first)] == [
        (product_id, quantity) for quantity in quantities for product_id in ("LAMP-灯", "DESK")
    ]


async def test_a_filter_lists_the_movements_it_says_newest_first(house: Warehouse) -> None:
    for product_id, location_id in (("DESK", "main"), ("DESK", "shop"), ("LAMP-灯", "main")):
        await house.stock(product_id, 5, location_id)
        house.clock.advance(1)
    await house.reserve(order_id(1), {"DESK": 6, "LAMP-灯": 1})
    second = START + timedelta(seconds=1)

    filters = [
        (ALL, "654321"),
        (MovementFilter(product_id="DESK"), "5421"),
        (MovementFilter(product_id="DESK", location_id="shop"), "52"),
        (MovementFilter(location_id="main"), "6431"),
        (MovementFilter(order_id=order_id(1)), "654"),
        (MovementFilter(order_id=order_id(1), product_id="LAMP-灯"), "6"),
        (MovementFilter(order_id=order_id(2)), ""),
        (MovementFilter(created_from=second), "65432"),
        (MovementFilter(created_before=second), "1"),
        (MovementFilter(created_from=second, created_before=second), ""),
    ]
    found = [(wanted, await house.store.movements(wanted, limit=9)) for wanted, _ in filters]

    assert [
        (wanted, "".join(str(recorded.movement_id) for recorded in page)) for wanted, page in found
    ] == filters


async def test_what_clocks_that_differ_have_written_is_explained_in_the_order_in_which_it_was_made(
    house: Warehouse,
) -> None:
    explain = ExplainStock(house.store, Ledger(house.database))
    house.clock.advance(10)
    await house.stock("DESK", 5)
    house.clock.advance(-8)  # of another process
    await house.stock("DESK", 7)
    house.clock.advance(20)

    async def explained(at_s: int | None) -> list[tuple[int, int, Numbers, list[KindSum]]]:
        at = None if at_s is None else START + timedelta(seconds=at_s)
        found = await explain(Question("DESK", "", at), after="", limit=9)
        return [
            (one.level.on_hand, one.level.version, one.earlier, list(one.sums)) for one in found
        ]

    whole = [(7, 2, NOTHING, [KindSum(MovementKind.RECEIPT, 2, 7, 0, 0)])]
    assert [await explained(at_s) for at_s in (None, 10, 2)] == [whole] * 3
    assert await explained(1) == []


async def test_pages_have_every_movement_once_although_new_ones_come_in(house: Warehouse) -> None:
    for quantity in range(1, 8):
        await house.stock("DESK", quantity)
    found: list[int] = []

    page = await house.store.movements(ALL, limit=3)
    while page:
        found += [recorded.movement_id for recorded in page]
        await house.stock("DESK", 100 + len(found))
        page = await house.store.movements(ALL, before=found[-1], limit=3)

    assert found == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE stock_level SET reserved = on_hand + 1",
        "UPDATE stock_level SET reserved = -1",
        "UPDATE stock_level SET on_hand = -1, reserved = -1",
        "UPDATE stock_level SET on_hand = reserved - 1",
        "UPDATE stock_movement SET on_hand_after = -1, reserved_after = -1",
        "UPDATE stock_movement SET reserved_after = on_hand_after + 1",
        "UPDATE product SET price_minor = -1",
        """
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version)
     VALUES ('NOBODY', 'main', '', 1, 0, 1)
""",
    ],
)
async def test_the_tables_refuse_to_oversell_whatever_the_program_does(
    house: Warehouse, sql: str
) -> None:
    await house.stock("DESK", 5)
    assert await house.reserve(order_id(1), {"DESK": 3})

    async def spoil() -> None:
        async with house.database.begin() as work:
            await work.execute(sql)

    refused = (
        asyncpg.IntegrityConstraintViolationError,
        sqlite_driver.IntegrityError,
        Conflict,
    )
    with pytest.raises(refused):
        await spoil()


async def test_a_kind_or_state_that_the_domain_does_not_know_is_taken_for_none_that_it_knows(
    house: Warehouse,
) -> None:
    await house.stock("DESK", 5)
    assert await house.reserve(order_id(1), {"DESK": 3})
    async with house.database.begin() as work:
        await work.execute("UPDATE stock_movement SET kind = 'THEFT'")
        await work.execute("UPDATE reservation SET state = 'LOST'")

    with pytest.raises(ValueError, match="'THEFT' is not a valid MovementKind"):
        await house.store.movements(ALL, limit=9)
    with pytest.raises(ValueError, match="'LOST' is not a valid ReservationState"):
        async with house.store.begin() as work:
            await work.reservations([order_id(1)])
