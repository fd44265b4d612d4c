"""A replay with several locations: stock dealt out, orders sourced, returns to where they left."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from holdfast.cli.replay_locations import dealt, location_ids
from holdfast.cli.replay_report import SourcingReport, facts
from holdfast.cli.replay_run import ReplayOptions, replay_orders
from holdfast.client import (
    Holdfast,
    HoldfastError,
    LocationKind,
    Order,
    OrderStatus,
    Sourcing,
    SourcingStrategy,
)
from tests.integration.conftest import RunningHoldfast, eventually
from tests.integration.test_replayed_returns import ADA, BOB, Row, came_back, orders_of, written

ALIKE = True
MAIN, SECOND, THIRD = "main", "warehouse-2", "warehouse-3"
OPTIONS = ReplayOptions(
    cover=Decimal(1), concurrency=1, locations=3, settle_timeout_s=20.0, patience_s=0.0
)
# Of nine lamps each location gets three, of four mugs main gets two and the others one.
SHOP: list[Row] = [
    ("1001", "LAMP", 4, "09:00", ADA),  # main has three of them
    ("1002", "LAMP", 3, "10:00", BOB),  # all of them only at the third
    ("1003", "LAMP", 2, "11:00", ADA),
    ("1004", "MUG", 4, "12:00", BOB),
    ("C1005", "LAMP", -5, "13:00", ADA),  # both of 1003, three of 1001
    ("C1006", "LAMP", -1, "13:00", BOB),
]


def places(order: Order) -> dict[str, int]:
    units: Counter[str] = Counter()
    for shipment in order.shipments:
        (location,) = {item.location_id for item in shipment.items}
        assert shipment.shipment_id == f"replay-{location}"
        units[location] += sum(item.quantity for item in shipment.items)
    for held in order.stock:
        units[held.location_id] += held.quantity
    return dict(units)


async def levels(client: Holdfast, product_id: str) -> dict[str, tuple[int, int]]:
    """On hand and reserved by location."""
    info = await client.inventory.get_stock(product_id)
    return {one.location_id: (one.on_hand, one.reserved) for one in info.levels}


async def test_stock_is_dealt_out_and_each_order_comes_from_as_few_locations_as_can_be(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    report = await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)

    assert report.ok
    orders = await orders_of(holdfast.client)
    assert {number: places(order) for number, order in orders.items()} == {
        "1001": {MAIN: 3, SECOND: 1},
        "1002": {THIRD: 3},
        "1003": {SECOND: 2},
        "1004": {MAIN: 2, SECOND: 1, THIRD: 1},
    }
    assert {order.sourcing.strategy for order in orders.values()} == {
        SourcingStrategy.FEWEST_SHIPMENTS
    }
    assert report.stock_set == 2, "products, not levels"
    assert report.sourcing == SourcingReport(
        orders={1: 2, 2: 1, 3: 1}, units={MAIN: 5, SECOND: 4, THIRD: 4}
    )
    assert facts(report)["shipments"] == (
        "2 orders from 1 location, 1 order from 2 locations, 1 order from 3 locations"
    )
    assert facts(report)["  units"] == "5 at main, 4 at warehouse-2, 4 at warehouse-3"


async def test_what_comes_back_goes_to_where_it_left_from(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)

    orders = await orders_of(holdfast.client)
    assert came_back(orders) == {
        "1001": {"C1005": {1: 3}},
        "1002": {"C1006": {1: 1}},
        "1003": {"C1005": {1: 2}},
    }
    lamps = {MAIN: (3, 0), SECOND: (2, 0), THIRD: (1, 0)}

    async def seen() -> dict[str, tuple[int, int]]:
        return await levels(holdfast.client, "LAMP")

    await eventually(seen, lambda now: now == lamps, "lamps where they were")
    assert await levels(holdfast.client, "MUG") == {MAIN: (2, 2), SECOND: (1, 1), THIRD: (1, 1)}


async def test_a_repeat_finds_everything_where_it_is(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    first = await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)
    before = await orders_of(holdfast.client)

    again = await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)
    alone = await replay_orders(
        holdfast.client, written(tmp_path, SHOP), replace(OPTIONS, locations=None)
    )

    assert await orders_of(holdfast.client) == before
    assert (again.stock_set, again.stock_present) == (0, 2)
    assert (again.sourcing, alone.sourcing) == (first.sourcing, None)
    assert alone.already_there == 4


async def test_the_locations_are_warehouses_in_their_turn_and_those_that_are_there_stay(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    await holdfast.client.inventory.create_location(
        THIRD, name="The old barn", kind=LocationKind.OTHER, priority=900
    )

    await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)

    listed = [one async for one in holdfast.client.inventory.list_locations()]
    assert [(one.location_id, one.name, one.kind, one.priority) for one in listed[1:]] == [
        (SECOND, "Warehouse 2", LocationKind.WAREHOUSE, 2),
        (THIRD, "The old barn", LocationKind.OTHER, 900),
    ]


async def test_a_location_that_takes_no_stock_ends_the_replay_before_any_order(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    await holdfast.client.inventory.create_location(SECOND, active=False)

    with pytest.raises(HoldfastError, match="warehouse-2"):
        await replay_orders(holdfast.client, written(tmp_path, SHOP), OPTIONS)

    assert await orders_of(holdfast.client) == {}


async def test_another_sourcing_takes_from_where_it_says(
    holdfast: RunningHoldfast, tmp_path: Path
) -> None:
    nearest = Sourcing(SourcingStrategy.NEAREST, [THIRD])

    report = await replay_orders(
        holdfast.client, written(tmp_path, SHOP[:2]), replace(OPTIONS, sourcing=nearest)
    )

    orders = await orders_of(holdfast.client)
    assert {number: places(order) for number, order in orders.items()} == {
        "1001": {THIRD: 2, MAIN: 2},
        "1002": {MAIN: 1, SECOND: 2},
    }
    assert {order.status for order in orders.values()} == {OrderStatus.CONFIRMED}
    assert report.sourcing is not None
    assert report.sourcing.orders == {2: 2}


def test_what_does_not_come_out_even_goes_to_the_first() -> None:
    ids = location_ids(3)

    assert ids == [MAIN, SECOND, THIRD]
    assert dealt(8, ids) == {MAIN: 3, SECOND: 3, THIRD: 2}
    assert dealt(1, ids) == {MAIN: 1, SECOND: 0, THIRD: 0}
    assert dealt(7, location_ids(1)) == {MAIN: 7}
