"""`holdfast location`: the places that stock is kept at."""

from dataclasses import asdict
from typing import Annotated

import typer

from holdfast.cli.addresses import address_line
from holdfast.cli.arguments import LimitOption, VersionOption, names_of, one_of, typed, whole
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
)
from holdfast.cli.exits import NOT_FOUND, Failed
from holdfast.cli.output import Output, OutputOption, print_facts, print_json, print_table
from holdfast.client import Address, Holdfast, Location, LocationAddress, LocationKind

app = CommandGroup(help="The places that stock is kept at.", no_args_is_help=True)

PRIORITY_MAX = 1_000_000

LocationId = Annotated[str, typer.Argument(metavar="LOCATION", help="Your own name for it.")]
KindOption = Annotated[
    LocationKind | None,
    typer.Option(
        parser=one_of(LocationKind, "kind of location"),
        metavar="KIND",
        help=f"What it is: {names_of(LocationKind)}.",
    ),
]
PriorityOption = Annotated[
    int | None,
    typer.Option(
        parser=whole(0, PRIORITY_MAX),
        metavar="N",
        help="Stock is taken from the lowest number first.",
    ),
]
StreetOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Street and house.")]
CityOption = Annotated[str | None, typer.Option(metavar="TEXT", help="City.")]
RegionOption = Annotated[str | None, typer.Option(metavar="TEXT", help="State, province, county.")]
PostalCodeOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Postal code.")]
CountryOption = Annotated[
    str | None, typer.Option(metavar="CODE", help="Two capital letters, such as FR (ISO 3166-1).")
]


@app.command()
def create(
    location_id: LocationId,
    name: Annotated[str, typer.Option(help="Its name for people.")] = "",
    kind: KindOption = None,
    priority: PriorityOption = None,
    inactive: Annotated[
        bool, typer.Option("--inactive", help="No stock comes there or is promised there yet.")
    ] = False,
    street: StreetOption = None,
    city: CityOption = None,
    region: RegionOption = None,
    postal_code: PostalCodeOption = None,
    country: CountryOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a location: holdfast location create berlin --kind shop --priority 10 --city Berlin

    Without --kind it is a warehouse, without --priority it has 100. The location `main` is always
    there, and first.
    """
    parts = _parts(street, city, region, postal_code, country)
    location = Connection(inventory=inventory, data=data).run(
        lambda client: client.inventory.create_location(
            location_id,
            name=name,
            kind=kind or LocationKind.WAREHOUSE,
            priority=priority,
            active=not inactive,
            address=LocationAddress(**parts) if parts else None,
        )
    )
    _show(location, output)


@app.command()
def update(
    location_id: LocationId,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    kind: KindOption = None,
    priority: PriorityOption = None,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Whether stock comes and is promised there."),
    ] = None,
    street: StreetOption = None,
    city: CityOption = None,
    region: RegionOption = None,
    postal_code: PostalCodeOption = None,
    country: CountryOption = None,
    version: VersionOption = None,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what is known of a location; an empty text takes a part of its address away.

    What is promised at one that is made inactive stays promised.
    """
    parts = _parts(street, city, region, postal_code, country)
    if all(one is None for one in (name, kind, priority, active)) and not parts:
        raise typer.BadParameter(
            "nothing to change: give --name, --kind, --priority, --active, --inactive or a part of "
            "the address, such as --city"
        )

    async def change(client: Holdfast) -> Location:
        now = await _found(client, location_id)
        address = LocationAddress(**{**asdict(now.address or LocationAddress()), **parts})
        return await client.inventory.update_location(
            location_id,
            version=version or now.version,
            name=name,
            kind=kind,
            priority=priority,
            active=active,
            address=address if parts else None,
        )

    _show(Connection(inventory=inventory, data=data).run(change), output)


@app.command("list")
def list_locations(
    limit: LimitOption = 50,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List locations in the order in which stock is taken from them: by priority, then by id."""

    async def found(client: Holdfast) -> list[Location]:
        return [one async for one in client.inventory.list_locations(limit=limit)]

    locations = Connection(inventory=inventory, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(locations)
        return
    print_table(
        ("location", "name", "kind", "priority", "active", "address"),
        [
            (one.location_id, one.name, typed(one.kind), one.priority, one.active, _address(one))
            for one in locations
        ],
    )


async def _found(client: Holdfast, location_id: str) -> Location:
    async for one in client.inventory.list_locations():
        if one.location_id == location_id:
            return one
    raise Failed(f"location not found: {location_id}\n  holdfast location list", NOT_FOUND)


def _parts(
    street: str | None,
    city: str | None,
    region: str | None,
    postal_code: str | None,
    country: str | None,
) -> dict[str, str]:
    """The parts of an address that are given."""
    parts = {
        "street": street,
        "city": city,
        "region": region,
        "postal_code": postal_code,
        "country": country,
    }
    return {name: text for name, text in parts.items() if text is not None}


def _show(location: Location, output: Output) -> None:
    if output is Output.JSON:
        print_json(location)
        return
    print_facts(
        {
            "location": location.location_id,
            "name": location.name,
            "kind": typed(location.kind),
            "priority": location.priority,
            "active": location.active,
            "address": _address(location),
            "version": location.version,
        }
    )


def _address(location: Location) -> str:
    return address_line(Address(**asdict(location.address))) if location.address else ""
