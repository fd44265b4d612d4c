"""Programs that run beside this one, on free ports and in temporary folders, and end with it."""

import atexit
import os
import pwd
import secrets
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from testbed import procfs
from testbed.waiting import wait_until

STOP_S_MAX = 30.0
SIGNAL_S_MAX = 10.0  # until what was signalled has stopped or gone
COMMAND_S_MAX = 60.0

# Below the range that the kernel takes ports for outgoing connections from: a client that retries
# while a server is down could otherwise be given the server's port and meet itself.
_PORTS = range(15_000, 32_000)

_GIVEN_MAX = 200  # ports that nobody else is given, until as many others were

_given = deque[socket.socket]()

# The kernel ends a child when the *thread* that started it ends, so an endless one starts them all.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


class ProgramFailed(Exception):
    """A program did not start, stop or obey in time; the message ends with its log."""


def free_port() -> int:
    """A loopback port nobody listens on, that no outgoing connection is given, and that was not
    given to another one lately, in whichever process.
    """
    while True:
        port = secrets.choice(_PORTS)
        # The same port of UDP, which nobody else uses, tells other processes that it was given.
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as probe:
            try:
                claim.bind(("127.0.0.1", port))
                probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
        _given.append(claim)
        if len(_given) > _GIVEN_MAX:
            _given.popleft().close()
        return port


@atexit.register
def _give_back() -> None:
    for claim in _given:
        claim.close()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that any user may enter, removed at the end, also when this process is killed."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
    folder.chmod(0o755)  # PostgreSQL may have to run as another user
    sweep = 'cat; for try in 1 2 3 4 5 6 7 8 9; do rm -rf "$0" && exit; sleep 1; done 2>/dev/null'
    sweeper = subprocess.Popen(
        ["/bin/sh", "-c", sweep, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and the kill of a process group must not reach it
    )
    assert sweeper.stdin is not None
    try:
        yield folder
    finally:
        sweeper.stdin.close()
        sweeper.wait(timeout=STOP_S_MAX)


class Process(ABC):
    """One long-running process whose output goes to a log file."""

    def __init__(self, name: str, *, log: Path) -> None:
        self.name, self.log = name, log

    @property
    @abstractmethod
    def pid(self) -> int: ...

    @abstractmethod
    def is_running(self) -> bool: ...

    def wait_until(self, is_so: Callable[[], bool], s_max: float, what_failed: str) -> None:
        """Return when it is so.

        :raises ProgramFailed: the process has ended, or it took longer than `s_max`.
        """

        def has_come() -> bool:
            if is_so():
                return True
            if not self.is_running():
                raise self.failure(what_failed)
            return False

        wait_until(has_come, s_max, lambda: self.failure(what_failed))

    def failure(self, what: str) -> ProgramFailed:
        """The error to raise, with the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-30:]
        return ProgramFailed("\n".join([f"{self.name} {what}; its log ends:", *lines]))


class Program(Process):
    """A program and its descendants, who can be frozen and killed together."""

    _process: "subprocess.Popen[bytes] | None" = None
    _waker: "subprocess.Popen[bytes] | None" = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def start(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        user: str | None = None,
        when_orphaned: str = "KILL",
    ) -> None:
        """Start it; it gets the signal `when_orphaned` when this process ends, however it ends."""
        assert not self.is_running(), f"{self.name} is running already"
        leash = ["setpriv", "--pdeathsig", when_orphaned, *become(user), "--"]
        with self.log.open("ab") as log:
            self._process = _STARTER.submit(
                subprocess.Popen,
                [*leash, *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us; we stop it in our order
            ).result()
        atexit.register(self.signal, signal.SIGKILL)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> int | None:
        """Send a signal, wait until the program has ended, and return its exit code, negative if a
        signal ended it; nothing happens if it was not started or has been ended so before.
        """
        if self._process is None:
            return None
        self._process.send_signal(number)
        try:
            code = self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise self.failure(f"did not stop within {STOP_S_MAX:.0f} s") from None
        self._process = None
        atexit.unregister(self.signal)
        return code

    def freeze(self) -> None:
        """Stop it where it is (SIGSTOP): its connections stay open, and nothing answers."""
        pids = procfs.tree(self.pid)
        _signal_all(pids, signal.SIGSTOP)
        self._hire_waker(pids)
        # Many threads need a moment to stop.
        self._wait(lambda: all(procfs.state(pid) in "TZ" for pid in pids), "could not be frozen")

    def thaw(self) -> None:
        """Let it go on; nothing happens if it is not frozen, or not running."""
        if self.is_running():
            _signal_all(procfs.tree(self.pid), signal.SIGCONT)
        self._dismiss_waker()

    def is_frozen(self) -> bool:
        return self.is_running() and procfs.state(self.pid) == "T"

    def kill(self) -> int:
        """End it with all its descendants (SIGKILL), as a power cut would; return how many they
        were. None of them does anything after this returns.
        """
        if not self.is_running():
            return 0
        pids = procfs.tree(self.pid)
        _signal_all(pids, signal.SIGKILL)
        self.signal(signal.SIGKILL)
        self._dismiss_waker()
        self._wait(lambda: all(procfs.state(pid) in "Z" for pid in pids), "could not be killed")
        return len(pids)

    def _hire_waker(self, pids: list[int]) -> None:
        """Let somebody wake them when this process ends, however it ends: the signal by which they
        end with it waits until then.
        """
        self._dismiss_waker()
        self._waker = subprocess.Popen(
            ["/bin/sh", "-c", 'cat; kill -CONT "$@" 2>/dev/null', "waker", *map(str, pids)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C and the kill of a process group must not reach it
        )

    def _dismiss_waker(self) -> None:
        if self._waker is not None:
            self._waker.kill()
            self._waker.communicate()
            self._waker = None

    def _wait(self, is_so: Callable[[], bool], what_failed: str) -> None:
        wait_until(is_so, SIGNAL_S_MAX, lambda: self.failure(what_failed), look_s=0.005)


def _signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def run(
    name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None
) -> str:
    """Run a program to its end and return what it printed.

    :raises ProgramFailed: its exit code was not 0.
    """
    done = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )
    if done.returncode != 0:
        raise ProgramFailed(f"{name} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def become(user: str | None) -> list[str]:
    """The options that make setpriv change to the user; none to stay who we are."""
    if user is None:
        return []
    return ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--clear-groups"]


def clean_environment() -> dict[str, str]:
    """Nothing of ours may leak into a server or its tools: no PGHOST, no RABBITMQ_NODENAME."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def server_user() -> str | None:
    """Whom to become for a server that refuses to run as root, such as PostgreSQL; None: stay."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
