"""Where the time goes: py-spy beside each service while orders are placed, as text.

`python -m bench --profile --scenario 1` (or 2, 3, 4, 6, 10, 12, 15). py-spy looks from outside, so
what is measured is what runs; it needs the right to trace processes.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.edits import edit_orders, ready
from bench.generator import Job
from bench.lives import ready_to_live, see_through
from bench.load import Run, batches, call, paid, place_orders, unary
from bench.processes import pids_of
from bench.progress import say
from bench.reading import reads
from bench.scenarios import Bench, told_cpu

PY_SPY = Path(sys.executable).parent / "py-spy"
LOOKS_S = 200
TOP = 25
# What stands around everything and says nothing.
_OUTSIDE = ("process ", "typer/", "holdfast/cli/", "asyncio/runners", "uvloop/", "threading.py")
_PARTS = ("orders", "inventory", "embedded")


class ProfilerMissing(Exception):
    """py-spy is not installed; the message says how to get it."""


class ProfilerFailed(Exception):
    """py-spy has no result; the message has its own words."""


def profile(bench: Bench, scenario: int, *, native: bool) -> str:
    """Load a service as the scenario does, and return where each service's CPU time went.

    :raises ProfilerMissing: py-spy is not installed.
    :raises ProfilerFailed: it may not trace processes.
    """
    if not PY_SPY.exists():
        raise ProfilerMissing(
            f"py-spy is missing; run: {PY_SPY.with_name('pip').name} install py-spy"
        )
    testbed = bench.servers.embedded() if scenario == 3 else bench.servers.cluster()
    with testbed as here:
        runs: dict[str, Callable[[], Run]]
        if scenario == 6:
            runs = {
                name: partial(call, replace(job, seconds=bench.options.seconds))
                for name, job in reads(here).items()
            }
        elif scenario == 12:
            rate = place_orders(here, unary(1.0)).rate
            runs = {"edits": partial(edit_orders, here, ready(here, rate, bench.options.seconds))}
        elif scenario == 15:
            rate = place_orders(here, unary(1.0)).rate
            job = ready_to_live(here, rate, bench.options.seconds)
            runs = {"lives": partial(see_through, here, job)}
        else:
            place_orders(here, unary(1.0))
            wanted = jobs(scenario, bench.options.seconds)
            runs = {name: partial(place_orders, here, job) for name, job in wanted.items()}
        return "\n\n".join(
            f"scenario {scenario}, {name}: {_profiled(run, bench.options.seconds, native=native)}"
            for name, run in runs.items()
        )


def jobs(scenario: int, seconds: float) -> dict[str, Job]:
    """What is placed while the profiler looks."""
    hot = scenario == 4
    kinds = {"unary": unary(seconds, hot=hot), "batches": batches(seconds, hot=hot)}
    alone = {
        1: {"unary": kinds["unary"]},
        2: {"batches": kinds["batches"]},
        10: {"held": paid(seconds)},
    }
    return alone.get(scenario, kinds)


def _profiled(load: Callable[[], Run], seconds: float, *, native: bool) -> str:
    parts = {part: pids_of(part)[0] for part in _PARTS if pids_of(part)}
    with tempfile.TemporaryDirectory(prefix="holdfast-profile-") as folder:
        files = {part: Path(folder) / part for part in parts}
        say(f"profiling {' and '.join(parts)}")
        spies = [_spy(pid, files[part], seconds, native=native) for part, pid in parts.items()]
        run = load()
        for part, spy in zip(parts, spies, strict=True):
            if spy.wait() != 0 or not files[part].exists():
                log = files[part].with_suffix(".log").read_text()
                raise ProfilerFailed(f"py-spy looked at {part} in vain: {log.strip()}")
        texts = [table(part, files[part].read_text()) for part in parts]
    costs = f"{run.rate:,.0f} a second under the profiler; {told_cpu([run])}"
    return "\n\n".join([costs, *texts])


def _spy(pid: int, file: Path, seconds: float, *, native: bool) -> "subprocess.Popen[bytes]":
    command = [str(PY_SPY), "record", "--pid", str(pid), "--subprocesses"]
    command += ["--duration", str(int(seconds) + 1), "--rate", str(LOOKS_S), "--function"]
    command += ["--format", "raw", "--output", str(file)]
    # C frames can only be read while the service stands still.
    command.append("--native" if native else "--nonblocking")
    with file.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def table(part: str, stacks: str) -> str:
    """The functions with most time of their own, and with most including what they called."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.splitlines():
        frames, _, looks = line.rpartition(" ")
        names = frames.split(";")
        own[names[-1]] += int(looks)
        for name in set(names):
            whole[name] += int(looks)
    total = sum(own.values()) or 1
    lines = [f"{part}: {total:,} looks at running code", "   own  whole  function"]
    lines += [
        f"{looks / total:6.1%} {whole[name] / total:6.1%}  {name}"
        for name, looks in own.most_common(TOP)
    ]
    lines += ["", " whole  function"]
    callers = [one for one in whole.most_common() if not any(word in one[0] for word in _OUTSIDE)]
    lines += [f"{looks / total:6.1%}  {name}" for name, looks in callers[: 2 * TOP]]
    return "\n".join(lines)
