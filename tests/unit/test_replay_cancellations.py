"""Cancellations wait for their orders: without an answer for each of them nothing comes back."""

from dataclasses import replace
from pathlib import Path

from holdfast.cli.replay_report import facts, told_outcomes
from holdfast.cli.replay_run import replay_orders
from holdfast.client import Holdfast
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import OrderFile, read_orders
from tests.unit import small_replay
from tests.unit.small_replay import QUICK
from tests.unit.small_shop import Shop

shop, client = small_replay.shop, small_replay.client

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"


def three_and_back(folder: Path) -> OrderFile:
    """Three orders of ten lamps, and a cancellation of two of each."""
    path = folder / "retail.csv"
    sold = [f"{n},LAMP,THING,10,2010-12-01 08:0{n}:00,2.55,c-{n},EIRE\n" for n in range(1, 4)]
    back = [f"C{n},LAMP,THING,-2,2010-12-01 09:0{n}:00,2.55,c-{n},EIRE\n" for n in range(1, 4)]
    path.write_text(HEADER + "".join(sold + back))
    return read_orders(path, ReadOptions(Format.ONLINE_RETAIL))


async def test_nothing_comes_back_while_an_order_is_undecided(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.leaves_pending = True

    report = await replay_orders(client, three_and_back(tmp_path), QUICK)

    assert (report.pending, report.returns.units, report.returns.units_not_tried) == (3, 6, 6)
    assert shop.calls["GetOrderDetails"] == 0
    assert facts(report)["  LEFT UNDONE"] == "6 units, since answers were missing"


async def test_nothing_comes_back_while_an_order_has_no_answer(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    shop.is_dead = True

    report = await replay_orders(client, three_and_back(tmp_path), QUICK)

    assert (report.unanswered + report.not_tried, report.returns.units_not_tried) == (3, 6)
    assert report.returns.unmatched == {}


async def test_when_nothing_answers_any_more_the_rest_does_not_come_back(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    everything = replace(QUICK, cover=QUICK.cover and QUICK.cover * 2, concurrency=1)

    report = await replay_orders(client, three_and_back(tmp_path), everything)

    assert (report.ok, report.confirmed, report.shipped) == (False, 3, 0)
    returns = report.returns
    assert (returns.units_failed, returns.units_not_tried, returns.units_returned) == (2, 4, 0)
    assert [flaw.order for flaw in returns.failures] == ["C1"]
    assert "order C1: 2 units were not taken back: " in told_outcomes(report)[0]


async def test_a_file_without_cancellations_tells_nothing_of_them(
    shop: Shop, client: Holdfast, tmp_path: Path
) -> None:
    file = small_replay.ten_orders(tmp_path)

    report = await replay_orders(client, file, QUICK)

    assert report.returns.units == report.returns.cancellations == 0
    assert "cancellations" not in facts(report)
    assert shop.calls["GetOrderDetails"] == 0
