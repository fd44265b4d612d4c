"""`holdfast mail`: mails that tell customers of their orders."""

from typing import Annotated

import typer

from holdfast.cli.arguments import LimitOption, given, names_of, one_of
from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import NOTIFIER_ADDRESS, Connection, DataOption, NotifierOption
from holdfast.cli.output import Output, OutputOption, print_json, print_line, print_table
from holdfast.client import Holdfast, Mail, MailState

app = CommandGroup(help="Mails that tell customers of their orders.", no_args_is_help=True)


@app.command("list")
def list_mails(
    state: Annotated[
        MailState | None,
        typer.Option(
            parser=one_of(MailState, "state of a mail"),
            metavar="STATE",
            help=f"Only these: {names_of(MailState)}.",
        ),
    ] = None,
    order: Annotated[
        str | None, typer.Option(parser=given, metavar="ORDER", help="Only about this order.")
    ] = None,
    limit: LimitOption = 50,
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List mails, the newest first, and what keeps back those that were not sent."""

    async def found(client: Holdfast) -> list[Mail]:
        listed = client.mails.list(state=state, order_id=order or "", limit=limit)
        return [one async for one in listed]

    mails = Connection(notifier=notifier, data=data, reads=True).run(found)
    if output is Output.JSON:
        print_json(mails)
        return
    print_table(
        ("event", "order", "tells", "state", "attempts", "problem", "next"),
        [
            (
                one.event_id,
                one.order_id,
                one.kind,
                one.state.lower(),
                one.attempts,
                one.problem,
                one.next_attempt_time,
            )
            for one in mails
        ],
    )


@app.command()
def retry(
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="As listed.")],
    notifier: NotifierOption = NOTIFIER_ADDRESS,
    data: DataOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send a mail at once that was not sent."""
    mail = Connection(notifier=notifier, data=data).run(lambda client: client.mails.retry(event_id))
    if output is Output.JSON:
        print_json(mail)
    else:
        print_line(f"{mail.event_id} is {mail.state.lower()}")
