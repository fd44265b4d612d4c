"""A process that has imported everything and forks services: a start takes a tenth of the time.

What is forked is a process of its own in every other respect, and dies with the fork server, which
ends with whoever started it.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from proof.crash.launch import Arming, run
from testbed import procfs
from testbed.processes import Process, ProgramFailed
from testbed.services import python_environment
from testbed.waiting import wait_until

ENDED_S_MAX = 20.0  # embedded mode takes 10 s to empty its outboxes, if it must
PR_SET_PDEATHSIG = 1


class ForkedService(Process):
    """One process that the fork server forked."""

    def __init__(self, name: str, pid: int, log: Path, ended: Path) -> None:
        super().__init__(name, log=log)
        self._pid, self._ended = pid, ended

    @property
    def pid(self) -> int:
        return self._pid

    def exit_code(self) -> int | None:
        """How it ended: negative, a signal did it; None: it runs."""
        # Renamed when whole.
        return int(self._ended.read_text()) if self._ended.exists() else None

    def is_running(self) -> bool:
        return self.exit_code() is None

    def is_stopped(self) -> bool:
        """Whether SIGSTOP holds it."""
        return procfs.state(self._pid) == "T"

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._pid, number)

    def has_said(self, text: str) -> bool:
        """Whether its log holds the text."""
        return text in self.log.read_text(errors="replace")

    def wait(self) -> int:
        """Wait for its end, and return the exit code.

        :raises ProgramFailed: it goes on.
        """
        wait_until(lambda: not self.is_running(), ENDED_S_MAX, lambda: self.failure("does not end"))
        code = self.exit_code()
        assert code is not None, "it has ended"
        return code


class ForkServer:
    """The near end: starts the process, and asks it to fork."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proof.crash.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=python_environment(),
            start_new_session=True,  # Ctrl-C is for us
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and with it all that it forked."""
        self._process.communicate()

    def launch(
        self,
        name: str,
        arguments: Sequence[str],
        arming: Arming,
        *,
        folder: Path,
        environment: Mapping[str, str],
        start: int,
    ) -> ForkedService:
        """Fork a process that runs `holdfast` with these arguments.

        :param start: how often it was started before: each start has a log of its own.
        """
        log, ended = folder / f"{name}.{start}.log", folder / f"{name}.{start}.ended"
        log.touch()
        request = {
            "arguments": list(arguments),
            "arming": arming.to_json(),
            "environment": dict(environment),
            "log": str(log),
            "ended": str(ended),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ProgramFailed(f"{name} did not start: the fork server has ended")
        return ForkedService(name, int(answer), log, ended)


def main() -> None:
    """The far end: fork on request, say when a child has ended, end when nobody asks any more."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, Path] = {}
    while True:
        ready, _, _ = select.select([sys.stdin.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 1_000)
            reap(children)
        if sys.stdin.fileno() in ready:
            line = sys.stdin.buffer.readline()  # one at a time is asked for
            if not line:
                return
            request = json.loads(line)
            pid = os.fork() or become_service(request)
            children[pid] = Path(request["ended"])
            print(pid, flush=True)


def reap(children: dict[int, Path]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        ended = children.pop(pid)
        whole = ended.with_suffix(".whole")
        whole.write_text(str(os.waitstatus_to_exitcode(status)))
        whole.rename(ended)


def become_service(request: Mapping[str, Any]) -> int:
    """Never returns."""
    code = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.environ.clear()
        os.environ.update(request["environment"])
        run(Arming.from_json(request["arming"]), request["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - said in its log, by its exit code, and nowhere else
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
