"""Look for planted bugs as if nobody knew of them: in simulated runs, then in tests."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.chassis.messaging import tables
from proof.mutants.planting import Bug
from proof.simulation.campaign import templates, verdicts_of

ROOT = Path(__file__).parents[2]
VARIABLE = "HOLDFAST_PLANTED_BUG"  # read by the plugin of this package only
SEEDS_MAX = 400  # for a bug
SEEDS_BEFORE_TESTS = 16  # where the simulation is said not to see it: a rule may have come since
SEEDS_AT_ONCE = 8
TESTS_S_MAX = 600


@dataclass(frozen=True, slots=True)
class Catch:
    """How a bug was found.

    :param by: "simulation", "tests", or "" if it got away.
    :param seeds: how many were run until then.
    :param sign: the first violation, or the first test that failed.
    """

    bug: str
    by: str
    seeds: int
    sign: str


def hunt(bug: Bug, folder: Path, *, seeds_max: int, jobs: int) -> Catch:
    """Run seed after seed with the bug planted, until one breaks a promise; else the tests."""
    if bug.tests:
        seeds_max = min(seeds_max, SEEDS_BEFORE_TESTS)
    with bug.planted():
        if any(patch.owner is tables for patch in bug.patches):
            with templates() as own:  # with the tables as the bug makes them
                found = _first_violation(own, seeds_max, jobs)
        else:
            found = _first_violation(folder, seeds_max, jobs)
    if found:
        seed, violation = found
        return Catch(bug.name, "simulation", seed, violation)
    failed = run_tests(bug.tests, planted=bug.name) if bug.tests else ""
    return Catch(bug.name, "tests" if failed else "", seeds_max, failed)


def _first_violation(folder: Path, seeds_max: int, jobs: int) -> tuple[int, str] | None:
    """The first seed that shows something, and what. Seeds run in lots, so that it is the same
    whichever of them ends first.
    """
    for seeds in _lots(range(1, seeds_max + 1)):
        verdicts = {one.seed: one for one in verdicts_of(seeds, folder, jobs=jobs)}
        for seed in seeds:
            if verdicts[seed].violations:
                return seed, verdicts[seed].violations[0]
    return None


def _lots(seeds: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(seeds), SEEDS_AT_ONCE):
        yield seeds[start : start + SEEDS_AT_ONCE]


def violations_of_the_sound(folder: Path, *, seeds_max: int, jobs: int) -> list[str]:
    """What the same seeds find when nothing is planted."""
    seeds = range(1, seeds_max + 1)
    return [
        f"seed {verdict.seed}: {violation}"
        for verdict in verdicts_of(seeds, folder, jobs=jobs)
        for violation in verdict.violations
    ]


class TestsBroken(Exception):
    """Tests that could not run at all; what they said."""


def run_tests(tests: Sequence[str], *, planted: str = "") -> str:
    """Run tests, with a bug planted or without; return the first that failed, "" if none did.

    :raises TestsBroken: pytest could not run them.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "--no-header"]
    done = subprocess.run(
        [*command, "-p", "proof.mutants.pytest_plugin", *tests],
        cwd=ROOT,
        env={**os.environ, VARIABLE: planted},
        check=False,
        timeout=TESTS_S_MAX,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or failed is None:
        raise TestsBroken(done.stdout)
    return failed[1].removeprefix("tests/")
