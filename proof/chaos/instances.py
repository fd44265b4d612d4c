"""One process of a service, by its name, that can be killed, frozen and started again."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from proof.chaos.shifted_start import CLOCK_FILE, set_clock
from proof.chaos.victim import Victim
from testbed.processes import free_port

ROOT = Path(__file__).parents[2]
READY_S_MAX = 60.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process holds at a moment."""

    rss_kib: int
    descriptors: int
    sockets: int
    threads: int


class Instance:
    """One process of a service on a port of its own, which it keeps over any number of starts."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name, self._folder = name, folder
        self.service = name.partition("-")[0]
        self.port = free_port()
        self.program = Victim(name, log=folder / f"{name}.log")
        self._clock_file = folder / f"{name}.clock"
        set_clock(self._clock_file, 0.0)
        self._environment = {
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            f"HOLDFAST_{self.service.upper()}_LISTEN": self.address,
            CLOCK_FILE: str(self._clock_file),
        }

    @property
    def address(self) -> str:
        """Where it listens, past the wires."""
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start it without waiting for it: it may have to wait for its database."""
        self.program.start(
            [sys.executable, "-m", "proof.chaos.shifted_start", self.service, "serve"],
            env=self._environment,
            cwd=self._folder,
            when_orphaned="TERM",
        )

    def start(self) -> None:
        """Return when the process says that it serves."""
        self.launch()
        self.wait_until_serving()

    def wait_until_serving(self) -> None:
        deadline = time.monotonic() + READY_S_MAX
        while not self.is_serving():
            if not self.program.is_running() or time.monotonic() > deadline:
                raise self.program.failure("does not serve")
            time.sleep(LOOK_S)

    def is_serving(self) -> bool:
        """Whether it says so now."""
        with grpc.insecure_channel(self.address) as channel:
            try:
                check = HealthStub(channel).Check  # type: ignore[attr-defined]  # not in its stubs
                answer = check(HealthCheckRequest(), timeout=1.0)
            except grpc.RpcError:
                return False
            return bool(answer.status == HealthCheckResponse.SERVING)

    def terminate(self) -> None:
        """Stop in good order (SIGTERM); return when it has ended."""
        self.program.signal(signal.SIGTERM)

    def shift_clock(self, ahead_s: float) -> None:
        """Set its clock ahead of the machine's by so much (behind, if negative), for all starts."""
        set_clock(self._clock_file, ahead_s)

    def resources(self) -> Resources:
        """What it holds now, as Linux counts."""
        process = Path(f"/proc/{self.program.pid}")
        status = dict(
            line.split(":", 1) for line in (process / "status").read_text().splitlines() if line
        )
        links = [str(one.readlink()) for one in (process / "fd").iterdir()]
        return Resources(
            rss_kib=int(status["VmRSS"].split()[0]),
            descriptors=len(links),
            sockets=sum(link.startswith("socket:") for link in links),
            threads=int(status["Threads"]),
        )

    def resume(self) -> None:
        """Let it run, thawed or started, with the right time; it may not serve yet."""
        self.shift_clock(0.0)
        self.program.thaw()
        if not self.program.is_running():
            self.launch()
