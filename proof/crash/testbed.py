"""Where a case runs: the services as processes of their own, and what they stand on."""

import asyncio
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.home import in_postgres
from proof.crash.failpoint_actions import FailpointAction
from proof.crash.fork_server import ForkedService, ForkServer
from proof.crash.launch import Arming
from proof.crash.points import Mode
from proof.snapshot import ObservedEvent
from testbed.services import READY_S_MAX, SERVICES, free_addresses, settings_of, up_arguments
from testbed.templates import Templates

UP = "up"

# A message holds two events, and a batch few messages: so even few orders make parts of batches.
SMALL_BATCHES: dict[str, Any] = {
    "holdfast.chassis.messaging.broker:EVENTS_PER_MESSAGE_MAX": 2,
    "holdfast.chassis.messaging.cloudevents:EVENTS_PER_MESSAGE_MAX": 2,
    "holdfast.chassis.messaging.local_broker:EVENTS_PER_MESSAGE_MAX": 2,
    "holdfast.chassis.messaging.rabbitmq:EVENTS_PER_MESSAGE_MAX": 2,
    "holdfast.chassis.messaging.rabbitmq:EVENTS_PER_BATCH_MAX": 4,
}
SWEEP_OFTEN = {"holdfast.orders.service:CHASE_EVERY_S": 0.1}

# What Orders would otherwise ask for again, or give up: a loss is to stay one, and show.
NEVER = {"late_s": 3_000.0, "expire_s": 6_000.0}
SOON = {"late_s": 0.2, "expire_s": 0.4}


@dataclass(frozen=True, slots=True)
class Left:
    """What a broker tells at the end.

    :param queues: messages in each of the services' queues.
    :param observed_events: every event that was published; None: nobody listened.
    """

    queues: Mapping[str, int] = field(default_factory=dict)
    observed_events: Sequence[ObservedEvent] | None = None


class Testbed(ABC):
    """Both services; each process can be armed, killed, stopped and started.

    :param expires: orders that are not decided soon expire; else they never do.
    """

    mode: Mode
    processes: Sequence[str]
    stop_s: float  # longer than every timeout
    delay_s: float
    deadline_s: float  # of callers: shorter than a stop
    converge_s_max: float
    urls: Mapping[str, str]  # of the databases

    def __init__(self, fork_server: ForkServer, folder: Path, *, expires: bool) -> None:
        self.folder = folder
        self.addresses = free_addresses()
        self.services: dict[str, ForkedService] = {}
        self._fork_server = fork_server
        self._limits = SOON if expires else NEVER
        self._constants = SMALL_BATCHES | (SWEEP_OFTEN if expires else {})
        self._starts = 0

    @abstractmethod
    def process_of(self, service: str) -> str:
        """The process in which a service runs."""

    @abstractmethod
    def _command(self, process: str) -> list[str]: ...

    @abstractmethod
    async def prepare(self) -> None:
        """Make ready what the services stand on, before the first start."""

    def sprung(self, process: str) -> Path:
        """The file that tells of the actions that sprang in a process."""
        return self.folder / f"{process}.sprung"

    def launch(
        self,
        process: str,
        actions: Sequence[FailpointAction] = (),
        *,
        at_once: bool = False,
    ) -> ForkedService:
        """Start it and wait for nothing.

        :param at_once: its points spring from the beginning; else SIGUSR1 arms them.
        """
        sprung = str(self.sprung(process))
        service = self.services[process] = self._fork_server.launch(
            process,
            self._command(process),
            Arming(tuple(actions), sprung, self._constants, at_once),
            folder=self.folder,
            environment=os.environ | self._environment(),
            start=self._starts,
        )
        self._starts += 1
        return service

    async def start(self, process: str, actions: Sequence[FailpointAction] = ()) -> None:
        """Return when it serves.

        :raises ProgramFailed: it does not.
        """
        service, texts = self.launch(process, actions), self._is_ready(process)

        def is_ready() -> bool:
            return all(map(service.has_said, texts))

        await asyncio.to_thread(service.wait_until, is_ready, READY_S_MAX, "did not start")

    def _environment(self) -> Mapping[str, str]:
        return {}

    def _is_ready(self, process: str) -> Sequence[str]:
        return [f"{process} is ready"]

    async def end(self, process: str) -> None:
        """Stop it in good order.

        :raises ProgramFailed: it does not end, or not well.
        """
        service = self.services[process]
        service.signal(signal.SIGTERM)
        code = await asyncio.to_thread(service.wait)
        if code != 0:
            raise service.failure(f"ended with exit code {code}")

    async def left_in_broker(self) -> Left:
        """What nobody took, and what passed through; to be asked when all services have ended."""
        return Left()

    def abandon(self) -> None:
        """Kill whatever is left."""
        for service in self.services.values():
            if service.exit_code() is None:
                service.signal(signal.SIGKILL)
                service.wait()

    def logs(self) -> list[Path]:
        """The log of every start, oldest first."""
        found = self.folder.glob("*.log")
        return sorted(found, key=lambda path: int(path.suffixes[0][1:]))


class OneProcess(Testbed):
    """`holdfast up`: everything in one process, with the local broker."""

    processes = (UP,)
    data: Path | str  # what it is told

    def process_of(self, service: str) -> str:
        return UP

    def _command(self, process: str) -> list[str]:
        return up_arguments(self.data, self.addresses)

    def _environment(self) -> Mapping[str, str]:
        return settings_of(UP, **self._limits)

    def _is_ready(self, process: str) -> Sequence[str]:
        return ["inventory is ready", "orders is ready"]


class Embedded(OneProcess):
    """On two SQLite files."""

    mode = Mode.EMBEDDED
    stop_s, delay_s, deadline_s, converge_s_max = 1.0, 0.4, 0.6, 15.0

    def __init__(
        self, fork_server: ForkServer, folder: Path, templates: Templates, *, expires: bool
    ) -> None:
        super().__init__(fork_server, folder, expires=expires)
        self.data = folder / "data"
        self._templates = templates
        # Nothing else here times out, and this is to.
        self._constants |= {
            "holdfast.orders.infrastructure.ordering.inventory_client:DEADLINE_S": 0.5
        }

    async def prepare(self) -> None:
        folder = self.folder / "data"
        folder.mkdir()
        self.urls = {
            service: self._templates.copy_file(service, folder / f"{service}.db")
            for service in SERVICES
        }


class OnPostgres(OneProcess):
    """On two schemas of a PostgreSQL database, with all timeouts as they are shipped."""

    mode = Mode.ON_POSTGRES
    # Longer than a session may be idle in its transaction, see postgres.SERVER_SETTINGS.
    stop_s, delay_s, deadline_s, converge_s_max = 35.0, 2.0, 3.0, 60.0

    def __init__(
        self, fork_server: ForkServer, folder: Path, database: str, *, expires: bool
    ) -> None:
        super().__init__(fork_server, folder, expires=expires)
        self.data, self.urls = database, in_postgres(database).urls

    async def prepare(self) -> None:
        """Its schemas are there."""
