"""`holdfast stock`: how much there is, where, and why."""

from typing import Annotated

import typer

from holdfast.cli.arguments import (
    COUNT_MAX,
    STOCK_MAX,
    BeforeOption,
    FromOption,
    LimitOption,
    LocationOption,
    ReasonCodeOption,
    RequestIdOption,
    given,
    order_lines,
    typed,
    whole,
)
from holdfast.cli.backorders import DisplaceOption, policy_line, show_awaited
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.exits import REFUSED, repeatable_as
from holdfast.cli.explaining import explain
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_line,
    print_table,
    signed,
)
from holdfast.cli.sourcing import (
    InStockOnlyOption,
    NoSplitOption,
    SourcesOption,
    SourcingOption,
    shortage_line,
    show_stock,
    sourcing_of,
)
from holdfast.cli.transfers import app as transfers_app
from holdfast.client import (
    Availability,
    BackorderMode,
    Holdfast,
    Movement,
    StockInfo,
    StockLevel,
)

app = CommandGroup(help="How much there is, where, and why.", no_args_is_help=True)
app.command("explain")(explain)
app.add_typer(transfers_app, name="transfer")

ProductId = Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id.")]
UnitsToMove = Annotated[
    int, typer.Argument(parser=whole(1, STOCK_MAX), metavar="UNITS", help="How many.")
]
WhyOption = Annotated[str, typer.Option(help="Why, for the ledger.")]
LEVEL_COLUMNS: tuple[str, ...] = (
    "location",
    "on hand",
    "reserved",
    "quarantined",
    "available",
    "version",
)


@app.command()
def get(
    product_id: ProductId,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a product with its stock, in total and by location."""
    info = Connection(inventory=inventory, data=data, reads=True).run(
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
    reason: WhyOption = "",
    reason_code: ReasonCodeOption = None,
    expected_version: Annotated[
        int | None,
        typer.Option(
            parser=whole(0, COUNT_MAX),
            metavar="N",
            help="Refuse unless the level has this version.",
        ),
    ] = None,
    displace: DisplaceOption = False,
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
                reason_code=reason_code,
                request_id=own_id,
                displace=displace,
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
    reason: WhyOption,
    reason_code: ReasonCodeOption = None,
    reference: Annotated[str, typer.Option(help="Your own document.")] = "",
    location: LocationOption = "main",
    displace: DisplaceOption = False,
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
                reason_code=reason_code,
                location_id=location,
                reference=reference,
                request_id=own_id,
                displace=displace,
            )
        )
    _show_level(level, output)


@app.command()
def quarantine(
    product_id: ProductId,
    units: UnitsToMove,
    reason: WhyOption,
    reason_code: ReasonCodeOption = None,
    location: LocationOption = "main",
    displace: DisplaceOption = False,
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take units on hand out of sale: holdfast stock quarantine LAMP-RED 3 --reason "wet box"

    They stay on hand. What is promised to orders is quarantined with --displace only.
    """
    with repeatable_as(request_id) as own_id:
        level = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.quarantine(
                product_id,
                units,
                reason=reason,
                reason_code=reason_code,
                location_id=location,
                request_id=own_id,
                displace=displace,
            )
        )
    _show_level(level, output)


