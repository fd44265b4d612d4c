"""A history that many callers keep at once: their lines share an fsync, and nobody runs ahead.

A caller that goes on before its line is on disk could act on what a crash then makes undone.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from proof.history import History


class Journal:
    """A file of JSON lines, written in the order in which they came."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._waiting: list[bytes] = []
        self._added = 0
        self._on_disk = 0
        self._writing = asyncio.Lock()

    def add(self, line: Mapping[str, object]) -> None:
        """Put down a line; it is on disk when a later `on_disk` returns."""
        self._waiting.append(json.dumps(line).encode() + b"\n")
        self._added += 1

    async def on_disk(self) -> None:
        """Return when every line added until now is on disk."""
        wanted = self._added
        async with self._writing:
            if self._on_disk < wanted:
                lines, self._waiting, added = self._waiting, [], self._added
                await asyncio.to_thread(self._append, b"".join(lines))
                self._on_disk = added

    def _append(self, lines: bytes) -> None:
        self._file.write(lines)
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._append(b"".join(self._waiting))
        self._file.close()


class Diary(History):
    """A history whose lines are on disk once `on_disk` returns, not before."""

    def __init__(self, clock: Callable[[], float], path: Path) -> None:
        super().__init__(clock)
        self._journal = Journal(path)

    async def on_disk(self) -> None:
        """Return when every line noted until now is on disk."""
        await self._journal.on_disk()

    def _write(self, **line: object) -> None:
        self._journal.add(line)

    def close(self) -> None:
        self._journal.close()
