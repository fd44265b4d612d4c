"""`holdfast webhook`: places that are told of events, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import typer

from holdfast.cli.arguments import (
    LimitOption,
    RequestIdOption,
    VersionOption,
    given,
    names_of,
    one_of,
)
from holdfast.cli.arguments import time as moment
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import NOTIFIER_ADDRESS, Connection, DataOption, NotifierOption
from holdfast.cli.exits import REFUSED, repeatable_as
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_facts,
    print_json,
    print_line,
    print_table,
)
from holdfast.client import (
    Attempt,
    Delivery,
    DeliveryState,
    Holdfast,
    Webhook,
    WebhookSecret,
)

app = CommandGroup(help="Places that are told of events.", no_args_is_help=True)

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, as listed.")]
TypesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--types",
        metavar="TYPE",
        help="Only these events, such as OrderConfirmed. Repeatable, or with commas between.",
    ),
]
SinceOption = Annotated[
    datetime | None,
    typer.Option(parser=moment, metavar="TIME", help="What happened at or after this."),
]
AfterOrdersOption = Annotated[
    str | None,
    typer.Option(
        parser=given,
        metavar="CURSOR",
        help="What follows this in the feed of Orders; or earliest.",
    ),
]
AfterInventoryOption = Annotated[
    str | None,
    typer.Option(
        parser=given,
        metavar="CURSOR",
        help="What follows this in the feed of Inventory; or earliest.",
    ),
]


@app.command()
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST/PATH")],
    types: TypesOption = None,
    description: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    in_order: Annotated[
        bool,
        typer.Option(
            "--in-order", help="Each event waits for the one before, whatever they are about."
        ),
    ] = False,
    since: SinceOption = None,
    after_orders: AfterOrdersOption = None,
    after_inventory: AfterInventoryOption = None,
    request_id: RequestIdOption = None,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a webhook, and print the secret that signs what it is sent.

    It is sent what happens from now on; with --since or --after-..., also what the feeds still have
    of before.
    """
    with repeatable_as(request_id) as own_id:
        made = Connection(notifier=notifier, data=data).run(
            lambda client: client.webhooks.create(
                url,
                types=_types(types) or (),
                description=description,
                in_order=in_order,
                after=_place(since, after_orders, after_inventory),
                request_id=own_id,
            )
        )
    _show_secret(made, output)


