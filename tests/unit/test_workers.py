"""Workers go with the process that keeps them, however it goes."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from holdfast.chassis.process.workers import PARENT_LOOK_S

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
