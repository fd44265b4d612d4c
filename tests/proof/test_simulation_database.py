"""The simulated database server: what is lost with a COMMIT's reply, a session, or a process."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from holdfast.chassis.database import sqlite
from holdfast.chassis.database.seam import Conflict, Database, DatabaseUnavailable
from proof.simulation.database import LOCK_WAIT_S_MAX, DatabaseServer
from proof.simulation.fault_rates import FaultRates
from proof.simulation.isolation import isolated
from proof.simulation.loop import Process, SimulatedLoop
from proof.simulation.thread import SimulatedThread

pytestmark = pytest.mark.forks

ADD = "INSERT INTO thing VALUES (?1)"


class Testbed:
    """A server with one table, and processes on it."""

    def __init__(self, loop: SimulatedLoop, path: Path, *, is_sole: bool = False) -> None:
        self.loop, self.seen = loop, list[str]()
        self.fault_rates = FaultRates(Random(1))
        self.server = DatabaseServer(
            "things", path, loop, self.fault_rates, Random(1), is_sole=is_sole
        )
        self.woken = 0

    def process(self, name: str = "a") -> tuple[Process, Database]:
        """Start a process with a connection."""
        process = Process(self.loop, name)
        return process, process.context().run(self.server.open)

    async def add(self, database: Database, thing: str, *, hold_s: float = 0.0) -> None:
        """Write a thing; note how that ended."""
        try:
            async with database.begin() as work:
                await work.execute(ADD, thing)
                work.after_commit(self._wake)
                await asyncio.sleep(hold_s)
            self.seen.append(f"{thing} committed")
        except (Conflict, DatabaseUnavailable) as error:
            self.seen.append(f"{thing} {type(error).__name__}")

    def _wake(self) -> None:
        self.woken += 1

    async def things(self) -> list[str]:
        """What is committed."""
        _, database = self.process("reader")
        async with database.read() as reading:
            return [row["name"] for row in await reading.fetch("SELECT name FROM thing")]


def on_a_server(
    path: Path, live: Callable[[Testbed], Coroutine[Any, Any, Any]], *, is_sole: bool = False
) -> Any:
    """Live with a server on a simulated loop, in a forked interpreter."""

    def run() -> Any:
        gc.disable()
        sqlite.ThreadPoolExecutor = SimulatedThread  # type: ignore[attr-defined,assignment]
        loop = SimulatedLoop(Random(1))

        async def lives() -> Any:
            testbed = Testbed(loop, path, is_sole=is_sole)
            _, database = testbed.process()
            await database.execute("CREATE TABLE thing (name TEXT)")
            return await live(testbed)

        return loop.run_until_complete(lives())

    return isolated(run).result()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "things.db"


@pytest.mark.parametrize(
    ("fault", "ended", "left"),
    [
        ("commit lost after", "lamp DatabaseUnavailable", ["lamp"]),
        ("commit lost before", "lamp DatabaseUnavailable", []),
        ("statement broken", "lamp DatabaseUnavailable", []),
        ("begin refused", "lamp DatabaseUnavailable", []),
        ("conflict", "lamp Conflict", []),
    ],
)
def test_what_is_left_of_a_transaction(path: Path, fault: str, ended: str, left: list[str]) -> None:
    async def live(testbed: Testbed) -> Any:
        _, database = testbed.process()
        testbed.fault_rates.rates[fault] = 1.0
        await testbed.add(database, "lamp")
        testbed.fault_rates.heal()
        return testbed.seen, await testbed.things(), testbed.woken

    assert on_a_server(path, live) == ([ended], left, 0)


def test_the_next_transaction_after_a_lost_commit_is_a_whole_one(path: Path) -> None:
    async def live(testbed: Testbed) -> Any:
        _, database = testbed.process()
        testbed.fault_rates.rates["commit lost before"] = 1.0
        await testbed.add(database, "lamp")
        testbed.fault_rates.heal()
        await testbed.add(database, "table")
        return testbed.seen, await testbed.things(), testbed.woken

    seen = ["lamp DatabaseUnavailable", "table committed"]
    assert on_a_server(path, live) == (seen, ["table"], 1)


@pytest.mark.parametrize("is_sole", [True, False])
def test_a_killed_process_leaves_nothing_uncommitted_and_no_lock(path: Path, is_sole: bool) -> None:
    async def live(testbed: Testbed) -> Any:
        process, database = testbed.process()
        process.start(testbed.add(database, "lamp", hold_s=100), "adds")
        await asyncio.sleep(1)
        process.kill()
        testbed.server.process_died(process)
        _, other = testbed.process("b")
        await testbed.add(other, "table")
        return testbed.seen, await testbed.things()

    assert on_a_server(path, live, is_sole=is_sole) == (["table committed"], ["table"])


def test_a_commit_that_has_left_a_process_may_outlive_it(path: Path) -> None:
    async def live(testbed: Testbed) -> Any:
        process, database = testbed.process()
        testbed.fault_rates.disk_s = 1e-9
        process.start(testbed.add(database, "lamp"), "adds")
        while not await testbed.things():
            await asyncio.sleep(0)
        process.kill()
        await asyncio.sleep(1)
        return testbed.seen, await testbed.things()

    assert on_a_server(path, live) == ([], ["lamp"])


def test_writers_wait_for_each_other_and_not_for_ever(path: Path) -> None:
    async def live(testbed: Testbed) -> Any:
        first, database = testbed.process()
        second, other = testbed.process("b")
        long = first.start(testbed.add(database, "lamp", hold_s=LOCK_WAIT_S_MAX + 1), "adds")
        await asyncio.sleep(0.1)
        await second.start(testbed.add(other, "table"), "adds")
        await long
        await second.start(testbed.add(other, "chair"), "adds")
        return testbed.seen, await testbed.things()

    seen = ["table DatabaseUnavailable", "lamp committed", "chair committed"]
    assert on_a_server(path, live) == (seen, ["lamp", "chair"])


def test_an_outage_breaks_what_is_open_and_refuses_the_rest(path: Path) -> None:
    async def live(testbed: Testbed) -> Any:
        process, database = testbed.process()
        adding = process.start(testbed.add(database, "lamp", hold_s=5), "adds")
        await asyncio.sleep(1)
        testbed.server.go_down()
        await adding
        await testbed.add(database, "table")
        testbed.server.come_up()
        await testbed.add(database, "chair")
        return testbed.seen, await testbed.things()

    seen = ["lamp DatabaseUnavailable", "table DatabaseUnavailable", "chair committed"]
    assert on_a_server(path, live) == (seen, ["chair"])


def test_leadership_is_lost_unnoticed_and_for_half_a_second_two_believe(path: Path) -> None:
    async def live(testbed: Testbed) -> Any:
        process, database = testbed.process()
        _, other = testbed.process("b")
        mine = process.context().run(database.leadership, "relay")
        theirs = process.context().run(other.leadership, "relay")
        before = await mine.held(), await theirs.held()
        testbed.server.leaderships.forget()
        during = await theirs.held(), await mine.held()
        await asyncio.sleep(1)
        return before, during, (await mine.held(), await theirs.held())

    assert on_a_server(path, live) == ((True, False), (True, True), (False, True))
