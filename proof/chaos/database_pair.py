"""A PostgreSQL primary with a synchronous standby, each on a disk of its own where that can be.

Strictly synchronous: while the standby is away, commits on the primary wait. An operator would let
Patroni or the like decide when to promote; here `proof.chaos.failover_manager` does.
"""

import secrets
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

import asyncpg

from proof.chaos.disk import Disk, can_mount, disk
from proof.chaos.wires import Wires
from testbed.processes import Program, ProgramFailed, become, clean_environment, run
from testbed.servers import PostgresServer

SERVICES_ROLE = "services"
DISK_MIB = 3_000
IN_SYNC_S_MAX = 60.0
REJOIN_S_MAX = 15.0

SETTINGS = {
    "max_connections": "300",  # as on the command line, or every reload would complain
    "synchronous_commit": "on",
    "wal_receiver_timeout": "5s",
    "wal_sender_timeout": "5s",
    "wal_retrieve_retry_interval": "200ms",
    "wal_receiver_status_interval": "1s",
    "max_wal_size": "512MB",
    "restart_after_crash": "on",
}
STANDBYS = 'FIRST 1 ("database-0", "database-1")'
IS_IN_SYNC = """
SELECT count(*) = 1
  FROM pg_stat_replication
 WHERE state = 'streaming' AND sync_state = 'sync'
"""

# What a statement may end in while the server goes: asyncpg, too, may lose its own thread when the
# connection breaks between two messages (InternalClientError).
DATABASE_TROUBLES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class DatabaseNode(PostgresServer):
    """One of the two servers: now the primary, now its standby."""

    def __init__(self, folder: Path, name: str, *, password: str, logs: Path) -> None:
        super().__init__(folder)
        self.name, self._password = name, password
        self._program = Program(name, log=logs / f"{name}.log")  # not on a disk that fills

    def initialise(self) -> None:
        """Make an empty server that may become half of a pair."""
        self._initialise()
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())

    def follow(self, port: int) -> None:
        """Become the standby of whoever is behind the port: start on a copy of it."""
        self._program.kill()
        shutil.rmtree(self._data, ignore_errors=True)
        self._require_access()
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(self._data, self._user)
        source = f"host=127.0.0.1 port={port} user=holdfast password={self._password}"
        backup = [str(self._bin / "pg_basebackup"), "-d", f"{source} application_name={self.name}"]
        backup += ["-D", str(self._data), "-R", "-c", "fast", "-X", "stream", "--no-sync"]
        command = ["setpriv", *become(self._user), "--", *backup]
        run("pg_basebackup", command, env=clean_environment(), cwd=self._data)
        self.start()

    def promote(self) -> None:
        """Return when it takes writes."""
        promoted = self.sql("SELECT pg_promote(true, 30)")
        if promoted != "t":
            raise ProgramFailed(f"{self.name} was not promoted")

    def stop_at_once(self) -> None:
        """Shut down as `pg_ctl stop -m immediate` does: without a checkpoint, and in a moment."""
        self._program.signal(signal.SIGQUIT)

    def is_in_recovery(self) -> bool:
        return self.sql("SELECT pg_is_in_recovery()") == "t"

    def set(self, name: str, value: str) -> None:
        """Change a setting for everybody, running sessions included."""
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("SELECT pg_reload_conf()")

    def reset(self, name: str) -> None:
        self.sql(f"ALTER SYSTEM RESET {name}")
        self.sql("SELECT pg_reload_conf()")


@dataclass(frozen=True, slots=True)
class Failover:
    """One change of the primary; times by the monotonic clock.

    :param noticed_at: the primary had not answered for as long as the failover manager waits.
    :param whole_at: the old primary was back as a standby, so that commits went on.
    """

    old: str
    new: str
    lost_at: float
    noticed_at: float
    promoted_at: float
    whole_at: float


