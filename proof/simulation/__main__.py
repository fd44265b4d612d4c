"""The command `python -m proof.simulation`: one seed, a range of them, or all that once failed."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from proof.simulation.campaign import (
    campaign,
    commit,
    tell,
    templates,
    verdict_of,
    verdicts_of,
    with_fixed_hashes,
)
from proof.simulation.run import Verdict
from proof.simulation.shrink import shrink
from proof.simulation.swarm import drawn

REGRESSIONS = Path(__file__).with_name("regressions.txt")


def main() -> int:
    """Do what the command line asks; 1 if anything was violated."""
    asked = _arguments()
    if asked.fingerprints:
        with templates() as folder:
            for verdict in verdicts_of(asked.fingerprints, folder, jobs=asked.jobs):
                print(verdict.seed, verdict.fingerprint)
        return 0
    if asked.shrink is not None:
        with templates() as folder:
            return shrink(asked.shrink, folder)
    if asked.regressions:
        return _regressions(asked.jobs)
    if asked.seed is not None:
        return _one(asked.seed, verbose=asked.verbose)
    with ExitStack() as at_end:
        log = at_end.enter_context(asked.log.open("w")) if asked.log else None
        seeds = range(asked.first, asked.first + asked.seeds)
        return 0 if campaign(seeds, jobs=asked.jobs, log=log) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof.simulation", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="run one seed")
    what.add_argument("--seeds", type=int, help="run so many seeds")
    what.add_argument("--regressions", action="store_true", help="run all that once failed")
    what.add_argument("--shrink", type=int, metavar="SEED", help="look for what a failure needs")
    what.add_argument(
        "--fingerprints", type=int, nargs="+", metavar="SEED", help="print only these"
    )
    parser.add_argument("--first", type=int, default=1, help="the first of the seeds")
    parser.add_argument("--jobs", type=int, default=2, help="how many run at a time")
    parser.add_argument("--verbose", action="store_true", help="print the timeline of the seed")
    parser.add_argument("--log", type=Path, help="write a line of JSON per seed to this file")
    return parser.parse_args()


def _one(seed: int, *, verbose: bool) -> int:
    with templates() as folder:
        verdict = verdict_of(seed, folder)
    if verbose:
        for at_s, who, what in verdict.timeline:
            print(f"{at_s:11.4f} {who:13} {what}")
    print(f"seed {seed} at {commit()}: {drawn(seed).told()}")
    print(
        f"{dict(verdict.calls)}, {verdict.kills} kills, {verdict.virtual_s:.1f} s of virtual time, "
        f"{verdict.steps} steps, fingerprint {verdict.fingerprint}"
    )
    if verdict.violations:
        tell(verdict)
    return 1 if verdict.violations else 0


def _regressions(jobs: int) -> int:
    """Run every seed that once failed; each line of the file is a seed and what it found."""
    lines = [line for line in REGRESSIONS.read_text().splitlines() if line and line[0] != "#"]
    found = {int(seed): text for seed, _, text in (line.partition(" ") for line in lines)}
    bad: list[Verdict] = []
    with templates() as folder:
        for verdict in verdicts_of(list(found), folder, jobs=jobs):
            if verdict.violations:
                print(f"again: {found[verdict.seed]}")
                tell(verdict)
                bad.append(verdict)
    print(f"{len(found)} seeds that once failed: {len(bad)} with violations")
    return 1 if bad else 0


if __name__ == "__main__":
    with_fixed_hashes()
    sys.exit(main())
