"""The command `python -m proof.mutants`: plant every bug, see it found, print the table."""

import argparse
import os
import sys
import time

from proof.mutants.catalogue import BUGS
from proof.mutants.hunt import SEEDS_MAX, Catch, hunt, run_tests, violations_of_the_sound
from proof.mutants.planting import Bug
from proof.simulation.campaign import commit, templates


def main() -> int:
    """Return 1 if a bug got away, or if something was found where nothing was planted."""
    asked = _arguments()
    bugs = [BUGS[name] for name in asked.only or BUGS]
    began = time.monotonic()
    print(f"{len(bugs)} planted bugs at {commit()}; at most {asked.seeds} seeds each")
    catches: list[Catch] = []
    with templates() as folder:
        for bug in bugs:
            catches.append(hunt(bug, folder, seeds_max=asked.seeds, jobs=asked.jobs))
            print(_line(catches[-1]), flush=True)
        seeds = max((one.seeds for one in catches if one.by == "simulation"), default=0)
        sound = violations_of_the_sound(folder, seeds_max=seeds, jobs=asked.jobs)
    sound += _tests_of_the_sound(bugs)
    for violation in sound:
        print(f"nothing planted, and yet: {violation}")
    caught = sum(bool(one.by) for one in catches)
    print(
        f"{caught} of {len(bugs)} caught in {time.monotonic() - began:.0f} s; "
        f"{len(sound)} violations with nothing planted in the same {seeds} seeds"
    )
    return 0 if caught == len(bugs) and not sound else 1


def _tests_of_the_sound(bugs: list[Bug]) -> list[str]:
    tests = sorted({test for bug in bugs for test in bug.tests})
    failed = run_tests(tests) if tests else ""
    return [failed] if failed else []


def _line(catch: Catch) -> str:
    by = {"simulation": f"simulation, seed {catch.seeds}", "": "NOT CAUGHT"}.get(catch.by, catch.by)
    return f"{catch.bug:45} | {by:21} | {catch.sign[:150]}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof.mutants", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=BUGS, metavar="NAME", help="only these")
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="at most so many for each")
    parser.add_argument("--jobs", type=int, default=2, help="how many seeds run at a time")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "proof.mutants", *sys.argv[1:]])
    sys.exit(main())
