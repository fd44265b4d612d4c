"""The use cases of both services on real databases: repeats, races, and events in any order."""

import asyncio
from dataclasses import astuple

import pytest

from holdfast.inventory.application.ports import MovementFilter
from holdfast.inventory.application.reservations.hear_orders import StockQuestion
from holdfast.inventory.application.stock.change_stock import AdjustOnHand, LevelAsItWas, SetOnHand
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.errors import (
    BelowReserved,
    ProductNotFound,
    StaleVersion,
)
from holdfast.inventory.domain.errors import RequestIdReused as StockRequestIdReused
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.stock.levels import StockLevel
from holdfast.orders.application.ordering.place_orders import RecordedBefore
from holdfast.orders.domain.errors import (
    InactiveProducts,
    InventoryUnavailable,
    OutboxTooLong,
    RequestIdReused,
    Shortage,
    ShortOfStock,
    UnknownProducts,
)
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.order import OrderState
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.two_services import (
    BOB,
    TwoServices,
    asks,
    release,
    reserve,
)

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls


async def kinds(shop: TwoServices) -> list[str]:
    return [
        str(recorded.movement.kind)
        for recorded in reversed(await shop.stock.movements(MovementFilter(), limit=1_000))
    ]


async def test_an_order_is_pending_at_the_price_of_the_stock_check_and_told_to_inventory(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, DESK=5)

    (placed,) = await shop.place(asks("r-1", LAMP=2, DESK=1))

    order = await shop.order(placed.order_id)
    assert (order.state.status, order.total) == ("PENDING", Money("GBP", 1_050))
    assert await shop.told(shop.orders) == [("OrderPlaced", placed.order_id)]


async def test_each_order_of_a_batch_is_refused_or_recorded_on_its_own(shop: TwoServices) -> None:
    await shop.supply(LAMP=5, DESK=5)
    await shop.create_product(Product("OLD", "", "", "GBP", 1, active=False))
    await shop.create_product(Product("EURO", "", "", "EUR", 1, active=True))

    outcomes = await shop.place_orders(
        [
            asks("r-1", LAMP=1),
            asks("r-2", LAMP=1, NOBODY=1),
            asks("r-3", OLD=1),
            asks("r-4", LAMP=6, DESK=5),
            asks("r-5", DESK=5),
        ]
    )

    assert [type(outcome) for outcome in outcomes] == [
        OrderState,
        UnknownProducts,
        InactiveProducts,
        ShortOfStock,
        OrderState,
    ]
    short = outcomes[3]
    assert isinstance(short, ShortOfStock)
    assert short.shortages == [Shortage("LAMP", 6, 5)]
    assert len(await shop.told(shop.orders)) == 2


