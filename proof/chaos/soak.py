"""Figure 9: so many minutes at half of what the machine can carry, with nothing broken.

What is sampled, from outside: resident memory, threads, file descriptors and sockets of each
process of a service from /proc, the connections that PostgreSQL and RabbitMQ count, and the
channels of the latter. Asyncio tasks can't be counted from outside; a task that leaks holds memory,
and mostly a socket or a channel too. The rule is the checker's (`proof/rules/resources.py`): the
median of the last quarter exceeds that of the second by at most a tenth, or by a handful.
"""

import asyncio
import sys
import time
from typing import Any

from proof.callers import Habits
from proof.chaos.campaign import Plan, Run, Trouble, callers_of
from proof.chaos.stage import finish, options, perform
from proof.workload import Shop

CALIBRATION_S = 30.0
WARM_UP_S = 10.0
SAMPLES = 120  # over the whole soak
# Few callers during the soak itself: those of the calibration do the rest of the load.
IDLE = Habits(callers=1, pause_s=5.0)
CALLERS = 32
KIB_PER_MIB = 1024

_SESSIONS = """
SELECT datname, count(*) AS sessions
  FROM pg_stat_activity
 WHERE datname IN ('orders', 'inventory') AND application_name <> 'psql'
 GROUP BY datname
"""


def soak(seconds: float) -> Trouble:
    """Measure what the machine can carry, then run at half of it for so long."""

    async def trouble(run: Run) -> None:
        full = await _calls_a_second(run, Habits(callers=CALLERS, name="full", pause_s=0.0))
        pause_s = 2 * CALLERS / full  # a caller then makes a call every so often, its answer aside
        run.counts["calls a second at full load"] = round(full, 1)
        half = callers_of(run, Habits(callers=CALLERS, name="half", pause_s=pause_s))
        run.groups.append(half)
        began, calls = time.monotonic(), len(run.history.calls)
        run.say(f"at full load {full:.0f} calls a second; now half of that")
        async with half.working():
            while time.monotonic() < began + seconds:
                await _sample(run)
                await asyncio.sleep(seconds / SAMPLES)
        took_s = time.monotonic() - began
        run.counts["calls a second during the soak"] = round(
            (len(run.history.calls) - calls) / took_s, 1
        )
        run.counts["soaked for s"] = round(took_s)
        run.counts["samples of resources"] = max(map(len, run.resources.values()))
        run.counts["resources at first and at last"] = {
            name: f"{series[0]:g} to {series[-1]:g}" for name, series in run.resources.items()
        }

    return trouble


async def _calls_a_second(run: Run, habits: Habits) -> float:
    callers = callers_of(run, habits)
    run.groups.append(callers)
    async with callers.working():
        await asyncio.sleep(WARM_UP_S)
        began, calls = time.monotonic(), len(run.history.calls)
        await asyncio.sleep(CALIBRATION_S)
        return (len(run.history.calls) - calls) / (time.monotonic() - began)


async def _sample(run: Run) -> None:
    for name, value in (await asyncio.to_thread(_look, run)).items():
        run.resources.setdefault(name, []).append(value)


def _look(run: Run) -> dict[str, float]:
    """Everything that must not grow, now."""
    found: dict[str, float] = {}
    for name, instance in run.testbed.instances.items():
        held = instance.resources()
        found[f"{name}: resident MiB"] = held.rss_kib / KIB_PER_MIB
        found[f"{name}: threads"] = held.threads
        found[f"{name}: file descriptors"] = held.descriptors
        found[f"{name}: sockets"] = held.sockets
    broker: Any = run.testbed.brokers.api("GET", "/api/overview")["object_totals"]
    found["RabbitMQ: connections"] = broker["connections"]
    found["RabbitMQ: channels"] = broker["channels"]
    databases = run.testbed.databases
    sessions = databases.nodes[databases.primary].sql(_SESSIONS)
    for line in sessions.splitlines():
        name, _, count = line.partition("|")
        found[f"PostgreSQL: sessions of {name}"] = int(count)
    return found


def main() -> int:
    """0 if nothing has grown and every promise was kept."""
    parser = options(__doc__, "proof.chaos.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    chosen = parser.parse_args()
    plan = Plan(
        "soak", chosen.seed, IDLE, Shop(products=40, scarce=1, units=10_000_000), nemesis=False
    )
    trouble = soak(60 * chosen.minutes)
    return finish(lambda: perform(plan, trouble, raw=chosen.raw, keep=True, settings={}))


if __name__ == "__main__":
    sys.exit(main())
