"""Holdfast as its operators run it: real processes, embedded in one or as a cluster.

A test that asks for `system` runs in both modes, on data of its own.
"""

import json
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

from holdfast.client import Holdfast
from testbed.cluster import HOLDFAST, SERVICES, Cluster, _serves
from testbed.processes import Program, ProgramFailed, free_port, run
from testbed.servers import PostgresServer, RabbitmqServer

READY_S_MAX = 30.0
COMMAND_S_MAX = 120.0

_numbers = count(1)


def clear_environment() -> dict[str, str]:
    """Ours, without what a developer may have told `holdfast`; the program stands on the PATH."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return kept | {"PATH": f"{HOLDFAST.parent}:{kept['PATH']}", "COLUMNS": "200"}


def command(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `holdfast` to its end. Whatever happens, nobody gets to see a traceback."""
    done = subprocess.run(
        [HOLDFAST, *arguments],
        env={**clear_environment(), **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


class System(ABC):
    """Both services as processes that can be stopped, killed and started, at lasting addresses."""

    mode: str
    parts: tuple[str, ...]  # what can be killed alone
    addresses: Mapping[str, str]
    environment: Mapping[str, str]  # for commands

    @abstractmethod
    def start(self, part: str) -> None:
        """Return when it serves."""

    @abstractmethod
    def program(self, part: str) -> Program: ...

    @abstractmethod
    def verify(self) -> subprocess.CompletedProcess[str]: ...

    def end(self, part: str, number: signal.Signals) -> int:
        """Send a signal and return the exit code; a signal that ended it is negative."""
        program = self.program(part)
        process = program._process
        assert process is not None
        assert program.is_running(), f"{part} has ended by itself"
        program.signal(number)
        return int(process.returncode)

    def kill(self, part: str) -> None:
        assert self.end(part, signal.SIGKILL) == -signal.SIGKILL

    def log(self, part: str) -> str:
        """All that it has written since the test began."""
        return self.program(part).log.read_text()

    def start_all(self) -> None:
        for part in self.parts:
            self.start(part)

    def stop_all(self) -> None:
        """Stop what runs, in good order."""
        for part in reversed(self.parts):
            self.program(part).signal(signal.SIGTERM)

    def client(self, *, retry_s: float | None = None) -> Holdfast:
        return Holdfast(self.addresses["orders"], self.addresses["inventory"], retry_s=retry_s)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return command(*arguments, env=self.environment)

    def json(self, *arguments: str) -> object:
        """What a command that succeeds prints for programs."""
        done = self.command(*arguments, "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def require_soundness(self) -> None:
        """`holdfast verify` finds nothing, and no event was given up."""
        found = self.verify()
        assert found.returncode == 0, found.stdout + found.stderr
        notes = json.loads(found.stdout)["notes"]
        assert not [note for note in notes if "dead letter" in note or "PENDING" in note]


class Embedded(System):
    """`holdfast up`: everything in one process on a data folder."""

    mode, parts = "embedded", ("up",)

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.addresses = {service: f"127.0.0.1:{free_port()}" for service in SERVICES}
        self.environment = _addresses_for_commands(self.addresses)
        self._folder = folder
        self._up = Program("holdfast up", log=folder / "up.log")

    def program(self, part: str) -> Program:
        assert part == "up"
        return self._up

    def start(self, part: str = "up") -> None:
        ports = {service: self.addresses[service].rpartition(":")[2] for service in SERVICES}
        at = ["--orders-port", ports["orders"], "--inventory-port", ports["inventory"]]
        self._up.start(
            [str(HOLDFAST), "up", "--data", str(self.data), *at],
            env=clear_environment(),
            cwd=self._folder,
            when_orphaned="TERM",
        )
        deadline = time.monotonic() + READY_S_MAX
        while not all(_serves(address) for address in self.addresses.values()):
            if not self._up.is_running() or time.monotonic() > deadline:
                raise self._up.failure("did not start")
            time.sleep(0.02)

    def verify(self) -> subprocess.CompletedProcess[str]:
        return command("verify", "--data", str(self.data), "--output", "json")


class Clustered(System):
    """Each service a process of its own, on PostgreSQL and RabbitMQ."""

    mode, parts = "cluster", SERVICES

    def __init__(self, folder: Path, databases: dict[str, str], broker: str) -> None:
        ports = {service: free_port() for service in SERVICES}
        self.databases = databases
        self.vhost = broker.rpartition("/")[2]
        self._cluster = Cluster(folder, databases=databases, broker=broker, ports=ports)
        self.addresses = self._cluster.addresses
        self.environment = _addresses_for_commands(self.addresses) | {
            f"HOLDFAST_{service.upper()}_DATABASE": url for service, url in databases.items()
        }

    def program(self, part: str) -> Program:
        return self._cluster._programs[part]

    def ask_nobody_again(self) -> None:
        """Orders never asks again for an answer that is late: what is lost stays lost, and shows.

        It counts from the next start.
        """
        self._cluster.environment["HOLDFAST_ORDERS_LATE_S"] = "3000"

    def start(self, part: str) -> None:
        self._cluster.start(part)

    def verify(self) -> subprocess.CompletedProcess[str]:
        return self.command("verify", "--output", "json")


def _addresses_for_commands(addresses: Mapping[str, str]) -> dict[str, str]:
    return {f"HOLDFAST_{service.upper()}": address for service, address in addresses.items()}


@pytest.fixture(scope="session")
def databases_to_copy(postgres_server: PostgresServer) -> dict[str, str]:
    """A migrated database of each service, by name."""
    names = {service: f"e2e_template_{service}" for service in SERVICES}
    environment = clear_environment()
    for service, name in names.items():
        postgres_server.create_database(name)
        environment[f"HOLDFAST_{service.upper()}_DATABASE"] = postgres_server.url(name)
    run("holdfast migrate", [str(HOLDFAST), "migrate"], env=environment)
    return names


@contextmanager
def made(mode: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    """Holdfast in one of its modes, to be started; stopped after the block."""
    system: System
    with ExitStack() as at_end:
        if mode == "embedded":
            system = Embedded(folder)
        else:
            databases, broker = at_end.enter_context(_fresh_cluster(request))
            system = Clustered(folder, databases, broker)
        at_end.callback(system.stop_all)
        yield system


@contextmanager
def _fresh_cluster(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], str]]:
    """The addresses of empty databases, by service, and of an empty vhost."""
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    rabbitmq: RabbitmqServer = request.getfixturevalue("rabbitmq_server")
    to_copy: dict[str, str] = request.getfixturevalue("databases_to_copy")
    number = next(_numbers)
    names = {service: f"e2e_{service}_{number}" for service in SERVICES}
    for service, name in names.items():
        postgres.create_database(name, template=to_copy[service])
    rabbitmq.create_vhost(f"e2e-{number}")
    urls = {service: postgres.url(name) for service, name in names.items()}
    try:
        yield urls, rabbitmq.url(f"e2e-{number}")
    finally:
        rabbitmq.leave_vhost(f"e2e-{number}")
        for name in names.values():
            postgres.drop_database(name)


@pytest.fixture
def embedded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Embedded]:
    with made("embedded", tmp_path, request) as system:
        assert isinstance(system, Embedded)
        yield system


@pytest.fixture
def clustered(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clustered]:
    with made("cluster", tmp_path, request) as system:
        assert isinstance(system, Clustered)
        yield system


@pytest.fixture(params=["embedded", "cluster"])
def system(request: pytest.FixtureRequest) -> System:
    """Both services, started, in each of the two modes."""
    name = {"embedded": "embedded", "cluster": "clustered"}[request.param]
    found: System = request.getfixturevalue(name)
    try:
        found.start_all()
    except ProgramFailed as error:
        pytest.fail(str(error), pytrace=False)
    return found
