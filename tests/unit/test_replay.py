"""The replay against a small shop that forgets, refuses and breaks off as it is told to."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.cli.replay_records import order_request
from holdfast.cli.replay_report import facts, percentile, told_flaws, told_outcomes
from holdfast.cli.replay_run import replay_orders
from holdfast.cli.replay_stock import opening_stock
from holdfast.client import Holdfast, Money, OrderLine, Unavailable
from holdfast.contracts.orders.v1 import orders_pb2
from holdfast.importing.flaws import Flaw
from holdfast.importing.reading import read_orders
from tests.unit import small_replay
from tests.unit.small_replay import HEADER, QUICK, client_of, orders_of, serve, ten_orders
from tests.unit.small_shop import Shop

CONFIRMED = orders_pb2.ORDER_STATUS_CONFIRMED
SHIPPED = orders_pb2.ORDER_STATUS_SHIPPED
PARTIALLY_SHIPPED = orders_pb2.ORDER_STATUS_PARTIALLY_SHIPPED

shop, client = small_replay.shop, small_replay.client


async def test_every_order_is_placed_and_found_again(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert report.ok
    assert (report.orders, report.placed, report.confirmed, report.rejected) == (10, 10, 8, 2)
    assert (report.units_ordered, report.units_confirmed) == (100, 80)
    assert (report.products_created, report.stock_set) == (1, 1)
    assert shop.products["LAMP"].name == "THING"
    assert 0 < report.latency_ms_p50 <= report.latency_ms_p99


async def test_a_run_after_a_limited_one_goes_on_with_the_rest(
    client: Holdfast, tmp_path: Path
) -> None:
    first = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, limit=3))
    rest = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert (first.orders, first.confirmed, first.already_there) == (3, 3, 0)
    assert (rest.orders, rest.confirmed, rest.already_there) == (10, 8, 3)


async def test_orders_that_left_since_are_told_and_their_units_were_confirmed(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_orders(client, ten_orders(tmp_path), QUICK)
    confirmed = [one for one in shop.orders.values() if one.status == CONFIRMED]
    confirmed[0].status, confirmed[1].status = SHIPPED, PARTIALLY_SHIPPED

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert report.ok
    assert (report.placed, report.confirmed, report.shipped, report.rejected) == (10, 6, 2, 2)
    assert report.units_confirmed == 80
    assert facts(report)["  shipped"] == "2, since, in part or as a whole"


async def test_an_answer_lost_after_the_commit_is_asked_for_again_and_counts_once(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.breaks_off = 2

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert report.ok
    assert (report.placed, report.already_there, len(shop.orders)) == (10, 0, 10)
    assert shop.calls["CreateOrder"] == 12


async def test_a_service_that_is_killed_and_comes_back_costs_no_order(
    shop: Shop, tmp_path: Path
) -> None:
    server, port = await serve(shop)
    file = orders_of(tmp_path, *(f"{number} LAMP 1" for number in range(1, 1_001)))
    patient = replace(QUICK, patience_s=20.0, concurrency=16)

    async with client_of(port) as client, asyncio.TaskGroup() as group:
        replay = group.create_task(replay_orders(client, file, patient))
        await shop.has_hundred_orders.wait()
        await server.stop(grace=None)
        placed_before = len(shop.orders)
        server, _ = await serve(shop, port)
        report = await replay
    await server.stop(grace=None)

    assert report.ok
    assert placed_before < 1_000, "it was in the middle"
    assert (report.placed, report.already_there, len(shop.orders)) == (1_000, 0, 1_000)


async def test_of_a_batch_only_the_undecided_are_asked_for_again(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.breaks_off = 2
    shop.fails = {"invoice-9"}
    shop.short_at_the_check = {"invoice-10"}

    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, batch=5))

    assert (report.placed, report.refused, report.failed, len(shop.orders)) == (8, 1, 1, 8)
    assert (shop.calls["CreateProduct"], shop.calls["BatchCreateOrders"]) == (1, 3)


async def test_refusals_at_the_stock_check_are_no_failures(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.short_at_the_check = {"invoice-2", "invoice-3"}

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert report.ok
    assert (report.placed, report.refused, report.confirmed) == (8, 2, 8)


async def test_every_order_that_is_short_is_told_by_line_with_what_was_short(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.short_at_the_check = {f"invoice-{number}" for number in range(2, 10)}
    file = ten_orders(tmp_path)

    report = await replay_orders(client, file, replace(QUICK, cover=Decimal("0.1")))

    assert (report.refused, report.rejected) == (8, 1)
    short = "short of LAMP: wanted 10, available 3"
    assert told_outcomes(report) == [
        *(f"{file.path}:{n + 1}: order {n}: refused, {short}" for n in range(2, 10)),
        f"{file.path}:11: order 10: rejected, {short}",
    ]


async def test_an_unexpected_error_is_counted_and_told_by_line(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.fails = {f"invoice-{number}" for number in range(1, 11)}

    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, concurrency=1))

    assert not report.ok
    assert report.failed == 10
    assert report.failures == [
        Flaw(line=n + 1, order=str(n), problem="no such currency") for n in range(1, 11)
    ]


async def test_when_nothing_answers_any_more_the_rest_is_not_tried(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.is_dead = True

    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, concurrency=2))

    assert not report.ok
    assert (report.placed, report.unanswered, report.not_tried) == (0, 2, 8)
    assert "whether it is recorded is unknown" in report.failures[0].problem


async def test_an_order_that_was_acknowledged_and_is_gone_is_lost(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.forgets = {"invoice-10"}

    report = await replay_orders(client, ten_orders(tmp_path), replace(QUICK, concurrency=1))

    assert not report.ok
    assert (report.placed, report.lost) == (10, 1)


async def test_orders_that_stay_pending_are_reported_after_the_time_limit(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.leaves_pending = True

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert not report.ok
    assert (report.pending, report.confirmed) == (10, 0)


async def test_when_the_outcomes_cannot_be_read_the_rest_is_told_all_the_same(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.dies_after = 10

    report = await replay_orders(client, ten_orders(tmp_path), QUICK)

    assert not report.ok
    assert (report.placed, report.unread, report.lost) == (10, 10, 0)
    assert report.problems[0].startswith("the outcomes cannot be read: ")


async def test_a_run_with_a_line_that_was_not_read_is_not_right_though_all_orders_are_placed(
    client: Holdfast, tmp_path: Path
) -> None:
    file = ten_orders(tmp_path)
    joined = file.path.read_text().replace("\n2,", f"\n{HEADER}2,")
    file.path.write_text(joined)

    report = await replay_orders(client, read_orders(file.path), QUICK)

    assert (report.ok, report.placed, report.failed) == (False, 10, 0)


async def test_a_run_that_has_nothing_to_place_is_not_right(
    client: Holdfast, tmp_path: Path
) -> None:
    file = replace(ten_orders(tmp_path), orders=[])

    report = await replay_orders(client, file, QUICK)

    assert not report.ok
    assert report.placed == 0


async def test_batches_are_small_in_orders_and_in_lines(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    long = (f"{number} LAMP 1" for number in range(25) for _ in range(1_400))

    report = await replay_orders(client, orders_of(tmp_path, *long), replace(QUICK, batch=1_000))

    assert (report.placed, len(shop.orders)) == (25, 25)
    assert shop.calls["BatchCreateOrders"] == 2, "fourteen orders have 19,600 lines"


async def test_a_wrong_address_is_told_at_once(tmp_path: Path) -> None:
    async with Holdfast("127.0.0.1:1", "127.0.0.1:1", deadline_s=2.0, retry_s=0.0) as nobody:
        with pytest.raises(Unavailable):
            await replay_orders(nobody, ten_orders(tmp_path), replace(QUICK, patience_s=60.0))


async def test_the_report_for_people_names_what_happened_and_nothing_else(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.short_at_the_check = {"invoice-1"}

    told = facts(await replay_orders(client, ten_orders(tmp_path), QUICK))

    assert told["placed"] == "9"
    assert told["  confirmed"] == "8"
    assert told["refused"] == "1, short at the stock check and not recorded"
    assert told["units"] == "80 confirmed of 100 asked for"
    assert told["  LOST"] == told["  PENDING"] == told["FAILED"] == ""
    assert told["columns left out"] == ""


def test_all_flawed_lines_are_told_with_file_and_number_and_what_that_means(
    tmp_path: Path,
) -> None:
    some = orders_of(tmp_path, "1 LAMP 1", *(f"2{n} LAMP x" for n in range(25)))
    unknown = orders_of(tmp_path, "1 LAMP 1", "8311.0 LAMP 1")

    told, stopped = told_flaws(some), told_flaws(unknown)

    assert len(told) == 25 + 1
    assert told[0].startswith(f"{some.path}:3: order 20: the quantity 'x' is no plain number")
    assert told[-1].startswith("held back for these lines: 25 orders. Mend them and run")
    assert stopped[-1].startswith("nothing of the file is placed: line 3 may belong to any")


def test_what_is_no_number_is_no_option(tmp_path: Path) -> None:
    for option in ("--cover", "--patience", "--settle-timeout"):
        result = CliRunner().invoke(app, ["replay", str(tmp_path), option, "nan"])

        assert result.exit_code == 2
        assert f"'{option}'" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--locations", "0"], "'--locations'"),
        (["--locations", "21"], "'--locations'"),
        (["--sourcing", "nearest"], "--sourcing nearest needs --from LOCATION"),
        (["--from", "main"], "--from is for --sourcing nearest or pinned"),
    ],
)
def test_what_no_sourcing_can_be_is_told_before_the_file_is_opened(
    options: list[str], told: str
) -> None:
    result = CliRunner().invoke(app, ["replay", "missing.csv", *options])

    assert result.exit_code == 2
    assert told in result.stderr
    assert "no such file" not in result.stderr


def test_a_file_that_is_no_use_is_one_line_and_exit_1_or_2_if_it_is_not_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "headless.csv").write_text("1,2,3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text(HEADER)

    for name, problem, code in (
        ("missing", "no such file", 2),
        ("headless", "lacks order (or InvoiceNo)", 1),
        ("empty", "0 bytes", 1),
        ("header", "no line below", 1),
    ):
        path = tmp_path / f"{name}.csv"
        result = CliRunner().invoke(app, ["replay", str(path)])

        assert result.exit_code == code
        assert result.stderr.startswith(f"holdfast: {path}: ")
        assert problem in result.stderr
        assert result.stderr.count("\n") == 1


def test_the_request_id_of_an_order_is_its_number(tmp_path: Path) -> None:
    (order,) = orders_of(tmp_path, "536365 LAMP 6").orders

    request = order_request(order, "GBP")

    assert (request.request_id, request.customer_id) == ("invoice-536365", "17850")
    assert request.lines == [OrderLine("LAMP", 6, Money("GBP", 255), line_no=1)]


@pytest.mark.parametrize(
    ("demand", "cover", "stock"),
    [(10, "0.8", 8), (9, "0.8", 7), (1, "0.8", 0), (100, "0.29", 29), (7, "0", 0), (3, "2.5", 7)],
)
def test_the_opening_stock_is_rounded_down_exactly(demand: int, cover: str, stock: int) -> None:
    assert opening_stock(demand, Decimal(cover)) == stock


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]

    assert (percentile(values, 50), percentile(values, 99)) == (50.0, 99.0)
    assert percentile([7.0], 99) == 7.0
    assert percentile([], 50) == 0.0
