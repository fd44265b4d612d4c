"""One process of a service, by its name, that can be killed, frozen and started again."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proof.chaos.shifted_start import CLOCK_FILE, set_clock
from testbed import procfs
from testbed.processes import free_port
from testbed.services import Service, python_environment, settings_of


@dataclass(frozen=True, slots=True)
class Resources:
    """What a process holds at a moment."""

    rss_kib: int
    descriptors: int
    sockets: int
    threads: int


class Instance(Service):
    """One process of a service on a port of its own, which it keeps over any number of starts."""

    ready_s_max = 60.0

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.service = name.partition("-")[0]
        self.port = free_port()
        self._clock_file = folder / f"{name}.clock"
        set_clock(self._clock_file, 0.0)
        address = f"127.0.0.1:{self.port}"  # past the wires
        super().__init__(
            name,
            [self.service, "serve"],
            folder=folder,
            addresses=[address],
            environment={
                **python_environment(),
                **environment,
                **settings_of(self.service, listen=address),
                CLOCK_FILE: str(self._clock_file),
            },
            command=[sys.executable, "-m", "proof.chaos.shifted_start"],
        )

    def shift_clock(self, ahead_s: float) -> None:
        """Set its clock ahead of the machine's by so much (behind, if negative), for all starts."""
        set_clock(self._clock_file, ahead_s)

    def resources(self) -> Resources:
        """What it holds now, as Linux counts."""
        text = Path(f"/proc/{self.program.pid}/status").read_text()
        status = dict(line.split(":", 1) for line in text.splitlines() if line)
        files = procfs.open_files(self.program.pid)
        return Resources(
            rss_kib=int(status["VmRSS"].split()[0]),
            descriptors=len(files),
            sockets=sum(one.startswith("socket:") for one in files),
            threads=int(status["Threads"]),
        )

    def resume(self) -> None:
        """Let it run, thawed or started, with the right time; it may not serve yet."""
        self.shift_clock(0.0)
        self.program.thaw()
        if not self.program.is_running():
            self.launch()
