"""Several processes of one service on one port: spawned anew, never forked, and kept running.

gRPC's and uvloop's threads do not survive a fork. The kernel spreads connections over the
processes that share a port
(SO_REUSEPORT), so callers with one connection always meet the same one.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence

import structlog

from holdfast.chassis.clock import jitter
from holdfast.chassis.process.lifecycle import until_signal

WORKER = "HOLDFAST_WORKER"  # set in the environment of a worker
WORKERS = "HOLDFAST_WORKERS"  # how many there are, likewise
PARENT = "HOLDFAST_PARENT"  # the id of the process that keeps them, likewise
HTTP = "http"  # how the name of a worker begins that serves HTTP
STARTING_S = 3.0  # a worker that ends within so long was started wrongly, and will be again
RESTART_S = 0.5
PARENT_LOOK_S = 1.0

log = structlog.get_logger()


class WorkerFailed(Exception):
    """A worker could not start; it has said why. `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with exit code {code}")
        self.code = code


async def run_workers(command: Sequence[str], count: int, *, http_count: int = 0) -> None:
    """Run a command as `count` workers until SIGTERM or SIGINT; start again whichever dies.

    :param http_count: so many more, which serve HTTP: in a process of gRPC's they would starve it.
    :raises WorkerFailed: a worker ended by itself while it was starting; the others are stopped.
    """
    async with until_signal():
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(1, count + 1):
                    workers.create_task(_keep(command, str(number), count + http_count))
                for number in range(count + 1, count + http_count + 1):
                    workers.create_task(_keep(command, f"{HTTP} {number}", count + http_count))
        except ExceptionGroup as failed:
            wrong_start, others = failed.split(WorkerFailed)
            if wrong_start is None or others is not None:
                raise
            raise wrong_start.exceptions[0] from None


async def _keep(command: Sequence[str], name: str, count: int) -> None:
    told = {WORKER: name, WORKERS: str(count), PARENT: str(os.getpid())}
    while True:
        started = time.monotonic()
        worker = await asyncio.create_subprocess_exec(*command, env={**os.environ, **told})
        try:
            code = await worker.wait()
        except asyncio.CancelledError:
            if worker.returncode is None:
                worker.terminate()
                await worker.wait()
            raise
        if time.monotonic() - started < STARTING_S and code > 0:
            raise WorkerFailed(code)
        log.error("worker died, starting another", worker=name, code=code)
        await asyncio.sleep(jitter(RESTART_S))


def is_worker() -> bool:
    """Whether this process is a worker."""
    return WORKER in os.environ


def is_http_worker() -> bool:
    """Whether this process is a worker that serves HTTP, and nothing else."""
    return os.environ.get(WORKER, "").startswith(HTTP)


def worker_count() -> int:
    """How many processes, with this one, share what one service may give."""
    return int(os.environ.get(WORKERS, "1"))


def worker_number() -> int:
    """Which worker this process is, from 1, those of HTTP last; 1 where there are none."""
    return int(os.environ.get(WORKER, "1").removeprefix(HTTP))


def end_with_parent() -> None:
    """End this worker in good order when its parent has died without saying so, be it before this
    is called: by then it is seconds old.
    """
    parent = int(os.environ[PARENT])

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def this_command() -> list[str]:
    """Return the command line of this process, to be run again."""
    return [sys.executable, "-m", "holdfast.cli.main", *sys.argv[1:]]
