"""Figure 6: the PostgreSQL primary is lost again and again, under load, and nobody is called.

It is killed, frozen, or shut down at once, in turn; the failover manager promotes the synchronous
standby. Lost acknowledged orders are found by the checker. The outage counts from the loss until an
order that was placed after it is confirmed, through every process of Orders.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from proof.callers import Habits
from proof.chaos.campaign import Plan, Run, Trouble, single_addresses
from proof.chaos.database_pair import DatabaseNode, Failover
from proof.chaos.measures import spread
from proof.chaos.probing import Prober, whole_outage
from proof.chaos.stage import finish, options, perform

WITHIN_S = 90.0
SETTLE_S = 5.0  # between two losses
RTO_S_MAX = 30.0
LOOK_S = 0.05
HABITS = Habits(callers=12)

LOSSES: dict[str, Callable[[DatabaseNode], object]] = {
    "killed": lambda node: node.program.kill(),
    "frozen": lambda node: node.program.freeze(),
    "shut down at once": lambda node: node.stop_at_once(),
}


def lost_primaries(trials: int) -> Trouble:
    """Lose the primary so many times."""

    async def trouble(run: Run) -> None:
        outages_s = list[float]()
        async with AsyncExitStack() as stack:
            probers = [
                Prober(f"probe-{number}", address, run.history)
                for number, address in enumerate(single_addresses(run.testbed))
            ]
            for prober in probers:
                await stack.enter_async_context(prober.probing())
            for number in range(trials):
                await asyncio.sleep(SETTLE_S)
                outages_s.append(await _lose(run, probers, list(LOSSES)[number % len(LOSSES)]))
        run.counts["primaries lost"] = trials
        run.counts["s until orders were confirmed again"] = spread(outages_s)
        slowest = max(outages_s)
        if slowest > RTO_S_MAX:
            run.findings.append(f"an outage of {slowest:.1f} s; {RTO_S_MAX:.0f} s are allowed")

    return trouble


async def _lose(run: Run, probers: list[Prober], how: str) -> float:
    pair = run.testbed.databases
    await asyncio.to_thread(pair.wait_until_in_sync)
    failovers, old = pair.count_failovers(), pair.primary
    struck_at = time.monotonic()
    await asyncio.to_thread(LOSSES[how], pair.nodes[old])
    effective_at = time.monotonic()
    outage = await whole_outage(
        probers, struck_at=struck_at, effective_at=effective_at, within_s=WITHIN_S
    )
    if outage is None or await asyncio.to_thread(pair.count_failovers) == failovers:
        run.findings.append(f"{old} {how}: no failover, or no order within {WITHIN_S:.0f} s")
        return WITHIN_S
    run.say(
        f"{old} {how}: {_steps(pair.failovers[-1], struck_at)}, "
        f"accepted again {outage.accepted_s:.2f} s, confirmed again {outage.confirmed_s:.2f} s"
    )
    return outage.confirmed_s


def _steps(failover: Failover, struck_at: float) -> str:
    return ", ".join(
        f"{name} {at - struck_at:.2f} s"
        for name, at in {
            "noticed after": failover.noticed_at,
            "promoted": failover.promoted_at,
            "standby whole": failover.whole_at,
        }.items()
    )


def main() -> int:
    """0 if no acknowledged order was lost, no outage was too long and every promise was kept."""
    parser = options(__doc__, "proof.chaos.failover")
    parser.add_argument("--failovers", type=int, default=12)
    chosen = parser.parse_args()
    plan = Plan("failover", chosen.seed, HABITS, nemesis=False)
    trouble = lost_primaries(chosen.failovers)
    return finish(lambda: perform(plan, trouble, raw=chosen.raw, keep=True, settings={}))


if __name__ == "__main__":
    sys.exit(main())
