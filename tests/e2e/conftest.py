"""Holdfast as its operators run it: real processes, embedded in one or as a cluster.

A test that asks for `system` runs in both modes, on data of its own.
"""

import json
import subprocess
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pytest

from holdfast.cli.connection import NOTIFIER_ADDRESS
from holdfast.client import Holdfast
from testbed import cluster
from testbed.processes import ProgramFailed
from testbed.services import (
    ALL_SERVICES,
    HOLDFAST,
    SERVICES,
    clear_environment,
    database_settings,
)

COMMAND_S_MAX = 120.0

_numbers = count(1)


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


class System(cluster.Deployment):
    """All services as processes that can be stopped, killed and started, at lasting addresses."""

    mode: str
    environment: Mapping[str, str]  # for commands

    @abstractmethod
    def verify(self) -> subprocess.CompletedProcess[str]: ...

    def log(self, part: str) -> str:
        """All that it has written since the test began."""
        return self.program(part).log.read_text()

    def client(self, *, retry_s: float | None = None, key: str | None = None) -> Holdfast:
        return Holdfast(
            self.addresses["orders"],
            self.addresses["inventory"],
            retry_s=retry_s,
            key=key,
            notifier=self.addresses.get("notifier", NOTIFIER_ADDRESS),
        )

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


class Embedded(System, cluster.Embedded):
    """`holdfast up`: everything in one process on a data folder or a PostgreSQL database."""

    mode = "embedded"

    def __init__(self, folder: Path, database: str = "") -> None:
        base = clear_environment()
        cluster.Embedded.__init__(self, folder, base=base, database=database)
        self.data = folder / "data"
        self._given = database or str(self.data)
        self.environment = _addresses_for_commands(self.addresses)

    def verify(self) -> subprocess.CompletedProcess[str]:
        return command("verify", "--data", self._given, "--output", "json")


class Clustered(System, cluster.Cluster):
    """Each service a process of its own, on PostgreSQL and RabbitMQ."""

    mode = "cluster"

    def __init__(self, folder: Path, databases: Mapping[str, str], broker: str) -> None:
        base = clear_environment()
        cluster.Cluster.__init__(self, folder, databases=databases, broker=broker, base=base)
        self.vhost = broker.rpartition("/")[2]
        self.environment = _addresses_for_commands(self.addresses) | database_settings(databases)

    def ask_nobody_again(self) -> None:
        """Orders never asks again for an answer that is late: what is lost stays lost, and shows.

        It counts from the next start.
        """
        self.process_environment["HOLDFAST_ORDERS_LATE_S"] = "3000"

    def verify(self) -> subprocess.CompletedProcess[str]:
        return self.command("verify", "--output", "json")


def _addresses_for_commands(addresses: Mapping[str, str]) -> dict[str, str]:
    return {f"HOLDFAST_{service.upper()}": address for service, address in addresses.items()}


@contextmanager
def made(mode: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    """Holdfast in one of its modes, to be started; stopped after the block."""
    system: System
    with ExitStack() as at_end:
        if mode == "embedded":
            system = Embedded(folder)
        elif mode == "on postgres":
            system = Embedded(folder, request.getfixturevalue("up_url"))
        else:
            fixtures = ("postgres_server", "rabbitmq_server", "templates")
            shared = map(request.getfixturevalue, fixtures)
            services = ALL_SERVICES if mode == "with notifier" else SERVICES
            places = cluster.fresh_places(f"e2e-{next(_numbers)}", *shared, services=services)
            system = Clustered(folder, *at_end.enter_context(places))
        at_end.callback(system.stop_all)
        yield system


@pytest.fixture
def embedded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Embedded]:
    with made("embedded", tmp_path, request) as system:
        assert isinstance(system, Embedded)
        yield system


@pytest.fixture
def on_postgres(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Embedded]:
    with made("on postgres", tmp_path, request) as system:
        assert isinstance(system, Embedded)
        yield system


@pytest.fixture(params=["embedded", "on_postgres"])
def up(request: pytest.FixtureRequest) -> Embedded:
    """`holdfast up` on each of its two engines, to be started."""
    system: Embedded = request.getfixturevalue(request.param)
    return system


@pytest.fixture
def clustered(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clustered]:
    with made("cluster", tmp_path, request) as system:
        assert isinstance(system, Clustered)
        yield system


@pytest.fixture
def notified(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clustered]:
    """A cluster with the Notifier."""
    with made("with notifier", tmp_path, request) as system:
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
