"""Holdfast as its operators run it: embedded in one process, or each service a process of its own.

`python -m testbed.cluster` is `make up-cluster`: all of a cluster, for people.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from urllib.request import urlopen

from holdfast.chassis.identity.keys import derived
from holdfast.home import KEY_FILE, in_folder, in_postgres, kept_key
from testbed.processes import Program, ProgramFailed, free_port, run
from testbed.servers import PostgresServer, RabbitmqServer, ServerMissing, postgres, rabbitmq
from testbed.services import (
    ALL_SERVICES,
    HOLDFAST,
    SERVICES,
    Service,
    cluster_settings,
    free_addresses,
    settings_of,
    up_arguments,
)
from testbed.templates import Templates


class Deployment:
    """All services at lasting addresses, in processes that can be ended and started by name.

    :param addresses: by the name of the service, as are the URLs of their databases.
    :param services: by the name of the process, in the order in which they are started.
    :param admin: their admin ports, likewise.
    """

    def __init__(
        self,
        addresses: Mapping[str, str],
        databases: Mapping[str, str],
        services: Mapping[str, Service],
        admin: Mapping[str, str],
    ) -> None:
        self.addresses, self.databases, self.services = addresses, databases, dict(services)
        self.admin = admin
        self.parts = tuple(services)

    def program(self, part: str) -> Program:
        return self.services[part].program

    def start(self, part: str) -> None:
        """Return when it says that it serves."""
        self.services[part].start()

    def start_all(self) -> None:
        for part in self.parts:
            self.start(part)

    def end(self, part: str, number: signal.Signals) -> int:
        """Send a signal and return the exit code; a signal that ended it is negative."""
        assert self.program(part).is_running(), f"{part} has ended by itself"
        code = self.program(part).signal(number)
        assert code is not None, "it was running"
        return code

    def kill(self, part: str) -> None:
        assert self.end(part, signal.SIGKILL) == -signal.SIGKILL

    def stop_all(self) -> None:
        """Stop what runs, in good order."""
        for part in reversed(self.parts):
            self.services[part].stop()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything runs during the block, and is stopped in good order after it."""
        try:
            self.start_all()
            yield
        finally:
            self.stop_all()

    def require_running(self) -> None:
        """:raises ProgramFailed: a process has ended by itself."""
        for service in self.services.values():
            if not service.program.is_running():
                raise service.program.failure("ended")


