"""One case: callers at work, a point springs in their middle, then everything has to come right."""

import asyncio
import json
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace

from proof.callers import Address, Callers, Habits
from proof.converging import converge
from proof.crash.aftermath import judge
from proof.crash.failpoint_actions import FailpointAction
from proof.crash.fork_server import ForkedService
from proof.crash.points import INVENTORY, ORDERS, Action, Case
from proof.crash.testbed import Testbed
from proof.history import History
from proof.workload import UNLIMITED, WHOLE_MIX, Shop
from testbed.processes import ProgramFailed
from testbed.waiting import until

CALLS_BEFORE = 15  # the point springs in the middle
CALLS_AFTER = 30
REACHED_S_MAX = 20.0
ANSWERED_S_MAX = 30.0
LOOK_S = 0.01


MIX = WHOLE_MIX | {"UpdateStock": 12}
OFTEN = 60  # as orders are placed
HABITS = Habits(
    callers=6,
    batch=2,
    pause_s=0.01,
    retry_s=0.0,
    hurries=True,
    insist_s=20.0,
    again_s_max=0.05,
    mix=MIX,
)
# Much of what is scarce is waited for, comes, and turns out not to be there.
SHOP = Shop(
    products=6, scarce=2, units=1_000, scarce_units=3, waits_max=(UNLIMITED, 40), displacing=0.5
)


class CaseFailed(Exception):
    """A case could not be brought to its end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a case; no violations: it passed."""

    case: Case
    violations: list[str]
    orders: int  # that callers were told of
    calls: int
    took_s: float


async def run_case(case: Case, testbed: Testbed) -> Verdict:
    """Run a case to its end, on a testbed of its own."""
    started = time.monotonic()
    history = History(time.monotonic, testbed.folder / "history.jsonl")
    violations: list[str] = []
    try:
        violations = await _violations(case, testbed, history)
    except* (ProgramFailed, CaseFailed) as errors:
        violations += map(str, errors.exceptions)
    except* Exception as errors:  # noqa: BLE001 - this case fails, and no other
        violations += traceback.format_exception(errors)
    finally:
        testbed.abandon()
        history.close()
    calls = history.calls
    orders = {one.value["order_id"] for one in calls if one.value and one.method == "CreateOrder"}
    return Verdict(case, violations, len(orders), len(calls), time.monotonic() - started)


async def _violations(case: Case, testbed: Testbed, history: History) -> list[str]:
    await testbed.prepare()
    for process in testbed.processes:
        await testbed.start(process, actions_of(case, testbed, process))
    address = Address(testbed.addresses[ORDERS], testbed.addresses[INVENTORY])
    mix = MIX | ({case.point.often: OFTEN} if case.point.often else {})
    habits = replace(HABITS, deadline_s=testbed.deadline_s, mix=mix)
    callers = Callers([address], history, seed=case.name, shop=SHOP, habits=habits)
    await callers.open_shop()
    async with callers.working():
        await _answers(callers, CALLS_BEFORE)
        await _spring(case, testbed)
        await _answers(callers, CALLS_AFTER)
    await converge(history, testbed.urls, testbed.converge_s_max)
    await callers.look_back()
    for process in reversed(testbed.processes):
        await testbed.end(process)
    return callers.nonsense + await judge(testbed, history)


async def _answers(callers: Callers, more: int) -> None:
    enough = callers.made + more
    await _until(lambda: callers.made >= enough, ANSWERED_S_MAX, f"{more} calls did not end")


async def _spring(case: Case, testbed: Testbed) -> None:
    """Arm the point, see that it springs, and do what a supervisor would do then."""
    process = testbed.process_of(case.point.service)
    times = len(case.point.errors) if case.action is Action.RAISE else 1
    for service in testbed.services.values():
        service.signal(signal.SIGUSR1)
    await _until(
        lambda: len(_sprung(case, testbed)) >= times, REACHED_S_MAX, "the point was not reached"
    )
    service = testbed.services[process]
    match case.action:
        case Action.KILL:
            await _require_killed(service)
            again = testbed.launch(process, actions_of(case, testbed, process), at_once=True)
            await _require_killed(again)
            await testbed.start(process)
        case Action.STOP:
            await _until(service.is_stopped, REACHED_S_MAX, "not stopped")
            await asyncio.sleep(testbed.stop_s)
            service.signal(signal.SIGCONT)


async def _require_killed(service: ForkedService) -> None:
    """See it die at its point.

    :raises CaseFailed: it lives on, or died otherwise.
    """
    await _until(lambda: service.exit_code() is not None, REACHED_S_MAX, "not killed")
    if service.exit_code() != -signal.SIGKILL:
        raise service.failure(f"ended with exit code {service.exit_code()}")


def _sprung(case: Case, testbed: Testbed) -> list[str]:
    """The actions that happened at the case's point; what made it be reached is left out."""
    path = testbed.sprung(testbed.process_of(case.point.service))
    told = map(json.loads, path.read_text().splitlines())
    return [one["action"] for one in told if one["name"] == case.point.name]


async def _until(is_so: Callable[[], bool], s_max: float, otherwise: str) -> None:
    """Wait until it is so.

    :raises CaseFailed: it took longer than `s_max`.
    """
    failure = CaseFailed(f"{otherwise} within {s_max:.0f} s")
    await until(is_so, s_max, lambda: failure, look_s=LOOK_S)


def actions_of(case: Case, testbed: Testbed, process: str) -> list[FailpointAction]:
    """What this process meets."""
    point, found = case.point, []
    if point.lull and testbed.process_of(point.lull.service) == process:
        lull = point.lull
        found.append(FailpointAction(lull.name, lull.loop, Action.DELAY, seconds=lull.seconds))
    if testbed.process_of(point.service) == process:
        armed = FailpointAction(
            point.name,
            point.loop,
            case.action,
            errors=point.errors,
            after=point.after,
            messages_min=point.messages_min,
            turns=point.turns,
            verb=point.verb,
            seconds=testbed.delay_s,
        )
        found.append(armed)
    return found
