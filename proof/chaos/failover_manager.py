"""Who decides that the primary is lost, and promotes its standby: it plays the part of Patroni.

It asks the primary several times a second. When there is no answer for PATIENCE_S, the primary is
fenced (killed, with every process that it has) and its standby promoted, but only if the standby
was in sync at the last answer: otherwise it may lack what was acknowledged since, and the primary
is started again instead. Patroni keeps the same rule through its lease and its record of the
synchronous standby; unlike it, this failover manager can't be cut off from those it judges.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import asyncpg
import structlog

from proof.chaos.database_pair import DATABASE_TROUBLES, IS_IN_SYNC, DatabasePair
from testbed.processes import ProgramFailed

PATIENCE_S = 2.0
LOOK_EVERY_S = 0.25

log = structlog.get_logger()


class FailoverManager:
    """Watches a pair from a thread of its own."""

    def __init__(self, pair: DatabasePair) -> None:
        self._pair = pair
        self._ending = Event()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._generation = -1
        self._was_in_sync = False
        self._answered_at = 0.0

    def watch(self) -> None:
        """Judge until told to end."""
        asyncio.run(self._watch())

    def end(self) -> None:
        self._ending.set()

    async def _watch(self) -> None:
        while not self._ending.is_set():
            try:
                await self._look()
            except ProgramFailed as failure:
                log.warning("the failover manager could not mend the pair yet", error=str(failure))
            await asyncio.sleep(LOOK_EVERY_S)
        self._hang_up()

    async def _look(self) -> None:
        if self._generation != self._pair.generation:  # what was known of another life is void
            self._hang_up()
            self._generation, self._was_in_sync = self._pair.generation, False
            self._answered_at = time.monotonic()
        is_in_sync = await self._ask()
        if is_in_sync is not None:
            self._was_in_sync, self._answered_at = is_in_sync, time.monotonic()
            if self._pair.lacks_standby():
                self._pair.rebuild_standby()
        elif time.monotonic() - self._answered_at > PATIENCE_S:
            await self._judge()

    async def _judge(self) -> None:
        with self._pair.lock:
            if self._generation != self._pair.generation or await self._ask() is not None:
                return  # somebody has mended it meanwhile
            was_in_sync, self._was_in_sync = self._was_in_sync, False
            if was_in_sync:
                self._pair.fail_over(lost_at=self._answered_at)
            else:
                self._pair.restart_primary()

    async def _ask(self) -> bool | None:
        """Whether the standby is in sync; None if the primary doesn't answer."""
        try:
            async with asyncio.timeout(PATIENCE_S / 2):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._pair.admin_url())
                return bool(await self._connection.fetchval(IS_IN_SYNC))
        except (OSError, TimeoutError, *DATABASE_TROUBLES):
            self._hang_up()
            return None

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


@contextmanager
def failover_manager(pair: DatabasePair) -> Iterator[FailoverManager]:
    """A failover manager that watches while the block runs."""
    judge = FailoverManager(pair)
    thread = Thread(target=judge.watch, name="failover manager", daemon=True)
    thread.start()
    try:
        yield judge
    finally:
        judge.end()
        thread.join()
