"""`make chaos`: faults of every kind by a seed, for so many minutes, on everything."""

import sys
from collections.abc import Collection, Mapping

from proof.callers import Habits
from proof.chaos.campaign import Plan, Run, Trouble
from proof.chaos.faults import KINDS
from proof.chaos.schedule import schedule
from proof.chaos.stage import finish, options, perform
from proof.chaos.striking import Striking
from proof.workload import WHOLE_MIX

# Some seeds run with the defaults, some with less patience; with some nobody asks again for an
# answer that is late, so that what is lost stays lost, and shows.
SETTINGS: tuple[Mapping[str, str], ...] = (
    {},
    {"HOLDFAST_ORDERS_LATE_S": "3000"},
    {"HOLDFAST_ORDERS_LATE_S": "5", "HOLDFAST_ORDERS_EXPIRE_S": "20"},
)
GAP_S = 4.0
CALLERS = 24


def settings_of(seed: int) -> Mapping[str, str]:
    """What the services of a seed are told beside their defaults."""
    return SETTINGS[seed % len(SETTINGS)]


def faults_of_all_kinds(
    seed: int, *, seconds: float, gap_s: float = GAP_S, kinds: Collection[str] = ()
) -> Trouble:
    """Strike by the seed's schedule for so long.

    :param kinds: only these; none: all.
    """

    async def trouble(run: Run) -> None:
        weights = dict.fromkeys(kinds or KINDS, 1.0)
        striking = Striking(run.testbed, KINDS, run.say)
        strikes = schedule(seed, seconds=seconds, gap_s=gap_s, weights=weights)
        await striking.strike_all(strikes, until_s=seconds)
        run.count_damage(striking.damage)

    return trouble


def main() -> int:
    """Run one campaign; 0 if every promise was kept."""
    parser = options(__doc__, "proof.chaos")
    parser.add_argument("--minutes", type=float, default=10.0, help="of faults, under load")
    parser.add_argument("--gap", type=float, default=GAP_S, help="seconds between two faults")
    parser.add_argument("--callers", type=int, default=CALLERS)
    parser.add_argument(
        "--only", action="append", default=[], choices=sorted(KINDS), metavar="KIND"
    )
    chosen = parser.parse_args()
    habits = Habits(callers=chosen.callers, batch=3, mix=WHOLE_MIX)
    plan = Plan("chaos", chosen.seed, habits, is_whole=True)
    trouble = faults_of_all_kinds(
        chosen.seed, seconds=60 * chosen.minutes, gap_s=chosen.gap, kinds=chosen.only
    )
    return finish(
        lambda: perform(
            plan, trouble, raw=chosen.raw, keep=chosen.keep, settings=settings_of(chosen.seed)
        )
    )


if __name__ == "__main__":
    sys.exit(main())