@app.command("list")
def list_webhooks(
    limit: LimitOption = 50,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List webhooks, the newest first."""

    async def found(client: Holdfast) -> list[Webhook]:
        return [one async for one in client.webhooks.list(limit=limit)]

    webhooks = Connection(notifier=notifier, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(webhooks)
        return
    print_table(
        ("webhook", "url", "events", "state", "failing since"),
        [
            (one.webhook_id, one.url, _events(one), _state(one), one.failing_since)
            for one in webhooks
        ],
    )


@app.command()
def get(
    webhook_id: WebhookId,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a webhook."""
    _show(
        Connection(notifier=notifier, data=data, reads=True).run(
            lambda c: c.webhooks.get(webhook_id)
        ),
        output,
    )


@app.command()
def update(
    webhook_id: WebhookId,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where to send.")] = None,
    types: TypesOption = None,
    all_types: Annotated[bool, typer.Option("--all-types", help="All events.")] = False,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether it is sent anything.")
    ] = None,
    version: VersionOption = None,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change a webhook.

    Made inactive, it is sent nothing, and what waits for it is given up; `webhook replay` brings
    that later.
    """
    if types and all_types:
        raise typer.BadParameter("give --types or --all-types, not both")
    wanted = [] if all_types else _types(types)
    if all(one is None for one in (url, wanted, description, active)):
        raise typer.BadParameter(
            "nothing to change: give --url, --types, --all-types, --description, --active or "
            "--inactive"
        )

    async def change(client: Holdfast) -> Webhook:
        now = version or (await client.webhooks.get(webhook_id)).version
        return await client.webhooks.update(
            webhook_id,
            version=now,
            url=url,
            types=wanted,
            description=description,
            active=active,
        )

    _show(Connection(notifier=notifier, data=data).run(change), output)


@app.command()
def delete(
    webhook_id: WebhookId,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a webhook, with all that was recorded of its deliveries."""
    deleted = Connection(notifier=notifier, data=data).run(
        lambda client: client.webhooks.delete(webhook_id)
    )
    if output is Output.JSON:
        print_json(deleted)
    else:
        print_line(f"deleted {deleted.webhook_id}, which was sent to {deleted.url}")


@app.command("test")
def try_out(
    webhook_id: WebhookId,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send a test event at once, and show what came of it. Exits with 1 if it did not arrive."""
    attempt = Connection(notifier=notifier, data=data).run(
        lambda client: client.webhooks.test(webhook_id)
    )
    if output is Output.JSON:
        print_json(attempt)
    else:
        print_line(_told(attempt))
    if not attempt.delivered:
        raise typer.Exit(REFUSED)


@app.command()
def rotate(
    webhook_id: WebhookId,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make another secret; for a day, what is sent is signed with both."""
    made = Connection(notifier=notifier, data=data).run(
        lambda client: client.webhooks.rotate(webhook_id)
    )
    _show_secret(made, output)


@app.command()
def replay(
    webhook_id: WebhookId,
    failed: Annotated[bool, typer.Option("--failed", help="Only what was given up.")] = False,
    since: SinceOption = None,
    after_orders: AfterOrdersOption = None,
    after_inventory: AfterInventoryOption = None,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send again what was given up, or what the feeds have behind a place.

    Each event keeps its id, by which a receiver knows it.
    """
    place = _place(since, after_orders, after_inventory)
    if failed == (place is not None):
        raise typer.BadParameter("give --failed, or a place: --since, --after-orders, ...")
    webhook = Connection(notifier=notifier, data=data).run(
        lambda client: client.webhooks.replay(webhook_id, place)
    )
    _show(webhook, output)


@app.command()
def deliveries(
    webhook_id: WebhookId,
    state: Annotated[
        DeliveryState | None,
        typer.Option(
            parser=one_of(DeliveryState, "state of a delivery"),
            metavar="STATE",
            help=f"Only these: {names_of(DeliveryState)}.",
        ),
    ] = None,
    limit: LimitOption = 50,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what was delivered, is to be, or was given up, the newest first."""

    async def found(client: Holdfast) -> list[Delivery]:
        return [
            one async for one in client.webhooks.deliveries(webhook_id, state=state, limit=limit)
        ]

    listed = Connection(notifier=notifier, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(listed)
        return
    print_table(
        ("event", "type", "subject", "state", "attempts", "last", "next"),
        [
            (
                one.event_id,
                one.type.rpartition(".")[2],
                one.subject,
                one.state.lower(),
                one.attempts,
                _told(one.last_attempt) if one.last_attempt else "",
                one.next_attempt_time,
            )
            for one in listed
        ],
    )


@app.command()
def redeliver(
    webhook_id: WebhookId,
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, as listed.")],
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send one event once more."""
    delivery = Connection(notifier=notifier, data=data).run(
        lambda client: client.webhooks.redeliver(webhook_id, event_id)
    )
    if output is Output.JSON:
        print_json(delivery)
    else:
        print_line(f"{delivery.event_id} is {delivery.state.lower()}")


def _types(told: list[str] | None) -> list[str] | None:
    if not told:
        return None
    types = [name.strip() for names in told for name in names.split(",") if name.strip()]
    if not types:  # as of a variable that was never set: none would mean all of them
        raise typer.BadParameter("names no event", param_hint="--types")
    return types


def _place(
    since: datetime | None, after_orders: str | None, after_inventory: str | None
) -> Mapping[str, str] | datetime | None:
    cursors = {"orders": after_orders, "inventory": after_inventory}
    told = {feed: cursor for feed, cursor in cursors.items() if cursor}
    if since is not None and told:
        raise typer.BadParameter("give --since or cursors, not both")
    return since or told or None


def _events(webhook: Webhook) -> str:
    return ", ".join(name.rpartition(".")[2] for name in webhook.types) or "all"


def _state(webhook: Webhook) -> str:
    return webhook.state.lower() + (", catching up" if webhook.catching_up else "")


def _told(attempt: Attempt) -> str:
    if attempt.delivered:
        return f"arrived ({attempt.status})"
    return attempt.problem or f"answered with {attempt.status}"


def _show_secret(made: WebhookSecret, output: Output) -> None:
    if output is Output.JSON:
        print_json(made)
        return
    _show(made.webhook, output)
    print_line(f"\nsecret: {made.secret}\nKeep it where only the receiver can read it.")


def _show(webhook: Webhook, output: Output) -> None:
    if output is Output.JSON:
        print_json(webhook)
        return
    print_facts(
        {
            "webhook": webhook.webhook_id,
            "url": webhook.url,
            "description": webhook.description,
            "events": _events(webhook),
            "in order": "as a whole" if webhook.in_order else "by subject",
            "state": _state(webhook),
            "failing since": webhook.failing_since,
            "made": webhook.create_time,
            "version": webhook.version,
        }
    )
