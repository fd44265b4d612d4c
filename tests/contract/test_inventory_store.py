"""The promises of Inventory's store, kept on both engines."""

import asyncio
import sqlite3 as sqlite_driver
from datetime import timedelta

import asyncpg
import pytest

from holdfast.chassis.database import Conflict, Database, KeyTaken
from holdfast.chassis.inbox import Inbox
from holdfast.chassis.outbox import Outbox
from holdfast.contracts.inventory.v1 import events_pb2
from holdfast.inventory.application.ports import MovementFilter, RecordedChange, StockInfo
from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import StockReserved, level_changed
from holdfast.inventory.domain.product import Product
from holdfast.inventory.domain.reservation import Reservation, ReservationState, Wanted, hear
from holdfast.inventory.domain.stock import (
    MAIN_LOCATION,
    NO_LOT,
    Cause,
    HeldStock,
    Shortage,
    StockBook,
    StockLevel,
)
from holdfast.inventory.infrastructure.event_codec import EventCodec
from holdfast.inventory.infrastructure.store import Store
from tests.contract.conftest import START, SteadyClock, together

ANNA = Caller("anna", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
LAMP = Product("LAMP-灯", "Lamp 'Zoë'", "red\nand round", "GBP", 2**53 + 1, active=True)
DESK = Product("DESK", "Desk", "", "EUR", 0, active=False)


class Warehouse:
    """Inventory's rows, with two products and somebody who moves their stock."""

    def __init__(self, database: Database, clock: SteadyClock) -> None:
        self.database, self.clock = database, clock
        outbox, inbox = Outbox(database), Inbox(database, clock)
        self.store = Store(database, outbox, inbox, EventCodec(clock.new_id))

    async def stock(self, product_id: str, quantity: int, location_id: str = MAIN_LOCATION) -> None:
        async with self.store.begin() as work:
            book = StockBook(await work.lock_levels([product_id]), self.clock.now())
            cause = Cause(ANNA, reason="delivery", reference="d-1")
            book.set_on_hand(book.level(product_id, location_id), quantity, cause)
            await work.save_book(book)

    async def reserve(
        self, order_id: str, demand: dict[str, int], *, began: asyncio.Barrier | None = None
    ) -> bool:
        async with self.store.begin() as work:
            if began:
                await began.wait()
            book = StockBook(await work.lock_levels(demand), self.clock.now())
            await asyncio.sleep(0.005 if began else 0)
            cause = Cause(ANNA, order_id=order_id)
            reservation = hear(None, Wanted(order_id, 1, demand, over=False), book, cause)
            await work.save_book(book)
            await work.save_reservations([reservation], {}, self.clock.now())
        return reservation.state is ReservationState.HELD

    async def info(self, product_id: str) -> StockInfo:
        return (await self.store.stock_info([product_id]))[product_id]


@pytest.fixture
def service() -> str:
    return "inventory"


@pytest.fixture
async def house(database: Database, clock: SteadyClock) -> Warehouse:
    house = Warehouse(database, clock)
    async with house.store.begin() as work:
        for product in (LAMP, DESK):
            assert await work.add_product(product, clock.now())
    return house


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
    while page := await house.store.products(after=after, limit=2):
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
                StockLevel("DESK", "shop", 3, 1, version=2),
            ),
        ),
        "LAMP-灯": StockInfo(LAMP, (StockLevel("LAMP-灯", MAIN_LOCATION),)),  # its gate
    }
    assert (found["DESK"].on_hand, found["DESK"].reserved) == (8, 6)


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
                book.set_on_hand(book.level(product_id, MAIN_LOCATION), quantity, Cause(ANNA))
            await work.save_book(book)

    newest_first = [found.movement for found in await house.store.movements(ALL, limit=20)]
    assert [(m.product_id, m.on_hand_after) for m in reversed(newest_first)] == [
        (product_id, quantity) for quantity in quantities for product_id in ("LAMP-灯", "DESK")
    ]


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
    ]
    over = Reservation(order_id(1), 4, 7, ReservationState.OVER)
    async with house.store.begin() as work:
        book = StockBook(await work.lock_levels(["DESK"]), START)
        assert book.hold((), {"DESK": 3}, Cause(ANNA, order_id=order_id(1))) == stock
        await work.save_book(book)
        await work.save_reservations(decided, {}, START)
    async with house.store.begin() as work:
        found = await work.reservations([order_id(number) for number in (3, 2, 1, 4)])
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


async def test_of_two_who_stock_a_new_place_at_once_none_overwrites_the_other(
    house: Warehouse,
) -> None:
    both_began = together(house.database, 2)

    async def receive(quantity: int) -> None:
        async with house.store.begin() as work:
            await both_began.wait()
            book = StockBook(await work.lock_levels(["DESK"]), START)
            level = book.level("DESK", "annex")
            book.set_on_hand(level, level.on_hand + quantity, Cause(ANNA))
            await work.save_book(book)

    outcomes = await asyncio.gather(receive(3), receive(4), return_exceptions=True)

    # The first holds the product's gate. The second may not see the new level, and then loses.
    lost = [outcome for outcome in outcomes if outcome is not None]
    assert all(isinstance(outcome, Conflict) for outcome in lost)
    assert (await house.info("DESK")).on_hand in ((3, 4) if lost else (7,))


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


ALL = MovementFilter()


def order_id(number: int) -> str:
    return f"0198c5f0-7a3b-7c1e-9d43-{number:012}"


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
