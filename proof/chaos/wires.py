"""The wires between the programs of a campaign, as the campaign holds them in its hand."""

import json
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from proof.chaos.link_conditions import GOOD, LinkConditions
from testbed.processes import Program, ProgramFailed, free_port
from testbed.services import ROOT, python_environment

START_S_MAX = 15.0
ANSWER_S_MAX = 15.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a wire carries."""

    connections: int
    moved_bytes: int


class Wires:
    """All wires of a testbed, by (client, server) such as ("orders-1", "database-0").

    They pass through one process of their own, so that neither takes the other's time.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._answers = control.makefile("rb")
        self._lock = Lock()
        self._ports: dict[tuple[str, str], int] = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._ports)

    def open(self, client: str, server: str, port: int, *, host: str = "127.0.0.1") -> int:
        """Lay a wire to the server's port; return the port that the client shall use."""
        assert (client, server) not in self._ports, "one wire from a client to a server"
        near = free_port()
        self._order("open", _name(client, server), near, host, port)
        self._ports[client, server] = near
        return near

    def port(self, client: str, server: str) -> int:
        """The port on which a wire begins."""
        return self._ports[client, server]

    def between(self, some: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
        """All wires from one of the first to one of the second, or back."""
        here, there = set(some), set(others)
        return [
            (client, server)
            for client, server in self._ports
            if (client in here and server in there) or (client in there and server in here)
        ]

    def set(self, client: str, server: str, conditions: LinkConditions) -> None:
        """Change the conditions, for what is on its way too."""
        self._order("change", _name(client, server), conditions.to_json())

    def cut(self, client: str, server: str) -> int:
        """Reset all connections now; return how many there were."""
        return int(self._order("cut", _name(client, server)))

    def clear(self) -> None:
        """Good conditions everywhere."""
        for client, server in self._ports:
            self.set(client, server, GOOD)

    def close(self) -> None:
        """Give no more orders."""
        self._answers.close()

    def traffic(self, client: str, server: str) -> Traffic:
        return Traffic(**self._order("states")[_name(client, server)])

    def _order(self, *order: object) -> Any:
        with self._lock:
            self._control.sendall(json.dumps(order).encode() + b"\n")
            line = self._answers.readline()
        if not line:
            raise ProgramFailed("the process of the wires has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise ProgramFailed(f"wires: {answer['error']}")
        return answer["answer"]


@contextmanager
def wires(folder: Path, *, seed: int = 0) -> Iterator[Wires]:
    """A running process without wires yet, ended at the end."""
    program, path = Program("wires", log=folder / "wires.log"), folder / "wires.socket"
    command = [sys.executable, "-m", "proof.chaos.proxy", str(path), str(seed)]
    program.start(command, env=python_environment(), cwd=ROOT)
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(ANSWER_S_MAX)
        program.wait_until(lambda: control.connect_ex(str(path)) == 0, START_S_MAX, "did not start")
        opened = Wires(control)
        try:
            yield opened
        finally:
            opened.close()
            program.signal(signal.SIGKILL)


def _name(client: str, server: str) -> str:
    return f"{client} > {server}"
