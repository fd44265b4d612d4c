"""Run the crash points, all of them or those whose name has a certain part.

python -m proof.crash --list
python -m proof.crash --mode embedded --jobs 4 r2- o4-kill
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from proof.crash.campaign import run_all
from proof.crash.points import Action, Case, Mode, cases
from proof.crash.run import Verdict
from testbed.machine import commit
from testbed.processes import temporary_folder

JOBS = 4


def main() -> int:
    options = argparse.ArgumentParser(
        prog="python -m proof.crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("parts", nargs="*", metavar="PART", help="only cases whose name has it")
    options.add_argument("--mode", type=Mode, choices=list(Mode), help="only one mode")
    options.add_argument("--list", action="store_true", help="name the cases and run none")
    options.add_argument("--jobs", type=int, default=JOBS, metavar="N", help="cases at a time")
    options.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and histories there")
    options.add_argument("--results", type=Path, metavar="FILE", help="a JSON line for each case")
    chosen = options.parse_args()
    wanted = [
        case
        for case in cases(*([chosen.mode] if chosen.mode else Mode))
        if not chosen.parts or any(part in case.name for part in chosen.parts)
    ]
    if chosen.list:
        print(*(case.name for case in wanted), sep="\n")
        return 0
    started = time.monotonic()
    verdicts = asyncio.run(run(wanted, chosen))
    print(*table(verdicts), sep="\n")
    failed = sum(1 for one in verdicts if one.violations)
    orders, calls = (sum(getattr(one, name) for one in verdicts) for name in ("orders", "calls"))
    print(
        f"{len(verdicts)} cases, {failed} failed; {orders} orders in {calls} calls; "
        f"{time.monotonic() - started:.0f} s, commit {commit()}"
    )
    return 1 if failed or not verdicts else 0


async def run(wanted: Sequence[Case], chosen: argparse.Namespace) -> list[Verdict]:
    """Run and tell; one line for a case that passed."""
    verdicts: list[Verdict] = []
    with temporary_folder() as temporary:
        folder = chosen.keep or temporary / "cases"
        found = run_all(wanted, folder, temporary, jobs=chosen.jobs)
        async with aclosing(found):
            async for verdict in found:
                verdicts.append(verdict)
                print(line(verdict), flush=True)
                if chosen.results:
                    with chosen.results.open("a") as results:
                        results.write(json.dumps(facts(verdict)) + "\n")
    return verdicts


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Every point with the result of every action, side by side for each mode."""
    results = {
        (one.case.point, one.case.mode, one.case.action): "FAILED" if one.violations else "passed"
        for one in verdicts
    }
    modes = [mode for mode in Mode if any(one.case.mode is mode for one in verdicts)]
    yield ""
    yield row("", [mode if action is Action.KILL else "" for mode in modes for action in Action])
    yield row("point", [*Action] * len(modes))
    for point in dict.fromkeys(case.point for case in cases(*modes)):
        cells = [results.get((point, mode, action), "") for mode in modes for action in Action]
        if any(cells):
            yield row(point.point_id, cells)
    yield ""


def row(first: str, cells: Sequence[str]) -> str:
    return "  ".join([f"{first:18}", *(f"{cell:8}" for cell in cells)]).rstrip()


def line(verdict: Verdict) -> str:
    """What a person reads."""
    result = "FAILED" if verdict.violations else "passed"
    first = f"{verdict.case.name:34} {result} {verdict.took_s:6.1f} s {verdict.orders:5} orders"
    return "\n    ".join([first, *verdict.violations])


def facts(verdict: Verdict) -> dict[str, object]:
    """What a program reads."""
    return {
        "case": verdict.case.name,
        "violations": verdict.violations,
        "orders": verdict.orders,
        "calls": verdict.calls,
        "took_s": round(verdict.took_s, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
