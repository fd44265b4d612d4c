"""`holdfast order return`: what comes back of what left the house."""

from typing import Annotated

import typer

from holdfast.cli.arguments import (
    LocationOption,
    RequestIdOption,
    names_of,
    one_of,
    units_of_lines,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.edited_lines import lines_as_numbered, named_units
from holdfast.cli.exits import repeatable_as
from holdfast.cli.order_options import OrderId
from holdfast.cli.output import Output, OutputOption
from holdfast.cli.shipping_views import show_return
from holdfast.client import Disposition, Holdfast, ReceiptLine, Return, ReturnLine

app = CommandGroup(help="What comes back.", no_args_is_help=True)

ReturnId = Annotated[str, typer.Argument(metavar="RETURN", help="The return's id.")]


@app.command("open")
def open_return(
    order_id: OrderId,
    lines: Annotated[
        list[str],
        typer.Argument(metavar="LINE=QTY", help="By the line's number or its product."),
    ],
    reason: Annotated[str, typer.Option(help="Why, in the customer's words or yours.")],
    request_id: RequestIdOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Let units that left come back: holdfast order return open ID 1=2 --reason "too small"

    Nothing is restocked before they do. The numbers of lines are those of `order get`. A product
    that stands on several lines is named by line.
    """
    units = units_of_lines(lines)

    async def opened(client: Holdfast) -> Return:
        named = named_units(await client.orders.get(order_id), units)
        wanted = [ReturnLine(line_no, quantity, reason) for line_no, quantity in named.items()]
        with lines_as_numbered(wanted):
            return await client.orders.open_return(order_id, wanted, request_id=own_id)

    with repeatable_as(request_id) as own_id:
        found = Connection(orders, data=data).run(opened)
    show_return(found, output)


@app.command()
def receive(
    return_id: ReturnId,
    lines: Annotated[
        list[str], typer.Argument(metavar="LINE=QTY", help="What came, by the line's number.")
    ],
    disposition: Annotated[
        Disposition,
        typer.Option(
            parser=one_of(Disposition, "disposition"),
            metavar="WHAT",
            help=f"What becomes of it: {names_of(Disposition)}.",
        ),
    ],
    location: LocationOption = "main",
    request_id: RequestIdOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record what came: holdfast order return receive RETURN 1=2 --disposition restock

    Units of another disposition, or at another location, take another command. `restock` makes them
    free to promise, `quarantine` puts them there out of sale, `write-off` only records that they
    came.
    """
    units = units_of_lines(lines)
    if not all(line.line_no for line in units):
        raise typer.BadParameter("name lines by their numbers, such as 2=1 (see `order get`)")
    came = [
        ReceiptLine(line.line_no, line.quantity, disposition, location_id=location)
        for line in units
    ]

    with repeatable_as(request_id) as own_id, lines_as_numbered(came):
        found = Connection(orders, data=data).run(
            lambda client: client.orders.receive_return(return_id, came, request_id=own_id)
        )
    show_return(found, output)


@app.command()
def close(
    return_id: ReturnId,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """End a return; what did not come may come by another one."""
    found = Connection(orders, data=data).run(lambda client: client.orders.close_return(return_id))
    show_return(found, output)
