"""A replay into a shop that has something already: nothing twice, nothing counted overwritten."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from holdfast.cli.replay_report import facts, told_outcomes
from holdfast.cli.replay_run import replay_orders
from holdfast.client import Holdfast
from tests.unit import small_replay
from tests.unit.small_replay import QUICK, orders_of, ten_orders
from tests.unit.small_shop import Shop

shop, client = small_replay.shop, small_replay.client


async def test_without_a_cover_products_are_made_and_no_stock_is_touched(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.leaves_pending = True  # with no stock at all, nothing else can be decided
    shop.stock["LAMP"] = 0
    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, cover=None))

    assert (report.products_created, report.stock_set, report.stock_present) == (1, 0, 0)
    assert shop.stock_requests == {}
    assert facts(report)["opening stock"].startswith("not touched; --cover 1 gives")


async def test_counted_stock_is_left_alone_and_told(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, ten_orders(tmp_path), replace(QUICK, limit=1))
    shop.stock["LAMP"] = 250

    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, cover=Decimal(9)))

    assert (report.stock_set, report.stock_present) == (0, 1)
    assert shop.stock["LAMP"] == 250 - 90
    assert facts(report)["opening stock"] == "0 set (1 counted before, left alone)"


async def test_stock_that_was_counted_at_any_location_is_left_alone(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, orders_of(tmp_path, "1 LAMP 1"), replace(QUICK, cover=None))
    shop.in_paris["LAMP"] = 250

    report = await replay_orders(client, orders_of(tmp_path, "2 LAMP 1"), QUICK)

    assert (report.stock_set, report.stock_present) == (0, 1)
    assert shop.stock_requests == {}


async def test_what_is_counted_while_the_replay_begins_is_not_overwritten(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.counts_on_creation = 7

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert (report.products_created, report.stock_set, report.stock_present) == (1, 0, 1)
    assert shop.stock_requests == {}


async def test_an_order_recorded_for_another_customer_is_told_and_not_placed_again(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, orders_of(tmp_path, "8311 LAMP 1"), QUICK)
    filled_in = orders_of(tmp_path, "8311 LAMP 1", "8312 LAMP 1", customer="c-2")

    report = await replay_orders(client, filled_in, QUICK)

    assert not report.ok
    assert (report.placed, report.failed, report.differing) == (1, 1, 1)
    assert [order.customer_id for order in shop.orders.values()] == ["17850", "c-2"]
    told = told_outcomes(report)[0]
    assert told.startswith(f"{filled_in.path}:2: order 8311: already recorded as order 00000000 ")
    assert "for customer '17850', and the customer is 'c-2' here" in told


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (("8311 LAMP 2",), "it has 2 x LAMP at 2.55 GBP here and 1 x LAMP at 2.55 GBP there"),
        (("8311 MUG 1",), "it has 1 x MUG at 2.55 GBP here and 1 x LAMP at 2.55 GBP there"),
        (("8311 LAMP 1", "8311 LAMP 1"), "it has 2 lines here and 1 there"),
    ],
)
async def test_an_order_recorded_with_other_contents_is_told_in_what_it_differs(
    shop: Shop, client: Holdfast, tmp_path: Path, now: tuple[str, ...], told: str
) -> None:
    await replay_orders(client, orders_of(tmp_path, "8311 LAMP 1"), QUICK)

    report = await replay_orders(client, orders_of(tmp_path, *now), QUICK)

    assert (report.ok, report.placed, report.differing, len(shop.orders)) == (False, 0, 1, 1)
    assert told in told_outcomes(report)[0]
    assert "MUG" not in shop.products, "nothing is made for an order that is not placed"


async def test_an_order_whose_units_left_since_is_no_other_order(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, orders_of(tmp_path, "8311 LAMP 2"), QUICK)
    shop.orders["invoice-8311"].lines[0].shipped = 2

    report = await replay_orders(client, orders_of(tmp_path, "8311 LAMP 2"), QUICK)

    assert (report.ok, report.already_there, report.differing) == (True, 1, 0)


async def test_a_product_priced_in_another_currency_is_told_and_its_orders_are_not_placed(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, orders_of(tmp_path, "1 LAMP 1"), QUICK)
    euros = replace(orders_of(tmp_path, "2 LAMP 1", "3 MUG 1"), currency="EUR")

    report = await replay_orders(client, euros, QUICK)

    assert (report.ok, report.placed, report.failed) == (False, 1, 1)
    assert list(shop.orders) == ["invoice-1", "invoice-3"]
    assert "order 2: the price of LAMP is in GBP since before" in told_outcomes(report)[0]


async def test_a_mended_file_places_what_was_held_back_and_nothing_twice(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    broken = orders_of(tmp_path, "1 SOFA 1", "1 LEGS 4pcs", "2 LAMP 1")
    first = await replay_orders(client, broken, QUICK)

    second = await replay_orders(
        client, orders_of(tmp_path, "1 SOFA 1", "1 LEGS 4", "2 LAMP 1"), QUICK
    )

    assert (first.ok, first.placed, first.failed, first.held_back) == (False, 1, 1, 1)
    assert (second.ok, second.placed, second.already_there) == (True, 2, 1)
    assert len(shop.orders["invoice-1"].lines) == 2


async def test_another_cover_leaves_the_opening_stock_of_the_first_run(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, ten_orders(tmp_path), QUICK)

    again = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, cover=Decimal(2)))

    assert again.ok
    assert list(shop.stock_requests.values()) == [80]


async def test_a_second_run_creates_nothing_and_reports_what_was_there(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, ten_orders(tmp_path), QUICK)
    before = (dict(shop.orders), dict(shop.stock), shop.calls["CreateProduct"])

    again = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert (dict(shop.orders), dict(shop.stock), shop.calls["CreateProduct"]) == before
    assert (again.placed, again.already_there) == (10, 10)
    assert (again.products_created, again.products_present) == (0, 1)
    assert (again.stock_set, again.stock_present) == (0, 1)
    assert (again.confirmed, again.rejected) == (8, 2)
