"""Scenario 9: real invoices through `holdfast replay`, as its users run it."""

import json
import os
import subprocess
from pathlib import Path

from bench.figures import Result, figure
from bench.load import ROOT
from bench.processes import Meter
from bench.progress import say
from bench.scenarios import Bench
from bench.testbed import Testbed
from holdfast.cli.sample import write_sample
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import read_orders
from testbed.services import HOLDFAST

FILE = "online-retail-2010-12_2011-05.csv.gz"
BATCH, CALLERS = 100, 8
REPLAY_S_MAX = 600
ROUNDS_MAX = 2


class ReplayFailed(Exception):
    """The replay did not account for every invoice; its report says which."""


def scenario_9(bench: Bench) -> Result:
    """`holdfast replay` of real invoices, cluster mode."""
    file, is_real = invoices_file(bench.servers.folder)
    orders = read_orders(file, ReadOptions(Format.ONLINE_RETAIL)).orders
    lines = sum(len(order.lines) for order in orders)
    result = Result(9, f"holdfast replay of {lines:,} order lines")
    rates, costs = [], []
    for number in range(min(bench.options.rounds, ROUNDS_MAX)):
        with bench.servers.cluster(products_there=False) as testbed:
            say(f"round {number + 1}: replaying {lines:,} order lines")
            seconds, told = _replay(testbed, file, lines)
            say(f"  {lines / seconds:,.0f} order lines/s; {told}")
            rates.append(lines / seconds)
            costs.append(told)
    result.figures = [figure("replay", rates, "order lines/s", floor=15_000, aim=40_000)]
    result.notes += [
        f"batches of {BATCH}, {CALLERS} callers, stock for all of the demand; from the first call "
        "to the last outcome, without making products and stock",
        *costs,
    ]
    if not is_real:
        result.notes.append(
            f"{FILE} was not found (HOLDFAST_DATA names it or its folder): this is the made-up "
            "sample"
        )
    return result


def invoices_file(folder: Path) -> tuple[Path, bool]:
    """The real file where there is one; else a sample, made in `folder`."""
    given = os.environ.get("HOLDFAST_DATA")
    place = Path(given) if given else ROOT.parent / "shared" / "data"
    file = place / FILE if place.is_dir() else place
    if file.is_file():
        return file, True
    sample = folder / "sample.csv"
    write_sample(sample)
    return sample, False


def _replay(testbed: Testbed, file: Path, lines: int) -> tuple[float, str]:
    """Seconds from the first call to the last outcome, and what it cost by part.

    :raises ReplayFailed: an invoice has no outcome.
    """
    command = [str(HOLDFAST), "replay", str(file), "--output", "json", "--cover", "1"]
    command += ["--format", Format.ONLINE_RETAIL]
    command += ["--batch", str(BATCH), "--concurrency", str(CALLERS)]
    command += ["--orders", testbed.orders, "--inventory", testbed.inventory]
    meter = Meter("replay")
    done = subprocess.run(
        command,
        env=testbed.environment,
        capture_output=True,
        text=True,
        timeout=REPLAY_S_MAX,
        check=False,
    )
    meter.stop()
    if done.returncode != 0:
        raise ReplayFailed(done.stderr.strip() or done.stdout.strip())
    report = json.loads(done.stdout)
    told = ", ".join(f"{part} {ms:.3f}" for part, ms in meter.cpu_ms(lines).items())
    return (
        report["seconds_placing"] + report["seconds_settling"],
        f"CPU ms a line, with making products and stock, and with returns: {told}; p99 of a call "
        f"{report['latency_ms_p99']:.0f} ms",
    )
