"""What happens to PostgreSQL: to the primary, to its standby, and by the hand of its operator."""

import asyncpg

from proof.chaos.database_pair import SERVICES_ROLE, DatabaseNode
from proof.chaos.fault import Fault, Ineffective, require
from proof.chaos.link_conditions import BLACK_HOLE, GOOD
from proof.chaos.testbed import Testbed
from testbed.services import SERVICES

LOCK_S_MAX = 10.0
PIDS = f"SELECT pid FROM pg_stat_activity WHERE usename = '{SERVICES_ROLE}' ORDER BY pid"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


class DatabaseFault(Fault):
    """A fault of the primary as it is at the strike, unless a kind says otherwise."""

    group = "databases"

    def _heal(self) -> None:
        self.testbed.databases.heal()

    def take_primary(self) -> DatabaseNode:
        pair = self.testbed.databases
        self.target = pair.primary
        return pair.nodes[pair.primary]

    def take_standby(self) -> DatabaseNode:
        pair = self.testbed.databases
        self.target = pair.standby
        return pair.nodes[pair.standby]

    def _kill(self, node: DatabaseNode) -> None:
        require(node.program.kill() > 0, f"{node.name} was dead already")
        self.kills += 1


class PrimaryKilled(DatabaseFault):
    """The failover manager promotes the standby, and brings the old primary back as one."""

    name = "database primary killed"
    durations_s = (5.0,)

    def _strike(self) -> None:
        self._kill(self.take_primary())


class PrimaryFrozen(DatabaseFault):
    """For a moment only, or until the failover manager loses its patience, which ends its life."""

    name = "database primary frozen"
    durations_s = (1.0, 10.0)

    def _strike(self) -> None:
        node = self.take_primary()
        node.program.freeze()
        require(node.program.is_frozen(), f"{node.name} goes on")


class PrimaryRestarted(DatabaseFault):
    """As by `pg_ctl restart -m immediate`: recovery from the log, and every session lost."""

    name = "database primary restarted"

    def _strike(self) -> None:
        generation = self.testbed.databases.generation
        self.take_primary()
        self.testbed.databases.restart_primary()
        require(self.testbed.databases.generation > generation, "it was not restarted")


class SwitchedOver(DatabaseFault):
    name = "database switched over"

    def _strike(self) -> None:
        old = self.take_primary()
        self.testbed.databases.switch_over()
        require(self.testbed.databases.primary != old.name, "the roles are as before")


class StandbyKilled(DatabaseFault):
    """Commits have to wait until it is back: nobody may be told that they are safe."""

    name = "database standby killed"
    durations_s = (3.0, 10.0)

    def _strike(self) -> None:
        with self.testbed.databases.lock:
            node = self.take_standby()
            self.testbed.databases.kept_away.add(node.name)
            self._kill(node)


class StandbyFrozen(DatabaseFault):
    name = "database standby frozen"
    durations_s = (3.0, 10.0)

    def _strike(self) -> None:
        node = self.take_standby()
        node.program.freeze()
        require(node.program.is_frozen(), f"{node.name} goes on")


class ReplicationHeld(DatabaseFault):
    """Primary and standby live and don't hear each other."""

    name = "database replication held"
    durations_s = (3.0, 10.0)

    def choose(self) -> None:
        names = sorted(self.testbed.databases.nodes)
        self.wires = self.testbed.wires.between(names, names)
        self.target = " and ".join(names)

    def _strike(self) -> None:
        for client, server in self.wires:
            self.testbed.wires.set(client, server, BLACK_HOLE)

    def _heal(self) -> None:
        for client, server in self.wires:
            self.testbed.wires.set(client, server, GOOD)
        super()._heal()


class BackendsTerminated(DatabaseFault):
    name = "database backends terminated"

    def _strike(self) -> None:
        node = self.take_primary()
        pids = node.sql(PIDS).split()
        victims = self.chance.sample(pids, k=(len(pids) + 1) // 2)
        ended = node.sql(
            f"SELECT count(*) FILTER (WHERE pg_terminate_backend(pid::int))"
            f" FROM unnest(string_to_array('{','.join(victims)}', ',')) AS pid"
        )
        require(int(ended) > 0, "the services had no sessions")


class TableLocked(DatabaseFault):
    """Somebody alters a table, and takes their time."""

    name = "database table locked"
    durations_s = (3.0, 10.0, 30.0)

    def choose(self) -> None:
        self._service = self.chance.choice(SERVICES)
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def strike(self) -> None:
        node = self.take_primary()
        self._connection = await asyncpg.connect(node.url(self._service), timeout=LOCK_S_MAX)
        tables = [row["tablename"] for row in await self._connection.fetch(TABLES)]
        table = self.chance.choice(tables)
        self.target = f"{self._service}.{table}"
        try:
            await self._connection.execute("BEGIN")
            await self._connection.execute(f"SET LOCAL lock_timeout = '{LOCK_S_MAX:g}s'")
            await self._connection.execute(f'LOCK TABLE "{table}" IN ACCESS EXCLUSIVE MODE')
        except asyncpg.PostgresError as error:
            raise Ineffective(f"{self.target}: {error}") from error

    async def heal(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
        await super().heal()

    def _strike(self) -> None:
        raise AssertionError("a lock is taken on the event loop")


class ReadOnly(DatabaseFault):
    name = "database read-only"
    durations_s = (3.0, 10.0)

    def _strike(self) -> None:
        node = self.take_primary()
        node.set("default_transaction_read_only", "on")
        require(node.sql("SHOW transaction_read_only") == "on", "it takes writes")


class DiskFull(DatabaseFault):
    """Whether the primary dies of it depends on what it wants to write next."""

    name = "database disk full"
    durations_s = (3.0, 10.0)

    @classmethod
    def why_impossible(cls, testbed: Testbed) -> str:
        return "" if testbed.databases.disks else "this user may not mount a file system"

    def _strike(self) -> None:
        disk = self.testbed.databases.disks[self.take_primary().name]
        disk.fill()
        require(disk.free_bytes() == 0, "there is space left")


KINDS: list[type[Fault]] = [
    PrimaryKilled,
    PrimaryFrozen,
    PrimaryRestarted,
    SwitchedOver,
    StandbyKilled,
    StandbyFrozen,
    ReplicationHeld,
    BackendsTerminated,
    TableLocked,
    ReadOnly,
    DiskFull,
]
