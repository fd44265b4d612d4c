"""What chaos leaves when its own process is killed: nothing."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from proof.chaos.disk import can_mount
from testbed.services import ROOT

GONE_S_MAX = 10.0

FREEZE = """
from pathlib import Path
from testbed.processes import Program
sleeper = Program("sleeper", log=Path(FOLDER) / "log")
sleeper.start(["sleep", "1000"], env={}, cwd=Path(FOLDER), when_orphaned="TERM")
sleeper.freeze()
print(sleeper.pid, flush=True)
input()
"""
MOUNT = """
from pathlib import Path
from proof.chaos.disk import disk
with disk(Path(FOLDER) / "disk", size_mib=1):
    print("mounted", flush=True)
    input()
"""


def told_and_killed(program: str, folder: Path, condition: Callable[[str], bool]) -> str:
    """What a program says before it is killed; the condition holds until then."""
    command = [sys.executable, "-c", program.replace("FOLDER", repr(str(folder)))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as maker:
        assert maker.stdout is not None
        told = maker.stdout.readline().strip()
        holds = condition(told)
        maker.kill()
    assert holds
    return told


def soon(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_S_MAX
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_frozen(pid: str) -> bool:
    return "State:\tT" in Path(f"/proc/{pid}/status").read_text()


def test_what_is_frozen_ends_with_its_maker(tmp_path: Path) -> None:
    pid = told_and_killed(FREEZE, tmp_path, is_frozen)

    soon(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.skipif(not can_mount(), reason="only root may mount")
def test_a_disk_goes_with_its_maker(tmp_path: Path) -> None:
    told_and_killed(MOUNT, tmp_path, lambda _: (tmp_path / "disk").is_mount())

    soon(lambda: not (tmp_path / "disk").is_mount())
