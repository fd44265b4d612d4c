"""A program that may be frozen and killed with all the processes that it has started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from testbed.processes import Program

SIGNAL_S_MAX = 10.0  # until what was signalled has stopped or gone


class Victim(Program):
    """A long-running program and its descendants, who suffer together."""

    _waker: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def freeze(self) -> None:
        """Stop it where it is (SIGSTOP): its connections stay open, and nothing answers."""
        victims = _tree(self.pid)
        for pid in victims:
            _signal(pid, signal.SIGSTOP)
        self._hire_waker(victims)
        # Many threads need a moment to stop.
        self._wait(lambda: all(_state(pid) in "TZ" for pid in victims), "could not be frozen")

    def thaw(self) -> None:
        """Let it go on; nothing happens if it is not frozen, or not running."""
        if self.is_running():
            for pid in _tree(self.pid):
                _signal(pid, signal.SIGCONT)
        self._dismiss_waker()

    def is_frozen(self) -> bool:
        return self.is_running() and _state(self.pid) == "T"

    def kill(self) -> int:
        """End it with all its descendants (SIGKILL), as a power cut would; return how many they
        were. None of them does anything after this returns.
        """
        if not self.is_running():
            return 0
        victims = _tree(self.pid)
        for pid in victims:
            _signal(pid, signal.SIGKILL)
        self.signal(signal.SIGKILL)
        self._dismiss_waker()
        self._wait(lambda: all(_state(pid) in "Z" for pid in victims), "could not be killed")
        return len(victims)

    def _hire_waker(self, victims: list[int]) -> None:
        """Let somebody wake them when this process ends, however it ends: the signal by which they
        end with it waits until then.
        """
        self._dismiss_waker()
        self._waker = subprocess.Popen(
            ["/bin/sh", "-c", 'cat; kill -CONT "$@" 2>/dev/null', "waker", *map(str, victims)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C and the kill of a process group must not reach it
        )

    def _dismiss_waker(self) -> None:
        if self._waker is not None:
            self._waker.kill()
            self._waker.communicate()
            self._waker = None

    def _wait(self, condition: Callable[[], bool], what_failed: str) -> None:
        deadline = time.monotonic() + SIGNAL_S_MAX
        while not condition():
            if time.monotonic() > deadline:
                raise self.failure(what_failed)
            time.sleep(0.005)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _tree(root: int) -> list[int]:
    """A process and its descendants, each before its children."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            yield int(folder.name), int(fields[1])


def _state(pid: int) -> str:
    """One letter, as in /proc: T is stopped, Z dead and not yet buried; "" if it is gone."""
    fields = _stat(pid)
    return fields[0] if fields else ""


def _stat(pid: int) -> list[str]:
    """What stands in /proc/PID/stat after the name, which may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
