"""What every command of the chaos layer does around its campaign: folders, timeline, verdict."""

import argparse
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvloop

from proof.chaos.campaign import Plan, Trouble, campaign
from proof.chaos.striking import Say
from proof.chaos.testbed import chaos_testbed
from proof.chaos.verdict import Verdict
from testbed.machine import commit, machine
from testbed.processes import ProgramFailed, temporary_folder
from testbed.servers import ServerMissing

RAW = Path("build/chaos")


def options(description: str | None, program: str) -> argparse.ArgumentParser:
    """The options that all commands have."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--raw", type=Path, default=RAW, help="where raw logs go")
    parser.add_argument("--keep", action="store_true", help="keep the raw log of a good run too")
    return parser


def timeline(path: Path) -> Say:
    """Print what happens with its time, and keep it in a file."""
    began = time.monotonic()

    def say(text: str) -> None:
        line = f"{time.monotonic() - began:7.1f} s  {text}"
        print(line, flush=True)
        with path.open("a") as file:
            file.write(line + "\n")

    return say


def perform(
    plan: Plan, trouble: Trouble, *, raw: Path, keep: bool, settings: Mapping[str, str]
) -> Verdict:
    """Boot a testbed, run the campaign on it, print the verdict; the raw log stays if it is bad.

    :param settings: of the services, in their environment.
    """
    folder = fresh_folder(raw / f"{plan.name}-seed-{plan.seed}".replace(" ", "-"))
    say = timeline(folder / "timeline.txt")
    say(f"{plan.name}: seed {plan.seed}, commit {commit()}, {dict(settings) or 'default settings'}")
    say(f"machine: {machine()}")
    with temporary_folder() as data, libraries_log_to(folder / "libraries.txt"):
        try:
            with chaos_testbed(data, seed=plan.seed, settings=settings) as testbed:
                say("the testbed stands")
                verdict = uvloop.run(campaign(testbed, plan, folder, say, trouble))
        finally:
            copy_logs(data, folder)
    if verdict.ok and not keep:
        shutil.rmtree(folder)
    else:
        verdict.raw = str(folder)
        (folder / "verdict.txt").write_text(f"{verdict}\n{verdict.json()}\n")
    return verdict


@contextmanager
def libraries_log_to(path: Path) -> Iterator[None]:
    """Keep what database and broker libraries say of lost connections: nobody wants to watch it."""
    handler, root = logging.FileHandler(path), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def fresh_folder(folder: Path) -> Path:
    """An empty folder of this name, or of this name and the first free number."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    found.mkdir(parents=True)
    return found


def copy_logs(data: Path, folder: Path) -> None:
    """Keep what the processes of a testbed have written."""
    for log in sorted(data.rglob("*.log")):
        target = folder / "logs" / log.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, target)


def finish(command: Callable[[], Verdict]) -> int:
    """Run a command to its verdict, and print that with its line of JSON; the exit code."""
    try:
        verdict = command()
    except (ProgramFailed, ServerMissing) as error:
        print(error, file=sys.stderr)
        return 2
    print(verdict)
    print(verdict.json())
    return 0 if verdict.ok else 1
