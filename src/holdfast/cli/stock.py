"""`holdfast stock`: how much there is, where, and why."""

from typing import Annotated

import typer

from holdfast.cli.arguments import (
    COUNT_MAX,
    STOCK_MAX,
    BeforeOption,
    FromOption,
    LimitOption,
    given,
    whole,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.exits import repeatable_as
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_line,
    print_table,
)
from holdfast.client import Holdfast, Movement, StockInfo, StockLevel

app = CommandGroup(help="How much there is, where, and why.", no_args_is_help=True)

ProductId = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id.")]
LocationOption = Annotated[str, typer.Option(parser=given, metavar="ID", help="Where.")]
RequestIdOption = Annotated[
    str | None, typer.Option(metavar="ID", help="The same id and contents have one effect only.")
]
LEVEL_COLUMNS = ("location", "on hand", "reserved", "available", "version")


@app.command()
def get(
    product_id: ProductId,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a product with its stock, in total and by location."""
    info = Connection(inventory=inventory, data=data).run(
        lambda client: client.inventory.get_stock(product_id)
    )
    _show_info(info, output)


@app.command("set")
def set_stock(
    product_id: ProductId,
    quantity: Annotated[
        int,
        typer.Argument(parser=whole(0, STOCK_MAX), metavar="QTY", help="The new on-hand units."),
    ],
    location: LocationOption = "main",
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
    expected_version: Annotated[
        int | None,
        typer.Option(
            parser=whole(0, COUNT_MAX),
            metavar="N",
            help="Refuse unless the level has this version.",
        ),
    ] = None,
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set the on-hand quantity; the difference becomes a movement."""
    with repeatable_as(request_id) as own_id:
        level = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.set_stock(
                product_id,
                quantity,
                location_id=location,
                expected_version=expected_version,
                reason=reason,
                request_id=own_id,
            )
        )
    _show_level(level, output)


@app.command()
def adjust(
    product_id: ProductId,
    delta: Annotated[
        int,
        typer.Argument(
            parser=whole(-STOCK_MAX, STOCK_MAX),
            metavar="DELTA",
            help="Units to add, or to take away: -3.",
        ),
    ],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")],
    reference: Annotated[str, typer.Option(help="Your own document.")] = "",
    location: LocationOption = "main",
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Add to the on-hand quantity or take away from it: goods that arrived, broke or were found."""
    with repeatable_as(request_id) as own_id:
        level = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.adjust_stock(
                product_id,
                delta,
                reason=reason,
                location_id=location,
                reference=reference,
                request_id=own_id,
            )
        )
    _show_level(level, output)


@app.command()
def movements(
    product: Annotated[
        str | None, typer.Argument(parser=given, metavar="PRODUCT", help="Only this product's.")
    ] = None,
    location: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only at this location.")
    ] = None,
    order: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only of this order.")
    ] = None,
    created_from: FromOption = None,
    created_before: BeforeOption = None,
    limit: LimitOption = 50,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List stock movements, newest first: the answer to "why is on hand 47?"."""

    async def found(client: Holdfast) -> list[Movement]:
        listed = client.inventory.list_movements(
            product_id=product or "",
            location_id=location or "",
            order_id=order or "",
            created_from=created_from,
            created_before=created_before,
            limit=limit,
        )
        return [movement async for movement in listed]

    _show_movements(Connection(inventory=inventory, data=data).run(found), output)


def _show_info(info: StockInfo, output: Output) -> None:
    if output is Output.JSON:
        print_json(info)
        return
    print_facts(
        {
            "product": info.product.product_id,
            "name": info.product.name,
            "unit price": info.product.unit_price,
            "active": info.product.active,
            "on hand": info.on_hand,
            "reserved": info.reserved,
            "available": info.available,
        }
    )
    if info.levels:
        print_line("")
        print_table(LEVEL_COLUMNS, [_level_row(level) for level in info.levels])


def _show_level(level: StockLevel, output: Output) -> None:
    if output is Output.JSON:
        print_json(level)
    else:
        print_table(LEVEL_COLUMNS, [_level_row(level)])


def _level_row(level: StockLevel) -> tuple[object, ...]:
    return (level.location_id, level.on_hand, level.reserved, level.available, level.version)


def _show_movements(found: list[Movement], output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    print_table(
        ("time", "product", "location", "kind", "on hand", "reserved", "order", "reason", "by"),
        [
            (
                move.create_time,
                move.product_id,
                move.location_id,
                move.kind,
                f"{move.on_hand_delta:+} = {move.on_hand_after}",
                f"{move.reserved_delta:+} = {move.reserved_after}",
                move.order_id,
                " ".join(filter(None, (move.reason, move.reference))),
                move.actor,
            )
            for move in found
        ],
    )
