"""`holdfast replay`: place a file of real invoices as orders, and account for every one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.exits import REFUSED, USAGE, Failed
from holdfast.cli.invoices import InvoiceFile, UnreadableFile, read_invoices
from holdfast.cli.output import Output, OutputOption, print_facts, print_json
from holdfast.cli.replay_report import ReplayReport, broken_lines, facts
from holdfast.cli.replay_run import BATCH_MAX, Progress, ReplayOptions, replay_invoices

__all__ = ["ReplayOptions", "ReplayReport", "replay", "replay_invoices"]

CONCURRENCY_MAX = 1_000
COVER_MAX = 1_000
WAIT_S_MAX = 86_400


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv[.gz]", help="UCI Online Retail order lines.")
    ],
    cover: Annotated[
        float,
        typer.Option(
            min=0, max=COVER_MAX, help="Opening stock, as a share of each product's demand."
        ),
    ] = 0.8,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Place only the first N invoices.")
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=CONCURRENCY_MAX, metavar="N", help="Callers at a time.")
    ] = 64,
    batch: Annotated[
        int, typer.Option(min=1, max=BATCH_MAX, metavar="N", help="Orders per call.")
    ] = 1,
    settle_timeout: Annotated[
        float,
        typer.Option(
            min=0, max=WAIT_S_MAX, metavar="SECONDS", help="Wait so long for the last outcome."
        ),
    ] = 60.0,
    patience: Annotated[
        float,
        typer.Option(
            min=0, max=WAIT_S_MAX, metavar="SECONDS", help="Repeat so long what gets no answer."
        ),
    ] = 60.0,
    orders: OrdersOption = ORDERS_ADDRESS,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Replay real invoices: make the products and some stock, place every order, report.

    Run again it creates nothing twice and goes on where it was interrupted. Exits with 1 if any
    order failed, got no answer, stayed pending or was lost.
    """
    options = ReplayOptions(
        cover=Decimal(str(cover)),
        concurrency=concurrency,
        batch=batch,
        limit=limit,
        settle_timeout_s=settle_timeout,
        patience_s=patience,
    )
    invoices = _read(file)
    for line in broken_lines(invoices):
        typer.echo(line, err=True)
    _show(uvloop.run(_replay(Connection(orders, inventory, data), invoices, options)), output)


def _show(report: ReplayReport, output: Output) -> None:
    for problem in report.problems:
        typer.echo(problem, err=True)
    if output is Output.JSON:
        print_json({**asdict(report), "ok": report.ok})
    else:
        print_facts(facts(report))
    if not report.ok:
        raise typer.Exit(REFUSED)


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Bars on standard error where it is a terminal, else nothing; gone when the work is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(
        *columns,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bars.add_task(phase)
            bars.update(tasks[phase], completed=done, total=total or None)

        yield tell


def _read(path: Path) -> InvoiceFile:
    try:
        return read_invoices(path)
    except UnreadableFile as error:
        raise Failed(str(error), USAGE) from error


async def _replay(
    connection: Connection, invoices: InvoiceFile, options: ReplayOptions
) -> ReplayReport:
    with progress_bars() as progress:
        async with connection.client() as client:
            return await replay_invoices(client, invoices, options, progress)
