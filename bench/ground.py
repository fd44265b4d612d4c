"""The ground that a scenario runs on: private servers, and both services as processes on it."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from grpc import aio

from bench.ledger import Ledger, PostgresLedger, SqliteLedger
from bench.progress import say
from bench.workload import products, stock
from holdfast.chassis.engines import sqlite_url
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.verification import verify
from testbed.cluster import HOLDFAST, READY_S_MAX, SERVICES, Cluster
from testbed.processes import Program, free_port
from testbed.servers import PostgresServer, RabbitmqServer, postgres, rabbitmq

CALL_S_MAX = 60.0
WORKERS_START_S = 8.0


class Contradicted(Exception):
    """`verify` found contradictions: whatever was measured, it is worth nothing."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Two running services.

    :param urls: of their databases.
    :param channels: connections to load them through.
    """

    orders: str
    inventory: str
    urls: dict[str, str]
    ledger: Ledger
    environment: dict[str, str]
    channels: int = 1


class Workers(Cluster):
    """A cluster with so many worker processes in each service."""

    workers = 1

    def start(self, service: str) -> None:
        if self.workers == 1:
            super().start(service)
            return
        command = [str(HOLDFAST), service, "serve", "--workers", str(self.workers)]
        program = self._programs[service]
        program.start(command, env=self.environment, cwd=self._folder, when_orphaned="TERM")
        time.sleep(WORKERS_START_S)
        if not program.is_running():
            raise program.failure("did not start")


class Servers:
    """The private servers of one bench run, each started when a scenario first needs it.

    :param workers: worker processes in each service of a cluster.
    """

    def __init__(self, folder: Path, started: ExitStack, workers: int = 1) -> None:
        self.folder = folder
        self.workers = workers
        self._started = started
        self._postgres: PostgresServer | None = None
        self._rabbitmq: RabbitmqServer | None = None
        self._grounds = 0

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
    def cluster(self, *, products_there: bool = True) -> Iterator[Ground]:
        """Both services on fresh databases, verified at the end.

        :raises Contradicted: `verify` found something.
        """
        self._grounds += 1
        name = f"ground{self._grounds}"
        folder = self.folder / name
        folder.mkdir()
        databases = {service: f"{name}-{service}" for service in SERVICES}
        self._create(databases)
        self.rabbitmq.create_vhost(name)
        cluster = Workers(
            folder,
            databases={service: self.postgres.url(name) for service, name in databases.items()},
            broker=self.rabbitmq.url(name),
            ports={service: free_port() for service in SERVICES},
        )
        cluster.workers = self.workers
        urls = {service: self.postgres.url(databases[service]) for service in SERVICES}
        with ExitStack() as running:
            for service in SERVICES:
                running.callback(cluster.stop, service)
                cluster.start(service)
            ground = Ground(
                cluster.addresses["orders"],
                cluster.addresses["inventory"],
                urls,
                PostgresLedger(urls["orders"]),
                cluster.environment,
                # The kernel spreads connections, not calls, over workers that share a port.
                channels=1 if self.workers == 1 else 4 * self.workers,
            )
            if products_there:
                uvloop.run(fill_shelves(ground.inventory))
            yield ground
            cluster.require_running()
            require_sound(ground)
        for service in SERVICES:
            self.postgres.drop_database(databases[service])
        self.rabbitmq.delete_vhost(name)

    def _create(self, databases: dict[str, str]) -> None:
        """Copies of databases that were migrated once."""
        for service, name in databases.items():
            template = f"template-{service}"
            if not self.postgres.has_database(template):
                say("migrating the databases")
                self._migrate_templates()
            self.postgres.create_database(name, template=template)

    def _migrate_templates(self) -> None:
        for service in SERVICES:
            self.postgres.create_database(f"template-{service}")
        Cluster(
            self.folder,
            databases={service: self.postgres.url(f"template-{service}") for service in SERVICES},
            broker="amqp://127.0.0.1/",  # not asked: only the databases are migrated
            ports={service: free_port() for service in SERVICES},
        ).migrate()

    @contextmanager
    def embedded(self) -> Iterator[Ground]:
        """Both services in one process on a fresh data folder, verified at the end.

        :raises Contradicted: `verify` found something.
        """
        self._grounds += 1
        folder = self.folder / f"embedded{self._grounds}"
        folder.mkdir()
        ports = {service: free_port() for service in SERVICES}
        command = [str(HOLDFAST), "up", "--data", str(folder)]
        command += ["--orders-port", str(ports["orders"])]
        command += ["--inventory-port", str(ports["inventory"])]
        environment = dict(os.environ)
        program = Program("holdfast up", log=folder / "log")
        program.start(command, env=environment, cwd=folder, when_orphaned="TERM")
        ground = Ground(
            f"127.0.0.1:{ports['orders']}",
            f"127.0.0.1:{ports['inventory']}",
            {service: sqlite_url(folder / f"{service}.db") for service in SERVICES},
            SqliteLedger(folder / "orders.db"),
            environment,
        )
        try:
            uvloop.run(fill_shelves(ground.inventory))
            yield ground
            if not program.is_running():
                raise program.failure("ended")
            require_sound(ground)
        finally:
            program.signal(signal.SIGTERM)


async def fill_shelves(inventory: str) -> None:
    """Wait until Inventory answers; make every product and its stock."""
    async with aio.insecure_channel(inventory) as channel:
        await asyncio.wait_for(channel.channel_ready(), READY_S_MAX)
        stub = inventory_pb2_grpc.InventoryServiceStub(channel)
        await asyncio.gather(
            *(stub.CreateProduct(product, timeout=CALL_S_MAX) for product in products())
        )
        answer = await stub.BatchUpdateStock(stock(), timeout=CALL_S_MAX)
        assert not any(result.HasField("error") for result in answer.results), "shelves are full"


def require_sound(ground: Ground) -> None:
    """:raises Contradicted: `verify` found something."""
    say("verifying both databases")
    report = asyncio.run(verify(ground.urls["orders"], ground.urls["inventory"]))
    if not report.ok:
        raise Contradicted("\n".join(report.contradictions))