async def test_a_repeat_gets_the_recorded_order_and_other_contents_are_refused(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (first,) = await shop.place(asks("r-1", LAMP=1))

    again, other, anew = await shop.place_orders(
        [asks("r-1", LAMP=1), asks("r-1", LAMP=2), asks("r-1", "c-2", LAMP=2)]
    )

    assert again == first
    assert isinstance(other, RequestIdReused)
    assert isinstance(anew, OrderState)
    assert len(await shop.told(shop.orders)) == 2


async def test_twins_in_one_batch_are_one_order(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)

    outcomes = await shop.place_orders(
        [asks("r-1", LAMP=1), asks("r-1", LAMP=2), asks("r-1", LAMP=1), asks("r-2", LAMP=9)] * 2
    )

    told = [type(outcome) for outcome in outcomes]
    assert told == [OrderState, RequestIdReused, RecordedBefore, ShortOfStock] * 2
    assert len({o.order_id for o in outcomes if isinstance(o, OrderState)}) == 1
    assert len(await shop.told(shop.orders)) == 1


async def test_many_contents_under_one_key_cost_one_stock_check_and_no_neighbour_its_order(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)

    outcomes = await shop.place_orders(
        [asks("good", LAMP=1)]
        + [asks("same", "mallory", NOBODY=number) for number in range(1, 1_000)]
        + [asks("good too", LAMP=1)]
    )

    kinds_told = [type(outcome) for outcome in outcomes]
    assert kinds_told == [OrderState] + [UnknownProducts] * 999 + [OrderState]
    recorded = [outcome.order_id for outcome in outcomes if isinstance(outcome, OrderState)]
    assert await shop.told(shop.orders) == [("OrderPlaced", order_id) for order_id in recorded]
    assert shop.stock_check.asked == 1


async def test_of_many_contents_under_one_key_the_first_that_can_be_filled_is_the_order(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    batch = [asks("r-1", LAMP=quantity) for quantity in (9, 4, 3, 4, 9)]

    outcomes = await shop.place_orders(batch)
    again = await shop.place_orders(batch)

    kinds_told = [type(outcome) for outcome in outcomes]
    placed, repeated, refused = OrderState, RecordedBefore, RequestIdReused
    assert kinds_told == [ShortOfStock, placed, refused, repeated, refused]
    assert outcomes[1] == outcomes[3]
    assert [again[1], again[3]] == [outcomes[1], outcomes[3]]
    assert {type(again[index]) for index in (0, 2, 4)} == {RequestIdReused}
    (told,) = await shop.told(shop.orders)
    assert isinstance(outcomes[1], OrderState)
    assert told == ("OrderPlaced", outcomes[1].order_id)
    assert (await shop.order(outcomes[1].order_id)).lines[0].quantity == 4


async def test_one_request_sent_fifty_times_at_once_is_one_order(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)

    outcomes = await asyncio.gather(*(shop.place(asks("r-1", LAMP=1)) for _ in range(50)))

    assert len({placed.order_id for (placed,) in outcomes}) == 1
    assert len(await shop.told(shop.orders)) == 1


async def test_nothing_is_recorded_while_inventory_is_away_or_the_outbox_too_long(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    (first,) = await shop.place(asks("r-1", LAMP=1))

    shop.stock_check.away = True
    (away,) = await shop.place_orders([asks("r-2", LAMP=1)])
    shop.stock_check.away = False
    shop.clock.advance(61)
    await shop.orders_relay.is_empty()
    too_long, again = await shop.place_orders([asks("r-3", LAMP=1), asks("r-1", LAMP=1)])

    assert isinstance(away, InventoryUnavailable)
    assert isinstance(too_long, OutboxTooLong)
    assert again == first
    assert len(await shop.told(shop.orders)) == 1


async def test_the_orders_of_a_batch_are_decided_in_their_order_each_whole_or_not_at_all(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5, DESK=1)
    ids = [shop.clock.new_id() for _ in range(4)]

    await shop.hear_orders(
        [
            reserve(ids[0], LAMP=3, DESK=1),
            reserve(ids[1], LAMP=2, DESK=1),
            reserve(ids[2], LAMP=3),
            reserve(ids[3], LAMP=2),
        ]
    )

    assert (await shop.told(shop.inventory))[-4:] == [
        ("StockReserved", ids[0]),
        ("StockRejected", ids[1]),
        ("StockRejected", ids[2]),
        ("StockReserved", ids[3]),
    ]
    assert (await shop.reserved("LAMP"), await shop.reserved("DESK")) == (5, 1)


@pytest.mark.parametrize("way", ["in one batch", "in three batches", "at once"])
async def test_an_event_delivered_three_times_reserves_once(shop: TwoServices, way: str) -> None:
    await shop.supply(LAMP=5)
    command = reserve(shop.clock.new_id(), event_id="one event", LAMP=1)
    await shop.forget_told(shop.inventory)

    if way == "in one batch":
        await shop.hear_orders([command] * 3)
    elif way == "in three batches":
        for _ in range(3):
            await shop.hear_orders([command])
    else:
        await asyncio.gather(*(shop.hear_orders([command]) for _ in range(3)))

    assert await shop.reserved("LAMP") == 1
    assert await shop.told(shop.inventory) == [("StockReserved", command.wanted.order_id)]


async def test_asking_again_gets_the_same_answer_and_no_second_reservation(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    reserved_id, refused_id = shop.clock.new_id(), shop.clock.new_id()
    questions = {reserved_id: 2, refused_id: 9}

    for _ in range(2):
        await shop.forget_told(shop.inventory)
        await shop.hear_orders([reserve(order_id, LAMP=n) for order_id, n in questions.items()])
        assert await shop.told(shop.inventory) == [
            ("StockReserved", reserved_id),
            ("StockRejected", refused_id),
        ]

    await shop.supply(LAMP=50)  # what was refused stays refused, however much there is now
    await shop.hear_orders([reserve(refused_id, LAMP=9)])
    assert await shop.reserved("LAMP") == 2


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_a_question_that_is_out_of_date_is_not_answered(
    shop: TwoServices, is_one_batch: bool
) -> None:
    await shop.supply(LAMP=5)
    await shop.forget_told(shop.inventory)
    order_id = shop.clock.new_id()
    commands: list[StockQuestion] = [
        reserve(order_id, LAMP=2),
        release(order_id),
        reserve(order_id, LAMP=2),
    ]

    for batch in [commands] if is_one_batch else [[command] for command in commands]:
        await shop.hear_orders(batch)

    told = [(name, order_id) for name in ("StockReserved", "ReservationReleased")]
    assert await shop.told(shop.inventory) == told


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_a_cancellation_that_overtakes_its_order_is_remembered_and_nothing_is_reserved(
    shop: TwoServices, is_one_batch: bool
) -> None:
    await shop.supply(LAMP=5)
    await shop.forget_told(shop.inventory)
    order_id = shop.clock.new_id()
    commands: list[StockQuestion] = [
        release(order_id),
        reserve(order_id, LAMP=1),
        reserve(order_id, LAMP=1),
    ]

    for batch in [commands] if is_one_batch else [[command] for command in commands]:
        await shop.hear_orders(batch)

    assert await shop.reserved("LAMP") == 0
    assert await shop.told(shop.inventory) == [("ReservationReleased", order_id)]
    async with shop.stock.begin() as work:
        assert (await work.reservations([order_id]))[order_id].state == "OVER"


@pytest.mark.parametrize("is_one_batch", [True, False])
async def test_stock_is_given_back_once_however_often_the_order_is_cancelled(
    shop: TwoServices, is_one_batch: bool
) -> None:
    await shop.supply(LAMP=5)
    order_id = shop.clock.new_id()
    commands: list[StockQuestion] = [
        reserve(order_id, LAMP=2),
        release(order_id),
        release(order_id),
    ]

    for batch in [commands] if is_one_batch else [[command] for command in commands]:
        await shop.hear_orders(batch)

    assert await shop.reserved("LAMP") == 0
    assert await kinds(shop) == ["RECEIPT", "RESERVATION", "RELEASE"]


async def test_two_processes_that_decide_at_once_never_promise_more_than_there_is(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=20, DESK=15)
    orders = [(shop.clock.new_id(), {"LAMP": 1 + n % 2, "DESK": 1}) for n in range(60)]

    async def decide(start: int) -> None:
        batch = [
            reserve(id_, LAMP=demand["LAMP"], DESK=demand["DESK"])
            for id_, demand in orders[start::6]
        ]
        await shop.hear_orders(batch[:: 1 if start % 2 else -1])

    await asyncio.gather(*map(decide, range(6)))

    told = await shop.told(shop.inventory)
    reserved = [subject for kind, subject in told if kind == "StockReserved"]
    units = [demand["LAMP"] for order_id, demand in orders if order_id in reserved]
    assert len(reserved) == len(set(reserved))
    assert await shop.reserved("LAMP") == sum(units) <= 20
    assert await shop.reserved("DESK") == len(reserved) <= 15
    assert sum(units) >= 19 or len(reserved) == 15


def put(quantity: int, request_id: str = "", *, version: int | None = None) -> SetOnHand:
    return SetOnHand("LAMP", MAIN_LOCATION, quantity, version, "counted", request_id, BOB)


def shift(delta: int, request_id: str = "", product_id: str = "LAMP") -> AdjustOnHand:
    return AdjustOnHand(product_id, MAIN_LOCATION, delta, "broken", "ref", request_id, BOB)


async def test_each_change_of_a_batch_is_done_or_refused_on_its_own_in_its_order(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)
    await shop.hear_orders([reserve(shop.clock.new_id(), LAMP=4)])

    outcomes = await shop.change_stock(
        [shift(2), shift(-4), shift(1, product_id="NOBODY"), put(6, version=1), put(6), shift(-2)]
    )

    assert [type(outcome) for outcome in outcomes] == [
        StockLevel,
        BelowReserved,
        ProductNotFound,
        StaleVersion,
        StockLevel,
        StockLevel,
    ]
    assert outcomes[-1] == StockLevel("LAMP", MAIN_LOCATION, on_hand=4, reserved=4, version=5)
    assert await kinds(shop) == ["RECEIPT", "RESERVATION", "RECEIPT", "ADJUSTMENT", "ADJUSTMENT"]


async def test_a_level_is_told_of_only_when_it_changed(shop: TwoServices) -> None:
    await shop.supply(LAMP=5)
    await shop.forget_told(shop.inventory)

    await shop.change_stock([put(5), put(5)])
    after_nothing = await shop.told(shop.inventory)
    await shop.change_stock([put(5), put(6), put(6), put(5)])

    assert after_nothing == []
    assert await shop.told(shop.inventory) == [("StockLevelChanged", "LAMP")] * 2


def numbers_of(level: object) -> tuple[object, ...]:
    assert isinstance(level, StockLevel)
    return astuple(level)


async def test_a_change_under_a_request_id_is_done_once_and_its_repeat_sees_the_same_level(
    shop: TwoServices,
) -> None:
    await shop.supply(LAMP=5)

    batch = [shift(1, "r-1"), shift(1, "r-1"), shift(2, "r-1"), shift(1)]
    first = await shop.change_stock(batch)
    again = await shop.change_stock(batch)
    at_once = await asyncio.gather(*(shop.change_stock([shift(5, "r-2")]) for _ in range(10)))

    told = [type(outcome) for outcome in first]
    assert told == [StockLevel, LevelAsItWas, StockRequestIdReused, StockLevel]
    same = {numbers_of(outcome) for outcome in (first[0], first[1], again[0])}
    assert same == {astuple(StockLevel("LAMP", MAIN_LOCATION, 6, 0, version=2))}
    once = {numbers_of(outcome) for (outcome,) in at_once}
    assert once == {astuple(StockLevel("LAMP", MAIN_LOCATION, 13, 0, version=5))}
    assert [type(outcome) for (outcome,) in at_once].count(LevelAsItWas) == 9
