"""All services in one process, with a local broker: Holdfast without RabbitMQ.

What embedded mode is: `LocalBroker` where the cluster has RabbitMQ, on SQLite files or on schemas
of one PostgreSQL database, one for each service.
"""

import asyncio
import fcntl
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr, model_validator

from holdfast.chassis.database.engines import connect
from holdfast.chassis.database.migrations import is_newest, migrate
from holdfast.chassis.database.postgres import LEADERSHIP_IDLE_S
from holdfast.chassis.database.seam import Leadership
from holdfast.chassis.http.server import serving_http
from holdfast.chassis.identity import keys
from holdfast.chassis.identity.issuers import Issuer, Issuers
from holdfast.chassis.identity.passwords import PASSWORD_DEFAULTS, PasswordSettings
from holdfast.chassis.identity.settings import IdentitySettings, OperatorSettings
from holdfast.chassis.messaging.feed import FEED_DEFAULTS, FeedSettings
from holdfast.chassis.messaging.local_broker import LocalBroker
from holdfast.chassis.process.configuration import ServiceSettings, load_settings
from holdfast.chassis.process.lifecycle import background, holding
from holdfast.chassis.process.ports import PortSettings
from holdfast.chassis.transient import Transient
from holdfast.console.service import mounted
from holdfast.console.settings import NO_PROVIDER, SignInSettings
from holdfast.home import Home, kept_key, kept_sealing_keys, require_whole
from holdfast.inventory import service as inventory_service
from holdfast.inventory.presentation.subscriptions import INVENTORY_TO_ORDERS, ORDERS_TO_INVENTORY
from holdfast.notifier import service as notifier_service
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.settings import TELLING_DEFAULTS, TellingSettings
from holdfast.orders import service as orders_service
from holdfast.orders.service import Check
from holdfast.orders.settings import Limits
from holdfast.private_sockets import Private, private_sockets

DRAIN_S_MAX = 10.0
DRAIN_LOOK_S = 0.02

SUBSCRIPTIONS = (ORDERS_TO_INVENTORY, INVENTORY_TO_ORDERS)

RIGHT = "up"  # to be the only process on a PostgreSQL database
RIGHT_LOOK_S = 1.0
START_S_MAX = 3.0  # PostgreSQL takes a moment to see that a process was killed
# A session of our own whose connection broke keeps the right until the server ends it.
GIVE_UP_S = LEADERSHIP_IDLE_S + 5.0

log = structlog.get_logger()


class DataInUse(Exception):
    """Another process uses the data folder or the database."""

    def __init__(self, home: str) -> None:
        super().__init__(
            f"another process uses {home}: "
            "stop it, or use its services with --orders and --inventory"
        )


class UpSettings(  # type: ignore[misc] # of two configurations the first counts
    ServiceSettings,
    PortSettings,
    OperatorSettings,
    PasswordSettings,
    Limits,
    FeedSettings,
    TellingSettings,
    SignInSettings,
):
    """What may be set of the services of `holdfast up`: HOLDFAST_UP_*, or [up] in a TOML file.

    :param issuers: whose tokens are good, beside keys.
    """

    issuers: Issuers = ()

    @model_validator(mode="after")
    def _takes_whom_it_signs_in(self) -> "UpSettings":
        if self.oidc_issuer and self.oidc_issuer not in [one.issuer for one in self.issuers]:
            raise ValueError(
                f"oidc_issuer {self.oidc_issuer} is none of `issuers`: its tokens would be refused"
            )
        return self


