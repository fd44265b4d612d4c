"""Wake-up calls inside one process: whoever waits for a name is woken when it is called.

A call is a hint, never a message: waiters look again for themselves, and look from time to time
without any call, since another process may have made the change.
"""

import asyncio
from collections.abc import Iterable


class Wakeups:
    """Names that can be waited for and called."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self.is_closed = False

    def close(self) -> None:
        """Wake everybody; whoever cares sees that there is nothing more to wait for."""
        self.is_closed = True
        self.call(list(self._waiting))

    def call(self, names: Iterable[str]) -> None:
        """Wake everybody who waits for one of the names."""
        for name in names:
            for waiter in self._waiting.get(name, ()):
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self, name: str, *, timeout_s: float) -> None:
        """Return when the name is called, or after `timeout_s`."""
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(name, set())
        waiters.add(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return
        finally:
            waiters.discard(waiter)
            if not waiters:
                self._waiting.pop(name, None)
