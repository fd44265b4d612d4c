"""`holdfast bench` against embedded services."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from holdfast.cli.bench import BenchOptions, run_bench
from holdfast.cli.main import app
from holdfast.client import Holdfast
from holdfast.embedded import running
from holdfast.home import in_folder

QUICK = BenchOptions(seconds=0.3, callers=4, products=10)


async def test_every_order_that_was_sent_is_confirmed_and_found_again(tmp_path: Path) -> None:
    async with (
        running(in_folder(tmp_path)) as services,
        Holdfast(services.orders, services.inventory, key=services.key) as client,
    ):
        report = await run_bench(client, QUICK)
        again = await run_bench(client, QUICK)

    assert report.ok
    assert again.ok
    assert report.placed == report.confirmed == report.sent > 0
    assert report.settled_per_second > 0
    assert 0 < report.latency_ms_p50 <= report.latency_ms_p99


async def test_the_open_loop_sends_at_its_rate(tmp_path: Path) -> None:
    options = BenchOptions(seconds=1.0, callers=4, products=10, rate=50, hot=True)

    async with (
        running(in_folder(tmp_path)) as services,
        Holdfast(services.orders, services.inventory, key=services.key) as client,
    ):
        report = await run_bench(client, options)
        hot = await client.inventory.get_stock("BENCH-00001")

    assert report.ok
    assert 25 < report.sent < 90
    assert hot.reserved == report.sent


@pytest.mark.parametrize("more", [[], ["--batch", "10"]])
def test_the_command_reports_for_programs(tmp_path: Path, more: list[str]) -> None:
    arguments = ["bench", "--data", str(tmp_path), "--seconds", "0.3", "--products", "10"]

    result = CliRunner().invoke(app, [*arguments, "--callers", "4", "--output", "json", *more])

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["ok"]
    assert told["confirmed"] == told["sent"] > 0


def test_nobody_at_the_target_is_told_in_one_line() -> None:
    result = CliRunner().invoke(app, ["bench", "--target", "localhost.invalid", "--seconds", "1"])

    assert result.exit_code == 4
    assert "holdfast:" in result.stderr
