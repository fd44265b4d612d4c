"""`holdfast` as processes: how a service is told where everything is, started, and waited for."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from testbed.keys import KEY, OF_COMMANDS, PEPPER, SERVICE_KEY
from testbed.processes import Program, free_port
from testbed.workers import Workers

HOLDFAST = Path(sys.executable).parent / "holdfast"
ROOT = Path(__file__).parents[1]
SERVICES = ("inventory", "orders")  # in the order in which they are started
READY_S_MAX = 30.0


def free_addresses() -> dict[str, str]:
    """An address for each service to listen on."""
    return {service: f"127.0.0.1:{free_port()}" for service in SERVICES}


def clear_environment() -> dict[str, str]:
    """Ours, without what a developer may have told `holdfast`; the program stands on the PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return kept | OF_COMMANDS | {"PATH": f"{HOLDFAST.parent}:{kept['PATH']}", "COLUMNS": "200"}


def python_environment() -> dict[str, str]:
    """Ours, for a Python program that shall import what this one can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def settings_of(service: str, **settings: object) -> dict[str, str]:
    """Settings of a service, as its environment holds them: `settings_of("orders", late_s=30)`."""
    return {f"HOLDFAST_{service.upper()}_{name.upper()}": str(v) for name, v in settings.items()}


def cluster_settings(
    databases: Mapping[str, str],
    broker: str,
    addresses: Mapping[str, str],
    admin: Mapping[str, str],
) -> dict[str, str]:
    """What the services of a cluster, each a process of its own, have to know."""
    found = settings_of("orders", inventory=addresses["inventory"])
    for service in SERVICES:
        found |= settings_of(
            service,
            database=databases[service],
            broker=broker,
            listen=addresses[service],
            admin=admin.get(service, ""),
            pepper=PEPPER,
            service_key=SERVICE_KEY,
            operator_key=KEY,
        )
    return found


def database_settings(databases: Mapping[str, str]) -> dict[str, str]:
    """Where the databases are: what `migrate` and `verify` have to know."""
    return {
        name: value
        for service, url in databases.items()
        for name, value in settings_of(service, database=url).items()
    }


def up_arguments(
    data: Path | str, addresses: Mapping[str, str], *, admin: str = "127.0.0.1:0"
) -> list[str]:
    """The arguments of `holdfast up` for these addresses.

    :param admin: of the admin port; by default it is a free one that nobody asks.
    :param data: a folder, or the URL of a PostgreSQL database.
    :param addresses: of the services, and of "http" unless any will do.
    """
    ports = {name: address.rpartition(":")[2] for name, address in addresses.items()}
    at = ["--orders-port", ports["orders"], "--inventory-port", ports["inventory"]]
    at += ["--notifier-port", ports.get("notifier", "0"), "--admin-port", admin.rpartition(":")[2]]
    at += ["--http-port", ports.get("http", "0")]
    option = "--data" if isinstance(data, Path) else "--database"
    return ["up", option, str(data), *at]


class Service:
    """A `holdfast` process at lasting addresses, over any number of starts.

    :param addresses: where it listens.
    :param environment: read at every start.
    :param command: what takes the arguments in place of `holdfast`.
    """

    ready_s_max = READY_S_MAX
    worker_count = 1

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        addresses: Sequence[str],
        environment: Mapping[str, str],
        command: Sequence[str] = (str(HOLDFAST),),
    ) -> None:
        self.name, self.addresses = name, addresses
        self.environment = environment
        self.program = Program(name, log=folder / f"{name}.log")
        self.command, self._folder = [*command, *arguments], folder

    def launch(self) -> None:
        """Start it without waiting for it: it may have to wait for its database."""
        shared = ["--workers", str(self.worker_count)] if self.worker_count > 1 else []
        self.program.start(
            [*self.command, *shared], env=self.environment, cwd=self._folder, when_orphaned="TERM"
        )

    def start(self) -> None:
        """Return when it says that it serves."""
        self.launch()
        self.wait_until_serving()

    @property
    def workers(self) -> Workers:
        """Its worker processes, if it has more than one."""
        port = int(self.addresses[0].rpartition(":")[2])
        return Workers(self.program, port, self.worker_count)

    def wait_until_serving(self) -> None:
        if self.worker_count > 1:
            self.workers.all_listen()
        self.program.wait_until(self.is_serving, self.ready_s_max, "does not serve")

    def is_serving(self) -> bool:
        """Whether it says so now, at every address."""
        return all(map(serves, self.addresses))

    def stop(self) -> None:
        """Stop in good order (SIGTERM): what is being answered is answered."""
        self.program.signal(signal.SIGTERM)


def serves(address: str) -> bool:
    """Whether a service says so at the address."""
    with grpc.insecure_channel(address) as channel:
        try:
            check = HealthStub(channel).Check  # type: ignore[attr-defined]  # not in its stubs
            answer = check(HealthCheckRequest(), timeout=1.0)
        except grpc.RpcError:
            return False
        return bool(answer.status == HealthCheckResponse.SERVING)
