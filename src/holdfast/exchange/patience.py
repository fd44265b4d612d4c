"""Ask again until there is an answer: what a long run needs so that a restart cannot spoil it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from holdfast.client import (
    DeadlineExceeded,
    HoldfastError,
    InternalError,
    Overloaded,
    Unavailable,
)

PAUSE_S_MIN = 0.1  # doubles with every try, up to the maximum
PAUSE_S_MAX = 1.0

T = TypeVar("T")


def outcome_unknown(error: HoldfastError) -> bool:
    """Whether to ask again: nothing usable came back, from the service or from the network."""
    match error:
        case InternalError():
            return not error.correlation_id  # the network's words, not the service's
        case Overloaded():
            return error.retry_after_s is not None  # else the request itself is too large
        case _:
            return isinstance(error, Unavailable | DeadlineExceeded)


def pauses(patience_s: float) -> Iterator[float]:
    """Growing pauses between tries, at least one, until patience ends."""
    ends_at = time.monotonic() + patience_s
    pause_s = PAUSE_S_MIN
    while True:
        yield pause_s
        if time.monotonic() >= ends_at:
            return
        pause_s = min(2 * pause_s, PAUSE_S_MAX)


async def patiently(patience_s: float, call: Callable[[], Awaitable[T]]) -> T:
    """The answer of a call that is safe to repeat, however often it takes until patience ends."""
    for pause_s in pauses(patience_s):
        try:
            return await call()
        except HoldfastError as error:
            if not outcome_unknown(error):
                raise
        await asyncio.sleep(pause_s)
    return await call()


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, so many at a time."""
    return (items[at : at + size] for at in range(0, len(items), size))


async def in_parallel(
    callers: int, items: Iterable[T], work: Callable[[T], Awaitable[None]]
) -> None:
    """Work off all items, started in their order by so many callers at a time.

    :raises HoldfastError: the first one; the other callers are stopped.
    """
    shared = iter(items)

    async def caller() -> None:
        for item in shared:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(callers):
                group.create_task(caller())
    # Not `except*`: before Python 3.11.4 what is raised there comes out in a group of its own.
    except ExceptionGroup as failed:
        refused, others = failed.split(HoldfastError)
        if refused is None or others is not None:
            raise
        raise refused.exceptions[0] from None
