"""What a failure needs: faults are taken away and calls are cut as long as the seed still fails."""

from dataclasses import replace
from pathlib import Path

from proof.simulation.campaign import PROGRAM, verdict_of
from proof.simulation.swarm import Swarm, drawn


def shrink(seed: int, folder: Path) -> int:
    """Print the smallest plan found that still breaks a promise, and its timeline."""
    swarm = drawn(seed)
    if not verdict_of(seed, folder).violations:
        print(f"seed {seed} breaks nothing")
        return 0
    for kind in [*swarm.deeds, *swarm.rates, *swarm.rabbitmq_kinds]:
        swarm = _kept(swarm.without(kind), swarm, folder, f"without {kind}")
    for calls in (swarm.calls // 2, swarm.calls // 4, swarm.calls // 8):
        if calls >= swarm.clients:
            swarm = _kept(replace(swarm, calls=calls), swarm, folder, f"with {calls} calls")
    plan = swarm
    verdict = verdict_of(seed, folder, lambda _: plan)
    for at_s, who, what in verdict.timeline:
        print(f"{at_s:11.4f} {who:13} {what}")
    print(f"seed {seed}, smallest: {swarm.told()}")
    for violation in verdict.violations:
        print(f"  {violation}")
    print(f"  the whole run: {PROGRAM} --seed {seed} --verbose")
    return 1


def _kept(smaller: Swarm, swarm: Swarm, folder: Path, how: str) -> Swarm:
    fails = bool(verdict_of(swarm.seed, folder, lambda _: smaller).violations)
    print(f"{how}: {'still fails' if fails else 'passes'}", flush=True)
    return smaller if fails else swarm
