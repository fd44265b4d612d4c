"""`holdfast customer`: profiles, what is kept of somebody, and taking it away."""

from typing import Annotated

import typer

from holdfast.cli.arguments import (
    AddressOption,
    EmailOption,
    LimitOption,
    NameOption,
    PhoneOption,
    VersionOption,
    given,
)
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_json_line,
    print_line,
    print_table,
)
from holdfast.client import CustomerProfile, Holdfast, NotFound

app = CommandGroup(help="Know customers, and forget them.", no_args_is_help=True)

CustomerId = Annotated[str, typer.Argument(metavar="CUSTOMER_ID", help="The customer's id.")]


@app.command()
def get(
    customer_id: CustomerId,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a customer's profile."""
    profile = Connection(orders, data=data, reads=True).run(
        lambda client: client.customers.get(customer_id)
    )
    _show(profile, output)


@app.command("list")
def list_customers(
    email: Annotated[
        str | None, typer.Option(parser=given, metavar="ADDRESS", help="Only with this e-mail.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(parser=given, metavar="NAME", help="Only whose name begins so.")
    ] = None,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List profiles by customer id; those of a name by that."""

    async def found(client: Holdfast) -> list[CustomerProfile]:
        listed = client.customers.list(email=email or "", name=name or "", limit=limit)
        return [one async for one in listed]

    profiles = Connection(orders, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(profiles)
        return
    print_table(
        ("customer", "name", "email", "phone", "erased"),
        [
            (p.customer_id, p.customer.name, p.customer.email, p.customer.phone, p.erase_time)
            for p in profiles
        ],
    )


@app.command()
def update(
    customer_id: CustomerId,
    name: NameOption = None,
    email: EmailOption = None,
    phone: PhoneOption = None,
    address: AddressOption = None,
    version: VersionOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change a customer's profile, or make it; an empty text takes a field away.

    Orders placed without contact information take the profile's from then on.
    """
    if name is email is phone is address is None:
        raise typer.BadParameter("nothing to change: give --name, --email, --phone or --address")

    async def change(client: Holdfast) -> CustomerProfile:
        current = version or await _version(client, customer_id)
        return await client.customers.update(
            customer_id, version=current, name=name, email=email, phone=phone, address=address
        )

    _show(Connection(orders, data=data).run(change), output)


async def _version(client: Holdfast, customer_id: str) -> int:
    try:
        return (await client.customers.get(customer_id)).version
    except NotFound:
        return 0


@app.command()
def erase(
    customer_id: Annotated[
        str, typer.Argument(metavar="CUSTOMER_ID", help="The customer's id.", show_default=False)
    ] = "",
    email: Annotated[
        str | None,
        typer.Option(
            parser=given,
            metavar="ADDRESS",
            help="Instead of the id: whoever has just this e-mail address, also guests.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also while orders are not final.")
    ] = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take all personal data out of a customer's profile and orders, for good.

    Ids, lines, amounts and statuses stay. Exits with 1 if orders are not final.
    """
    if bool(customer_id) == bool(email):
        raise typer.BadParameter("name one customer by id, or give --email ADDRESS instead")
    erased = Connection(orders, data=data).run(
        lambda client: client.customers.erase(customer_id, email=email or "", force=force)
    )
    if output is Output.JSON:
        print_json(erased)
        return
    print_facts({"orders erased": erased.orders, "profiles erased": erased.profiles})
    if email and not (erased.orders or erased.profiles):
        print_line("nothing has this e-mail address (any more); letter case counts")


@app.command()
def export(
    customer_id: CustomerId, orders: OrdersOption = ORDERS_ADDRESS, data: DataOption = None
) -> None:
    """Print all that is kept of a customer: JSON, the profile on a line, then each order on one."""

    async def tell(client: Holdfast) -> None:
        async for part in client.customers.export(customer_id):
            print_json_line(part)

    Connection(orders, data=data, reads=True).run(tell)


def _show(profile: CustomerProfile, output: Output) -> None:
    if output is Output.JSON:
        print_json(profile)
        return
    print_facts(
        {
            "customer": profile.customer_id,
            "name": profile.customer.name,
            "email": profile.customer.email,
            "phone": profile.customer.phone,
            "address": profile.customer.address,
            "version": profile.version,
            "created": profile.create_time,
            "updated": profile.update_time,
            "erased": profile.erase_time,
        }
    )
