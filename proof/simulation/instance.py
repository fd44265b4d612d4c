"""An instance of a program that is kept running: killed, stopped or frozen, it comes back."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from proof.simulation.loop import Process, SimulatedLoop
from proof.simulation.programs import Machine, running

STOP_S_MAX = 40.0  # then a supervisor loses patience

Tell = Callable[[str, str], None]


class Surroundings(Protocol):
    """What has to know of the fate of processes: servers, network, broker."""

    def process_died(self, process: Process) -> None: ...

    def process_froze(self, process: Process) -> None: ...

    def process_thawed(self, process: Process) -> None: ...


class Instance:
    """One place for a process of some services.

    :param tell: notes what happens, as (who, what).
    """

    def __init__(
        self,
        name: str,
        services: Sequence[str],
        loop: SimulatedLoop,
        machine: Machine,
        tell: Tell,
        surroundings: Surroundings,
    ) -> None:
        self.name, self.services, self.machine = name, services, machine
        self._loop, self._tell, self._surroundings = loop, tell, surroundings
        self.problems: list[str] = []  # what no fault may cause
        self._process: Process | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._process is not None

    @property
    def tasks(self) -> int:
        """How many tasks its process has."""
        return self._loop.tasks_of(self._process) if self._process else 0

    def runs(self, process: Process | None) -> bool:
        """Whether this is its process now."""
        return process is not None and self._process is process

    def start(self) -> None:
        """Start, unless it runs."""
        if self._process is None:
            process = self._process = Process(self._loop, self.name)
            self._tell(self.name, "starts")
            self._life = process.start(self._live(process), f"{self.name} main")

    async def _live(self, process: Process) -> None:
        ended = "ends"
        try:
            async with running(self.machine, process, self.services):
                await asyncio.Event().wait()  # until it is stopped
        except asyncio.CancelledError:
            ended = "has stopped"
        except Exception as error:  # noqa: BLE001 - the process dies of it, and is started again
            ended = f"has crashed: {error!r}"
            self.problems.append(f"{self.name} {ended}")
        self._loop.outside(0.0, self._gone, process, ended, 1.0)

    def kill(self, back_s: float) -> None:
        """Take its life at once, as SIGKILL does; start again after a while."""
        if self._process is not None:
            self._gone(self._process, "is killed", back_s)

    def stop(self, back_s: float) -> None:
        """Ask it to end, as SIGTERM does; start again after a while."""
        process, life = self._process, self._life
        if process is None or life is None:
            return
        self._tell(self.name, "is told to stop")
        # From its own context: so it is held back while the process is frozen.
        self._loop.call_soon(life.cancel, context=process.context())
        self._loop.outside(STOP_S_MAX, self._lose_patience, process, back_s)

    def _lose_patience(self, process: Process, back_s: float) -> None:
        if self._process is process:
            if not process.is_frozen:
                self.problems.append(f"{self.name} did not stop within {STOP_S_MAX} s")
            self.kill(back_s)

    def freeze(self, for_s: float) -> None:
        """Let it stand still for a while, as SIGSTOP and SIGCONT do."""
        process = self._process
        if process is not None and not process.is_frozen:
            self._tell(self.name, f"is frozen for {for_s:.2f} s")
            process.freeze()
            self._surroundings.process_froze(process)
            self._loop.outside(for_s, self._thaw, process)

    def restore(self) -> None:
        """Let it run, whatever was done to it."""
        if self._process is None:
            self.start()
        else:
            self._thaw(self._process)

    def _thaw(self, process: Process) -> None:
        if process.is_alive and process.is_frozen:
            self._tell(self.name, "goes on")
            process.thaw()
            self._surroundings.process_thawed(process)

    def _gone(self, process: Process, how: str, back_s: float) -> None:
        if self._process is not process:
            return
        self._tell(self.name, how)
        self._process = None
        process.kill()
        self._surroundings.process_died(process)
        self._loop.outside(back_s, self.start)
