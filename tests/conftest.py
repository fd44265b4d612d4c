"""What every test may ask for: private servers, started when needed, shared by the whole run.

A server that is not installed fails the tests that need it; nothing is skipped.
"""

import asyncio
import inspect
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import hypothesis
import pytest
import structlog

import testbed.keys  # noqa: F401 - says who the programs are that tests start
from testbed.processes import temporary_folder
from testbed.servers import PostgresServer, RabbitmqServer, ServerMissing, postgres, rabbitmq
from testbed.templates import Templates

# Tasks that end by themselves, such as those of a channel being closed, get this long.
TASKS_END_S_MAX = 2.0

# Files of long tests are begun first, and whoever runs files beside them ends about when they do.
LONGEST_FIRST = ("proof", "e2e", "integration", "contract")

# Where Linux keeps files in memory: databases come and go there at a fraction of a disk's cost.
IN_MEMORY, ROOM_MIN = Path("/dev/shm"), 6 << 30

_numbers = count(1)
_has_run_what_does_not_fork = False


def pytest_configure() -> None:
    # Programs that tests start must hear Ctrl-C: what runs in the background may inherit deafness.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # An example may take as long as a busy machine needs: timings are judged in bench/ alone.
    hypothesis.settings.register_profile("holdfast", deadline=None)
    hypothesis.settings.load_profile("holdfast")
    # What tests make is gone after them, and what they kill are processes: no disk is needed.
    if "TMPDIR" not in os.environ and _room_in_memory() > ROOM_MIN:
        os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)


def _room_in_memory() -> int:
    return shutil.disk_usage(IN_MEMORY).free if IN_MEMORY.is_dir() else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the task check around every asynchronous test: set up first, torn down last. Tests that
    fork run before all others: a fork taken while gRPC's threads live, which calls of earlier tests
    leave behind, can wait for ever for a lock that one of them held.
    """
    items.sort(key=lambda item: (not forks(item), _turn(item.path)))
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "no_task_left_behind")


def forks(item: pytest.Item) -> bool:
    return item.get_closest_marker("forks") is not None


def _turn(file: Path) -> int:
    folder = file.relative_to(Path(__file__).parent).parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that forks and has come late: a run that is spread keeps the order of the files,
    see `addopts`.
    """
    global _has_run_what_does_not_fork
    if not forks(item):
        _has_run_what_does_not_fork = True
    elif _has_run_what_does_not_fork:
        pytest.fail("it forks, and tests that don't have run in this process", pytrace=False)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands that a test runs in this process set the log level for the whole of it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
async def no_task_left_behind() -> AsyncIterator[None]:
    """Fail a test that leaves asyncio tasks behind, its fixtures included."""
    before = asyncio.all_tasks()

    yield

    left = asyncio.all_tasks() - before - {_this_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=TASKS_END_S_MAX)
    if left:
        pytest.fail(f"tasks left behind: {sorted(map(repr, left))}", pytrace=False)


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None
    return task


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """The data of this run's servers; gone when the run ends, however it ends."""
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres_server(servers_folder: Path) -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run. A test that stops it must start it again."""
    try:
        with postgres(servers_folder, survives_power_cuts=False) as server:
            yield server
    except ServerMissing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def rabbitmq_server(servers_folder: Path) -> Iterator[RabbitmqServer]:
    """One RabbitMQ for the whole run, up in about 8 s. A test that stops it must start it again."""
    try:
        with rabbitmq(servers_folder) as server:
            yield server
            server.kill()  # a stop in good order takes 6 s, and nobody needs the data
    except ServerMissing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    postgres_server.create_database(name)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture
def up_url(postgres_server: PostgresServer, templates: Templates) -> Iterator[str]:
    """A database with the schemas of both services, for `holdfast up`."""
    name = f"up_{next(_numbers)}"
    yield templates.copy_home(postgres_server, name)
    postgres_server.drop_database(name)


@pytest.fixture
def rabbitmq_url(rabbitmq_server: RabbitmqServer) -> Iterator[str]:
    """The address of an empty vhost of the test's own."""
    name = f"test-{next(_numbers)}"
    rabbitmq_server.create_vhost(name)
    yield rabbitmq_server.url(name)
    rabbitmq_server.leave_vhost(name)
