"""What takes much memory while it comes in is taken in turns: each caller has a few at once."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """So many of each caller at once; further ones of the same caller wait, in order.

    Belongs to one event loop. Nothing is kept of callers who have nothing here.

    :param at_once: of one caller.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._callers: dict[Hashable, _Caller] = {}

    @asynccontextmanager
    async def one_of(self, name: Hashable) -> AsyncIterator[None]:
        """Run the block when it is the turn of this one of a caller."""
        caller = self._callers.get(name)
        if caller is None:
            caller = self._callers[name] = _Caller(self._at_once)
        caller.here += 1
        try:
            async with caller.turns:
                yield
        finally:
            caller.here -= 1
            if not caller.here:
                del self._callers[name]


class _Caller:
    __slots__ = ("here", "turns")

    def __init__(self, at_once: int) -> None:
        self.here = 0  # with those that wait
        self.turns = asyncio.Semaphore(at_once)
