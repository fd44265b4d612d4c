"""How a command reaches the services: at their addresses, or run inside it on a data folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from holdfast.cli.exits import engine_errors
from holdfast.client import Holdfast

ORDERS_ADDRESS = "127.0.0.1:7001"
INVENTORY_ADDRESS = "127.0.0.1:7002"
DATA_FOLDER = Path("holdfast-data")

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
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        file_okay=False,
        help="Run both services in this command, on this folder, instead of calling any.",
    ),
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connection:
    """Which services a command speaks to; a data folder comes before the addresses."""

    orders: str = ORDERS_ADDRESS
    inventory: str = INVENTORY_ADDRESS
    data: Path | None = None

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Holdfast]:
        """A client for as long as the block runs, and with a data folder both services too.

        :raises Failed: the data folder cannot be used.
        """
        if self.data is None:
            async with Holdfast(self.orders, self.inventory, retry_s=RETRY_S) as client:
                yield client
            return
        from holdfast.chassis.process.telemetry import configure_logging
        from holdfast.embedded import running

        configure_logging("WARNING")
        with engine_errors():
            async with (
                running(self.data) as services,
                Holdfast(services.orders, services.inventory) as client,
            ):
                yield client

    def run(self, call: Callable[[Holdfast], Awaitable[T]]) -> T:
        """Do something with a client, and wait for it."""

        async def connected() -> T:
            async with self.client() as client:
                return await call(client)

        return asyncio.run(connected())
