"""By name, such as of a caller or of what is acted on: how many are here, and turns for a few."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager


class Counts:
    """How many of each name run such a block now. Nothing is kept of a name that nobody has here.

    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one_of(self, name: str) -> Iterator[None]:
        """Count one more while the block runs."""
        self._counts[name] += 1
        try:
            yield
        finally:
            self._counts[name] -= 1
            if not self._counts[name]:
                del self._counts[name]

    def of(self, name: str) -> int:
        """Return how many of a name there are."""
        return self._counts[name]

    def total(self) -> int:
        """Return how many there are of all names."""
        return self._counts.total()


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
