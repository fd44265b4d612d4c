"""What `make demo` runs: real servers, real orders, and the proof that the stock is right.

Both services start in a temporary folder, orders are replayed through their public API, and when
the servers are down the two databases are checked against each other. DATA names a file of your
own in the UCI Online Retail format; without it a sample is made up.
"""

import asyncio
import os
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import typer
import uvloop
from rich.console import Console

from holdfast.chassis.process.telemetry import configure_logging
from holdfast.cli.output import print_facts, print_table
from holdfast.cli.replay import progress_bars
from holdfast.cli.replay_report import ReplayReport, facts, told_flaws, told_outcomes
from holdfast.cli.replay_run import ReplayOptions, replay_orders
from holdfast.cli.sample import write_sample
from holdfast.client import Holdfast, HoldfastError
from holdfast.embedded import running
from holdfast.home import Home, in_folder
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import OrderFile, read_orders
from holdfast.verification import Report, verify

COVER = Decimal("0.8")
TOLD_MAX = 5  # orders that were short, and returns of them; with four units of five there are many

_say = Console(highlight=False, soft_wrap=True).print


def main() -> int:
    """Run the demo; 0 if every order has its outcome and no contradiction was found."""
    configure_logging("WARNING")
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as folder:
            right = _demonstrate(Path(folder))
    except (UnreadableFile, HoldfastError) as error:
        typer.echo(f"holdfast: {error}", err=True)
        return 2
    _say(f"{_verdict(right=right)} [dim]({time.monotonic() - begun:.0f} s)[/dim]")
    return 0 if right else 1


def _demonstrate(folder: Path) -> bool:
    _step(1, "Reading orders")
    orders = _orders(folder)
    _step(2, "Starting Orders and Inventory, each on a database of its own")
    home = in_folder(folder / "data")
    report = uvloop.run(_replay(home, orders))
    print_facts(facts(report))
    told = told_outcomes(report)
    for line in told[:TOLD_MAX]:
        _say(f"  {line}", markup=False)
    if len(told) > TOLD_MAX:
        _say(f"  ... and {len(told) - TOLD_MAX:,} more refused, or nothing to take back")
    _step(4, "Stopping both, and recomputing everything from the two databases")
    found = asyncio.run(verify(*home.urls.values()))
    _show(found)
    return report.ok and found.ok


def _orders(folder: Path) -> OrderFile:
    given = os.environ.get("DATA")
    path = Path(given) if given else folder / "sample.csv"
    if not given:
        write_sample(path)
        _say("  a made-up week of a wholesaler; DATA=path replays a file of your own")
    orders = read_orders(path, ReadOptions(Format.ONLINE_RETAIL))
    for line in told_flaws(orders):
        typer.echo(line, err=True)
    _say(
        f"  {orders.line_count:,} lines, {len(orders.orders):,} orders to place, "
        f"{len(orders.catalogue):,} products"
    )
    return orders


async def _replay(home: Home, orders: OrderFile) -> ReplayReport:
    async with (
        running(home) as services,
        Holdfast(services.orders, services.inventory, key=services.key) as client,
    ):
        _say(f"  Orders at {services.orders}, Inventory at {services.inventory}")
        _step(3, "Placing every order over gRPC, with stock for 80 % of the demand")
        with progress_bars() as progress:
            return await replay_orders(client, orders, ReplayOptions(cover=COVER), progress)


def _show(found: Report) -> None:
    print_table(("checked", "count"), found.checked.items())
    for note in found.notes:
        _say(f"  note: {note}", markup=False)
    for contradiction in found.contradictions:
        _say(f"  CONTRADICTION: {contradiction}", markup=False)


def _step(number: int, what: str) -> None:
    _say(f"\n[bold]{number}. {what}[/bold]")


def _verdict(*, right: bool) -> str:
    if right:
        return (
            "\n[bold green]All is right:[/bold green] every order has its outcome, "
            "nothing was oversold, nothing was lost."
        )
    return "\n[bold red]Something is wrong:[/bold red] see above."


if __name__ == "__main__":
    sys.exit(main())
