"""How a command reaches the services: at their addresses, or run inside it on their databases."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from holdfast.cli.exits import NOT_FOUND, Failed, engine_errors
from holdfast.client import Holdfast, Tls
from holdfast.home import USUAL_FOLDER, Home, in_folder, in_postgres

ORDERS_ADDRESS = "127.0.0.1:7001"
INVENTORY_ADDRESS = "127.0.0.1:7002"
NOTIFIER_ADDRESS = "127.0.0.1:7005"
DATA_FOLDER = USUAL_FOLDER
DATABASE = "HOLDFAST_DATABASE"  # the variable that names a database in place of that folder

# Nobody wants to wait for a server that is not there, but a restart should pass unnoticed.
RETRY_S = 2.0

OrdersOption = Annotated[
    str,
    typer.Option(
        "--orders", envvar="HOLDFAST_ORDERS", metavar="HOST:PORT", help="Where Orders is."
    ),
]
InventoryOption = Annotated[
    str,
    typer.Option(
        "--inventory", envvar="HOLDFAST_INVENTORY", metavar="HOST:PORT", help="Where Inventory is."
    ),
]
NotifierOption = Annotated[
    str,
    typer.Option(
        "--notifier", envvar="HOLDFAST_NOTIFIER", metavar="HOST:PORT", help="Where the Notifier is."
    ),
]


def home(text: object) -> Home:
    """Read where data are: a folder, or the URL of a PostgreSQL database."""
    if "://" in str(text):
        return _postgres(str(text))
    folder = Path(str(text))
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is a file, and no folder")
    if folder.is_symlink() and not folder.exists():
        raise typer.BadParameter(f"{folder} is a link to {folder.readlink()}, which is not there")
    return in_folder(folder)


def usual_home() -> Home:
    """Where data are, if nobody says where."""
    url = os.environ.get(DATABASE)
    return _postgres(url, hint=DATABASE) if url else in_folder(DATA_FOLDER)


def nothing_in(data: Home) -> str:
    """What is told of data that are not there."""
    if data.is_new():
        return f"there are no databases of Holdfast in {data.name}: see --data"
    return f"there is no {' and no '.join(map(str, data.missing()))}, though others are: restore it"


def _postgres(url: str, hint: str | None = None) -> Home:
    try:
        return in_postgres(url)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from error


DataOption = Annotated[
    Home | None,
    typer.Option(
        "--data",
        "--database",
        parser=home,
        metavar="DIR|URL",
        help="Run the services in this command, on this folder or PostgreSQL database, instead "
        "of calling any.",
    ),
]
HomeOption = Annotated[
    Home | None,
    typer.Option(
        "--data",
        "--database",
        parser=home,
        metavar="DIR|URL",
        help="Where everything is kept: a folder, or a PostgreSQL database (postgresql://...). "
        f"Default: {DATABASE} in the environment, or ./{DATA_FOLDER}.",
    ),
]

T = TypeVar("T")


# What was told before the command: `holdfast --tls ...`, or by HOLDFAST_TLS*.
chosen_tls: ContextVar[Tls | bool] = ContextVar("tls", default=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """Which services a command speaks to; data come before the addresses.

    :param reads: and changes nothing: there would be nothing to read in data that it had to make.
    """

    orders: str = ORDERS_ADDRESS
    inventory: str = INVENTORY_ADDRESS
    data: Home | None = None
    tls: Tls | bool = field(default_factory=chosen_tls.get)
    notifier: str = NOTIFIER_ADDRESS
    reads: bool = False

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Holdfast]:
        """A client for as long as the block runs, and with data the services too.

        :raises Failed: the data cannot be used, or are not there to be read.
        """
        if self.data is None:
            async with Holdfast(
                self.orders,
                self.inventory,
                retry_s=RETRY_S,
                tls=self.tls,
                notifier=self.notifier,
            ) as client:
                yield client
            return
        if self.reads and self.data.is_new():
            raise Failed(nothing_in(self.data), NOT_FOUND)
        from holdfast.chassis.process.telemetry import configure_logging
        from holdfast.embedded import running

        configure_logging("WARNING")
        with engine_errors():
            async with (
                running(self.data) as services,
                Holdfast(
                    services.orders,
                    services.inventory,
                    key=services.key,
                    notifier=services.notifier,
                ) as client,
            ):
                yield client

    def run(self, call: Callable[[Holdfast], Awaitable[T]]) -> T:
        """Do something with a client, and wait for it."""

        async def connected() -> T:
            async with self.client() as client:
                return await call(client)

        return asyncio.run(connected())
