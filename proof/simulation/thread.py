"""What stands for a pool of one thread: jobs run in their order, and each takes virtual time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


class Outside(Protocol):
    """A loop, as far as a thread needs it."""

    def time(self) -> float:
        """The time in seconds."""

    def create_future(self) -> "asyncio.Future[Any]":
        """Make a promise."""

    def outside(self, delay_s: float, act: Callable[..., object], *arguments: object) -> None:
        """Have something happen in the world, whatever becomes of the process that caused it."""


class SimulatedThread:
    """Takes the place of `ThreadPoolExecutor(1)`.

    A job runs outside of the process that asked for it, like a request that has left for a server:
    should the process die meanwhile, the job is done and nobody hears of it.
    """

    def __init__(self, _threads: int = 1, thread_name_prefix: str = "") -> None:
        self.name = thread_name_prefix
        self.wait_s: Callable[[], float] = lambda: 0.0  # on the way there, and on the way back
        self.refuse: Callable[[], None] = lambda: None  # may raise what a job is to fail with
        self.is_gone = False
        self._free_at = self._answered_at = 0.0

    def submit(self, job: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Do a job on the spot."""
        done: Future[Any] = Future()
        done.set_result(job(*arguments))
        return done

    def shutdown(self) -> None:
        """Nothing is under way: jobs that are waited for have ended."""

    def run(
        self, loop: Outside, job: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> "asyncio.Future[Any]":
        """Do a job after a wait; its outcome comes after another."""
        answer = loop.create_future()
        self._free_at = max(self._free_at, loop.time() + self.wait_s())
        loop.outside(self._free_at - loop.time(), self._work, loop, answer, job, arguments)
        return answer

    def _work(
        self,
        loop: Outside,
        answer: "asyncio.Future[Any]",
        job: Callable[..., Any],
        arguments: tuple[Any, ...],
    ) -> None:
        if self.is_gone:
            return
        tell: Callable[[Any], None] = answer.set_result
        try:
            self.refuse()
            outcome = job(*arguments)
        except Exception as error:  # noqa: BLE001 - whoever waits for the job gets it
            tell, outcome = answer.set_exception, error
        self._answered_at = max(self._answered_at, loop.time() + self.wait_s())
        loop.outside(self._answered_at - loop.time(), _answer, answer, tell, outcome)


def _answer(answer: "asyncio.Future[Any]", tell: Callable[[Any], None], outcome: Any) -> None:
    if not answer.done():
        tell(outcome)
