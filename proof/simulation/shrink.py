"""What a failure needs: faults are taken away and calls are cut as long as it still comes.

A plan that is a little smaller is another run, since every draw after the first difference is
another. So what is left here is sufficient, and not always necessary.
"""

from dataclasses import replace
from pathlib import Path

from proof.simulation.campaign import PROGRAM, Plan, verdict_of
from proof.simulation.isolation import isolated
from proof.simulation.run import Verdict
from proof.simulation.swarm import Swarm, drawn


def shrink(seed: int, folder: Path, plan: Plan = drawn) -> int:
    """Print the smallest plan found that still breaks a promise, and its timeline; return 1, or 0
    if the seed breaks none.
    """

    def kinds_of(smaller: Swarm) -> set[str]:
        return _kinds(verdict_of(seed, folder, lambda _: _after(plan, seed, smaller)))

    def fails(smaller: Swarm, how: str) -> bool:
        failed = bool(wanted & kinds_of(smaller))
        print(f"{how}: {'still fails' if failed else 'does not'}", flush=True)
        return failed

    swarm = isolated(lambda: plan(seed)).result()  # it may do more than draw
    wanted = kinds_of(swarm)
    if not wanted:
        print(f"seed {seed} breaks nothing")
        return 0
    for kind in [*swarm.deeds, *swarm.rates, *swarm.rabbitmq_kinds]:
        if fails(smaller := swarm.without(kind), f"without {kind}"):
            swarm = smaller
    for calls in (swarm.calls // 2, swarm.calls // 4, swarm.calls // 8):
        if calls >= swarm.clients and fails(
            smaller := replace(swarm, calls=calls), f"with {calls} calls"
        ):
            swarm = smaller
    verdict = verdict_of(seed, folder, lambda _: _after(plan, seed, swarm))
    for at_s, who, what in verdict.timeline:
        print(f"{at_s:11.4f} {who:13} {what}")
    print(f"seed {seed}, smallest: {swarm.told()}")
    for violation in verdict.violations:
        print(f"  {violation}")
    print(f"  the whole run: {PROGRAM} --seed {seed} --verbose")
    return 1


def _kinds(verdict: Verdict) -> set[str]:
    """What was broken: numbers of promises, or the beginnings of other complaints."""
    return {violation.partition(":")[0] for violation in verdict.violations}


def _after(plan: Plan, seed: int, swarm: Swarm) -> Swarm:
    """Take another swarm than the plan's, which may have planted a bug."""
    plan(seed)
    return swarm
