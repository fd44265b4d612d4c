"""`holdfast backorder`: who waits for what; and how policies are typed, and what waits is read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated

import typer

from holdfast.cli.arguments import STOCK_MAX, LimitOption, one_of, typed, whole
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.output import Output, OutputOption, print_json, print_line, print_table
from holdfast.client import (
    AwaitedUnits,
    Backorder,
    BackorderedUnits,
    BackorderMode,
    Holdfast,
    QueuedUnits,
)

app = CommandGroup(help="Who waits for stock.", no_args_is_help=True)

DisplaceOption = Annotated[
    bool,
    typer.Option(
        "--displace",
        help="Also what orders were promised: the youngest promises wait for stock instead.",
    ),
]

_POLICIES = "none, limited:UNITS, unlimited"


def policy(text: str) -> Backorder:
    """Read whether orders may wait for a product: none, limited:50 or unlimited."""
    word, _, units = text.partition(":")
    mode = one_of(BackorderMode, "policy of back-orders")(word)
    if (mode is BackorderMode.LIMITED) != bool(units):
        raise typer.BadParameter(
            f"{text!r} is no policy of back-orders; there are {_POLICIES}, such as limited:50"
        )
    return Backorder(mode, whole(1, STOCK_MAX)(units) if units else 0)


BackorderOption = Annotated[
    Backorder | None,
    typer.Option(
        parser=policy, metavar="POLICY", help=f"Whether orders may wait for it: {_POLICIES}."
    ),
]
ExpectedOption = Annotated[
    str | None,
    typer.Option(
        metavar="DAY", help="When more is expected, such as 2027-01-15; '': that is not known."
    ),
]


def day(text: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day, such as 2027-01-15") from None


def revised(now: Backorder, asked: Backorder | None, expected: str | None) -> Backorder | None:
    """A policy with what was typed of it; None: nothing was."""
    if asked is None and expected is None:
        return None
    until = now.expected_date
    if expected is not None:
        until = day(expected) if expected.strip() else None
    return replace(asked or now, expected_date=until)


def policy_line(backorder: Backorder) -> str:
    """A policy as it is typed; empty where orders may not wait."""
    if backorder.mode is BackorderMode.NONE:
        return ""
    limit = f":{backorder.units_max}" if backorder.mode is BackorderMode.LIMITED else ""
    return f"{typed(backorder.mode)}{limit}"


def show_queued(queued: Sequence[QueuedUnits]) -> None:
    """Print what an order waits for."""
    print_table(
        ("product", "units that wait for stock"), [(one.product_id, one.quantity) for one in queued]
    )


def show_awaited(awaited: Sequence[AwaitedUnits]) -> None:
    """Print what would have to wait, and until when."""
    print_table(
        ("product", "units that would wait", "expected"),
        [(one.product_id, one.quantity, one.expected_date) for one in awaited],
    )


def show_waiting(waiting: Sequence[BackorderedUnits]) -> None:
    """Print rows of a product's queue."""
    print_table(
        ("place", "order", "units", "units ahead", "since"),
        [
            (one.position, one.order_id, one.quantity, one.units_ahead, one.since_time)
            for one in waiting
        ],
    )


@app.command("list")
def list_backorders(
    product_id: Annotated[str, typer.Argument(metavar="PRODUCT", help="The product's id.")],
    limit: LimitOption = 50,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List who waits for a product, in the order in which they are served.

    Whatever becomes free belongs to the first, unit by unit, until they have all.
    """

    async def found(client: Holdfast) -> tuple[list[BackorderedUnits], date | None]:
        product = (await client.inventory.get_stock(product_id)).product
        listed = client.inventory.list_backorders(product_id, limit=limit)
        return [one async for one in listed], product.backorder.expected_date

    waiting, expected = Connection(inventory=inventory, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(waiting)
        return
    if expected is not None:
        print_line(f"more is expected on {expected}")
    show_waiting(waiting)
