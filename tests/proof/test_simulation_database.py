"""The simulated database server: what is lost with a COMMIT's reply, a session, or a process."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from holdfast.chassis import sqlite
from holdfast.chassis.database import Conflict, Database, DatabaseUnavailable
from proof.simulation.database import LOCK_WAIT_S_MAX, DatabaseServer
from proof.simulation.isolation import isolated
from proof.simulation.loop import Process, SimulatedLoop
from proof.simulation.thread import SimulatedThread
from proof.simulation.weather import Weather

ADD = "INSERT INTO thing VALUES (?1)"


class Ground:
    """A server with one table, and processes on it."""

    def __init__(self, loop: SimulatedLoop, path: Path, *, is_sole: bool = False) -> None:
        self.loop, self.seen = loop, list[str]()
        self.weather = Weather(Random(1))
        self.server = DatabaseServer("things", path, loop, self.weather, Random(1), is_sole=is_sole)
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
    path: Path, live: Callable[[Ground], Coroutine[Any, Any, Any]], *, is_sole: bool = False
) -> Any:
    """Live with a server on a simulated loop, in a forked interpreter."""

    def run() -> Any:
        gc.disable()
        sqlite.ThreadPoolExecutor = SimulatedThread  # type: ignore[attr-defined,assignment]
        loop = SimulatedLoop(Random(1))

        async def lives() -> Any:
            ground = Ground(loop, path, is_sole=is_sole)
            _, database = ground.process()
            await database.execute("CREATE TABLE thing (name TEXT)")
            return await live(ground)

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
    async def live(ground: Ground) -> Any:
        _, database = ground.process()
        ground.weather.rates[fault] = 1.0
        await ground.add(database, "lamp")
        ground.weather.heal()
        return ground.seen, await ground.things(), ground.woken

    assert on_a_server(path, live) == ([ended], left, 0)


def test_the_next_transaction_after_a_lost_commit_is_a_whole_one(path: Path) -> None:
    async def live(ground: Ground) -> Any:
        _, database = ground.process()
        ground.weather.rates["commit lost before"] = 1.0
        await ground.add(database, "lamp")
        ground.weather.heal()
        await ground.add(database, "table")
        return ground.seen, await ground.things(), ground.woken

    seen = ["lamp DatabaseUnavailable", "table committed"]
    assert on_a_server(path, live) == (seen, ["table"], 1)


@pytest.mark.parametrize("is_sole", [True, False])
def test_a_killed_process_leaves_nothing_uncommitted_and_no_lock(path: Path, is_sole: bool) -> None:
    async def live(ground: Ground) -> Any:
        process, database = ground.process()
        process.start(ground.add(database, "lamp", hold_s=100), "adds")
        await asyncio.sleep(1)
        process.kill()
        ground.server.process_died(process)
        _, other = ground.process("b")
        await ground.add(other, "table")
        return ground.seen, await ground.things()

    assert on_a_server(path, live, is_sole=is_sole) == (["table committed"], ["table"])


def test_a_commit_that_has_left_a_process_may_outlive_it(path: Path) -> None:
    async def live(ground: Ground) -> Any:
        process, database = ground.process()
        ground.weather.disk_s = 1e-9
        process.start(ground.add(database, "lamp"), "adds")
        while not await ground.things():
            await asyncio.sleep(0)
        process.kill()
        await asyncio.sleep(1)
        return ground.seen, await ground.things()

    assert on_a_server(path, live) == ([], ["lamp"])


def test_writers_wait_for_each_other_and_not_for_ever(path: Path) -> None:
    async def live(ground: Ground) -> Any:
        first, database = ground.process()
        second, other = ground.process("b")
        long = first.start(ground.add(database, "lamp", hold_s=LOCK_WAIT_S_MAX + 1), "adds")
        await asyncio.sleep(0.1)
        await second.start(ground.add(other, "table"), "adds")
        await long
        await second.start(ground.add(other, "chair"), "adds")
        return ground.seen, await ground.things()

    seen = ["table DatabaseUnavailable", "lamp committed", "chair committed"]
    assert on_a_server(path, live) == (seen, ["lamp", "chair"])


def test_an_outage_breaks_what_is_open_and_refuses_the_rest(path: Path) -> None:
    async def live(ground: Ground) -> Any:
        process, database = ground.process()
        adding = process.start(ground.add(database, "lamp", hold_s=5), "adds")
        await asyncio.sleep(1)
        ground.server.go_down()
        await adding
        await ground.add(database, "table")
        ground.server.come_up()
        await ground.add(database, "chair")
        return ground.seen, await ground.things()

    seen = ["lamp DatabaseUnavailable", "table DatabaseUnavailable", "chair committed"]
    assert on_a_server(path, live) == (seen, ["chair"])


def test_leadership_is_lost_unnoticed_and_for_half_a_second_two_believe(path: Path) -> None:
    async def live(ground: Ground) -> Any:
        process, database = ground.process()
        _, other = ground.process("b")
        mine = process.context().run(database.leadership, "relay")
        theirs = process.context().run(other.leadership, "relay")
        before = await mine.held(), await theirs.held()
        ground.server.leaderships.forget()
        during = await theirs.held(), await mine.held()
        await asyncio.sleep(1)
        return before, during, (await mine.held(), await theirs.held())

    assert on_a_server(path, live) == ((True, False), (True, True), (False, True))
