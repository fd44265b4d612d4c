"""`holdfast replay`: place the orders of a file, and account for every one of them."""

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

from holdfast.chassis.money import DIGITS as CURRENCIES
from holdfast.cli.arguments import CURRENCY, CurrencyOption
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.exits import REFUSED, USAGE, Failed
from holdfast.cli.output import Output, OutputOption, print_facts, print_json
from holdfast.cli.replay_locations import LOCATIONS_MAX
from holdfast.cli.replay_report import ReplayReport, facts, told_flaws, told_outcomes
from holdfast.cli.replay_run import BATCH_MAX, Progress, ReplayOptions, replay_orders
from holdfast.cli.sourcing import NoSplitOption, SourcesOption, SourcingOption, sourcing_of
from holdfast.importing.dates import DateOrder
from holdfast.importing.encodings import Encoding
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.formats import Format, ReadOptions
from holdfast.importing.reading import OrderFile, read_orders

__all__ = ["ReplayOptions", "ReplayReport", "replay", "replay_orders"]

CONCURRENCY_MAX = 1_000
COVER_MAX = 1_000
WAIT_S_MAX = 86_400


FileArgument = Annotated[
    Path,
    typer.Argument(metavar="FILE.csv[.gz]", help="Order lines as CSV, with a header."),
]
FormatOption = Annotated[
    Format,
    typer.Option("--format", help="Its rules: none, or those of the UCI Online Retail data set."),
]
EncodingOption = Annotated[
    Encoding | None, typer.Option(help="What its bytes mean; default: UTF-8, or what a BOM says.")
]
CommaOption = Annotated[
    bool, typer.Option("--decimal-comma", help="Its numbers are written as 39,90.")
]
DatesOption = Annotated[
    DateOrder | None,
    typer.Option(help="What comes first in its dates, such as 03/04/2026: day, month or year."),
]
CoverOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=COVER_MAX,
        help="Opening stock of products that have none, as a share of their demand in the file. "
        "Without it no stock is touched; what was counted never is.",
    ),
]
LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Place only the first N orders.")
]
LocationsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=LOCATIONS_MAX,
        metavar="N",
        help="Deal out the opening stock to main, warehouse-2 and so on, N in all, and take each "
        "order's stock from as few of them as can be, unless --sourcing says otherwise.",
    ),
]
ConcurrencyOption = Annotated[
    int, typer.Option(min=1, max=CONCURRENCY_MAX, metavar="N", help="Callers at a time.")
]
BatchOption = Annotated[
    int, typer.Option(min=1, max=BATCH_MAX, metavar="N", help="Orders per call.")
]
SettleOption = Annotated[
    float,
    typer.Option(
        min=0, max=WAIT_S_MAX, metavar="SECONDS", help="Wait so long for the last outcome."
    ),
]
PatienceOption = Annotated[
    float,
    typer.Option(
        min=0, max=WAIT_S_MAX, metavar="SECONDS", help="Repeat so long what gets no answer."
    ),
]


def replay(
    file: FileArgument,
    format_: FormatOption = Format.GENERAL,
    encoding: EncodingOption = None,
    decimal_comma: CommaOption = False,
    dates: DatesOption = None,
    currency: CurrencyOption = CURRENCY,
    cover: CoverOption = None,
    limit: LimitOption = None,
    locations: LocationsOption = None,
    sourcing: SourcingOption = None,
    sources: SourcesOption = None,
    no_split: NoSplitOption = False,
    concurrency: ConcurrencyOption = 64,
    batch: BatchOption = 1,
    settle_timeout: SettleOption = 60.0,
    patience: PatienceOption = 60.0,
    orders: OrdersOption = ORDERS_ADDRESS,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Place the orders of a file, make the products that are missing for them, and report.

    Columns: order, product, quantity, date, price, customer and, optionally, description and
    currency; names such as InvoiceNo, sku or qty will do. An order is placed whole or not at all: a
    line that cannot be read holds its order back. Times without an offset are UTC.

    With --format online-retail, invoices with a C before their number are returns: when all orders
    are decided, they take back what was sold before to that customer, the latest first. The orders
    that something comes back of are shipped whole before. What belongs to no sale is told by line.

    Mend the lines and run it again: nothing is placed twice. Exits with 1 if a line was not read,
    or an order failed, got no answer, stayed pending or was lost; each is told by line.
    """
    if currency not in CURRENCIES:
        raise typer.BadParameter(f"{currency!r} is no currency in use (ISO 4217), such as GBP")
    asked_sourcing = sourcing_of(sourcing, sources, no_split, in_stock_only=False)
    orders_of_file = _read(file, ReadOptions(format_, encoding, decimal_comma, dates, currency))
    options = ReplayOptions(
        cover=None if cover is None else Decimal(str(cover)),
        concurrency=concurrency,
        batch=batch,
        limit=limit,
        locations=locations,
        sourcing=asked_sourcing,
        settle_timeout_s=settle_timeout,
        patience_s=patience,
    )
    for line in told_flaws(orders_of_file):
        typer.echo(line, err=True)
    _show(uvloop.run(_replay(Connection(orders, inventory, data), orders_of_file, options)), output)


def _show(report: ReplayReport, output: Output) -> None:
    for line in told_outcomes(report):
        typer.echo(line, err=True)
    if not report.orders and not report.flaws:
        typer.echo(f"{report.file}: there is no order to place in it", err=True)
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


def _read(path: Path, options: ReadOptions) -> OrderFile:
    try:
        return read_orders(path, options)
    except UnreadableFile as error:
        raise Failed(str(error), REFUSED if error.is_there else USAGE) from error


async def _replay(
    connection: Connection, orders: OrderFile, options: ReplayOptions
) -> ReplayReport:
    with progress_bars() as progress:
        async with connection.client() as client:
            return await replay_orders(client, orders, options, progress)
