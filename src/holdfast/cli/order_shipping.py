"""`holdfast order ship` and `holdfast order shipment`: what left the house, and how it travels."""

from datetime import datetime
from typing import Annotated

import typer

from holdfast.chassis.clock import SystemClock
from holdfast.cli.arguments import given, time, units_of_lines
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import ORDERS_ADDRESS, Connection, DataOption, OrdersOption
from holdfast.cli.edited_lines import lines_as_numbered, named_units
from holdfast.cli.exits import repeatable_as
from holdfast.cli.order_options import OrderId
from holdfast.cli.order_views import show_order
from holdfast.cli.output import Output, OutputOption
from holdfast.client import Holdfast, Order, ShipmentItem

shipment_app = CommandGroup(help="How shipments travel.", no_args_is_help=True)

CarrierOption = Annotated[str | None, typer.Option(metavar="NAME", help="Who carries it.")]
TrackingOption = Annotated[
    str | None, typer.Option(metavar="NUMBER", help="The carrier's number of it.")
]
UrlOption = Annotated[str | None, typer.Option(help="Where it can be followed.")]


def ship(
    order_id: OrderId,
    lines: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LINE=QTY]...",
            help="Only these units, by the line's number or its product; default: all that is "
            "held.",
        ),
    ] = None,
    location: Annotated[
        str | None, typer.Option(parser=given, metavar="ID", help="Only what is held there.")
    ] = None,
    carrier: CarrierOption = None,
    tracking: TrackingOption = None,
    url: UrlOption = None,
    shipment_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Your own name of it; the same one ships once only."),
    ] = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Record that units of an order left the house: holdfast order ship ID 1=2 --carrier DHL

    They leave the location that they are held at; `order get` shows what can be shipped from where,
    and the numbers of lines. A product that stands on several lines is named by line. The order is
    SHIPPED when all of its units have left.
    """
    units = units_of_lines(lines or [])

    async def shipped(client: Holdfast) -> Order:
        items = None
        if units:
            named = named_units(await client.orders.get(order_id), units)
            items = [ShipmentItem(line_no, quantity) for line_no, quantity in named.items()]
        with lines_as_numbered(items or ()):
            return await client.orders.ship(
                order_id,
                items,
                shipment_id=own_id,
                location=location or "",
                carrier=carrier or "",
                tracking_number=tracking or "",
                tracking_url=url or "",
            )

    with repeatable_as(shipment_id, "--shipment-id") as own_id:
        order = Connection(orders, data=data).run(shipped)
    show_order(order, output)


def _moment(text: str) -> datetime:
    return SystemClock().now() if text.strip().lower() == "now" else time(text)


@shipment_app.command()
def update(
    order_id: OrderId,
    shipment_id: Annotated[str, typer.Argument(metavar="SHIPMENT", help="The shipment's id.")],
    carrier: CarrierOption = None,
    tracking: TrackingOption = None,
    url: UrlOption = None,
    delivered: Annotated[
        datetime | None,
        typer.Option(
            parser=_moment, metavar="TIME", help="When it arrived: ISO 8601 (else UTC), or now."
        ),
    ] = None,
    not_delivered: Annotated[
        bool, typer.Option("--not-delivered", help="Take back that it arrived.")
    ] = False,
    orders: OrdersOption = ORDERS_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what is known of a shipment: holdfast order shipment update ID S --delivered now

    An empty text takes a field away.
    """
    if delivered is not None and not_delivered:
        raise typer.BadParameter("give --delivered or --not-delivered, not both")
    if all(one is None for one in (carrier, tracking, url, delivered)) and not not_delivered:
        raise typer.BadParameter(
            "nothing to change: give --carrier, --tracking, --url, --delivered or --not-delivered"
        )
    order = Connection(orders, data=data).run(
        lambda client: client.orders.update_shipment(
            order_id,
            shipment_id,
            carrier=carrier,
            tracking_number=tracking,
            tracking_url=url,
            delivered=delivered,
            not_delivered=not_delivered,
        )
    )
    show_order(order, output)
