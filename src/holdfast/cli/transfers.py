"""`holdfast stock transfer`: units on their way from one location to another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from holdfast.cli.arguments import (
    LimitOption,
    RequestIdOption,
    given,
    names_of,
    one_of,
    order_lines,
    time,
    typed,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import INVENTORY_ADDRESS, Connection, DataOption, InventoryOption
from holdfast.cli.exits import repeatable_as
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_line,
    print_table,
)
from holdfast.client import Holdfast, Transfer, TransferState

app = CommandGroup(help="Units on their way to another location.", no_args_is_help=True)

TransferId = Annotated[str, typer.Argument(metavar="TRANSFER", help="The transfer's id.")]


@app.command()
def create(
    units: Annotated[list[str], typer.Argument(metavar="PRODUCT=QTY", help="What leaves.")],
    origin: Annotated[str, typer.Option("--from", parser=given, metavar="ID", help="Where it is.")],
    target: Annotated[str, typer.Option("--to", parser=given, metavar="ID", help="Where it goes.")],
    reference: Annotated[str, typer.Option(help="Your own document.")] = "",
    expected: Annotated[
        datetime | None,
        typer.Option(parser=time, metavar="TIME", help="When it is to come, in ISO 8601."),
    ] = None,
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send units to another location: holdfast stock transfer create LAMP=5 --from berlin --to main

    They leave at once, all of them or none, and are in transit until `receive` or `close`.
    """
    wanted = _units(units)
    with repeatable_as(request_id) as own_id:
        found = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.create_transfer(
                wanted,
                origin=origin,
                target=target,
                reference=reference,
                expected_time=expected,
                request_id=own_id,
            )
        )
    _show(found, output)


@app.command()
def receive(
    transfer_id: TransferId,
    units: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PRODUCT=QTY]", help="What came; none: all still to come."),
    ] = None,
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record what came: holdfast stock transfer receive TRANSFER LAMP=3"""
    came = _units(units) if units else None
    with repeatable_as(request_id) as own_id:
        found = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.receive_transfer(transfer_id, came, request_id=own_id)
        )
    _show(found, output)


@app.command()
def close(
    transfer_id: TransferId,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """End a transfer; what has not come is missing."""
    found = Connection(inventory=inventory, data=data).run(
        lambda client: client.inventory.close_transfer(transfer_id)
    )
    _show(found, output)


@app.command()
def get(
    transfer_id: TransferId,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a transfer."""
    found = Connection(inventory=inventory, data=data, reads=True).run(
        lambda client: client.inventory.transfer(transfer_id)
    )
    _show(found, output)


@app.command("list")
def list_transfers(
    state: Annotated[
        TransferState | None,
        typer.Option(
            parser=one_of(TransferState, "state"),
            metavar="STATE",
            help=f"Only {names_of(TransferState)}.",
        ),
    ] = None,
    limit: LimitOption = 50,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List transfers, newest first."""

    async def found(client: Holdfast) -> list[Transfer]:
        listed = client.inventory.list_transfers(state=state, limit=limit)
        return [one async for one in listed]

    transfers = Connection(inventory=inventory, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(transfers)
        return
    print_table(
        ("transfer", "created", "from", "to", "state", "in transit", "missing", "reference"),
        [
            (
                *(one.transfer_id, one.create_time, one.origin, one.target, typed(one.state)),
                sum(line.in_transit for line in one.lines),
                sum(line.missing for line in one.lines),
                one.reference,
            )
            for one in transfers
        ],
    )


def _units(texts: Sequence[str]) -> dict[str, int]:
    """Read PRODUCT=QTY, such as LAMP-RED=2; each product once."""
    units: dict[str, int] = {}
    for text, line in zip(texts, order_lines(texts, None), strict=True):
        if line.unit_price is not None:
            raise typer.BadParameter(f"{text!r} has a price; write PRODUCT=QTY, such as LAMP=2")
        if line.product_id in units:
            raise typer.BadParameter(f"{line.product_id} is named twice")
        units[line.product_id] = line.quantity
    return units


def _show(found: Transfer, output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    print_facts(
        {
            "transfer": found.transfer_id,
            "from": found.origin,
            "to": found.target,
            "state": typed(found.state),
            "reference": found.reference,
            "created": found.create_time,
            "expected": found.expected_time,
            "closed": found.close_time,
        }
    )
    print_line("")
    print_table(
        ("product", "sent", "received", "missing", "in transit"),
        [
            (line.product_id, line.sent, line.received, line.missing, line.in_transit)
            for line in found.lines
        ],
    )
