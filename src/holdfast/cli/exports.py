"""`holdfast export`: what there is as a file, in the columns that `holdfast import` takes."""

import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
import uvloop

from holdfast.cli.arguments import FromOption, one_of
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.exits import USAGE, Failed
from holdfast.cli.replay import progress_bars
from holdfast.client import OrderStatus
from holdfast.exchange.exports import COLUMNS, Wanted, behind, rows
from holdfast.exchange.writing import CannotWrite, whole_file, writer
from holdfast.importing.tables import FileKind

app = CommandGroup(
    help="Give out what there is: CSV, JSON lines or XLSX, as `holdfast import` takes it.",
    no_args_is_help=True,
)

_TOLD_EVERY = 1_000
_ENDINGS = {
    ".csv": FileKind.CSV,
    ".jsonl": FileKind.JSON_LINES,
    ".ndjson": FileKind.JSON_LINES,
    ".xlsx": FileKind.XLSX,
}


def last_moment(text: str) -> datetime:
    """The first moment behind a time, or behind a day where it is one alone."""
    try:
        return behind(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


FileArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Where to; it appears when it is whole. Default: standard output."
    ),
]
FormatOption = Annotated[
    FileKind | None,
    typer.Option("--format", help="Default: what the file's name ends in, else csv."),
]
ToOption = Annotated[
    datetime | None,
    typer.Option(
        "--to", parser=last_moment, metavar="TIME", help="Only up to then; a day counts whole."
    ),
]
StatusOption = Annotated[
    OrderStatus | None,
    typer.Option(
        parser=one_of(OrderStatus, "statuses"), metavar="STATUS", help="Only with this status."
    ),
]


@app.command()
def products(
    file: FileArgument = None,
    kind: FormatOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
) -> None:
    """Give out all products: holdfast export products products.xlsx"""
    _export("products", file, kind, Connection(inventory=inventory, data=data, reads=True))


@app.command()
def prices(
    file: FileArgument = None,
    kind: FormatOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
) -> None:
    """Give out the prices of all products."""
    _export("prices", file, kind, Connection(inventory=inventory, data=data, reads=True))


@app.command()
def stock(
    file: FileArgument = None,
    kind: FormatOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
) -> None:
    """Give out the stock of all products by location."""
    _export("stock", file, kind, Connection(inventory=inventory, data=data, reads=True))


@app.command()
def customers(
    file: FileArgument = None,
    kind: FormatOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
) -> None:
    """Give out the profiles of all customers; who has only orders has none."""
    _export("customers", file, kind, Connection(orders, data=data, reads=True))


@app.command()
def orders(
    file: FileArgument = None,
    created_from: FromOption = None,
    to: ToOption = None,
    status: StatusOption = None,
    kind: FormatOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
) -> None:
    """Give out orders, newest first: holdfast export orders --from 2026-03-01 --to 2026-03-31

    A row is a line of an order.
    """
    if created_from and to and to <= created_from:  # it is behind what was typed
        raise typer.BadParameter("--to is before --from")
    wanted = Wanted(created_from, to, status)
    _export("orders", file, kind, Connection(orders, data=data, reads=True), wanted)


def _export(
    what: str,
    file: Path | None,
    kind: FileKind | None,
    connection: Connection,
    wanted: Wanted = Wanted(),  # noqa: B008 - it is frozen
) -> None:
    as_kind = kind or _ending(file)
    if file is None and as_kind is FileKind.XLSX:
        raise typer.BadParameter("a workbook needs a FILE: holdfast export products products.xlsx")
    try:
        count = uvloop.run(_written(connection, what, file, as_kind, wanted))
    except CannotWrite as error:
        raise Failed(str(error), USAGE) from error
    if file is not None:
        typer.echo(f"{file}: {count:,} rows", err=True)


def _ending(file: Path | None) -> FileKind:
    if file is None:
        return FileKind.CSV
    known = _ENDINGS.get(file.suffix.lower())
    if known is None:
        raise typer.BadParameter(
            f"{file.name} ends in none of {', '.join(_ENDINGS)}: say --format csv, jsonl or xlsx"
        )
    return known


async def _written(
    connection: Connection, what: str, file: Path | None, kind: FileKind, wanted: Wanted
) -> int:
    count = 0
    async with connection.client() as client:
        with (
            progress_bars() as bars,
            _stream(file) as stream,
            writer(stream, kind, COLUMNS[what]) as out,
        ):
            async for row in rows(client, what, wanted):
                out.row(row)
                count += 1
                if count % _TOLD_EVERY == 0:
                    bars("writing rows", count, 0)
    return count


def _stream(file: Path | None) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdout.buffer) if file is None else whole_file(file)
