"""Turns: a few at once for each name, such as of a caller or of what is acted on."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """So many at once of each name; further ones of the same name wait, in order.

    Belongs to one event loop. Nothing is kept of a name that nobody has here.

    :param at_once: of one name.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._names: dict[Hashable, _Name] = {}

    @asynccontextmanager
    async def one_of(self, name: Hashable) -> AsyncIterator[None]:
        """Run the block when it is its turn among those of the name."""
        found = self._names.get(name)
        if found is None:
            found = self._names[name] = _Name(self._at_once)
        found.here += 1
        try:
            async with found.turns:
                yield
        finally:
            found.here -= 1
            if not found.here:
                del self._names[name]


class _Name:
    __slots__ = ("here", "turns")

    def __init__(self, at_once: int) -> None:
        self.here = 0  # with those that wait
        self.turns = asyncio.Semaphore(at_once)
