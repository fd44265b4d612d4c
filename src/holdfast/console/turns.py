"""Who looks at something and then acts on it does both before anybody else here does."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """One at a time, by the id of what they act on, of all who do so in this process.

    The console is one process; others who call the services meanwhile are told no by their rules.
    """

    def __init__(self) -> None:
        self._by_id: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, about: str) -> asyncio.Lock:
        """Return what to hold from the look to the end of the act; who came first is first."""
        return self._by_id.setdefault(about, asyncio.Lock())
