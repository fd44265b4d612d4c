"""Many seeds over several processes, each run in a fork of its own; and some of them once more.

The second time is in another interpreter: what hangs on addresses, on the order of sets or on the
machine's clock shows as another fingerprint.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TextIO

from proof.simulation.isolation import Died, Isolated, isolated
from proof.simulation.run import Verdict, make_templates, run
from proof.simulation.swarm import Swarm, drawn

REPLAYED_SHARE = 0.01
ROOT = Path(__file__).parents[2]
PROGRAM = "python -m proof.simulation"

Plan = Callable[[int], Swarm]


@contextmanager
def templates() -> Iterator[Path]:
    """A folder in memory with empty databases to copy; the runs' own files go there, too."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="simulation-", dir=parent) as folder:
        isolated(lambda: make_templates(Path(folder))).result()
        yield Path(folder)


def verdict_of(seed: int, folder: Path, plan: Plan = drawn) -> Verdict:
    """Run one seed in a fork."""
    return _result(seed, isolated(lambda: run(plan(seed), folder)))


def verdicts_of(
    seeds: Sequence[int], folder: Path, *, jobs: int, plan: Plan = drawn
) -> Iterator[Verdict]:
    """Run the seeds, `jobs` at a time; give their verdicts as they come."""
    waiting = list(reversed(seeds))
    running: dict[int, tuple[int, Isolated[Verdict]]] = {}  # by file descriptor
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                seed = waiting.pop()
                started = isolated(lambda seed=seed: run(plan(seed), folder))  # type: ignore[misc]
                running[started.fd] = seed, started
            for fd in select.select(list(running), [], [])[0]:
                yield _result(*running.pop(fd))
    finally:
        for _, started in running.values():  # whoever asked has seen enough
            started.end()


def _result(seed: int, started: Isolated[Verdict]) -> Verdict:
    try:
        return started.result()
    except Died as error:
        return Verdict(seed, (f"the run {error}",), "", 0, 0.0, 0.0, {}, 0, {}, ())


def replayed(seeds: Sequence[int]) -> dict[int, str]:
    """The fingerprints of these seeds, as another interpreter finds them."""
    command = [sys.executable, "-m", "proof.simulation", "--fingerprints", *map(str, seeds)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return {int(seed): found for seed, found in map(str.split, done.stdout.splitlines())}


def commit() -> str:
    """What is being simulated."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(
        command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return done.stdout.strip() or "unknown"


def campaign(seeds: Sequence[int], *, jobs: int, log: TextIO | None) -> bool:
    """Run the seeds, say what was found, and return whether all was well."""
    began, bad, fingerprints, sums = time.monotonic(), 0, dict[int, str](), Counter[str]()
    struck, cpu_s = Counter[str](), 0.0
    at = commit()
    with templates() as folder:
        for verdict in verdicts_of(seeds, folder, jobs=jobs):
            fingerprints[verdict.seed] = verdict.fingerprint
            cpu_s += verdict.cpu_s
            sums.update(calls=sum(verdict.calls.values()), kills=verdict.kills)
            struck.update(verdict.struck)
            if log:
                log.write(_line(verdict, at) + "\n")
            if verdict.violations:
                bad += 1
                tell(verdict)
            if len(fingerprints) % 500 == 0:
                print(f"  {len(fingerprints)} of {len(seeds)}, {bad} with violations", flush=True)
    took_s = time.monotonic() - began
    print("what struck:", ", ".join(f"{kind} {times}" for kind, times in struck.most_common()))
    differing = _replay_some(fingerprints)
    print(
        f"{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) at {at}: {bad} with violations; "
        f"{sums['calls']} calls, {sums['kills']} kills"
    )
    each_s = cpu_s / len(seeds)
    print(f"{len(seeds) / took_s:.1f} runs/s with {jobs} jobs, {each_s:.3f} s of CPU each")
    return not bad and not differing


def tell(verdict: Verdict) -> None:
    """Say what a run broke, and how to see it again."""
    print(f"seed {verdict.seed}: {len(verdict.violations)} violations")
    for violation in verdict.violations[:10]:
        print(f"  {violation}")
    print(f"  again: {PROGRAM} --seed {verdict.seed} --verbose", flush=True)


def _replay_some(fingerprints: dict[int, str]) -> list[int]:
    chance = Random(sum(fingerprints))
    count = max(1, round(len(fingerprints) * REPLAYED_SHARE))
    some = sorted(chance.sample(sorted(fingerprints), count))
    again = replayed(some)
    differing = [seed for seed in some if again.get(seed) != fingerprints[seed]]
    print(f"{len(some)} replayed: {len(some) - len(differing)} identical")
    for seed in differing:
        print(f"seed {seed} is not the same twice: {fingerprints[seed]}, {again.get(seed)}")
    return differing


def _line(verdict: Verdict, at: str) -> str:
    return json.dumps(
        {
            "seed": verdict.seed,
            "commit": at,
            "violations": verdict.violations,
            "fingerprint": verdict.fingerprint,
            "steps": verdict.steps,
            "virtual_s": round(verdict.virtual_s, 3),
            "cpu_s": round(verdict.cpu_s, 3),
            "calls": dict(verdict.calls),
            "kills": verdict.kills,
            "struck": dict(verdict.struck),
        }
    )


def with_fixed_hashes() -> None:
    """Begin this program anew unless strings hash alike in every interpreter."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "proof.simulation", *sys.argv[1:]])
