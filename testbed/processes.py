"""Programs that run beside this one, on free ports and in temporary folders, and end with it."""

import atexit
import pwd
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

STOP_S_MAX = 30.0
COMMAND_S_MAX = 60.0

# Below the range that the kernel takes ports for outgoing connections from: a client that retries
# while a server is down could otherwise be given the server's port and meet itself.
_PORTS = range(15_000, 32_000)

# The kernel ends a child when the *thread* that started it ends, so an endless one starts them all.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


class ProgramFailed(Exception):
    """A program did not start, stop or obey in time; the message ends with its log."""


def free_port() -> int:
    """A loopback port nobody listens on, and that no outgoing connection is given."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


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


class Program:
    """One long-running program whose output goes to a log file."""

    def __init__(self, name: str, *, log: Path) -> None:
        self.name, self.log = name, log
        self._process: subprocess.Popen[bytes] | None = None

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

    def signal(self, number: signal.Signals) -> None:
        """Send a signal and wait until the program has ended; nothing happens if it has."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise self.failure(f"did not stop within {STOP_S_MAX:.0f} s") from None
        self._process = None
        atexit.unregister(self.signal)

    def failure(self, what: str) -> ProgramFailed:
        """The error to raise, with the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-30:]
        return ProgramFailed("\n".join([f"{self.name} {what}; its log ends:", *lines]))


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
