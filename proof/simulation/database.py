"""A database server in virtual time: the real SQLite adapter on a real file, and what breaks.

Every simulated process has connections of its own. SQLite has one writer, so whole transactions
come one after another: two instances never interleave inside of transactions, only between them and
with reads outside. Row locks, SKIP LOCKED and PostgreSQL's own SQL are not simulated; the tests on
real servers cover these.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from holdfast.chassis.database.postgres import CONNECT_TIMEOUT_S
from holdfast.chassis.database.seam import (
    Conflict,
    DatabaseUnavailable,
    Engine,
    Leadership,
    Reading,
    Row,
    Transaction,
)
from holdfast.chassis.database.sqlite import Sqlite
from proof.simulation.fault_rates import FaultRates
from proof.simulation.leadership import LeadershipTable, SimulatedLeadership
from proof.simulation.loop import Process, SimulatedLoop, current_process
from proof.simulation.thread import SimulatedThread

LOCK_WAIT_S_MAX = 8.0
IDLE_S_MAX = 30.0  # of a transaction, before the server ends it, as PostgreSQL is told to
DEATH_NOTICED_S_MAX = 3.0


class DatabaseServer:
    """One service's database, as the processes on it find it.

    :param is_sole: only one process may use the file, as in embedded mode.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        loop: SimulatedLoop,
        fault_rates: FaultRates,
        chance: Random,
        *,
        is_sole: bool,
    ) -> None:
        self.name, self.path, self.loop, self.fault_rates = name, path, loop, fault_rates
        self.leaderships = LeadershipTable(loop, fault_rates)
        self.is_down, self.is_sole = False, is_sole
        self._chance = chance
        self._sessions: list[Session] = []
        self._writer: Session | None = None
        self._waiting: deque[tuple[Session, asyncio.Future[None]]] = deque()

    def open(self) -> "SimulatedDatabase":
        """Open connections for the current process."""
        process = current_process()
        assert process is not None
        session = Session(self, process, Sqlite(self.path))
        self._sessions.append(session)
        return SimulatedDatabase(self, session)

    def process_died(self, process: Process) -> None:
        """Roll back what it left open, and free its locks, once the server notices."""
        for session in list(self._sessions):
            if session.process is process and self.is_sole:
                self.close(session)  # the kernel closes files at once
            elif session.process is process:
                notices_s = self._chance.random() ** 4 * DEATH_NOTICED_S_MAX
                self.loop.outside(notices_s, self.close, session)
        self.leaderships.process_died(process, self._chance.random() ** 2 * DEATH_NOTICED_S_MAX)

    def close(self, session: "Session") -> None:
        if session in self._sessions:
            session.is_closed = True
            self._sessions.remove(session)
            session.close()
            self.free(session)

    def go_down(self) -> None:
        """Break every session; refuse new ones until `come_up`."""
        self.is_down = True
        for session in list(self._sessions):
            self.break_off(session)
        self.leaderships.forget()

    def come_up(self) -> None:
        self.is_down = False

    def break_off_writer(self) -> None:
        """End a session that is in a transaction, as an operator or a firewall may."""
        if self._writer is not None:
            self.break_off(self._writer)

    def break_off(self, session: "Session") -> None:
        session.break_off()
        if not session.process.is_alive:
            self.close(session)

    async def reached(self) -> None:
        """Return when the server has taken a request; raise if it can't."""
        if self.is_down or self.fault_rates.strikes("begin refused"):
            await asyncio.sleep(min(self.fault_rates.network_wait_s(), CONNECT_TIMEOUT_S))
            raise DatabaseUnavailable(f"{self.name}: out of reach")

    async def lock(self, session: "Session") -> None:
        """Become the writer; whoever waits too long gives up."""
        if session.is_closed:
            raise DatabaseUnavailable(f"{self.name}: closed")
        if self._writer is None:
            self._writer = session
        else:
            turn: asyncio.Future[None] = self.loop.create_future()
            self._waiting.append((session, turn))
            try:
                async with asyncio.timeout(LOCK_WAIT_S_MAX):
                    await turn
            except BaseException as error:
                if self._writer is session and turn.done() and not turn.cancelled():
                    self.free(session)
                if isinstance(error, TimeoutError):
                    raise DatabaseUnavailable(f"{self.name}: waited too long") from error
                raise
        session.transactions += 1
        self.loop.outside(IDLE_S_MAX, self._end_idle, session, session.transactions)

    def _end_idle(self, session: "Session", transaction: int) -> None:
        if self._writer is session and session.transactions == transaction:
            self.break_off(session)

    def free(self, session: "Session") -> None:
        """Let the next one write."""
        if self._writer is not session:
            return
        self._writer = None
        while self._waiting:
            session, turn = self._waiting.popleft()
            if not session.is_closed and session.process.is_alive and not turn.done():
                self._writer = session
                turn.set_result(None)
                return


