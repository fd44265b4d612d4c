"""Workers go with the process that keeps them, however it goes."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.chassis.process import workers
from holdfast.chassis.process.workers import PARENT_LOOK_S, WorkerFailed, run_workers

WORKER = """
import os, sys, time
from holdfast.chassis.process.workers import end_with_parent
print(os.getpid(), flush=True)
sys.stdin.readline()  # it is still being imported
end_with_parent()
print("it serves", flush=True)
time.sleep(60)
"""
PARENT = f"""
import asyncio, sys
from holdfast.chassis.process.workers import run_workers
asyncio.run(run_workers([sys.executable, "-c", {WORKER!r}], 1))
"""
ENDS_S_MAX = 10 * PARENT_LOOK_S


@pytest.mark.parametrize("is_imported", [True, False])
def test_a_worker_ends_when_its_parent_has_died_also_while_it_was_being_imported(
    is_imported: bool,
) -> None:
    command, pipe = [sys.executable, "-c", PARENT], subprocess.PIPE
    with subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe) as parent:
        assert parent.stdin
        assert parent.stdout
        worker = int(parent.stdout.readline())
        try:
            if is_imported:
                parent.stdin.write(b"\n")
                assert parent.stdout.readline() == b"it serves\n"
            parent.kill()
            parent.wait()
            parent.stdin.close()  # the worker goes on
            while select.select([parent.stdout], [], [], ENDS_S_MAX)[0]:
                if not parent.stdout.read(100):
                    break  # nobody is left who could say anything
            else:
                pytest.fail("the worker lives on")
        finally:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


LIFE_S_MAX = 60.0
REFUSES = 4
# Its first life is long, then it is killed; it refuses to start, twice; then it lives.
LIVES = f"""
import os, sys, time
from pathlib import Path
lives = Path(sys.argv[1])
with lives.open("a") as file:
    file.write("x")
match len(lives.read_text()):
    case 1: os.kill(os.getpid(), 9)
    case 2 | 3: sys.exit({REFUSES})
time.sleep(60)
"""


async def test_who_refuses_to_start_is_not_started_again_however_long_that_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "STARTING_S", 0.0)
    command = [sys.executable, "-c", f"raise SystemExit({REFUSES})"]

    async with asyncio.timeout(LIFE_S_MAX):
        with pytest.raises(WorkerFailed) as failed:
            await run_workers(command, 2, refusals=(REFUSES,))

    assert failed.value.code == REFUSES


async def test_a_worker_that_can_t_be_started_again_is_tried_again_and_its_neighbours_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RESTART_S", 0.01)
    lives = tmp_path / "lives"
    running = asyncio.create_task(
        run_workers([sys.executable, "-c", LIVES, str(lives)], 1, refusals=(REFUSES,))
    )

    try:
        async with asyncio.timeout(LIFE_S_MAX):
            while not (running.done() or (lives.exists() and len(lives.read_text()) >= 4)):
                await asyncio.sleep(0.05)
        assert not running.done()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
