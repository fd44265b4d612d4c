"""`holdfast product`: what there is to sell."""

from typing import Annotated

import typer

from holdfast.cli.arguments import (
    COUNT_MAX,
    CURRENCY,
    CurrencyOption,
    LimitOption,
    VersionOption,
    given,
    price,
    whole,
)
from holdfast.cli.backorders import BackorderOption, ExpectedOption, policy_line, revised
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.output import Output, OutputOption, print_facts, print_json, print_table
from holdfast.client import Backorder, Holdfast, Product

app = CommandGroup(help="What there is to sell.", no_args_is_help=True)

ProductId = Annotated[str, typer.Argument(metavar="PRODUCT", help="Your own code for it.")]
SafetyStockOption = Annotated[
    int | None,
    typer.Option("--safety-stock", metavar="UNITS", help="Not promised, at each location."),
]


@app.command()
def create(
    product_id: ProductId,
    unit_price: Annotated[
        str, typer.Option("--price", metavar="AMOUNT", help="Price of one unit, such as 4.50.")
    ],
    name: Annotated[str, typer.Option(help="Its name.")] = "",
    description: Annotated[str, typer.Option(help="More about it.")] = "",
    currency: CurrencyOption = CURRENCY,
    inactive: Annotated[bool, typer.Option("--inactive", help="Not sold yet.")] = False,
    backorder: BackorderOption = None,
    expected: ExpectedOption = None,
    safety_stock: SafetyStockOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a product: holdfast product create LAMP-RED --name "Red lamp" --price 12.50

    With --backorder orders may wait for what is not there; with --expected it is a pre-order.
    """
    asked, rule = price(unit_price, currency), revised(Backorder(), backorder, expected)
    product = Connection(inventory=inventory, data=data).run(
        lambda client: client.inventory.create_product(
            product_id,
            name=name,
            unit_price=asked,
            description=description,
            active=not inactive,
            backorder=rule,
            safety_stock=safety_stock or 0,
        )
    )
    _show(product, output)


@app.command()
def update(
    product_id: ProductId,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    description: Annotated[str | None, typer.Option(help="Its new description.")] = None,
    unit_price: Annotated[
        str | None, typer.Option("--price", metavar="AMOUNT", help="Its new price.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of the price; default: as it is now.")
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether it is sold.")
    ] = None,
    backorder: BackorderOption = None,
    expected: ExpectedOption = None,
    safety_stock: SafetyStockOption = None,
    version: VersionOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change a product's details. Another --backorder binds new promises only: what waits stays."""
    given = name, description, unit_price, active, backorder, expected, safety_stock
    if all(one is None for one in given):
        raise typer.BadParameter(
            "nothing to change: give --name, --description, --price, --active, --inactive, "
            "--backorder, --expected or --safety-stock"
        )
    revised(Backorder(), backorder, expected)  # a day that is none is told before anything is asked

    async def change(client: Holdfast) -> Product:
        now = (await client.inventory.get_stock(product_id)).product
        asked = (
            None if unit_price is None else price(unit_price, currency or now.unit_price.currency)
        )
        return await client.inventory.update_product(
            product_id,
            version=version or now.version,
            name=name,
            description=description,
            unit_price=asked,
            active=active,
            backorder=revised(now.backorder, backorder, expected),
            safety_stock=safety_stock,
        )

    _show(Connection(inventory=inventory, data=data).run(change), output)


@app.command("list")
def list_products(
    begins: Annotated[
        str | None,
        typer.Option(parser=given, metavar="TEXT", help="Only ids that begin so."),
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only what is sold, or is not.")
    ] = None,
    low: Annotated[
        int | None,
        typer.Option(
            parser=whole(0, COUNT_MAX),
            metavar="UNITS",
            help="Only what was in stock once, with at most so many available.",
        ),
    ] = None,
    waited_for: Annotated[
        bool | None,
        typer.Option("--waited-for/--not-waited-for", help="Only what orders wait for, or do not."),
    ] = None,
    limit: LimitOption = 50,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List products by id: holdfast product list --active --low 0"""

    async def found(client: Holdfast) -> list[Product]:
        listed = client.inventory.list_products(
            id_prefix=begins or "",
            active=active,
            available_max=low,
            waited_for=waited_for,
            limit=limit,
        )
        return [product async for product in listed]

    _show_all(Connection(inventory=inventory, data=data, reads=True).run(found), output)


def _show(product: Product, output: Output) -> None:
    if output is Output.JSON:
        print_json(product)
        return
    print_facts(
        {
            "product": product.product_id,
            "name": product.name,
            "description": product.description,
            "unit price": product.unit_price,
            "active": product.active,
            "back-orders": policy_line(product.backorder),
            "expected": product.backorder.expected_date,
            "safety stock": product.safety_stock or None,
            "version": product.version,
        }
    )


def _show_all(products: list[Product], output: Output) -> None:
    if output is Output.JSON:
        print_json(products)
        return
    print_table(
        ("product", "name", "unit price", "active"),
        [(p.product_id, p.name, p.unit_price, p.active) for p in products],
    )