class Session:
    """The connections of one process."""

    def __init__(self, server: DatabaseServer, process: Process, sqlite: Sqlite) -> None:
        self.process, self.sqlite = process, sqlite
        self.transactions = 0
        self.is_broken = self.is_closed = False
        self._server = server
        self._writer, self._reader = sqlite._writer._connection, sqlite._reader._connection
        self._threads = [_thread(sqlite._writer._thread), _thread(sqlite._reader._thread)]
        for thread, refuse in zip(self._threads, (self._refuse, self._refuse_down), strict=True):
            thread.wait_s, thread.refuse = server.fault_rates.disk_wait_s, refuse

    def _refuse(self) -> None:
        """Fail a statement whose transaction was rolled back under it."""
        if self.is_broken:
            raise DatabaseUnavailable(f"{self._server.name}: the session is broken")
        self._refuse_down()

    def _refuse_down(self) -> None:
        if self._server.is_down:
            raise DatabaseUnavailable(f"{self._server.name}: the server is down")

    def break_off(self) -> None:
        """Roll back; what this transaction still asks for fails."""
        if self._writer.in_transaction:
            self.is_broken = True
            self._writer.rollback()

    def close(self) -> None:
        """Roll back and close, for a process that is dead or leaves."""
        for thread in self._threads:
            thread.is_gone = True
        self._writer.close()
        self._reader.close()


def _thread(thread: object) -> SimulatedThread:
    assert isinstance(thread, SimulatedThread), "the adapter's threads are replaced"
    return thread


class SimulatedDatabase:
    """The database seam for one process: the SQLite adapter, and faults around it."""

    engine: Engine = "sqlite"

    def __init__(self, server: DatabaseServer, session: Session) -> None:
        self._server, self._session, self._fault_rates = server, session, server.fault_rates

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._writing(), self._session.sqlite.begin() as real:
            work = SimulatedTransaction(real, self._session, self._fault_rates)
            yield work
            self._fail_statement()
            if self._fault_rates.strikes("commit lost before"):
                self._session.break_off()
        if self._fault_rates.strikes("commit lost after"):
            raise DatabaseUnavailable(f"{self._server.name}: no reply to COMMIT")
        for wake in work.committed:
            wake()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        await self._server.reached()
        await self._server.lock(self._session)
        try:
            yield
        finally:
            self._session.is_broken = False  # the next transaction is on another connection
            self._server.free(self._session)

    def _fail_statement(self) -> None:
        fail_statement(self._session, self._fault_rates)

    async def execute(self, sql: str, *arguments: object) -> int:
        async with self._writing():
            if self._fault_rates.strikes("conflict"):
                raise Conflict("drawn by chance")
            count = await self._session.sqlite.execute(sql, *arguments)
        if self._fault_rates.strikes("commit lost after"):
            raise DatabaseUnavailable(f"{self._server.name}: no reply")
        return count

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        await self._server.reached()
        async with self._session.sqlite.read() as real:
            yield SimulatedReading(real, self._fault_rates)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reading]:
        await self._server.reached()
        async with self._session.sqlite.snapshot() as real:
            yield real

    def leadership(self, name: str, told: Callable[[], None] | None = None) -> Leadership:
        if self._server.is_sole:
            return self._session.sqlite.leadership(name, told)
        return SimulatedLeadership(self._server.leaderships, name, told, self._server.reached)

    async def close(self) -> None:
        self._server.close(self._session)


class SimulatedReading:
    """A connection for reading that may break."""

    def __init__(self, real: Reading, fault_rates: FaultRates) -> None:
        self._real, self._fault_rates = real, fault_rates

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        if self._fault_rates.strikes("statement broken"):
            raise DatabaseUnavailable("broken by chance")
        return await self._real.fetch(sql, *arguments)


class SimulatedTransaction:
    """A transaction in which any statement may lose a conflict or the session."""

    def __init__(self, real: Transaction, session: Session, fault_rates: FaultRates) -> None:
        self._real, self._session, self._fault_rates = real, session, fault_rates
        self.defer = real.defer
        self.committed: list[Callable[[], None]] = []
        # The adapter's own calls come at its COMMIT, whose reply may be lost.
        self.after_commit = self.committed.append

    async def fetch(self, sql: str, *arguments: object) -> Sequence[Row]:
        fail_statement(self._session, self._fault_rates)
        return await self._real.fetch(sql, *arguments)

    async def execute(self, sql: str, *arguments: object) -> int:
        fail_statement(self._session, self._fault_rates)
        return await self._real.execute(sql, *arguments)

    async def write(self, sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        fail_statement(self._session, self._fault_rates)
        return await self._real.write(sql, rows)


def fail_statement(session: Session, fault_rates: FaultRates) -> None:
    """Break the session, or lose a conflict, if the fault rates want it."""
    if fault_rates.strikes("conflict"):
        raise Conflict("drawn by chance")
    if fault_rates.strikes("statement broken"):
        session.break_off()
        raise DatabaseUnavailable("broken by chance")
