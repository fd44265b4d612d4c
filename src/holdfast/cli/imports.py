"""`holdfast import`: take in a file, or look what would become of it."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from holdfast.chassis.money import DIGITS as CURRENCIES
from holdfast.cli.arguments import CURRENCY, CurrencyOption
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.exits import REFUSED, USAGE, Failed
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_line,
    print_table,
)
from holdfast.cli.replay import (
    DatesOption,
    EncodingOption,
    PatienceOption,
    progress_bars,
)
from holdfast.client import DeadlineExceeded, Overloaded, Unavailable
from holdfast.exchange.files import KINDS, FileOptions, ImportReport, import_file
from holdfast.exchange.imports import ImportOptions
from holdfast.exchange.kinds import LineNote
from holdfast.exchange.values import ValueOptions
from holdfast.importing.flaws import UnreadableFile
from holdfast.importing.locales import Locale
from holdfast.importing.tables import TableOptions

app = CommandGroup(
    help="Take in a file: CSV, JSON lines or XLSX. Try it with --dry-run first.",
    no_args_is_help=True,
)

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, JSON lines (both also as .gz) or XLSX.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would become of each line; change nothing.")
]
LocaleOption = Annotated[
    Locale | None,
    typer.Option(
        help="How its numbers and dates are written; default: 1234.56 and 2026-03-31.",
    ),
]
IgnoreOption = Annotated[
    bool, typer.Option("--ignore-unknown", help="Leave out columns that nobody knows.")
]
JournalOption = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="Where to keep how far it has come; default: beside the file."
    ),
]


_AGAIN = "Set anew what an earlier import of this very file has set."
_DISPLACE = "Also below what orders were promised: the youngest promises wait for stock."
_HELP = {
    "products": """Make products, or change them: holdfast import products FILE --dry-run

    Columns: product_id, name, description, unit_price, currency, active, backorder_mode,
    backorder_units_max, backorder_expected_date, safety_stock. Needed are product_id, and
    unit_price for products that are new; what has no column stays as it is.
    """,
    "prices": """Change prices of products that are there: holdfast import prices FILE --dry-run

    Columns: product_id, unit_price and, optionally, currency.
    """,
    "stock": """Set what is on hand: holdfast import stock FILE --dry-run

    Columns: product_id, on_hand and, optionally, location_id (else main), reason, reason_code.
    Those that `holdfast export stock` writes beside them mean nothing here.
    """,
    "customers": """Make profiles of customers, or change them: holdfast import customers FILE

    Columns: customer_id, name, email, phone, address. What has no column stays as it is.
    """,
    "orders": """Place orders: holdfast import orders FILE --dry-run

    Columns: request_id (your number of it, which makes it one order for ever), customer_id,
    product_id, quantity and, optionally, unit_price, currency, reference, channel, note,
    customer_name, customer_email, customer_phone, customer_address. The lines of an order stand
    together, and are placed together or not at all.
    """,
}
_ENDS = """

    Exits with 1 if a line was refused; each is told by line, and the others are taken in. Ended in
    the middle, the same command goes on where it was.
    """


def _add(kind: str) -> None:
    """Add the command of a kind; all take the same options."""
    is_of_stock = kind == "stock"

    def take_in(
        file: FileArgument,
        dry_run: DryRunOption = False,
        locale: LocaleOption = None,
        dates: DatesOption = None,
        currency: CurrencyOption = CURRENCY,
        encoding: EncodingOption = None,
        ignore_unknown: IgnoreOption = False,
        again: Annotated[
            bool, typer.Option("--again", help=_AGAIN, hidden=not is_of_stock)
        ] = False,
        displace: Annotated[
            bool, typer.Option("--displace", help=_DISPLACE, hidden=not is_of_stock)
        ] = False,
        journal: JournalOption = None,
        patience: PatienceOption = 60.0,
        orders: OrdersOption = ORDERS_ADDRESS,
        inventory: InventoryOption = INVENTORY_ADDRESS,
        data: DataOption = None,
        output: OutputOption = Output.TABLE,
    ) -> None:
        if currency not in CURRENCIES:
            raise typer.BadParameter(f"{currency!r} is no currency in use (ISO 4217), such as GBP")
        if (again or displace) and not is_of_stock:
            raise typer.BadParameter("--again and --displace are for stock")
        options = FileOptions(
            table=TableOptions(encoding, ignore_unknown),
            how=ImportOptions(dry_run, ValueOptions(locale, dates, currency), patience),
            target=data.name if data else f"{orders} {inventory}",
            again=again,
            journal=journal,
            displace=displace,
        )
        connection = Connection(orders, inventory, data)
        _show(uvloop.run(_taken_in(connection, kind, file, options)), output)

    app.command(kind, help=_flowing(_HELP[kind] + _ENDS))(take_in)


def _flowing(text: str) -> str:
    """A help text whose paragraphs are broken where the terminal ends, and nowhere else."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


for _kind in KINDS:
    _add(_kind)


async def _taken_in(
    connection: Connection, kind: str, path: Path, options: FileOptions
) -> ImportReport:
    doing = "looking at lines" if options.how.dry_run else "taking in lines"
    with progress_bars() as bars:
        try:
            async with connection.client() as client:
                return await import_file(client, kind, path, options, partial(bars, doing))
        except UnreadableFile as error:
            raise Failed(str(error), REFUSED if error.is_there else USAGE) from error
        except (Unavailable, DeadlineExceeded, Overloaded):
            typer.echo(f"{path}: not all of it is done; the same command goes on", err=True)
            raise


def _show(report: ImportReport, output: Output) -> None:
    if output is Output.JSON:
        print_json({**asdict(report), "ok": report.ok})
    else:
        print_facts(_facts(report))
        _show_notes("refused", report.problems, report.refused)
        _show_notes("look at", report.warnings, report.warned)
    if not report.ok:
        raise typer.Exit(REFUSED)


def _facts(report: ImportReport) -> dict[str, object]:
    would = "would be " if report.dry_run else ""
    return {
        "file": report.file,
        "lines": f"{report.lines:,}",
        "blank": f"{report.blank:,}" if report.blank else None,
        "went on after line": f"{report.resumed_after:,}" if report.resumed_after else None,
        f"{would}created": f"{report.created:,}",
        f"{would}changed": f"{report.changed:,}",
        "unchanged": f"{report.unchanged:,}",
        f"{would}refused": f"{report.refused:,}",
    }


def _show_notes(heading: str, notes: list[LineNote], in_all: int) -> None:
    if not notes:
        return
    print_line("")
    print_table(
        ("line", "column", heading), [(note.line, note.column, note.problem) for note in notes]
    )
    if in_all > len(notes):
        print_line(f"{in_all:,} in all: these are the first")
