"""The commands that read or mend the databases themselves: migrate, verify, dead letters."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from holdfast.cli.commands import CommandGroup
from holdfast.cli.connection import HomeOption, nothing_in, usual_home
from holdfast.cli.exits import NOT_FOUND, REFUSED, USAGE, Failed, engine_errors
from holdfast.cli.output import (
    Output,
    OutputOption,
    print_json,
    print_line,
    print_table,
)
from holdfast.home import SERVICES, Home

dead_letters_app = CommandGroup(
    help="Events that could not be handled: list them, send them back.", no_args_is_help=True
)

KEPT_DAYS_MAX = 36_500.0

OrdersDatabaseOption = Annotated[
    str,
    typer.Option(
        "--orders-db",
        envvar="HOLDFAST_ORDERS_DATABASE",
        metavar="URL",
        help="The database of Orders.",
    ),
]
InventoryDatabaseOption = Annotated[
    str,
    typer.Option(
        "--inventory-db",
        envvar="HOLDFAST_INVENTORY_DATABASE",
        metavar="URL",
        help="The database of Inventory.",
    ),
]
NotifierDatabaseOption = Annotated[
    str,
    typer.Option(
        "--notifier-db",
        envvar="HOLDFAST_NOTIFIER_DATABASE",
        metavar="URL",
        help="The database of the Notifier.",
    ),
]


def migrate(
    data: HomeOption = None,
    orders_db: OrdersDatabaseOption = "",
    inventory_db: InventoryDatabaseOption = "",
    notifier_db: NotifierDatabaseOption = "",
    sql: Annotated[
        bool, typer.Option("--sql", help="Change nothing; print the SQL for a new database.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Bring databases to the newest schema; with URLs only these. A repeat does nothing."""
    from holdfast.chassis.database import migrations

    urls = _urls(data, orders_db, inventory_db, notifier_db)
    with engine_errors():
        if sql:
            for service, url in urls.items():
                print_line(f"-- the database of {service}\n{migrations.script(service, url)}")
            return
        applied = {service: migrations.migrate(service, url) for service, url in urls.items()}
    if output is Output.JSON:
        print_json(applied)
        return
    for service, revisions in applied.items():
        print_line(f"{service}: {', '.join(revisions) or 'nothing to do'}")


def verify(
    data: HomeOption = None,
    orders_db: OrdersDatabaseOption = "",
    inventory_db: InventoryDatabaseOption = "",
    notifier_db: NotifierDatabaseOption = "",
    kept_days: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=KEPT_DAYS_MAX,
            help="How long the Notifier is told to keep what it has told.",
        ),
    ] = 30.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Recompute everything from the movements and the orders, and name every contradiction.

    With URLs, the Notifier is checked if its own is given. Exits with 1 if there is any
    contradiction.
    """
    both = _existing(data, orders_db, inventory_db, notifier_db)
    is_by_url = data is None and (orders_db or inventory_db)
    notifier = notifier_db if is_by_url else (data or usual_home()).notifier
    from holdfast.verification import verify as recompute

    with engine_errors():
        report = asyncio.run(recompute(both.orders, both.inventory, notifier, kept_days=kept_days))
    if output is Output.JSON:
        print_json({**asdict(report), "ok": report.ok})
    else:
        print_table(("checked", "count"), report.checked.items())
        for note in report.notes:
            print_line(f"note: {note}")
        for contradiction in report.contradictions:
            print_line(f"CONTRADICTION: {contradiction}")
        found = len(report.contradictions)
        print_line("no contradiction" if report.ok else f"contradictions: {found}")
    if not report.ok:
        raise typer.Exit(REFUSED)


@dead_letters_app.command("list")
def list_letters(
    data: HomeOption = None,
    orders_db: OrdersDatabaseOption = "",
    inventory_db: InventoryDatabaseOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters of both services with the reason of each, oldest first."""
    both = _existing(data, orders_db, inventory_db)
    from holdfast.chassis.messaging.dead_letters import list_dead_letters

    with engine_errors():
        letters = [
            {"service": service, **asdict(letter)}
            for service, url in asdict(both).items()
            for letter in asyncio.run(list_dead_letters(url))
        ]
    if output is Output.JSON:
        print_json(letters)
        return
    columns = ("service", "letter_id", "event_type", "subject", "reason", "parked_at")
    print_table(columns, [[letter[column] for column in columns] for letter in letters])


