"""Waiting after failures: longer each time, bounded, and however often it failed before."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from holdfast.chassis import clock
from holdfast.chassis.clock import backoff_s
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable
from holdfast.chassis.messaging.broker import BrokerUnavailable
from holdfast.chassis.process import lifecycle
from holdfast.chassis.process.lifecycle import RESTART_S_MAX, background

FAILURES = 2_000  # at ten seconds each an outage of five hours
WORKS_S_MAX = 2 * RESTART_S_MAX + 10  # a long run is a leap of the clock


class Loop:
    """A background loop that fails at once, except for the tries that run long or for good."""

    def __init__(self, error: BaseException, *, long: frozenset[int] = frozenset()) -> None:
        self.tries, self.error, self.long = 0, error, long
        self.slept_s = 0.0
        self.works = asyncio.Event()

    async def __call__(self) -> None:
        self.tries += 1
        if self.tries in self.long:
            self.slept_s += RESTART_S_MAX + 1
        if self.tries > FAILURES:
            self.works.set()
            await asyncio.Event().wait()
        raise self.error


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none is made."""
    asked_for: list[float] = []

    def at_once(seconds: float) -> float:
        asked_for.append(seconds)
        return 0.0

    monkeypatch.setattr(clock, "jitter", at_once)
    return asked_for


async def run_until_it_works(loop: Loop) -> None:
    with capture_logs():
        async with background({"a loop": loop}), asyncio.timeout(WORKS_S_MAX):
            await loop.works.wait()


@pytest.mark.parametrize("failures", [0, 1, 10, 1_024, 10_000, 10**9])
def test_a_pause_is_never_longer_than_its_bound_however_often_it_failed(failures: int) -> None:
    assert 0.05 <= backoff_s(failures, first_s=0.1, longest_s=10.0) <= 15.0


def test_pauses_double_until_their_bound(pauses: list[float]) -> None:
    for failures in range(6):
        backoff_s(failures, first_s=1.0, longest_s=10.0)

    assert pauses == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("away"),
        ValueError("a mistake of ours"),
        asyncio.CancelledError("by a library that lost its connection"),
    ],
)
async def test_a_background_loop_that_fails_for_hours_is_started_again(
    pauses: list[float], error: BaseException
) -> None:
    loop = Loop(error)

    await run_until_it_works(loop)

    assert loop.tries == FAILURES + 1
    assert len(pauses) == FAILURES
    assert max(pauses) == pauses[-1] == RESTART_S_MAX


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable("away"), BrokerUnavailable("away"), Conflict("a deadlock")]
)
async def test_what_passes_by_itself_is_waited_out_without_alarm(error: Exception) -> None:
    loop = Loop(error)

    with capture_logs() as lines:
        async with background({"a loop": loop}), asyncio.timeout(WORKS_S_MAX):
            while loop.tries < 2:
                await asyncio.sleep(0.01)

    assert {line["log_level"] for line in lines} == {"warning"}


async def test_a_background_loop_that_ran_for_long_is_started_again_soon(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = Loop(DatabaseUnavailable("away"), long=frozenset({1_000}))
    running = asyncio.get_running_loop()
    machine_s = running.time
    monkeypatch.setattr(running, "time", lambda: machine_s() + loop.slept_s)

    await run_until_it_works(loop)

    assert pauses[998] == RESTART_S_MAX
    assert pauses[999:1_002] == [0.1, 0.2, 0.4]


async def test_a_loop_whose_task_group_failed_before_is_started_again_when_it_is_abandoned(
    pauses: list[float],
) -> None:
    async def fail() -> None:
        raise ValueError("a child's mistake")

    class Abandoned(Loop):
        async def __call__(self) -> None:
            if self.tries == 0:
                self.tries = FAILURES - 1
                with suppress(ExceptionGroup):
                    async with asyncio.TaskGroup() as group:
                        group.create_task(fail())
                        await asyncio.sleep(1.0)
            await super().__call__()

    loop = Abandoned(asyncio.CancelledError("by a library that lost its connection"))

    await run_until_it_works(loop)

    assert loop.tries == FAILURES + 1


async def test_a_loop_that_loses_a_request_to_stop_to_an_error_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle, "CANCEL_AGAIN_S", 0.01)
    requests = 0

    async def loop() -> None:
        nonlocal requests
        while requests < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                requests += 1
        await asyncio.sleep(60)

    async with asyncio.timeout(5.0):
        async with background({"a loop": loop}):
            await asyncio.sleep(0.01)

    assert requests == 3
