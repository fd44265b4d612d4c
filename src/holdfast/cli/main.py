"""Assemble the `holdfast` command from its parts."""

import os
import sys

# It says on standard error what our messages say, in words for those who develop gRPC.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli import (
    backorders,
    customers,
    databases,
    events,
    exports,
    imports,
    keys,
    locations,
    mails,
    orders,
    products,
    serving,
    stock,
    users,
    webhooks,
)
from holdfast.cli.bench import bench
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import chosen_tls
from holdfast.cli.exits import USAGE, Commands
from holdfast.cli.metrics import metrics
from holdfast.cli.output import nobody_takes_more, write_whole
from holdfast.cli.replay import replay
from holdfast.client import Tls

app = CommandGroup(
    name="holdfast",
    cls=Commands,
    help="Orders that are never lost, stock that is never oversold.",
    epilog="A command ends with 0 when it did what was asked; 1: that was refused, or something is "
    "wrong with what was looked at; 2: it was typed wrong, or is not valid; 3: there is no such "
    "thing; 4: no answer, or what is needed is taken; 70: a bug of ours; 130: Ctrl-C. What is "
    "wrong stands on standard error.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("holdfast"))
        raise typer.Exit


def _pem(name: str, help: str) -> Any:
    return typer.Option(
        f"--tls-{name}",
        envvar=f"HOLDFAST_TLS_{name.upper()}",
        metavar="FILE",
        dir_okay=False,
        exists=True,
        help=help,
    )


@app.callback()
def holdfast(
    tls: Annotated[
        bool, typer.Option("--tls", envvar="HOLDFAST_TLS", help="Reach the services by TLS.")
    ] = False,
    ca: Annotated[
        Path | None, _pem("ca", "Authorities to trust, in PEM; else those that everybody knows.")
    ] = None,
    certificate: Annotated[
        Path | None, _pem("certificate", "Your own certificate, for services that ask for one.")
    ] = None,
    key: Annotated[Path | None, _pem("key", "Its key.")] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Orders that are never lost, stock that is never oversold."""
    files = Tls(ca, certificate, key)
    chosen_tls.set(files if files != Tls() else tls)


app.command()(serving.up)
app.add_typer(orders.app, name="order")
app.add_typer(customers.app, name="customer")
app.add_typer(stock.app, name="stock")
app.add_typer(products.app, name="product")
app.add_typer(keys.app, name="key")
app.add_typer(users.app, name="user")
app.add_typer(locations.app, name="location")
app.add_typer(backorders.app, name="backorder")
app.add_typer(events.app, name="events")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(mails.app, name="mail")
app.add_typer(imports.app, name="import")
app.add_typer(exports.app, name="export")
app.command()(replay)
app.command()(bench)
app.command()(metrics)
app.command()(databases.verify)
app.command()(databases.migrate)
app.add_typer(databases.dead_letters_app, name="dead-letters")
app.add_typer(serving.orders_app, name="orders")
app.add_typer(serving.inventory_app, name="inventory")
app.add_typer(serving.notifier_app, name="notifier")
app.add_typer(serving.console_app, name="console")


def main() -> None:
    """The entry point of the program."""
    if sys.__stdout__ is None:  # a file or connection would have its number, and be printed into
        typer.echo("holdfast: standard output is closed: say where to print", err=True)
        raise SystemExit(USAGE)
    # Nothing else may get their numbers: uvloop ends the process as it closes one of these.
    if sys.__stdin__ is None:
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - open to the end
    if sys.__stderr__ is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - likewise
    write_whole()
    try:
        app()
    finally:
        nobody_takes_more()  # else Python would try once more, and complain


if __name__ == "__main__":
    main()