@app.command()
def release(
    product_id: ProductId,
    units: UnitsToMove,
    reason: WhyOption,
    reason_code: ReasonCodeOption = None,
    location: LocationOption = "main",
    write_off: Annotated[
        bool, typer.Option("--write-off", help="They are gone, instead of back on sale.")
    ] = False,
    request_id: RequestIdOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Put units in quarantine back on sale, or write them off."""
    with repeatable_as(request_id) as own_id:
        level = Connection(inventory=inventory, data=data).run(
            lambda client: client.inventory.release_quarantine(
                product_id,
                units,
                reason=reason,
                reason_code=reason_code,
                location_id=location,
                write_off=write_off,
                request_id=own_id,
            )
        )
    _show_level(level, output)


@app.command()
def check(
    lines: Annotated[list[str], typer.Argument(metavar="PRODUCT=QTY", help="What is to be there.")],
    sourcing: SourcingOption = None,
    sources: SourcesOption = None,
    no_split: NoSplitOption = False,
    in_stock_only: InStockOnlyOption = False,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell whether stock could be promised now, and from where: holdfast stock check LAMP-RED=2

    By the very rules that promise it to an order, but nothing is promised. What would have to wait
    for stock is told. Exits with 1 if it is short.
    """
    wanted = order_lines(lines, None)
    rule = sourcing_of(sourcing, sources, no_split, in_stock_only)
    found = Connection(inventory=inventory, data=data, reads=True).run(
        lambda client: client.inventory.check_availability(wanted, sourcing=rule)
    )
    _show_availability(found, output)
    if not found.available:
        raise typer.Exit(REFUSED)


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
    """List stock movements, newest first."""

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

    _show_movements(Connection(inventory=inventory, data=data, reads=True).run(found), output)


def _show_info(info: StockInfo, output: Output) -> None:
    if output is Output.JSON:
        print_json(info)
        return
    policy = info.product.backorder
    is_limited = policy.mode is BackorderMode.LIMITED
    print_facts(
        {
            "product": info.product.product_id,
            "name": info.product.name,
            "unit price": info.product.unit_price,
            "active": info.product.active,
            "on hand": info.on_hand,
            "reserved": info.reserved,
            "quarantined": info.quarantined,
            "safety stock": info.product.safety_stock or None,
            "available": info.available,
            "queued": info.queued if info.queued or policy_line(policy) else None,
            "back-orders": policy_line(policy),
            "may still wait": info.backorder_room if is_limited else None,
            "expected": policy.expected_date,
            "in transit": info.in_transit or None,
        }
    )
    if not info.levels:
        return
    print_line("")
    columns, rows = LEVEL_COLUMNS, [_level_row(level) for level in info.levels]
    if info.in_transit:
        columns = (*columns, "in transit")
        rows = [(*_level_row(level), level.in_transit) for level in info.levels]
    print_table(columns, rows)


def _show_level(level: StockLevel, output: Output) -> None:
    if output is Output.JSON:
        print_json(level)
    else:
        print_table(LEVEL_COLUMNS, [_level_row(level)])


def _level_row(level: StockLevel) -> tuple[object, ...]:
    return (
        *(level.location_id, level.on_hand, level.reserved, level.quarantined),
        *(level.available, level.version),
    )


def _show_availability(found: Availability, output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
    elif found.available:
        _show_promise(found)
    else:
        print_line("no, short of stock:")
        for short in found.missing:
            print_line(f"  {shortage_line(short)}")


def _show_promise(found: Availability) -> None:
    """What could be promised: now, and later."""
    now = f"in {found.shipments} shipment{'s' if found.shipments != 1 else ''}"
    if not found.queued:
        print_line(f"yes, {now}")
    elif found.shipments:
        print_line(f"yes, {now} now, and the rest would wait for stock")
    else:
        print_line("yes, but all of it would wait for stock")
    if found.stock:
        print_line("")
        show_stock(found.stock)
    if found.queued:
        print_line("")
        show_awaited(found.queued)


def _show_movements(found: list[Movement], output: Output) -> None:
    if output is Output.JSON:
        print_json(found)
        return
    print_table(
        (
            *("time", "product", "location", "kind", "on hand", "reserved", "quarantined"),
            *("order", "code", "reason", "by"),
        ),
        [
            (
                move.create_time,
                move.product_id,
                move.location_id,
                move.kind,
                f"{move.on_hand_delta:+} = {move.on_hand_after}",
                f"{move.reserved_delta:+} = {move.reserved_after}",
                f"{move.quarantined_delta:+} = {move.quarantined_after}",
                move.order_id,
                typed(move.reason_code) if move.reason_code else "",
                " ".join(filter(None, (move.reason, move.reference))),
                signed(move.actor, move.credential_id),
            )
            for move in found
        ],
    )