@dead_letters_app.command("replay")
def replay_letters(
    letter_ids: Annotated[
        list[str] | None, typer.Argument(metavar="LETTER_ID", help="Which of them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    data: HomeOption = None,
    orders_db: OrdersDatabaseOption = "",
    inventory_db: InventoryDatabaseOption = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Send dead letters back the way they came, once their cause is mended."""
    if bool(letter_ids) == every:
        raise typer.BadParameter("name dead letters by their ids, or give --all")
    both = _existing(data, orders_db, inventory_db)
    from holdfast.chassis.messaging.dead_letters import replay_dead_letters
    from holdfast.embedded import SUBSCRIPTIONS

    chosen = None if every else letter_ids
    with engine_errors():
        sent_back = {
            service: asyncio.run(replay_dead_letters(url, SUBSCRIPTIONS, chosen))
            for service, url in asdict(both).items()
        }
    if output is Output.JSON:
        print_json(sent_back)
    else:
        for service, count in sent_back.items():
            print_line(f"{service}: {count} sent back")
    missing = len(set(letter_ids or [])) - sum(sent_back.values())
    if missing > 0:
        what = "one of these dead letters" if missing == 1 else f"{missing} of these dead letters"
        raise Failed(
            f"{what} cannot be found, or holds no event that is heard here: "
            "see `holdfast dead-letters list`",
            NOT_FOUND,
        )


@dataclass(frozen=True, slots=True)
class _Databases:
    """Both databases by URL; "" is one that was not named."""

    orders: str
    inventory: str


def _urls(data: Home | None, *told: str) -> dict[str, str]:
    """The databases to migrate, by service: those that were told, or all of the usual place."""
    if data is None and any(told):
        named = zip(SERVICES, map(_checked, told), strict=True)
        return {service: url for service, url in named if url}
    return (data or usual_home()).urls


def _databases(data: Home | None, orders_db: str, inventory_db: str) -> _Databases:
    """What was asked for: data before URLs, and without either the usual place."""
    if data is None and (orders_db or inventory_db):
        return _Databases(_checked(orders_db), _checked(inventory_db))
    home = data or usual_home()
    return _Databases(home.orders, home.inventory)


def _existing(
    data: Home | None, orders_db: str, inventory_db: str, notifier_db: str = ""
) -> _Databases:
    """Both databases, if they are there and this program can read them."""
    both = _databases(data, orders_db, inventory_db)
    if data is None and (orders_db or inventory_db):
        if not (both.orders and both.inventory):
            raise typer.BadParameter("give both --orders-db and --inventory-db, or --data")
        urls = _urls(None, both.orders, both.inventory, notifier_db)
    else:
        home = data or usual_home()
        if not home.is_there():
            raise Failed(nothing_in(home), NOT_FOUND)
        urls = home.urls
    with engine_errors():
        asyncio.run(_require_newest(urls))
    return both


async def _require_newest(urls: Mapping[str, str]) -> None:
    from holdfast.chassis.database.engines import connect
    from holdfast.chassis.database.migrations import require_newest

    for service, url in urls.items():
        async with connect(url, wait=False) as database:
            await require_newest(database, service)


def _checked(url: str) -> str:
    from holdfast.chassis.database.engines import engine_of

    try:
        if url:
            engine_of(url)
    except ValueError as error:
        raise Failed(str(error), USAGE) from error
    return url
