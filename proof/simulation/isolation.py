"""One function in a process of its own, forked from this one: what it leaves behind dies with it.

Killed simulated processes leave coroutines that must never be closed, and a run changes constants
and seeds of the whole interpreter. A fork takes some milliseconds and forgets all that.
"""

import gc
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Result = TypeVar("Result")

RUN_S_MAX = 120  # of real time


class Died(Exception):
    """The forked process ended without a result; the message tells how."""


@dataclass(frozen=True, slots=True)
class Isolated(Generic[Result]):
    """A function that runs in a forked process; `fd` becomes readable when there is more to read.

    :param fd: the reading end of the pipe that its result comes through.
    """

    pid: int
    fd: int

    def result(self) -> Result:
        """Wait for the end and return what the function returned.

        :raises Died: it returned nothing.
        """
        with os.fdopen(self.fd, "rb") as pipe:
            body = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        if not body:
            raise Died(f"ended with {os.waitstatus_to_exitcode(status)}, by itself or by time")
        result: Result = pickle.loads(body)
        return result

    def end(self) -> None:
        """End it without a result."""
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def isolated(function: Callable[[], Result]) -> Isolated[Result]:
    """Start the function in a forked process, with at most RUN_S_MAX of real time."""
    reading, writing = os.pipe()
    # Nothing of the parent's is collected in the fork, nor on the way into it: a destructor may
    # wait for a thread that no fork has.
    collects = gc.isenabled()
    gc.disable()
    pid = os.fork()
    if pid:
        if collects:
            gc.enable()
        os.close(writing)
        return Isolated(pid, reading)
    code = 1
    try:
        gc.freeze()
        if collects:
            gc.enable()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(RUN_S_MAX)
        os.close(reading)
        body = pickle.dumps(function())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(body)
        code = 0
    except BaseException:  # noqa: BLE001 - nobody else tells: this process ends here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # at once: no finally, no destructor
