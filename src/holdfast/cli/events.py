"""`holdfast events`: what the services have told, and what they tell."""

from typing import Annotated

import typer

from holdfast.cli.arguments import LimitOption, given
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import (
    INVENTORY_ADDRESS,
    ORDERS_ADDRESS,
    Connection,
    DataOption,
    InventoryOption,
    OrdersOption,
)
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json,
    print_json_line,
    print_line,
    print_table,
)
from holdfast.client import Event, FeedName, Holdfast

app = CommandGroup(help="What happened, in the order of the feeds.", no_args_is_help=True)

FeedOption = Annotated[FeedName, typer.Option("--feed", help="Whose events.")]
TypesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type", parser=given, metavar="TYPE", help="Only of this type; may be repeated."
    ),
]
_PLACES = "as an event told it; earliest: all that is kept; latest: from now on"


@app.command("list")
def list_events(
    feed: FeedOption = FeedName.ORDERS,
    after: Annotated[
        str, typer.Option("--after", metavar="CURSOR", help=f"Begin behind this: {_PLACES}.")
    ] = "earliest",
    types: TypesOption = None,
    limit: LimitOption = 50,
    orders: OrdersOption = ORDERS_ADDRESS,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List events, the oldest first; JSON has their contents, and where to go on."""

    async def found(client: Holdfast) -> tuple[list[Event], str]:
        events: list[Event] = []
        cursor = after
        while len(events) < limit:
            page = await client.events.read(
                after=cursor, feed=feed, types=types or (), limit=min(limit - len(events), 1_000)
            )
            events += page.events
            if page.next_cursor == cursor:
                break
            cursor = page.next_cursor
        return events, cursor

    events, next_cursor = Connection(orders, inventory, data, reads=True).run(found)
    if output is Output.JSON:
        print_json({"events": [_plain(event) for event in events], "next_cursor": next_cursor})
        return
    print_table(
        ("time", "event", "subject", "sequence", "cursor"),
        [(one.time, one.name, one.subject, one.sequence, one.cursor) for one in events],
    )
    print_line(f"go on with --after {next_cursor}")


@app.command()
def follow(
    feed: FeedOption = FeedName.ORDERS,
    after: Annotated[
        str, typer.Option("--after", metavar="CURSOR", help=f"Begin behind this: {_PLACES}.")
    ] = "latest",
    types: TypesOption = None,
    orders: OrdersOption = ORDERS_ADDRESS,
    inventory: InventoryOption = INVENTORY_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show events as they happen, until Ctrl-C; JSON is one object a line.

    A service that restarts is waited for, and nothing is missed meanwhile.
    """

    async def show(client: Holdfast) -> None:
        async for event in client.events.follow(after=after, feed=feed, types=types or ()):
            if output is Output.JSON:
                print_json_line(_plain(event))
            else:
                at = event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                print_line(f"{at}  {event.name}  {event.subject}  {event.sequence}  {event.cursor}")

    Connection(orders, inventory, data, reads=True).run(show)


def _plain(event: Event) -> dict[str, object]:
    """An event as HTTP tells it."""
    from holdfast.chassis.http.json_writing import writer_of

    data = event.data
    return {
        "id": event.id,
        "type": event.type,
        "subject": event.subject,
        "time": event.time,
        "sequence": event.sequence,
        "data": None if data is None else writer_of(data.DESCRIPTOR)(data),
        "cursor": event.cursor,
    }
