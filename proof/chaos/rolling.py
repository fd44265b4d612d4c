"""Figure 8: one process after another is stopped with SIGTERM and started again, under load.

Half of the callers have the client library's default retries; some of them know one process of each
service, some both. The other half has no retries, and knows both. Nobody's deadline is too short to
be kept: every call without a usable answer has failed.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import replace

from proof.callers import Habits
from proof.chaos.campaign import Plan, Run, Trouble, callers_of, several_addresses
from proof.chaos.measures import spread
from proof.chaos.stage import finish, options, perform
from proof.history import Call

PAUSE_S = 1.0  # between a start and the next stop, for calls that meet nothing special
PLAIN = "plain"  # names callers without retries
OVERLOADED = "RESOURCE_EXHAUSTED"
HABITS = Habits(callers=12, hurries=False)


def rolling_restart(restarts: int) -> Trouble:
    """Stop and start each process in turn, so many times in all."""

    async def trouble(run: Run) -> None:
        without = callers_of(
            run, replace(HABITS, name=PLAIN, retry_s=0.0), several_addresses(run.testbed)
        )
        run.groups.append(without)
        stops_s, starts_s = list[float](), list[float]()
        async with without.working():
            names = sorted(run.testbed.instances)
            for number in range(restarts):
                instance = run.testbed.instances[names[number % len(names)]]
                began = time.monotonic()
                await asyncio.to_thread(instance.stop)
                stopped = time.monotonic()
                await asyncio.to_thread(instance.start)
                stops_s.append(stopped - began)
                starts_s.append(time.monotonic() - stopped)
                run.say(
                    f"{number + 1}: {instance.name} down {stops_s[-1]:.2f} s, "
                    f"up {starts_s[-1]:.2f} s"
                )
                await asyncio.sleep(PAUSE_S)
        run.counts["restarts"] = restarts
        run.counts["seconds to stop"] = spread(stops_s)
        run.counts["seconds to start"] = spread(starts_s)
        run.at_end.append(lambda: count_failures(run))

    return trouble


def count_failures(run: Run) -> None:
    """Put failed calls among the counts; with default retries each is a finding."""
    run.counts |= failed_calls(run.history.calls)
    if failed := run.counts["failed calls with default retries"]:
        run.findings.append(f"{failed} calls with default retries failed")


def failed_calls(calls: list[Call]) -> dict[str, object]:
    """Calls without a usable answer, by what their callers do about it."""
    failed = Counter[str]()
    codes = Counter[str]()
    made = Counter[str]()
    for call in calls:
        kind = "without retries" if call.client.startswith(PLAIN) else "with default retries"
        made[kind] += 1
        if call.outcome == "info" or call.code == OVERLOADED:
            failed[kind] += 1
            codes[f"{call.code} {kind}"] += 1
    return {
        "calls with default retries": made["with default retries"],
        "failed calls with default retries": failed["with default retries"],
        "calls without retries": made["without retries"],
        "failed calls without retries": failed["without retries"],
        "failed calls by code": dict(codes),
    }


def main() -> int:
    """0 if no call with default retries failed and every promise was kept."""
    parser = options(__doc__, "proof.chaos.rolling")
    parser.add_argument("--restarts", type=int, default=100)
    chosen = parser.parse_args()
    plan = Plan("rolling restart", chosen.seed, HABITS, nemesis=False)
    trouble = rolling_restart(chosen.restarts)
    return finish(lambda: perform(plan, trouble, raw=chosen.raw, keep=True, settings={}))


if __name__ == "__main__":
    sys.exit(main())
