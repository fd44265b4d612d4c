"""The simulated loop: virtual time, one order per seed, and processes that die as under SIGKILL."""

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any

import pytest

from proof.simulation.isolation import Died, isolated
from proof.simulation.loop import (
    POLICIES,
    Deadlock,
    Policy,
    Process,
    SimulatedLoop,
    current_process,
)

pytestmark = pytest.mark.forks

Seen = list[str]


def simulated(
    live: Callable[[SimulatedLoop], Coroutine[Any, Any, Any]],
    seed: int = 1,
    policy: Policy = "lottery",
) -> Any:
    """Run on a simulated loop in a forked interpreter, where nothing has to be cleaned up."""

    def run() -> Any:
        gc.disable()
        loop = SimulatedLoop(Random(seed), policy)
        return loop.run_until_complete(live(loop)), loop.time(), loop.fingerprint

    return isolated(run).result()


def test_hours_take_no_time() -> None:
    async def live(_: SimulatedLoop) -> str:
        await asyncio.sleep(3_600)
        return "done"

    outcome, time_s, _ = simulated(live)

    assert (outcome, time_s) == ("done", 3_600)


def test_timeouts_are_virtual() -> None:
    async def live(loop: SimulatedLoop) -> float:
        try:
            async with asyncio.timeout(7):
                await asyncio.Event().wait()
        except TimeoutError:
            return loop.time()
        return 0.0

    assert simulated(live)[0] == 7


def test_nothing_left_to_happen_is_a_deadlock() -> None:
    async def live(_: SimulatedLoop) -> str:
        await asyncio.Event().wait()
        return "never"

    def run() -> str:
        loop = SimulatedLoop(Random(1))
        with pytest.raises(Deadlock):
            loop.run_until_complete(live(loop))
        return "found"

    assert isolated(run).result() == "found"


async def a_race(loop: SimulatedLoop) -> Seen:
    """Three processes that take turns."""
    seen: Seen = []

    async def runs(name: str) -> None:
        for _ in range(10):
            seen.append(name)
            await asyncio.sleep(0)

    runners = [Process(loop, name).start(runs(name), name) for name in "abc"]
    await asyncio.wait(runners)
    return seen


@pytest.mark.parametrize("policy", POLICIES)
def test_a_seed_is_one_order_of_turns(policy: Policy) -> None:
    assert simulated(a_race, 1, policy) == simulated(a_race, 1, policy)


def test_another_seed_is_another_order_of_turns() -> None:
    orders = {tuple(simulated(a_race, seed)[0]) for seed in range(1, 6)}

    assert len(orders) == 5


@pytest.mark.parametrize("policy", POLICIES)
def test_callbacks_of_one_process_keep_their_order(policy: Policy) -> None:
    async def live(loop: SimulatedLoop) -> dict[str, list[int]]:
        seen: dict[str, list[int]] = {"a": [], "b": []}
        processes = [Process(loop, name) for name in seen]
        for number in range(20):
            for process in processes:
                loop.call_soon(seen[process.name].append, number, context=process.context())
        await asyncio.sleep(1)
        return seen

    assert simulated(live, policy=policy)[0] == {name: list(range(20)) for name in "ab"}


async def _works_until_the_end(seen: Seen) -> None:
    try:
        seen.append("works")
        async with asyncio.timeout(100):
            await asyncio.Event().wait()
    finally:
        seen.append("cleans up")


def test_a_killed_process_runs_no_finally() -> None:
    async def live(loop: SimulatedLoop) -> Seen:
        seen: Seen = []
        process = Process(loop, "victim")
        process.start(_works_until_the_end(seen), "works")
        loop.call_later(50, seen.append, "late", context=process.context())
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(1_000)
        gc.collect()
        return seen

    assert simulated(live)[0] == ["works"]


def test_a_process_may_be_killed_from_within() -> None:
    async def live(loop: SimulatedLoop) -> Seen:
        seen: Seen = []

        async def ends_itself() -> None:
            process = current_process()
            assert process is not None
            try:
                process.kill()
                await asyncio.sleep(0)
                seen.append("goes on")
            finally:
                seen.append("cleans up")

        Process(loop, "victim").start(ends_itself(), "ends itself")
        await asyncio.sleep(10)
        return seen

    assert simulated(live)[0] == []


def test_a_process_that_is_told_to_stop_cleans_up() -> None:
    async def live(loop: SimulatedLoop) -> Seen:
        seen: Seen = []
        task = Process(loop, "victim").start(_works_until_the_end(seen), "works")
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return seen

    assert simulated(live)[0] == ["works", "cleans up"]


def test_a_frozen_process_is_late_for_everything() -> None:
    async def live(loop: SimulatedLoop) -> list[float]:
        woken: list[float] = []

        async def sleeps() -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                woken.append(loop.time())

        process = Process(loop, "sleeper")
        process.start(sleeps(), "sleeps")
        await asyncio.sleep(1.5)
        process.freeze()
        await asyncio.sleep(10)
        process.thaw()
        await asyncio.sleep(10)
        return woken

    assert simulated(live)[0] == [1.0, 11.5, 12.5]


def test_what_happens_outside_outlives_whoever_asked_for_it() -> None:
    async def live(loop: SimulatedLoop) -> Seen:
        seen: Seen = []

        async def asks() -> None:
            loop.outside(5, lambda: seen.append(f"done for {current_process()}"))

        process = Process(loop, "asker")
        process.start(asks(), "asks")
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(10)
        return seen

    assert simulated(live)[0] == ["done for None"]


def test_a_fork_that_dies_says_so() -> None:
    with pytest.raises(Died, match="ended with 1"):
        isolated(lambda: 1 / 0).result()


@pytest.fixture
def left() -> Iterator[None]:
    """Something that only the collector ends, and that ends a fork which ends it."""

    class Left:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            if os.getpid() != parent:
                os._exit(7)  # in the place of one that waits for a thread, which no fork has

    parent = os.getpid()
    gc.collect()
    gc.disable()
    Left()
    yield
    gc.collect()
    gc.enable()


@pytest.mark.usefixtures("left")
def test_what_a_fork_was_given_is_not_collected_there() -> None:
    assert isolated(gc.collect).result() >= 0


@pytest.mark.usefixtures("left")
def test_what_a_fork_was_given_is_not_collected_on_the_way_into_it() -> None:
    allocating = [True]
    os.register_at_fork(after_in_child=lambda: allocating and [[] for _ in range(10_000)])
    gc.enable()
    try:
        assert isolated(gc.isenabled).result()
    finally:
        allocating.clear()  # nobody can take a hook away