class Embedded(Deployment):
    """`holdfast up`: everything in one process on a data folder or a PostgreSQL database.

    :param base: the environment of the process, but for what this sets.
    :param database: its URL; none: the folder `data` in `folder`.
    :param http_port: of HTTP/JSON, whose address is then among the others; 0: any, and unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        base: Mapping[str, str] = os.environ,
        database: str = "",
        http_port: int = 0,
    ) -> None:
        services, home = free_addresses(ALL_SERVICES), in_folder(folder / "data")
        addresses = services | ({"http": f"127.0.0.1:{http_port}"} if http_port else {})
        admin = f"127.0.0.1:{free_port()}"
        if database:
            home = in_postgres(database)
        up = Service(
            "up",
            up_arguments(home.folder or database, addresses, admin=admin),
            folder=folder,
            addresses=list(services.values()),
            environment=base,
        )
        super().__init__(addresses, home.urls, {"up": up}, {"up": admin})


class Cluster(Deployment):
    """Each service a process of its own, on PostgreSQL and RabbitMQ.

    :param databases: of Orders and Inventory; and of the Notifier, if it shall run.
    :param addresses: where they listen; none: on free ports.
    """

    def __init__(
        self,
        folder: Path,
        *,
        databases: Mapping[str, str],
        broker: str,
        addresses: Mapping[str, str] | None = None,
        base: Mapping[str, str] = os.environ,
    ) -> None:
        addresses = addresses or free_addresses(databases)
        self.broker = broker
        admin = free_addresses(databases)
        self.process_environment = dict(base) | cluster_settings(
            databases, broker, addresses, admin
        )
        services = {
            name: Service(
                name,
                [name, "serve"],
                folder=folder.resolve(),
                addresses=[addresses[name]],
                environment=self.process_environment,
            )
            for name in ALL_SERVICES
            if name in databases
        }
        super().__init__(addresses, databases, services, admin)

    def migrate(self) -> None:
        """Bring all databases to the newest schema. Repeating it changes nothing."""
        run("holdfast migrate", [str(HOLDFAST), "migrate"], env=self.process_environment)


@contextmanager
def fresh_places(
    name: str,
    server: PostgresServer,
    broker: RabbitmqServer,
    templates: Templates,
    *,
    services: Sequence[str] = SERVICES,
    end_at_rest: bool = False,
) -> Iterator[tuple[dict[str, str], str]]:
    """Migrated databases by service and a vhost, of this name; gone after the block.

    :param services: that shall have one; the Notifier is to be asked for.
    :param end_at_rest: then nobody declares anything any more, and the vhost is deleted at once.
    """
    names = {service: f"{name}-{service}" for service in services}
    urls = {one: templates.copy_database(one, server, names[one]) for one in services}
    broker.create_vhost(name)
    try:
        yield urls, broker.url(name)
    finally:
        (broker.delete_vhost if end_at_rest else broker.leave_vhost)(name)
        for database in names.values():
            server.drop_database(database)


class Console(Service):
    """The console before the services of a cluster; it has no gRPC to ask whether it serves.

    :param reached: the services, by name.
    :param base: its environment, but for what this sets.
    """

    def __init__(
        self, folder: Path, address: str, reached: Mapping[str, str], base: Mapping[str, str]
    ) -> None:
        told = settings_of("console", listen=address, **reached)
        arguments = ["console", "serve"]
        super().__init__(
            "console", arguments, folder=folder, addresses=[address], environment={**base, **told}
        )

    def is_serving(self) -> bool:
        try:
            with urlopen(f"http://{self.addresses[0]}/console/sign-in", timeout=5) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False


@contextmanager
def private_cluster(
    folder: Path, addresses: Mapping[str, str], http: Mapping[str, str], console: str, key: str
) -> Iterator[Cluster]:
    """Everything, running on data in `folder`; all of it stopped at the end, in good order.

    :param http: where each service serves HTTP/JSON.
    :param console: where the console does.
    :param key: the operator's.
    """
    with ExitStack() as started:
        server = started.enter_context(postgres(folder))
        for service in ALL_SERVICES:
            if not server.has_database(service):
                server.create_database(service)
        broker = started.enter_context(rabbitmq(folder))
        urls = {service: server.url(service) for service in ALL_SERVICES}
        base = dict(os.environ)
        for service, address in http.items():
            base |= settings_of(service, http=address)
        cluster = Cluster(
            folder, databases=urls, broker=broker.url(), addresses=addresses, base=base
        )
        for service in ALL_SERVICES:  # nobody else on this machine may know them
            cluster.process_environment |= settings_of(
                service,
                service_key=derived(key, "service"),
                pepper=derived(key, "pepper"),
                operator_key=key,
            )
        cluster.process_environment |= settings_of(
            "notifier", sealing_secrets=derived(key, "sealing")
        )
        cluster.migrate()
        cluster.services["console"] = Console(folder.resolve(), console, addresses, os.environ)
        cluster.parts = tuple(cluster.services)
        started.enter_context(cluster.running())
        yield cluster


def main() -> int:
    options = argparse.ArgumentParser(prog="make up-cluster", description=__doc__)
    options.add_argument("--data", type=Path, default=Path("holdfast-cluster"))
    options.add_argument("--orders-port", type=int, default=7001)
    options.add_argument("--inventory-port", type=int, default=7002)
    options.add_argument("--orders-http-port", type=int, default=7003)
    options.add_argument("--inventory-http-port", type=int, default=7004)
    options.add_argument("--notifier-port", type=int, default=7005)
    options.add_argument("--notifier-http-port", type=int, default=7006)
    options.add_argument("--console-port", type=int, default=7007)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    chosen.data.mkdir(exist_ok=True)
    print("Starting PostgreSQL, RabbitMQ and all services; this takes about 20 s.", flush=True)
    try:
        key = kept_key(in_folder(chosen.data))
        ports = {
            "orders": chosen.orders_port,
            "inventory": chosen.inventory_port,
            "notifier": chosen.notifier_port,
        }
        addresses = {service: f"127.0.0.1:{port}" for service, port in ports.items()}
        http_ports = {
            "orders": chosen.orders_http_port,
            "inventory": chosen.inventory_http_port,
            "notifier": chosen.notifier_http_port,
        }
        http = {service: f"127.0.0.1:{port}" for service, port in http_ports.items()}
        console = f"127.0.0.1:{chosen.console_port}"
        with private_cluster(chosen.data, addresses, http, console, key) as cluster:
            print(_greeting(cluster, http, console, chosen.data), flush=True)
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


def _greeting(cluster: Cluster, http: Mapping[str, str], console: str, folder: Path) -> str:
    databases = [f"HOLDFAST_{service.upper()}_DATABASE" for service in ALL_SERVICES]
    names = [*databases, "HOLDFAST_ORDERS_BROKER"]
    return "\n".join(
        [
            f"Orders    {cluster.addresses['orders']}, http://{http['orders']}/docs",
            f"Inventory {cluster.addresses['inventory']}, http://{http['inventory']}/docs",
            f"Notifier  {cluster.addresses['notifier']}, http://{http['notifier']}/docs",
            f"Console   http://{console}/console, with the key in {folder / KEY_FILE}",
            *(f"Metrics   http://{address}/metrics" for address in cluster.admin.values()),
            f"Data and logs in {folder}. Ctrl-C stops everything.",
            "",
            "In another terminal:",
            "",
            f"  export HOLDFAST_ORDERS={cluster.addresses['orders']}",
            f"  export HOLDFAST_KEY=$(cat {folder / KEY_FILE})",
            f"  export HOLDFAST_INVENTORY={cluster.addresses['inventory']}",
            f"  export HOLDFAST_NOTIFIER={cluster.addresses['notifier']}",
            *(f"  export {name}={cluster.process_environment[name]}" for name in names),
            f"  {HOLDFAST} stock set LAMP-RED 10",
            f"  {HOLDFAST} verify",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
