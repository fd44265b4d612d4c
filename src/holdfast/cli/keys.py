"""`holdfast key`: who may call, and what for."""

from datetime import timedelta
from typing import Annotated

import typer

from holdfast.cli.arguments import whole
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json,
    print_json_line,
    print_line,
    print_table,
)
from holdfast.client import Key, NewKey

app = CommandGroup(help="Say who may call, and what for.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, as listed.")]


@app.command()
def create(
    name: Annotated[str, typer.Option(metavar="NAME", help="Who is going to use it.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="viewer, support, warehouse, merchandiser, integrator or admin; or a scope, such "
            "as orders:read. Repeatable.",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(parser=whole(1, 3_650), metavar="N", help="For so long; else for ever."),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="Only from there, such as 10.1.0.0/16. Repeatable."),
    ] = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a key and print it; it can't be shown again."""
    lifetime = None if days is None else timedelta(days=days)
    made = Connection(orders, data=data).run(
        lambda client: client.keys.create(
            name, role or [], lifetime=lifetime, networks=network or ()
        )
    )
    _show_new(made, output)


@app.command("list")
def list_keys(
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List all keys, the oldest first."""
    keys = Connection(orders, data=data, reads=True).run(lambda client: client.keys.list())
    if output is Output.JSON:
        print_json(keys)
        return
    print_table(
        ("key", "name", "may", "from", "made", "ends", "revoked", "last used"),
        [
            (
                key.key_id,
                key.name,
                " ".join(key.grants),
                " ".join(key.networks),
                key.create_time,
                key.expire_time,
                key.revoke_time,
                key.use_time,
            )
            for key in keys
        ],
    )


@app.command()
def rotate(
    key_id: KeyId,
    hours: Annotated[
        int,
        typer.Option(
            parser=whole(0, 2_160), metavar="N", help="How long the key that is there stays good."
        ),
    ] = 24,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a key that does the same and print it; the one that is there ends after a while."""
    made = Connection(orders, data=data).run(
        lambda client: client.keys.rotate(key_id, overlap=timedelta(hours=hours))
    )
    _show_new(made, output)


@app.command()
def revoke(
    key_id: KeyId,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Revoke a key for good: within 5 seconds no service takes it any more."""
    key: Key = Connection(orders, data=data).run(lambda client: client.keys.revoke(key_id))
    if output is Output.JSON:
        print_json_line(key)
    else:
        print_line(f"{key.key_id} ({key.name}) is revoked")


@app.command()
def new() -> None:
    """Print a key that no service knows: for the setting `operator_key` of a new cluster."""
    from holdfast.chassis.identity import keys

    print_line(keys.make())


def _show_new(made: NewKey, output: Output) -> None:
    if output is Output.JSON:
        print_json_line({"key_id": made.key.key_id, "text": made.text})
        return
    print_line(made.text)
    typer.echo("This is shown once. Put it into HOLDFAST_KEY where it is used.", err=True)
