"""The promises of leadership: one process at a time, and free again when that process is gone.

On SQLite one process owns the file, and always leads.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from holdfast.chassis.database.seam import Database, DatabaseUnavailable
from testbed.servers import PostgresServer


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_only_one_process_has_a_right_at_a_time_and_it_can_be_given_back(
    database: Database,
) -> None:
    if database.engine == "sqlite":
        assert await database.leadership("relay").held()
        return  # one process owns the file
    first, second, other = (database.leadership(name) for name in ("relay", "relay", "sweep"))

    before = [await right.held() for right in (first, second, first, second, other)]
    await first.release()
    after = [await right.held() for right in (second, first)]

    assert before == [True, False, True, False, True]
    assert after == [True, False]
    for right in (first, second, other):
        await right.release()


async def test_several_loops_of_one_process_may_ask_at_once(database: Database) -> None:
    right = database.leadership("relay")

    answers = await asyncio.gather(*(right.held() for _ in range(10)))

    assert answers == [True] * 10
    await right.release()


async def test_a_process_whose_connection_dies_loses_the_right_to_whoever_asks_first(
    database: Database, postgres_server: PostgresServer
) -> None:
    if database.engine == "sqlite":
        return
    first, second = database.leadership("relay"), database.leadership("relay")
    assert await first.held()

    sql = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    await asyncio.to_thread(postgres_server.sql, sql)

    await eventually(second.held)

    async def first_knows() -> bool:
        with suppress(DatabaseUnavailable):
            return not await first.held()
        return False

    await eventually(first_knows)
    assert await second.held()
    await first.release()
    await second.release()


LEAD_UNTIL_KILLED = """
import asyncio, sys
from holdfast.chassis.database import postgres
from holdfast.chassis.database.postgres import connect_postgres

async def lead():
    postgres.LEADERSHIP_IDLE_S = float(sys.argv[2])
    right = (await connect_postgres(sys.argv[1])).leadership("relay")
    print(await right.held(), flush=True)
    await asyncio.sleep(60)

asyncio.run(lead())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_right_of_a_process_that_is_killed_or_frozen_is_free_again(
    end: signal.Signals, database: Database, url: str
) -> None:
    if database.engine == "sqlite":
        return
    mine = database.leadership("relay")
    command = [sys.executable, "-c", LEAD_UNTIL_KILLED, url, "1.0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == "True\n"
        held_beside_it = await mine.held()
        leader.send_signal(end)

        try:
            await eventually(mine.held)
        finally:
            leader.kill()

    assert not held_beside_it
    await mine.release()