class DatabasePair:
    """Both servers, called database-0 and database-1. Whoever changes their roles holds `lock`."""

    def __init__(self, folders: dict[str, Path], wires: Wires, logs: Path) -> None:
        password = secrets.token_hex(16)
        self._wires = wires
        self._services_password = secrets.token_hex(16)
        self.nodes = {
            name: DatabaseNode(folder, name, password=password, logs=logs)
            for name, folder in folders.items()
        }
        self.disks: dict[str, Disk] = {}  # empty where mounting is not permitted
        self.lock = RLock()
        self.primary = next(iter(self.nodes))
        self.generation = 0  # of the primary: it grows whenever one ends and another starts
        self.kept_away: set[str] = set()  # standbys that shall stay down for now
        self.failovers: list[Failover] = []

    @property
    def standby(self) -> str:
        (other,) = self.nodes.keys() - {self.primary}
        return other

    def start(self, databases: list[str]) -> None:
        """Start both, with empty databases of the services."""
        primary = self.nodes[self.primary]
        primary.initialise()
        primary.start()
        password = self._services_password
        primary.sql(f"CREATE ROLE {SERVICES_ROLE} LOGIN PASSWORD '{password}'")
        for database in databases:
            primary.sql(f'CREATE DATABASE "{database}" OWNER {SERVICES_ROLE}')
        primary.set("synchronous_standby_names", STANDBYS)
        for near, far in ((self.standby, self.primary), (self.primary, self.standby)):
            self._wires.open(near, far, self.nodes[far].port)
        self.rebuild_standby()

    def end(self) -> None:
        for node in self.nodes.values():
            node.program.kill()

    def rebuild_standby(self) -> None:
        """Copy the primary into the standby; return when commits go on."""
        with self.lock:
            self.nodes[self.standby].follow(self._wires.port(self.standby, self.primary))
            self.wait_until_in_sync()

    def lacks_standby(self) -> bool:
        """Whether the standby has ended without anybody keeping it away."""
        with self.lock:
            is_running = self.nodes[self.standby].program.is_running()
            return not is_running and self.standby not in self.kept_away

    def is_in_sync(self) -> bool:
        """Whether the standby has all that was acknowledged."""
        return self.nodes[self.primary].sql(IS_IN_SYNC) == "t"

    def wait_until_in_sync(self, within_s: float = IN_SYNC_S_MAX) -> None:
        standby = self.nodes[self.standby].program
        standby.wait_until(self.is_in_sync, within_s, "did not come in sync")

    def fail_over(self, *, lost_at: float) -> None:
        """Promote the standby for good: the old primary is killed first, frozen or not, and comes
        back as a standby.
        """
        with self.lock:
            noticed_at, old, new = time.monotonic(), self.primary, self.standby
            self.nodes[old].program.kill()
            self.nodes[new].promote()
            self.primary, self.generation = new, self.generation + 1
            promoted_at = time.monotonic()
            if disk := self.disks.get(old):
                disk.free()
            self.rebuild_standby()
            whole_at = time.monotonic()
            self.failovers.append(Failover(old, new, lost_at, noticed_at, promoted_at, whole_at))

    def count_failovers(self) -> int:
        """How many there were; one that is under way is waited for."""
        with self.lock:
            return len(self.failovers)

    def switch_over(self) -> None:
        """Let the two change roles in good order: nothing is cut that has begun to commit."""
        with self.lock:
            started = time.monotonic()
            self.nodes[self.primary].stop()
            self.fail_over(lost_at=started)

    def restart_primary(self) -> None:
        """Shut the primary down in a moment, without a checkpoint, and start it again."""
        with self.lock:
            node, self.generation = self.nodes[self.primary], self.generation + 1
            if node.program.is_frozen():
                node.program.kill()
            node.stop_at_once()
            node.start()

    def heal(self) -> None:
        """Let both run in their roles; return when commits go on."""
        with self.lock:
            self.kept_away.clear()
            for disk in self.disks.values():
                disk.free()
            for node in self.nodes.values():
                node.program.thaw()
            self.nodes[self.primary].start()
            self.nodes[self.primary].reset("default_transaction_read_only")
            try:
                self.nodes[self.standby].start()
                self.wait_until_in_sync(REJOIN_S_MAX)
            except ProgramFailed:
                self.rebuild_standby()

    def admin_url(self) -> str:
        """The primary as it is now, past the wires, as the superuser."""
        return self.nodes[self.primary].url("postgres")

    def url(self, database: str) -> str:
        """Both servers, past the wires, as the role of the services."""
        return self._url(database, {name: node.port for name, node in self.nodes.items()})

    def lay_wires(self, client: str) -> None:
        for name, node in self.nodes.items():
            self._wires.open(client, name, node.port)

    def wired_url(self, client: str, database: str) -> str:
        """Both servers, through the client's own wires."""
        return self._url(database, {name: self._wires.port(client, name) for name in self.nodes})

    def _url(self, database: str, ports: dict[str, int]) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports.values())
        return f"postgresql://{SERVICES_ROLE}:{self._services_password}@{hosts}/{database}"


@contextmanager
def database_pair(folder: Path, wires: Wires, databases: list[str]) -> Iterator[DatabasePair]:
    """A running pair, killed at the end.

    :raises ServerMissing: PostgreSQL is not installed.
    """
    with ExitStack() as disks:
        folders = {name: folder / name for name in ("database-0", "database-1")}
        mounted: dict[str, Disk] = {}
        for name, place in folders.items():
            if can_mount():
                mounted[name] = disks.enter_context(disk(place, size_mib=DISK_MIB))
            else:
                place.mkdir()
        pair = DatabasePair(folders, wires, folder)
        pair.disks = mounted
        try:
            pair.start(databases)
            yield pair
        finally:
            pair.end()
