"""A pool of connections for each receiver's host.

One for all would be simpler: httpcore looks through a whole pool with each request, and asks each
idle connection's socket whether it is still there. With a hundred receivers that was most of the
work of a delivery.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import httpcore2

Origin = tuple[str, str, int]  # scheme, host, port


class _Pool:
    def __init__(self, pool: httpcore2.AsyncConnectionPool) -> None:
        self.pool, self.users, self.used_at = pool, 0, 0.0


class Pools:
    """Makes a pool when it is first asked for, and closes it when nobody has used it for a while.

    :param make: a pool for a scheme.
    :param idle_s_max: for so long; that is seen when another one is used.
    """

    def __init__(
        self, make: Callable[[str], httpcore2.AsyncConnectionPool], idle_s_max: float
    ) -> None:
        self._make, self._idle_s_max = make, idle_s_max
        self._pools: OrderedDict[Origin, _Pool] = OrderedDict()  # the last used is the last

    @asynccontextmanager
    async def of(self, origin: Origin) -> AsyncIterator[httpcore2.AsyncConnectionPool]:
        """The pool of an origin, for one request."""
        if origin not in self._pools:
            self._pools[origin] = _Pool(self._make(origin[0]))
        found = self._pools[origin]
        found.users += 1
        try:
            yield found.pool
        finally:
            found.users -= 1
            found.used_at = monotonic()
            self._pools.move_to_end(origin)
            await self._close_idle(found.used_at - self._idle_s_max)

    async def _close_idle(self, before: float) -> None:
        while self._pools:
            origin, oldest = next(iter(self._pools.items()))
            if oldest.users or oldest.used_at > before:
                return
            del self._pools[origin]
            await oldest.pool.aclose()

    async def aclose(self) -> None:
        """Close all of them."""
        while self._pools:
            _, last = self._pools.popitem()
            await last.pool.aclose()
