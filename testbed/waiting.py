"""Wait until something is so, for so long and no longer."""

import asyncio
import time
from collections.abc import Callable

LOOK_S = 0.02


def wait_until(
    is_so: Callable[[], bool],
    s_max: float,
    failure: Callable[[], Exception],
    *,
    look_s: float = LOOK_S,
) -> None:
    """Return when it is so.

    :raises Exception: the `failure`, made when it took longer than `s_max`.
    """
    ends_at = time.monotonic() + s_max
    while not is_so():
        if time.monotonic() > ends_at:
            raise failure()
        time.sleep(look_s)


async def until(
    is_so: Callable[[], bool],
    s_max: float,
    failure: Callable[[], Exception],
    *,
    look_s: float = LOOK_S,
) -> None:
    """The same for a coroutine: others go on meanwhile."""
    ends_at = time.monotonic() + s_max
    while not is_so():
        if time.monotonic() > ends_at:
            raise failure()
        await asyncio.sleep(look_s)