def load_settings_of_up(config: Path | None = None) -> UpSettings:
    """Read the environment over the file over the defaults.

    :raises ValueError: something is malformed, unknown or of no use; the message names it.
    """
    return load_settings(UpSettings, "up", config)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services listen, as HOST:PORT; and where HTTP/JSON has all, "" for nowhere.

    :param key: one that may do everything; "": nobody is asked for any.
    :param console: path of a link, at `http`, that signs one browser in, with that key.
    """

    orders: str
    inventory: str
    http: str = ""
    key: str = ""
    notifier: str = ""
    console: str = ""


@asynccontextmanager
async def running(
    home: Home,
    *,
    host: str = "127.0.0.1",
    orders_port: int = 0,
    inventory_port: int = 0,
    notifier_port: int = 0,
    http_port: int | None = None,
    limits: Limits | None = None,
    port: PortSettings | None = None,
    operator_key: str | None = None,
    issuers: tuple[Issuer, ...] = (),
    passwords: PasswordSettings = PASSWORD_DEFAULTS,
    feed_settings: FeedSettings = FEED_DEFAULTS,
    telling: TellingSettings = TELLING_DEFAULTS,
    sign_in: SignInSettings = NO_PROVIDER,
) -> AsyncIterator[Addresses]:
    """Serve while the block runs, on databases whose files or schemas are made where they are
    missing.

    On leaving, calls under way end first, and then events under way, for at most DRAIN_S_MAX; what
    is left is in the databases and goes on at the next start.

    :param orders_port: 0 picks a free port, and so for the others. `http_port` None: HTTP/JSON is
        not served.
    :param port: certificates and limits of all ports.
    :param operator_key: a key that may do everything; None: the one that is kept beside the data,
        made where there is none; "": nobody is asked for a key.
    :param issuers: whose tokens are good, beside keys.
    :param passwords: what those of users cost.
    :param feed_settings: of Orders and Inventory. `telling`: webhooks and mails.
    :param sign_in: at which provider people sign in to the console, if at any.
    :raises DataInUse: another process uses them; also while the block runs, which is cancelled,
        when another took this one's place behind a broken connection.
    :raises DatabaseUnavailable: PostgreSQL is not there, or does not let us in.
    :raises AddressInUse, DataMissing, KeyUnusable: a port is taken; a file is gone, or no key.
    """
    async with owned(home):
        require_whole(home)
        for name, url in home.urls.items():
            if not await is_newest(name, url):
                await asyncio.to_thread(migrate, name, url)
        async with serving(
            home,
            orders_at=f"{host}:{orders_port}",
            inventory_at=f"{host}:{inventory_port}",
            http_at="" if http_port is None else f"{host}:{http_port}",
            limits=limits or Limits(),
            port=port,
            operator_key=kept_key(home) if operator_key is None else operator_key,
            issuers=issuers,
            passwords=passwords,
            feed_settings=feed_settings,
            notifier_at=f"{host}:{notifier_port}",
            telling=telling,
            sign_in=sign_in,
        ) as addresses:
            yield addresses


@asynccontextmanager
async def serving(
    home: Home,
    *,
    orders_at: str,
    inventory_at: str,
    limits: Limits,
    operator_key: str,
    http_at: str = "",
    port: PortSettings | None = None,
    issuers: tuple[Issuer, ...] = (),
    passwords: PasswordSettings = PASSWORD_DEFAULTS,
    feed_settings: FeedSettings = FEED_DEFAULTS,
    notifier_at: str = "127.0.0.1:0",
    telling: TellingSettings = TELLING_DEFAULTS,
    sign_in: SignInSettings = NO_PROVIDER,
) -> AsyncIterator[Addresses]:
    """Serve on databases that are ready, whoever else uses them. With TLS, services ask each other
    over sockets that only this user can open: they need no certificate then, nor must the ports'
    have the names by which they would call themselves.
    """
    broker = LocalBroker(SUBSCRIPTIONS)
    alike = _alike(operator_key, issuers, port)
    async with (
        private_sockets(wanted=port is not None and port.tls is not None) as private,
        connect(home.orders) as orders_database,
        connect(home.inventory) as inventory_database,
        inventory_service.running(
            inventory_database,
            broker,
            listen=inventory_at,
            feed_settings=feed_settings,
            private=private.inventory,
            **alike,
        ) as inventory,
        orders_service.running(
            orders_database,
            broker,
            inventory=private.inventory or inventory.address,
            listen=orders_at,
            limits=limits,
            feed_settings=feed_settings,
            private=private.orders,
            passwords=passwords,
            finish=lambda finished: drain(inventory, finished),
            **alike,
        ) as orders,
        notifying(
            home,
            orders=private.orders or orders.address,
            inventory=private.inventory or inventory.address,
            listen=notifier_at,
            private=private.notifier,
            telling=telling,
            **alike,
        ) as notifier,
        serving_browsers(
            http_at, home, orders, inventory, notifier, private, sign_in, **alike
        ) as at,
    ):
        yield at


def _alike(
    operator_key: str, issuers: tuple[Issuer, ...], port: PortSettings | None
) -> dict[str, Any]:
    """What all services are told. Callers are asked who they are if there is an operator to make
    keys for them.
    """
    service_key = SecretStr(keys.make())
    identity = IdentitySettings(auth=bool(operator_key), issuers=issuers, service_key=service_key)
    return {"identity": identity, "port": port, "operator_key": SecretStr(operator_key)}


@asynccontextmanager
async def notifying(home: Home, **how: Any) -> AsyncIterator[notifier_service.Notifier]:
    """The Notifier, beside services that are there; what seals its secrets lies beside the data."""
    sealer = Sealer(kept_sealing_keys(home))
    async with (
        connect(home.notifier) as database,
        notifier_service.running(database, sealer=sealer, begin_at_once=True, **how) as notifier,
    ):
        yield notifier


@asynccontextmanager
async def serving_browsers(
    http_at: str,
    home: Home,
    orders: orders_service.Orders,
    inventory: inventory_service.Inventory,
    notifier: notifier_service.Notifier,
    private: Private,
    sign_in: SignInSettings,
    *,
    identity: IdentitySettings,
    port: PortSettings | None,
    operator_key: SecretStr,
) -> AsyncIterator[Addresses]:
    """HTTP/JSON of all services and the console, on one port.

    :param sign_in: who is signed in must be known to the services by that.
    """
    reached = (
        private.orders or orders.address,
        private.inventory or inventory.address,
        private.notifier or notifier.address,
    )
    services = [*orders.http, *inventory.http, *notifier.http]
    secure = port is not None and port.tls is not None
    sign_in = sign_in if identity.auth else NO_PROVIDER
    files = home.folder / "imports" if home.folder else None
    key = operator_key.get_secret_value()
    async with (
        mounted(reached, secure=secure, files=files, sign_in=sign_in) as console,
        serving_http(http_at, services, port, mounted=[console, console.files]) as http,
    ):
        link = console.link(key) if http else ""
        at = orders.address, inventory.address
        yield Addresses(*at, http, key, notifier=notifier.address, console=link)


@asynccontextmanager
async def owned(home: Home) -> AsyncIterator[None]:
    """Own the databases: two processes on them would both think that they are the only one.

    :raises DataInUse: another owns them.
    """
    if home.folder is not None:
        with owned_folder(home.folder):
            yield
        return
    async with connect(home.orders, wait=False) as database:
        right = database.leadership(RIGHT)
        async with holding(right):
            if not await taken(right, within_s=START_S_MAX):
                raise DataInUse(home.name)
            async with kept(right, home.name):
                yield


@contextmanager
def owned_folder(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(str(folder)) from None
        yield


async def taken(right: Leadership, *, within_s: float) -> bool:
    """Take the right, or see for so long that somebody else has it.

    :raises DatabaseUnavailable: nobody can tell.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + within_s
    while not await right.held():
        if clock() > ends_at:
            return False
        await asyncio.sleep(RIGHT_LOOK_S)
    return True


