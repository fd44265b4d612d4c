"""`holdfast order edit` and `holdfast order cancel`: change what an order is of."""

from dataclasses import replace
from typing import Annotated, NamedTuple

import typer

from holdfast.cli.arguments import VersionOption, numbered_lines, order_lines
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.edited_lines import (
    cancelled_units,
    edited_charges,
    edited_lines,
    lines_as_numbered,
)
from holdfast.cli.exits import REFUSED
from holdfast.cli.order_options import (
    AddedOption,
    ChargeOption,
    DiscountOption,
    NoWaitOption,
    OrderId,
    WaitOption,
    charges_of,
    wait_seconds,
)
from holdfast.cli.order_views import show_order
from holdfast.cli.output import Output, OutputOption, print_line
from holdfast.cli.sourcing import (
    InStockOnlyOption,
    NoSplitOption,
    SourcesOption,
    SourcingOption,
    sourcing_of,
)
from holdfast.client import Charge, EditState, Holdfast, Order, OrderLine, Sourcing


def edit(
    order_id: OrderId,
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PRODUCT=QTY[@PRICE]]...", help="Units it is to have; 0: none."),
    ] = None,
    line: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE=QTY[@PRICE]", help="The same for a line, by its number."),
    ] = None,
    discount: DiscountOption = None,
    shipping: AddedOption = None,
    tax: AddedOption = None,
    charge: ChargeOption = None,
    sourcing: SourcingOption = None,
    sources: SourcesOption = None,
    no_split: NoSplitOption = False,
    in_stock_only: InStockOnlyOption = False,
    version: VersionOption = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show how it would be; change nothing.")
    ] = False,
    wait: WaitOption = "10s",
    no_wait: NoWaitOption = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what an order is of: holdfast order edit ID LAMP-RED=5 MUG=0 TRAY=1@4.50

    A quantity replaces the one that was there; 0 removes the line, and a product that the order
    has not is added. What is not named stays, its prices too. A product that stands on several
    lines is named by line: --line 2=5 (see `order get`). --discount, --shipping and --tax replace
    those of the whole order, --charge those of its kind and line; 0 takes them away. --sourcing,
    --from, --no-split and --in-stock-only replace its sourcing, and what is held moves. Exits with
    1 if the stock is short: the order stays as it was.
    """
    asked = _EditAsked(
        order_lines(lines or [], None, lowest=0),
        numbered_lines(line or [], lowest=0),
        charges_of(discount, shipping, tax, charge),
        sourcing_of(sourcing, sources, no_split, in_stock_only),
        version,
        0.0 if no_wait else wait_seconds(wait),
    )
    if not (asked.by_product or asked.by_number or asked.charges or asked.sourcing):
        raise typer.BadParameter(
            "nothing to change: give PRODUCT=QTY, --line, --discount, --shipping, --tax, "
            "--charge, --sourcing, --no-split or --in-stock-only"
        )
    order, since = Connection(orders, data=data).run(
        lambda client: _edited(client, order_id, asked, only_preview=preview)
    )
    if preview and output is Output.TABLE:
        print_line("as it would be; nothing is changed")
        order = replace(order, edit=None)  # an earlier one
    _show(order, since, output)


class _EditAsked(NamedTuple):
    """What a person typed."""

    by_product: list[OrderLine]
    by_number: list[OrderLine]
    charges: list[Charge]
    sourcing: Sourcing | None
    version: int | None
    wait_s: float


async def _edited(
    client: Holdfast, order_id: str, asked: _EditAsked, *, only_preview: bool
) -> tuple[Order, int]:
    """What came of it, and the version of the order that was edited."""
    now = await client.orders.get(order_id)
    version = asked.version or now.version
    wanted = edited_lines(now, asked.by_product, asked.by_number)
    lines = wanted if asked.by_product or asked.by_number else None
    charges = edited_charges(now, wanted, asked.charges) if asked.charges else None
    with lines_as_numbered(wanted):
        if only_preview:
            order = await client.orders.preview_edit(
                order_id, version=version, lines=lines, charges=charges, sourcing=asked.sourcing
            )
        else:
            order = await client.orders.edit(
                order_id,
                version=version,
                lines=lines,
                charges=charges,
                sourcing=asked.sourcing,
                wait_s=asked.wait_s,
            )
    return order, version


def cancel(
    order_id: OrderId,
    lines: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LINE=QTY]...", help="Only these units, by the line's number."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    version: VersionOption = None,
    wait: WaitOption = "10s",
    no_wait: NoWaitOption = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Cancel an order, or units of its lines: holdfast order cancel ID 2=1

    Their stock comes back shortly after. Of an order of which a part has left, the rest is
    cancelled. The numbers of lines are those of `order get`. --version and --wait are for units of
    lines only.
    """
    units = numbered_lines(lines or [], lowest=1)
    wait_s = 0.0 if no_wait else wait_seconds(wait)
    if version is not None and not units:
        raise typer.BadParameter("--version is for units of lines: give LINE=QTY, or leave it out")

    async def change(client: Holdfast) -> tuple[Order, int]:
        if not units:
            order = await client.orders.cancel(order_id, reason=reason)
            return order, order.version
        now = await client.orders.get(order_id)
        since = version or now.version
        order = await client.orders.cancel(
            order_id,
            reason=reason,
            lines=cancelled_units(now, units),
            version=since,
            wait_s=wait_s,
        )
        return order, since

    order, since = Connection(orders, data=data).run(change)
    _show(order, since, output)


def _show(order: Order, since: int, output: Output) -> None:
    """Show what came of an edit of the order as it was at a version; a refusal ends with 1."""
    show_order(order, output)
    edit = order.edit
    if edit is None or edit.request_version not in (since + 1, since + 2):
        return  # it changed nothing, or what is told is another one
    if edit.state in (EditState.REFUSED, EditState.DROPPED):
        raise typer.Exit(REFUSED)
