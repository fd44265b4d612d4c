"""The testbed of a chaos campaign: every process of a Holdfast cluster, private, and breakable.

Three RabbitMQ nodes, a PostgreSQL primary with a synchronous standby and a failover manager, two
processes of each service, and a wire between every two that talk. All of it lives in one folder,
and ends with the process that started it.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from proof.chaos.broker_nodes import BrokerNodes, broker_nodes
from proof.chaos.database_pair import DatabasePair, database_pair
from proof.chaos.failover_manager import failover_manager
from proof.chaos.instances import Instance
from proof.chaos.wires import Wires, wires
from testbed.keys import KEY, PEPPER, SERVICE_KEY
from testbed.processes import run
from testbed.services import (
    HOLDFAST,
    SERVICES,
    clear_environment,
    database_settings,
    settings_of,
)

INSTANCES_PER_SERVICE = 2
CALLERS = "callers"


class Testbed:
    """A running cluster. Its methods block: from a coroutine, call them with `asyncio.to_thread`.

    :param instances: by name: inventory-0, inventory-1, orders-0, orders-1.
    """

    def __init__(
        self, folder: Path, wires: Wires, brokers: BrokerNodes, databases: DatabasePair
    ) -> None:
        self.folder = folder
        self.wires, self.brokers, self.databases = wires, brokers, databases
        self.instances: dict[str, Instance] = {}

    def addresses(self, service: str) -> tuple[str, ...]:
        """HOST:PORT of each process of a service, through wires of the callers."""
        return tuple(
            f"127.0.0.1:{self.wires.port(CALLERS, name)}"
            for name, instance in self.instances.items()
            if instance.service == service
        )

    def target(self, service: str) -> str:
        """All addresses of a service in one, as gRPC reads it: it takes the first that answers."""
        return f"ipv4:{','.join(self.addresses(service))}"

    def database_url(self, service: str) -> str:
        """The database of a service, on whichever server takes writes, past the wires."""
        return self.databases.url(service)

    @property
    def broker_url(self) -> str:
        """All RabbitMQ nodes, past the wires, as the administrator: for the audit queue."""
        return self.brokers.url()

    def lay_out(self, settings: Mapping[str, str]) -> None:
        """Make the instances and their wires, without starting them."""
        for service in SERVICES:  # Inventory first: Orders' wires lead to it
            for number in range(INSTANCES_PER_SERVICE):
                name = f"{service}-{number}"
                environment = {**settings, **self._environment(name, service)}
                instance = Instance(name, self.folder, environment)
                self.instances[name] = instance
                self.wires.open(CALLERS, name, instance.port)

    def _environment(self, name: str, service: str) -> dict[str, str]:
        self.databases.lay_wires(name)
        found = settings_of(
            service,
            database=self.databases.wired_url(name, service),
            broker=self.brokers.wired_url(name),
            pepper=PEPPER,
            service_key=SERVICE_KEY,
            operator_key=KEY,
        )
        if service == "orders":
            inventories = [one for one in self.instances.values() if one.service == "inventory"]
            ports = [self.wires.open(name, one.name, one.port) for one in inventories]
            addresses = ",".join(f"127.0.0.1:{port}" for port in ports)
            found |= settings_of(service, inventory=f"ipv4:{addresses}")
        return found

    def migrate(self) -> None:
        """Bring both databases to the newest schema."""
        urls = {service: self.databases.url(service) for service in SERVICES}
        environment = clear_environment() | database_settings(urls)
        run("holdfast migrate", [str(HOLDFAST), "migrate"], env=environment, cwd=self.folder)

    def heal(self) -> None:
        """Bring everything back, whatever was struck; return when all of it serves."""
        self.wires.clear()
        self.brokers.heal()
        self.databases.heal()
        for instance in self.instances.values():
            instance.resume()
        for instance in self.instances.values():
            instance.wait_until_serving()

    def end(self) -> None:
        """End the services in no particular order; nobody needs what they could still say."""
        for instance in self.instances.values():
            instance.program.kill()


@contextmanager
def chaos_testbed(
    folder: Path, *, seed: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[Testbed]:
    """A running cluster with its data in `folder`, all of it ended at the end; up in 30 s.

    :param settings: more of the services' environment, such as HOLDFAST_ORDERS_LATE_S.
    :raises ServerMissing: PostgreSQL or RabbitMQ is not installed.
    """
    with ExitStack() as started:
        all_wires = started.enter_context(wires(folder, seed=seed))
        brokers = started.enter_context(broker_nodes(folder, all_wires))
        pair = started.enter_context(database_pair(folder, all_wires, list(SERVICES)))
        testbed = Testbed(folder, all_wires, brokers, pair)
        started.callback(testbed.end)
        testbed.migrate()
        brokers.open()
        started.enter_context(failover_manager(pair))
        testbed.lay_out(settings or {})
        for instance in testbed.instances.values():
            instance.launch()
        for instance in testbed.instances.values():
            instance.wait_until_serving()
        yield testbed
