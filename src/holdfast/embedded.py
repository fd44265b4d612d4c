"""Both services in one process, on SQLite files and a local broker: Holdfast without a server.

What embedded mode is: these two objects, `Sqlite` and `LocalBroker`, where the cluster has
PostgreSQL and RabbitMQ.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from holdfast.chassis.database.engines import connect, sqlite_url
from holdfast.chassis.database.migrations import is_newest, migrate
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.inventory import service as inventory_service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.orders import service as orders_service
from holdfast.orders.settings import Limits

DRAIN_S_MAX = 10.0
DRAIN_LOOK_S = 0.02

log = structlog.get_logger()


class DataInUse(Exception):
    """Another process uses the data folder."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the two services listen, as HOST:PORT."""

    orders: str
    inventory: str


@asynccontextmanager
async def running(
    data: Path,
    *,
    host: str = "127.0.0.1",
    orders_port: int = 0,
    inventory_port: int = 0,
    limits: Limits | None = None,
) -> AsyncIterator[Addresses]:
    """Serve while the block runs, on the files in `data`, which are made where they are missing.

    On leaving, calls under way end first, and then events under way, for at most DRAIN_S_MAX; what
    is left is on the disk and goes on at the next start.

    :param orders_port: 0 picks a free port, and so for `inventory_port`.
    :raises DataInUse: another process uses the folder.
    :raises AddressInUse: a port is taken.
    """
    with owned(data):
        urls = {name: sqlite_url(data / f"{name}.db") for name in ("orders", "inventory")}
        for name, url in urls.items():
            if not await is_newest(name, url):
                await asyncio.to_thread(migrate, name, url)
        broker = LocalBroker([ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS])
        async with (
            connect(urls["orders"]) as orders_database,
            connect(urls["inventory"]) as inventory_database,
            inventory_service.running(
                inventory_database, broker, listen=f"{host}:{inventory_port}"
            ) as inventory,
            orders_service.running(
                orders_database,
                broker,
                inventory=inventory.address,
                listen=f"{host}:{orders_port}",
                limits=limits or Limits(),
                finish=lambda finished: drain(finished, inventory.relay.is_empty),
            ) as orders,
        ):
            yield Addresses(orders.address, inventory.address)


@contextmanager
def owned(data: Path) -> Iterator[None]:
    """Own the data folder: two processes on it would both think that they are the only one."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(
                f"another process uses {data}: "
                "stop it, or use its services with --orders and --inventory"
            ) from None
        yield


async def drain(*checks: Callable[[], Awaitable[bool]]) -> None:
    """Wait until nothing is on its way between the services, while nobody calls them."""
    quiet_looks = 0
    try:
        async with asyncio.timeout(DRAIN_S_MAX):
            while quiet_looks < 2:  # an answer may fill the one just looked at
                is_quiet = all([await check() for check in checks])
                quiet_looks = quiet_looks + 1 if is_quiet else 0
                await asyncio.sleep(0 if is_quiet else DRAIN_LOOK_S)
    except TimeoutError:
        log.warning("events are left in the outbox; they go on at the next start")
