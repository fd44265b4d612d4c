"""An event loop in virtual time, on which several simulated processes live, stand still and die.

What a process schedules carries its name in the context of the handle. Killing a process drops what
it has scheduled: nothing of it runs any more, no `finally` either, as under SIGKILL.

Inside a process callbacks run in the order in which they were scheduled, which asyncio promises and
libraries rely on. Between processes chance decides, and so it does over how long every wait for a
disk or a network takes: these are the freedoms that a real machine has.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from itertools import count
from random import Random
from typing import Any, Literal, NoReturn, TypeVar, TypeVarTuple
from zlib import crc32

from proof.simulation.thread import SimulatedThread

Policy = Literal["order", "lottery", "ranks"]
POLICIES: tuple[Policy, ...] = ("order", "lottery", "ranks")

STEPS_MAX = 3_000_000  # a run takes some ten thousand; whoever takes so many turns in circles
RANKS_CHANGE_STEPS = 500  # about: then another process has the right of way

Result = TypeVar("Result")
Some = TypeVarTuple("Some")
Work = Coroutine[Any, Any, Result] | Generator[Any, None, Result]


class Deadlock(Exception):
    """Nothing is ready and no timer runs: nothing would ever happen again."""


class Runaway(Exception):
    """The run does not end."""


class Process:
    """One life of a simulated process; the next start of the same program is another object."""

    def __init__(self, loop: "SimulatedLoop", name: str) -> None:
        self.name = name
        self.number = loop.next_number()
        self.rank = 0.0
        self.is_alive = True
        self.is_frozen = False
        self.waiting: deque[asyncio.Handle] = deque()
        self._loop = loop
        self._context = Context()
        self._context.run(_current.set, self)

    def context(self) -> Context:
        """A context in which whatever is scheduled belongs to this process."""
        return self._context.copy()

    def start(self, work: Coroutine[Any, Any, Result], name: str) -> "asyncio.Task[Result]":
        """Run work in this process."""
        return self._loop.create_task(work, name=name, context=self.context())

    def kill(self) -> None:
        """Let nothing of it run any more, from this moment on."""
        self.is_alive = False
        self._loop.bury(self)

    def freeze(self) -> None:
        """Hold everything back, as SIGSTOP does; time goes on."""
        self.is_frozen = True
        self._loop.hold_back(self)

    def thaw(self) -> None:
        """Go on with everything that came meanwhile, and with timers that are late."""
        self.is_frozen = False
        self._loop.let_go(self)

    def __repr__(self) -> str:
        return f"<{self.name}, process {self.number}>"


_current: ContextVar[Process] = ContextVar("process")


def current_process() -> Process | None:
    """Which simulated process runs; None: the world outside of them."""
    return _current.get(None)


class SimulatedTask(asyncio.Task[Any]):
    """A task that has the same place in every set in every run, whatever its address."""

    def __init__(
        self, work: Work[Any], loop: "SimulatedLoop", process: Process | None, **rest: Any
    ) -> None:
        self._place, self.process = loop.next_number(), process
        super().__init__(work, loop=loop, **rest)

    def __hash__(self) -> int:
        return self._place


class SimulatedFuture(asyncio.Future[Any]):
    """A future that has the same place in every set in every run, whatever its address."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._place = loop.next_number()
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._place


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs one callback after the other; when none is ready, it is the time of the next timer.

    :param policy: whose turn it is when several processes are ready. "order": the longest ready;
        "lottery": any; "ranks": always the one of the highest rank, and ranks change now and then,
        so that some processes are slow for a while.
    :param step_s: what every callback takes of virtual time.
    """

    def __init__(self, chance: Random, policy: Policy = "order", step_s: float = 0.0) -> None:
        super().__init__()
        self._numbers = count(1)
        self._chance = chance
        self._policy = policy
        self._step_s = step_s
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._world = Process(self, "world")
        self._busy: list[Process] = []  # those with callbacks, in the order of becoming so
        self._ranks_end = 0
        self._buried: list[object] = []  # referenced, so that no coroutine is closed
        self._ends = False
        self.steps = 0
        self.fingerprint = 0
        self._thread = SimulatedThread()  # for whatever asks for any thread

    def next_number(self) -> int:
        """A number that this run has not given yet."""
        return next(self._numbers)

    def time(self) -> float:
        return self._now

    def note(self, text: str) -> None:
        """Let what happens become part of the run's fingerprint."""
        self.fingerprint = hash((self.fingerprint, self._now, crc32(text.encode())))

    def bury(self, process: Process) -> None:
        """Forget what a dead process has scheduled, and keep it from being cleaned up."""
        self._buried += process.waiting
        self._buried += asyncio.all_tasks(self)
        process.waiting.clear()
        self.hold_back(process)

    def hold_back(self, process: Process) -> None:
        if process in self._busy:
            self._busy.remove(process)

    def let_go(self, process: Process) -> None:
        if process.is_alive and process.waiting and process not in self._busy:
            self._busy.append(process)

    def tasks_of(self, process: Process) -> int:
        """How many tasks of a process have not ended."""
        tasks = asyncio.all_tasks(self)
        return sum(isinstance(one, SimulatedTask) and one.process is process for one in tasks)

    def outside(self, delay_s: float, act: Callable[..., object], *arguments: object) -> None:
        """Have something happen in the world, whatever becomes of the process that caused it."""
        self.call_at(self._now + delay_s, act, *arguments, context=Context())

    # What asyncio asks of a loop.

    def call_soon(
        self, callback: Callable[[*Some], object], *args: *Some, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._make_ready(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Some], object],
        *args: *Some,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def create_future(self) -> SimulatedFuture:
        return SimulatedFuture(self)

    def create_task(
        self, coro: Work[Result], *, name: object = None, context: Context | None = None
    ) -> asyncio.Task[Result]:
        process = current_process() if context is None else context.get(_current)
        return SimulatedTask(coro, self, process, name=name or "task", context=context)

    def run_in_executor(
        self, executor: object, func: Callable[[*Some], Result], *args: *Some
    ) -> asyncio.Future[Result]:
        thread = executor or self._thread
        assert isinstance(thread, SimulatedThread), "a real thread would run in real time"
        return thread.run(self, func, args)

    def call_soon_threadsafe(
        self, callback: Callable[[*Some], object], *args: *Some, context: Context | None = None
    ) -> NoReturn:
        raise NotImplementedError("there is one thread only")

    def stop(self) -> None:
        self._ends = True

    def run_until_complete(self, future: Any) -> Any:
        task = asyncio.ensure_future(future, loop=self)
        task.add_done_callback(lambda _: self.stop())
        self.run_forever()
        return task.result()

    def run_forever(self) -> None:
        asyncio.events._set_running_loop(self)
        try:
            self._run()
        finally:
            self._ends = False
            asyncio.events._set_running_loop(None)

    def __del__(self, *_: object) -> None:
        """It holds nothing that would have to be closed."""

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is; nothing happens when its time comes."""

    def _make_ready(self, handle: asyncio.Handle) -> None:
        process = handle._context.get(_current, self._world)  # type: ignore[attr-defined]
        if not process.is_alive:
            self._buried.append(handle)
            return
        if not process.waiting and not process.is_frozen:
            self._busy.append(process)
        process.waiting.append(handle)

    def _run(self) -> None:
        busy, timers = self._busy, self._timers
        while not self._ends:
            if timers and (not busy or timers[0][0] <= self._now):
                self._ring_timers()
            process = busy[0] if len(busy) == 1 else self._next_process()
            handle = process.waiting.popleft()
            busy.remove(process)
            if process.waiting:
                busy.append(process)  # behind all others
            if handle.cancelled():
                continue
            self.steps += 1
            self._now += self._step_s
            self.fingerprint = hash((self.fingerprint, self._now, process.number))
            handle._run()
            if self.steps > STEPS_MAX:
                raise Runaway(f"{STEPS_MAX} steps, and virtual time is at {self._now:.1f} s")

    def _ring_timers(self) -> None:
        """Make ready whose time has come; if nothing else is ready, let the next one's come."""
        timers = self._timers
        while timers and (timers[0][0] <= self._now or not self._busy):
            when, _, timer = heapq.heappop(timers)
            if not timer.cancelled():
                self._now = max(self._now, when)
                self._make_ready(timer)

    def _next_process(self) -> Process:
        busy = self._busy
        if not busy:
            raise Deadlock(f"at {self._now:.3f} s of virtual time")
        if self._policy == "order":
            return busy[0]
        if self._policy == "lottery":
            return busy[int(self._chance.random() * len(busy))]
        if self.steps >= self._ranks_end:
            self._ranks_end = self.steps + self._chance.randrange(1, 2 * RANKS_CHANGE_STEPS)
            for process in busy:
                process.rank = self._chance.random()
        return max(busy, key=lambda process: process.rank)
