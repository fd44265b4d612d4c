"""The testbed that a scenario runs on: private servers, and both services as processes on it."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from grpc import aio

from bench.ledger import Ledger, PostgresLedger, SqliteLedger
from bench.progress import say
from bench.workload import products, stock
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.verification import verify
from testbed.cluster import Cluster, Deployment, Embedded, fresh_places
from testbed.keys import keyed
from testbed.processes import free_port
from testbed.servers import PostgresServer, RabbitmqServer, postgres, rabbitmq
from testbed.services import ALL_SERVICES, SERVICES, settings_of
from testbed.templates import Templates

CALL_S_MAX = 60.0


class Contradicted(Exception):
    """`verify` found contradictions: whatever was measured, it is worth nothing."""


@dataclass(frozen=True, slots=True)
class Testbed:
    """Two running services.

    :param urls: of their databases.
    :param channels: connections to load them through.
    :param http: where Orders serves HTTP/JSON; "" where it does not.
    :param notifier: where the Notifier is; "" where there is none.
    """

    orders: str
    inventory: str
    urls: Mapping[str, str]
    ledger: Ledger
    environment: dict[str, str]
    channels: int = 1
    http: str = ""
    notifier: str = ""


class Servers:
    """The private servers of one bench run, each started when a scenario first needs it.

    :param workers: worker processes in each service of a cluster.
    :param notifies: a cluster has a Notifier, too, of which nobody wants anything.
    """

    def __init__(
        self, folder: Path, started: ExitStack, workers: int = 1, *, notifies: bool = False
    ) -> None:
        self.folder = folder
        self.workers = workers
        self._services = ALL_SERVICES if notifies else SERVICES
        self._started = started
        self._postgres: PostgresServer | None = None
        self._rabbitmq: RabbitmqServer | None = None
        self._templates = Templates(folder)
        self._testbeds = 0

    @property
    def postgres(self) -> PostgresServer:
        if self._postgres is None:
            say("starting PostgreSQL")
            self._postgres = self._started.enter_context(postgres(self.folder))
            # The database then knows when each order was committed, for the latency of settling.
            self._postgres.sql("ALTER SYSTEM SET track_commit_timestamp = on")
            self._postgres.stop()
            self._postgres.start()
        return self._postgres

    @property
    def rabbitmq(self) -> RabbitmqServer:
        if self._rabbitmq is None:
            say("starting RabbitMQ")
            self._rabbitmq = self._started.enter_context(rabbitmq(self.folder))
        return self._rabbitmq

    def settle_down(self) -> None:
        """Write out what the last run left in memory: it would be paid for by the next one."""
        if self._postgres:
            self._postgres.sql("CHECKPOINT")

    @contextmanager
    def cluster(self, *, products_there: bool = True, http: bool = False) -> Iterator[Testbed]:
        """The services on fresh databases, verified at the end.

        :param http: Orders serves HTTP/JSON too.
        :raises Contradicted: `verify` found something.
        """
        folder = self._new_folder()
        servers = self.postgres, self.rabbitmq
        places = fresh_places(
            folder.name, *servers, self._templates, services=self._services, end_at_rest=True
        )
        with places as (urls, broker):
            at_http = f"127.0.0.1:{free_port()}" if http else ""
            base = {**os.environ, **settings_of("orders", http=at_http)}
            cluster = Cluster(folder, databases=urls, broker=broker, base=base)
            for service in cluster.services.values():
                service.worker_count = self.workers
            testbed = Testbed(
                cluster.addresses["orders"],
                cluster.addresses["inventory"],
                urls,
                PostgresLedger(urls["orders"]),
                cluster.process_environment,
                # The kernel spreads connections, not calls, over workers that share a port.
                channels=1 if self.workers == 1 else 4 * self.workers,
                http=at_http,
                notifier=cluster.addresses.get("notifier", ""),
            )
            yield from _running(cluster, testbed, products_there=products_there)

    @contextmanager
    def embedded(self) -> Iterator[Testbed]:
        """Both services in one process on a fresh data folder, verified at the end.

        :raises Contradicted: `verify` found something.
        """
        folder = self._new_folder()
        embedded = Embedded(folder)
        ledger = SqliteLedger(folder / "data" / "orders.db")
        yield from _running(embedded, _testbed_of(embedded, ledger))

    @contextmanager
    def embedded_on_postgres(self) -> Iterator[Testbed]:
        """Both services in one process on a fresh PostgreSQL database, verified at the end.

        :raises Contradicted: `verify` found something.
        """
        folder = self._new_folder()
        url = self._templates.copy_home(self.postgres, folder.name)
        embedded = Embedded(folder, database=url)
        ledger = PostgresLedger(embedded.databases["orders"])
        try:
            yield from _running(embedded, _testbed_of(embedded, ledger))
        finally:
            self.postgres.drop_database(folder.name)

    def _new_folder(self) -> Path:
        self._testbeds += 1
        folder = self.folder / f"testbed{self._testbeds}"
        folder.mkdir()
        return folder


def _testbed_of(embedded: Embedded, ledger: Ledger) -> Testbed:
    return Testbed(
        embedded.addresses["orders"],
        embedded.addresses["inventory"],
        embedded.databases,
        ledger,
        dict(os.environ),
        notifier=embedded.addresses["notifier"],
    )


def _running(
    deployment: Deployment, testbed: Testbed, *, products_there: bool = True
) -> Iterator[Testbed]:
    with deployment.running():
        if products_there:
            uvloop.run(fill_shelves(testbed.inventory))
        yield testbed
        deployment.require_running()
        require_sound(testbed)


async def fill_shelves(inventory: str) -> None:
    """Make every product and its stock."""
    async with keyed(aio.insecure_channel(inventory)) as channel:
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        await asyncio.gather(
            *(stub.CreateProduct(product, timeout=CALL_S_MAX) for product in products())
        )
        answer = await stub.BatchUpdateStock(stock(), timeout=CALL_S_MAX)
        assert not any(result.HasField("error") for result in answer.results), "shelves are full"


def require_sound(testbed: Testbed) -> None:
    """:raises Contradicted: `verify` found something."""
    say("verifying both databases")
    report = asyncio.run(verify(testbed.urls["orders"], testbed.urls["inventory"]))
    if not report.ok:
        raise Contradicted("\n".join(report.contradictions))
