"""Holdfast as a cluster of processes: private servers, and each service started by the CLI.

`make up-cluster` runs it for people, the end-to-end tests for themselves.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from testbed.processes import Program, ProgramFailed, run
from testbed.servers import ServerMissing, postgres, rabbitmq

HOLDFAST = Path(sys.executable).parent / "holdfast"
SERVICES = ("inventory", "orders")
READY_S_MAX = 30.0


class Cluster:
    """Both services as child processes; each can be killed and started again by its name."""

    def __init__(
        self, folder: Path, *, databases: dict[str, str], broker: str, ports: dict[str, int]
    ) -> None:
        assert databases.keys() == ports.keys() == set(SERVICES), "every service states its own"
        self._folder = folder.resolve()
        self.addresses = {service: f"127.0.0.1:{port}" for service, port in ports.items()}
        self.environment = {**os.environ, "HOLDFAST_ORDERS_INVENTORY": self.addresses["inventory"]}
        for service in SERVICES:
            prefix = f"HOLDFAST_{service.upper()}"
            self.environment[f"{prefix}_DATABASE"] = databases[service]
            self.environment[f"{prefix}_BROKER"] = broker
            self.environment[f"{prefix}_LISTEN"] = self.addresses[service]
        self._programs = {
            service: Program(service, log=self._folder / f"{service}.log") for service in SERVICES
        }

    def migrate(self) -> None:
        """Bring both databases to the newest schema. Repeating it changes nothing."""
        run("holdfast migrate", [str(HOLDFAST), "migrate"], env=self.environment, cwd=self._folder)

    def start(self, service: str) -> None:
        """Return when the service says that it serves."""
        command = [str(HOLDFAST), service, "serve"]
        program = self._programs[service]
        program.start(command, env=self.environment, cwd=self._folder, when_orphaned="TERM")
        deadline = time.monotonic() + READY_S_MAX
        while not _serves(self.addresses[service]):
            if not program.is_running() or time.monotonic() > deadline:
                raise program.failure("did not start")
            time.sleep(0.05)

    def stop(self, service: str) -> None:
        """Stop in good order: what is being answered is answered."""
        self._programs[service].signal(signal.SIGTERM)

    def kill(self, service: str) -> None:
        self._programs[service].signal(signal.SIGKILL)

    def require_running(self) -> None:
        """:raises ProgramFailed: a service has ended by itself."""
        for program in self._programs.values():
            if not program.is_running():
                raise program.failure("ended")


@contextmanager
def private_cluster(folder: Path, ports: dict[str, int]) -> Iterator[Cluster]:
    """Everything, running on data in `folder`; all of it stopped at the end, in good order."""
    with ExitStack() as started:
        database_server = started.enter_context(postgres(folder))
        for service in SERVICES:
            if not database_server.has_database(service):
                database_server.create_database(service)
        broker = started.enter_context(rabbitmq(folder))
        cluster = Cluster(
            folder,
            databases={service: database_server.url(service) for service in SERVICES},
            broker=broker.url(),
            ports=ports,
        )
        cluster.migrate()
        for service in SERVICES:
            started.callback(cluster.stop, service)
            cluster.start(service)
        yield cluster


def _serves(address: str) -> bool:
    with grpc.insecure_channel(address) as channel:
        try:
            check = HealthStub(channel).Check  # type: ignore[attr-defined]  # not in its stubs
            answer = check(HealthCheckRequest(), timeout=1.0)
        except grpc.RpcError:
            return False
        return bool(answer.status == HealthCheckResponse.SERVING)


def main() -> int:
    options = argparse.ArgumentParser(prog="make up-cluster", description=__doc__)
    options.add_argument("--data", type=Path, default=Path("holdfast-cluster"))
    options.add_argument("--orders-port", type=int, default=7001)
    options.add_argument("--inventory-port", type=int, default=7002)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    chosen.data.mkdir(exist_ok=True)
    print("Starting PostgreSQL, RabbitMQ and both services; this takes about 15 s.", flush=True)
    try:
        ports = {"orders": chosen.orders_port, "inventory": chosen.inventory_port}
        with private_cluster(chosen.data, ports) as cluster:
            print(_greeting(cluster, chosen.data), flush=True)
            while True:
                cluster.require_running()
                time.sleep(0.5)
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except (ProgramFailed, ServerMissing) as error:
        print(error, file=sys.stderr)
        return 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _greeting(cluster: Cluster, folder: Path) -> str:
    names = ("HOLDFAST_ORDERS_DATABASE", "HOLDFAST_INVENTORY_DATABASE", "HOLDFAST_ORDERS_BROKER")
    return "\n".join(
        [
            f"Orders    {cluster.addresses['orders']}",
            f"Inventory {cluster.addresses['inventory']}",
            f"Data and logs in {folder}. Ctrl-C stops everything.",
            "",
            "In another terminal:",
            "",
            f"  export HOLDFAST_ORDERS={cluster.addresses['orders']}",
            f"  export HOLDFAST_INVENTORY={cluster.addresses['inventory']}",
            *(f"  export {name}={cluster.environment[name]}" for name in names),
            f"  {HOLDFAST} stock set LAMP-RED 10",
            f"  {HOLDFAST} verify",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
