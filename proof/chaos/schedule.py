"""When which fault is struck: drawn from a seed before the run, the same for the same seed."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

TWICE_AT_ONCE = 0.25  # of the strikes: another one follows at once
SHORTEST, LONGEST = 0.3, 2.5  # of the mean gap


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault to come.

    :param at_s: after the beginning.
    :param dice: seeds what the fault itself leaves to chance: its target, how long it lasts.
    """

    at_s: float
    kind: str
    dice: str


def schedule(
    seed: int, *, seconds: float, gap_s: float, weights: Mapping[str, float]
) -> list[Strike]:
    """Draw strikes for so long: each kind once before any comes again, then by their weights.

    :param gap_s: between two strikes on average.
    """
    chance = random.Random(f"{seed}/schedule")
    kinds = sorted(weights)
    first = chance.sample(kinds, k=len(kinds))
    strikes: list[Strike] = []
    at_s = gap_s
    while at_s < seconds:
        number = len(strikes)
        if number < len(first):
            kind = first[number]
        else:
            (kind,) = chance.choices(kinds, [weights[kind] for kind in kinds])
        strikes.append(Strike(round(at_s, 3), kind, f"{seed}/{number}/{kind}"))
        if chance.random() >= TWICE_AT_ONCE:
            at_s += chance.uniform(SHORTEST, LONGEST) * gap_s
    return strikes
