"""Figure 1: so many SIGKILLs, of everything, and so many orders: lost, oversold, duplicated, stuck.

Services are killed most often: alone, together, or again and again. RabbitMQ nodes, leaders and
majorities of them, the PostgreSQL primary and its standby are killed too. What was killed is soon
started again. The campaign goes on until there are enough of both.
"""

import asyncio
import sys
import time
from dataclasses import replace

from holdfast.chassis.database.seam import DatabaseUnavailable
from proof.callers import Habits
from proof.chaos import campaign
from proof.chaos.campaign import Plan, Run, Trouble
from proof.chaos.faults import KINDS
from proof.chaos.schedule import schedule
from proof.chaos.stage import finish, options, perform
from proof.chaos.striking import Striking
from proof.workload import WHOLE_MIX

WEIGHTS = {
    "service killed": 12.0,
    "all of a service killed": 3.0,
    "all services killed": 1.0,
    "service in a crash loop": 1.0,
    "broker node killed": 1.5,
    "broker leader killed": 1.5,
    "broker majority killed": 0.5,
    "all broker nodes killed": 0.5,
    "database primary killed": 2.0,
    "database standby killed": 1.0,
}
GAP_S = 2.0
LASTS_S_MAX = 1.0
HOURS_MAX = 12
LOOK_S = 5.0
# Orders come in batches, so that there are enough of them; the rest of the mix is as ever.
HABITS = Habits(callers=24, batch=10, pause_s=0.5, mix=WHOLE_MIX)
SHOP = replace(campaign.SHOP, products=60, units=1_000_000)

# Nobody asks again for an answer that is late: what is lost stays lost, and shows.
SETTINGS = {"HOLDFAST_ORDERS_LATE_S": "3000"}

_ORDERS = "SELECT count(*) AS orders FROM orders"


def killing(seed: int, *, kills: int, orders: int) -> Trouble:
    """Kill until there were so many kills and so many orders were recorded."""

    async def trouble(run: Run) -> None:
        striking = Striking(run.testbed, KINDS, run.say, lasts_s_max=LASTS_S_MAX)
        seconds = HOURS_MAX * 3_600.0
        strikes = schedule(seed, seconds=seconds, gap_s=GAP_S, weights=WEIGHTS)
        began, recorded = time.monotonic(), 0

        def enough() -> bool:
            return striking.damage.kills.total() >= kills and recorded >= orders

        async with asyncio.TaskGroup() as group:
            striking_all = group.create_task(
                striking.strike_all(strikes, until_s=seconds, enough=enough)
            )
            while not striking_all.done():
                await asyncio.sleep(LOOK_S)
                recorded = await _orders_recorded(run, recorded)
                run.say(f"{striking.damage.kills.total()} kills, {recorded} orders")
        run.count_damage(striking.damage)
        run.counts["seconds of killing"] = round(time.monotonic() - began)

    return trouble


async def _orders_recorded(run: Run, before: int) -> int:
    """How many there are by now; if nobody can tell, as many as there were."""
    try:
        async with asyncio.timeout(LOOK_S), run.orders.read() as reading:
            (row,) = await reading.fetch(_ORDERS)
    except (DatabaseUnavailable, TimeoutError):
        return before
    return int(row["orders"])


def main() -> int:
    """0 if nothing was lost, oversold, duplicated or stuck and every other promise was kept."""
    parser = options(__doc__, "proof.chaos.kills")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--orders", type=int, default=50_000)
    chosen = parser.parse_args()
    plan = Plan("kills", chosen.seed, HABITS, SHOP, is_whole=True)
    trouble = killing(chosen.seed, kills=chosen.kills, orders=chosen.orders)
    return finish(lambda: perform(plan, trouble, raw=chosen.raw, keep=True, settings=SETTINGS))


if __name__ == "__main__":
    sys.exit(main())
