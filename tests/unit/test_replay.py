"""The replay against a small shop that forgets, refuses and breaks off as it is told to."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from holdfast.cli.invoices import InvoiceFile, read_invoices
from holdfast.cli.main import app
from holdfast.cli.replay_report import broken_lines, facts, percentile
from holdfast.cli.replay_run import ReplayOptions, order_request, replay_invoices
from holdfast.cli.replay_stock import opening_stock
from holdfast.client import Holdfast, Money, OrderLine, Unavailable
from tests.unit.small_shop import Shop, handlers

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
QUICK = ReplayOptions(settle_timeout_s=0.2, patience_s=0.3, concurrency=4)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[Holdfast]:
    server, port = await serve(shop)
    async with client_of(port) as client:
        yield client
    await server.stop(grace=None)


async def serve(shop: Shop, port: int = 0) -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers(shop))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return server, port


def client_of(port: int) -> Holdfast:
    address = f"127.0.0.1:{port}"
    return Holdfast(address, address, deadline_s=2.0, retry_s=0.0)


def invoices(folder: Path, *lines: str) -> InvoiceFile:
    """Each line: number, product and quantity; a minute later than the one before."""
    first = datetime(2010, 12, 1, 8, 26)  # noqa: DTZ001 - the format knows no time zone
    path = folder / "orders.csv"
    rows = [
        f"{number},{code},THING,{quantity},{first + timedelta(minutes=n)},2.55,17850.0\n"
        for n, (number, code, quantity) in enumerate(text.split() for text in lines)
    ]
    path.write_text(HEADER + "".join(rows))
    return read_invoices(path)


def ten_invoices(folder: Path) -> InvoiceFile:
    return invoices(folder, *(f"{number} LAMP 10" for number in range(1, 11)))


async def test_every_invoice_is_placed_and_found_again(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    report = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert report.ok
    assert (report.invoices, report.placed, report.confirmed, report.rejected) == (10, 10, 8, 2)
    assert (report.units_ordered, report.units_confirmed) == (100, 80)
    assert (report.products_created, report.stock_set) == (1, 1)
    assert shop.products["LAMP"].name == "THING"
    assert 0 < report.latency_ms_p50 <= report.latency_ms_p99


async def test_a_second_run_creates_nothing_and_reports_what_was_there(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_invoices(client, ten_invoices(tmp_path), QUICK)
    before = (dict(shop.orders), dict(shop.stock), shop.calls["CreateProduct"])

    again = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert (dict(shop.orders), dict(shop.stock), shop.calls["CreateProduct"]) == before
    assert (again.placed, again.already_there) == (10, 10)
    assert (again.products_created, again.products_present) == (0, 1)
    assert (again.stock_set, again.stock_present) == (0, 1)
    assert (again.confirmed, again.rejected) == (8, 2)


async def test_a_run_after_a_limited_one_goes_on_with_the_rest(
    client: Holdfast, tmp_path: Path
) -> None:
    first = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, limit=3))
    rest = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert (first.invoices, first.confirmed, first.already_there) == (3, 3, 0)
    assert (rest.invoices, rest.confirmed, rest.already_there) == (10, 8, 3)


async def test_another_cover_leaves_the_opening_stock_of_the_first_run(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    again = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, cover=Decimal(2)))

    assert again.ok
    assert list(shop.stock_requests.values()) == [80]


async def test_an_answer_lost_after_the_commit_is_asked_for_again_and_counts_once(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.breaks_off = 2

    report = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert report.ok
    assert (report.placed, report.already_there, len(shop.orders)) == (10, 0, 10)
    assert shop.calls["CreateOrder"] == 12


async def test_a_service_that_is_killed_and_comes_back_costs_no_order(
    shop: Shop, tmp_path: Path
) -> None:
    server, port = await serve(shop)
    file = invoices(tmp_path, *(f"{number} LAMP 1" for number in range(1, 1_001)))
    patient = replace(QUICK, patience_s=20.0, concurrency=16)

    async with client_of(port) as client, asyncio.TaskGroup() as group:
        replay = group.create_task(replay_invoices(client, file, patient))
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

    report = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, batch=5))

    assert (report.placed, report.refused, report.failed, len(shop.orders)) == (8, 1, 1, 8)
    assert shop.calls == {"CreateProduct": 1, "BatchCreateOrders": 3}


async def test_refusals_at_the_stock_check_are_no_failures(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.short_at_the_check = {"invoice-2", "invoice-3"}

    report = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert report.ok
    assert (report.placed, report.refused, report.confirmed) == (8, 2, 8)


async def test_an_unexpected_error_is_counted_and_told_with_its_invoice(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.fails = {f"invoice-{number}" for number in range(1, 11)}

    report = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, concurrency=1))

    assert not report.ok
    assert report.failed == 10
    assert report.problems == [f"invoice {n}: no such currency" for n in range(1, 6)]


async def test_when_nothing_answers_any_more_the_rest_is_not_tried(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.is_dead = True

    report = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, concurrency=2))

    assert not report.ok
    assert (report.placed, report.unanswered, report.not_tried) == (0, 2, 8)
    assert "does not answer" in report.problems[0]


async def test_an_order_that_was_acknowledged_and_is_gone_is_lost(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.forgets = {"invoice-10"}

    report = await replay_invoices(client, ten_invoices(tmp_path), replace(QUICK, concurrency=1))

    assert not report.ok
    assert (report.placed, report.lost) == (10, 1)


async def test_orders_that_stay_pending_are_reported_after_the_time_limit(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.leaves_pending = True

    report = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert not report.ok
    assert (report.pending, report.confirmed) == (10, 0)


async def test_when_the_outcomes_cannot_be_read_the_rest_is_told_all_the_same(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.dies_after = 10

    report = await replay_invoices(client, ten_invoices(tmp_path), QUICK)

    assert not report.ok
    assert (report.placed, report.unread, report.lost) == (10, 10, 0)
    assert report.problems[0].startswith("the outcomes cannot be read: ")


async def test_a_file_without_invoices_is_done_at_once(client: Holdfast, tmp_path: Path) -> None:
    report = await replay_invoices(client, invoices(tmp_path), QUICK)

    assert report.ok
    assert report.placed == 0


async def test_a_wrong_address_is_told_at_once(tmp_path: Path) -> None:
    async with Holdfast("127.0.0.1:1", "127.0.0.1:1", deadline_s=2.0, retry_s=0.0) as nobody:
        with pytest.raises(Unavailable):
            await replay_invoices(nobody, ten_invoices(tmp_path), replace(QUICK, patience_s=60.0))


async def test_the_report_for_people_names_what_happened_and_nothing_else(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.short_at_the_check = {"invoice-1"}

    told = facts(await replay_invoices(client, ten_invoices(tmp_path), QUICK))

    assert told["placed"] == "9"
    assert told["  confirmed"] == "8"
    assert told["refused"] == "1, short at the stock check and not recorded"
    assert told["units"] == "80 confirmed of 100 asked for"
    assert told["  LOST"] == told["  PENDING"] == told["FAILED"] == ""


def test_broken_lines_are_told_with_file_and_number_and_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "nonsense\n" * 25)

    told = broken_lines(read_invoices(path))

    assert told[0] == f"{path}:2: has 1 columns instead of 7"
    assert told[20:] == ["... and 5 more broken lines"]


def test_what_is_no_number_is_no_option(tmp_path: Path) -> None:
    for option in ("--cover", "--patience", "--settle-timeout"):
        result = CliRunner().invoke(app, ["replay", str(tmp_path), option, "nan"])

        assert result.exit_code == 2
        assert f"'{option}'" in result.stderr


def test_a_file_that_is_no_use_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "headless.csv").write_text("1,2,3\n")

    for name, problem in (("missing", "no such file"), ("headless", "lacks InvoiceNo")):
        path = tmp_path / f"{name}.csv"
        result = CliRunner().invoke(app, ["replay", str(path)])

        assert result.exit_code == 2
        assert result.stderr.startswith(f"holdfast: {path}: ")
        assert problem in result.stderr
        assert result.stderr.count("\n") == 1


def test_the_request_id_of_an_order_is_its_invoice_number(tmp_path: Path) -> None:
    (invoice,) = invoices(tmp_path, "536365 LAMP 6").invoices

    request = order_request(invoice)

    assert (request.request_id, request.customer_id) == ("invoice-536365", "17850")
    assert request.lines == [OrderLine("LAMP", 6, Money("GBP", 255))]


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
