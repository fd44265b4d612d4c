"""Figure 7: how long until orders are confirmed again after one component was lost, under load.

A process of a service, and the RabbitMQ node that leads the queue from Orders to Inventory, are
killed again and again. What was killed is started again at once, as systemd would. An outage counts
from the kill until an order that was placed after it is confirmed, through every process of Orders.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from holdfast.orders.presentation.subscriptions import ORDERS_TO_INVENTORY
from proof.callers import Habits
from proof.chaos.campaign import Plan, Run, Trouble, single_addresses
from proof.chaos.measures import spread
from proof.chaos.probing import Outage, Prober, whole_outage
from proof.chaos.stage import finish, options, perform

WITHIN_S = 60.0
SETTLE_S = 8.0  # between two trials: the next one shall hit a system that is whole
SERVICE_S_MAX, BROKER_S_MAX = 5.0, 20.0
HABITS = Habits(callers=12)

Loss = Callable[[], object]  # blocks until it is in effect


async def lose(run: Run, probers: list[Prober], what: str, loss: Loss, mend: Loss) -> Outage:
    """Lose something, start it again at once, and measure the outage."""
    struck_at = time.monotonic()
    await asyncio.to_thread(loss)
    effective_at = time.monotonic()
    mending = asyncio.create_task(asyncio.to_thread(mend))
    outage = await whole_outage(
        probers, struck_at=struck_at, effective_at=effective_at, within_s=WITHIN_S
    )
    await mending
    mended_s = time.monotonic() - struck_at
    if outage is None:
        run.findings.append(f"{what}: no order was confirmed within {WITHIN_S:.0f} s")
        outage = Outage(WITHIN_S, WITHIN_S)
    run.say(
        f"{what}: accepted again after {outage.accepted_s:.2f} s, confirmed again after "
        f"{outage.confirmed_s:.2f} s, whole again after {mended_s:.1f} s"
    )
    return outage


def losses_in_turn(trials: int) -> Trouble:
    """So many losses of each kind."""

    async def trouble(run: Run) -> None:
        async with AsyncExitStack() as stack:
            probers = [
                Prober(f"probe-{number}", address, run.history)
                for number, address in enumerate(single_addresses(run.testbed))
            ]
            for prober in probers:
                await stack.enter_async_context(prober.probing())
            await asyncio.sleep(SETTLE_S)
            await _measure(
                run, "service", trials, SERVICE_S_MAX, lambda n: _service(run, probers, n)
            )
            await _measure(
                run, "broker leader", trials, BROKER_S_MAX, lambda _: _leader(run, probers)
            )

    return trouble


async def _measure(
    run: Run, what: str, trials: int, limit_s: float, trial: Callable[[int], Awaitable[Outage]]
) -> None:
    outages = []
    for number in range(trials):
        outages.append(await trial(number))
        await asyncio.sleep(SETTLE_S)
    run.counts[f"{what} lost: s until accepted"] = spread([one.accepted_s for one in outages])
    run.counts[f"{what} lost: s until confirmed"] = spread([one.confirmed_s for one in outages])
    slowest = max(one.confirmed_s for one in outages)
    if slowest > limit_s:
        run.findings.append(f"{what} lost: {slowest:.1f} s; at most {limit_s:.0f} s are allowed")


async def _service(run: Run, probers: list[Prober], number: int) -> Outage:
    names = sorted(run.testbed.instances)
    instance = run.testbed.instances[names[number % len(names)]]
    return await lose(run, probers, instance.name, instance.program.kill, instance.start)


async def _leader(run: Run, probers: list[Prober]) -> Outage:
    brokers = run.testbed.brokers
    leader = await asyncio.to_thread(brokers.leader, ORDERS_TO_INVENTORY.queue)
    assert leader is not None, "a whole cluster has a leader"
    return await lose(run, probers, leader, lambda: brokers.kill([leader]), brokers.heal)


def main() -> int:
    """0 if no outage was longer than allowed and every promise was kept."""
    parser = options(__doc__, "proof.chaos.recovery")
    parser.add_argument("--trials", type=int, default=10, help="of each kind")
    chosen = parser.parse_args()
    plan = Plan("recovery", chosen.seed, HABITS, nemesis=False)
    trouble = losses_in_turn(chosen.trials)
    return finish(lambda: perform(plan, trouble, raw=chosen.raw, keep=True, settings={}))


if __name__ == "__main__":
    sys.exit(main())
