"""What `make demo` runs: real servers, real orders, and the proof that the stock is right.

Both services start in a temporary folder, invoices are replayed through their public API, and when
the servers are down the two databases are checked against each other. DATA names a file of your
own in the UCI Online Retail format; without it a sample is made up.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import typer
import uvloop
from rich.console import Console

from holdfast.chassis.engines import sqlite_url
from holdfast.chassis.telemetry import configure_logging
from holdfast.cli.invoices import InvoiceFile, UnreadableFile, read_invoices
from holdfast.cli.output import print_facts, print_table
from holdfast.cli.replay import progress_bars
from holdfast.cli.replay_report import ReplayReport, broken_lines, facts
from holdfast.cli.replay_run import ReplayOptions, replay_invoices
from holdfast.cli.sample import write_sample
from holdfast.client import Holdfast, HoldfastError
from holdfast.embedded import running
from holdfast.verification import Report, verify

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
    _step(1, "Reading invoices")
    invoices = _invoices(folder)
    _step(2, "Starting Orders and Inventory, each on a database of its own")
    data = folder / "data"
    report = uvloop.run(_replay(data, invoices))
    print_facts(facts(report))
    for problem in report.problems:
        _say(f"  {problem}", markup=False)
    _step(4, "Stopping both, and recomputing everything from the two databases")
    urls = (sqlite_url(data / f"{name}.db") for name in ("orders", "inventory"))
    found = asyncio.run(verify(*urls))
    _show(found)
    return report.ok and found.ok


def _invoices(folder: Path) -> InvoiceFile:
    given = os.environ.get("DATA")
    path = Path(given) if given else folder / "sample.csv"
    if not given:
        write_sample(path)
        _say("  a made-up week of a wholesaler; DATA=path replays a file of your own")
    invoices = read_invoices(path)
    for line in broken_lines(invoices):
        typer.echo(line, err=True)
    _say(
        f"  {invoices.line_count:,} lines, {len(invoices.invoices):,} orders to place, "
        f"{len(invoices.catalogue):,} products"
    )
    return invoices


async def _replay(data: Path, invoices: InvoiceFile) -> ReplayReport:
    async with (
        running(data) as services,
        Holdfast(services.orders, services.inventory) as client,
    ):
        _say(f"  Orders at {services.orders}, Inventory at {services.inventory}")
        _step(3, "Placing every order over gRPC, with stock for 80 % of the demand")
        with progress_bars() as progress:
            return await replay_invoices(client, invoices, ReplayOptions(), progress)


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
