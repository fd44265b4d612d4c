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
from collections.abc import Collection, Sequence

import structlog

from holdfast.chassis.clock import backoff_s
from holdfast.chassis.process.lifecycle import until_signal

WORKER = "HOLDFAST_WORKER"  # set in the environment of a worker
WORKERS = "HOLDFAST_WORKERS"  # how many there are, likewise
PARENT = "HOLDFAST_PARENT"  # the id of the process that keeps them, likewise
HTTP = "http"  # how the name of a worker begins that serves HTTP
STARTING_S = 3.0  # a worker whose first life is so short was started wrongly, and will be again
RESTART_S = 0.5
RESTART_S_MAX = 10.0
PARENT_LOOK_S = 1.0

log = structlog.get_logger()


class WorkerFailed(Exception):
    """A worker could not start; it has said why. `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"a worker ended with exit code {code}")
        self.code = code


async def run_workers(
    command: Sequence[str], count: int, *, http_count: int = 0, refusals: Collection[int] = ()
) -> None:
    """Run a command as `count` workers until SIGTERM or SIGINT; start again whichever dies.

    One that served and can't be started again, as its database was migrated for a newer release,
    is tried again and again: the others serve.

    :param http_count: so many more, which serve HTTP: in a process of gRPC's they would starve it.
    :param refusals: exit codes of who won't start, however long it took to find that out.
    :raises WorkerFailed: a worker's first start failed; the others are stopped.
    """
    async with until_signal():
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(1, count + http_count + 1):
                    name = str(number) if number <= count else f"{HTTP} {number}"
                    workers.create_task(_keep(command, name, count + http_count, refusals))
        except ExceptionGroup as failed:
            wrong_start, others = failed.split(WorkerFailed)
            if wrong_start is None or others is not None:
                raise
            raise wrong_start.exceptions[0] from None


async def _keep(command: Sequence[str], name: str, count: int, refusals: Collection[int]) -> None:
    told = {WORKER: name, WORKERS: str(count), PARENT: str(os.getpid())}
    failures, is_first = 0, True
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
        is_short = time.monotonic() - started < STARTING_S
        if is_first and (code in refusals or (is_short and code > 0)):
            raise WorkerFailed(code)
        is_first = False
        failures = failures + 1 if is_short or code in refusals else 0
        log.error("worker died, starting another", worker=name, code=code)
        await asyncio.sleep(backoff_s(failures, first_s=RESTART_S, longest_s=RESTART_S_MAX))


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