@asynccontextmanager
async def kept(
    right: Leadership, home: str, *, give_up_s: float = GIVE_UP_S
) -> AsyncIterator[None]:
    """Keep the right while the block runs: it breaks with its connection, and is taken again.

    Has somebody else had it for `give_up_s`, the block is cancelled. Until then two processes may
    work side by side, which is untidy and harmless: all that decides is in the database, as it is
    for the many processes of a cluster.

    :raises DataInUse: in place of that cancellation.
    """
    block, lost = asyncio.current_task(), asyncio.Event()
    assert block is not None, "called from a coroutine"

    async def look() -> None:
        while True:
            if not await taken(right, within_s=give_up_s) and not lost.is_set():
                log.error("another process has taken this one's place", data=home)
                lost.set()
                block.cancel()
            await asyncio.sleep(RIGHT_LOOK_S)

    try:
        async with background({"ownership": look}):
            yield
    except asyncio.CancelledError:
        if not lost.is_set() or block.uncancel():
            raise
        raise DataInUse(home) from None


async def drain(inventory: inventory_service.Inventory, orders_finished: Check) -> None:
    """Wait until nothing is on its way between the services, when nobody calls Orders any more,
    nor Inventory: a call that it took while Orders ends would leave its events behind.
    """
    await inventory.stop_serving()
    quiet_looks, checks = 0, (orders_finished, inventory.relay.is_empty)
    try:
        async with asyncio.timeout(DRAIN_S_MAX):
            while quiet_looks < 2:  # an answer may fill the one just looked at
                is_quiet = await all_pass(checks)
                quiet_looks = quiet_looks + 1 if is_quiet else 0
                await asyncio.sleep(0 if is_quiet else DRAIN_LOOK_S)
    except TimeoutError:
        log.warning("events are left in the outbox; they go on at the next start")


async def all_pass(checks: Collection[Check]) -> bool:
    """A database that is away can't tell, and may come back."""
    try:
        return all([await check() for check in checks])
    except Transient:
        return False
