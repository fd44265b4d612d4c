"""The life of a process: background loops kept running, and signals that end it in good order."""

import asyncio
import gc
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from holdfast.chassis.clock import backoff_s, jitter
from holdfast.chassis.database.seam import Leadership
from holdfast.chassis.metrics import LOOP_FAILURES
from holdfast.chassis.transient import Transient

RESTART_S_MAX = 10.0
CANCEL_AGAIN_S = 5.0  # longer than any goodbye
# Allocated and not freed, before Python looks among the youngest: about a microsecond each, during
# which nobody is answered. gRPC leaves ten for a call.
GARBAGE_OBJECTS = 10_000
FILES_MAX = 16_384

log = structlog.get_logger()

Loop = Callable[[], Awaitable[None]]


@asynccontextmanager
async def background(loops: Mapping[str, Loop]) -> AsyncIterator[None]:
    """Keep the loops running while the block runs, then cancel them and wait for their end."""
    # No TaskGroup: it would wrap the block's own errors in a group, and these loops never fail.
    stopping = asyncio.Event()
    tasks = [
        asyncio.create_task(_supervised(name, loop, stopping), name=name)
        for name, loop in loops.items()
    ]
    try:
        yield
    finally:
        stopping.set()
        await end_all(tasks)


async def end_all(tasks: Collection["asyncio.Future[Any]"]) -> None:
    """Cancel tasks until every one has ended.

    One request may not do: a transaction that is cancelled while its database is lost ends with
    that error, and whoever waits out such errors goes on.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


async def _supervised(name: str, loop: Loop, stopping: asyncio.Event) -> None:
    """Start a loop again whenever it fails; only being stopped ends it."""
    failures, clock = 0, asyncio.get_running_loop().time
    while not stopping.is_set():
        started = clock()
        try:
            await loop()
        except asyncio.CancelledError:
            # Its own count of cancellations tells nothing: a TaskGroup of Python 3.11 leaves it up.
            if stopping.is_set():
                raise
            log.exception("background loop was abandoned, starting it again", loop=name)
        except Transient as error:
            log.warning("background loop waits", loop=name, error=str(error))
        except Exception:
            LOOP_FAILURES.labels(name).inc()
            log.exception("background loop failed, starting it again", loop=name)
        # Nor need a request to stop arrive as what it was: the same group prefers a child's error.
        if not stopping.is_set():
            failures = 0 if clock() - started > RESTART_S_MAX else failures + 1
            await asyncio.sleep(backoff_s(failures, first_s=0.1, longest_s=RESTART_S_MAX))


def every(
    seconds: float, work: Callable[[], Awaitable[int]], *, leadership: Leadership | None = None
) -> Loop:
    """Make a loop that works until there is nothing left to do, then rests for about `seconds`.

    :param work: returns how much it did; 0 means that nothing is left.
    :param leadership: work only while it is held.
    """

    async def loop() -> None:
        while True:
            while (leadership is None or await leadership.held()) and await work():
                continue
            await asyncio.sleep(jitter(seconds))

    return loop


def prepare_to_serve() -> None:
    """Set up what Python and the system are to this process, once everything is imported.

    Garbage is looked for seldom: batches make many objects and hardly any cycles, and what was
    imported so far is never looked at again. And FILES_MAX files and sockets may be open, or as
    many as the system lets us: most let a process have 1,024 until it asks.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, 20, 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@asynccontextmanager
async def holding(leadership: Leadership) -> AsyncIterator[None]:
    """Give the right back after the block, so that another process takes over at once."""
    try:
        yield
    finally:
        await leadership.release()


@asynccontextmanager
async def until_signal() -> AsyncIterator[None]:
    """Run the block until SIGTERM or SIGINT: the first one cancels it, so that it ends in good
    order wherever it is waiting, and is then forgotten; further ones change nothing. So does
    SIGHUP, of a terminal that was closed, unless who started us ignores it (nohup).
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "called from a coroutine"
    stopped = asyncio.Event()

    def stop() -> None:
        if not stopped.is_set():
            stopped.set()
            task.cancel()

    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stopped.is_set() or task.uncancel():
            raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
