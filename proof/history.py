"""What callers were told: every call with its outcome, on disk before the caller goes on.

A caller that went on before its line is on disk could act on what a crash then makes undone. Lines
of many callers share an fsync.

A line is one JSON object. `invoke` stands before the call is made; then comes `ok` with the answer,
`fail` where the code promises that nothing was done, or `info`: nobody knows. A call without an end
is `info` too: its caller died.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["ok", "fail", "info"]
Facts = Mapping[str, Any]  # plain JSON

# Codes that promise "not done". All others (DEADLINE_EXCEEDED, UNAVAILABLE, CANCELLED, UNKNOWN,
# INTERNAL) leave it open.
NOT_DONE = frozenset(
    "INVALID_ARGUMENT NOT_FOUND ALREADY_EXISTS FAILED_PRECONDITION OUT_OF_RANGE RESOURCE_EXHAUSTED"
    " ABORTED PERMISSION_DENIED UNAUTHENTICATED UNIMPLEMENTED".split()
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call as its caller saw it; times in seconds by one clock for the whole history."""

    number: int
    client: str
    method: str  # the RPC's name
    request: Facts
    invoked_at: float
    ended_at: float | None = None
    outcome: Outcome = "info"
    value: Facts | None = None  # the answer, if `ok`
    code: str = ""  # the gRPC code, unless `ok`


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


class History:
    """Gathers calls; with a path, what was noted is on disk once `on_disk` returns, not before."""

    def __init__(self, clock: Callable[[], float], path: Path | None = None) -> None:
        self._clock = clock
        self._journal = Journal(path) if path else None
        self._calls: dict[int, Call] = {}

    @property
    def calls(self) -> list[Call]:
        """All calls so far, in the order in which they began."""
        return list(self._calls.values())

    def invoke(self, client: str, method: str, request: Facts) -> int:
        """Note that a call begins; return its number."""
        number = len(self._calls)
        call = Call(number, client, method, request, self._clock())
        self._calls[number] = call
        self._write(
            number=number,
            kind="invoke",
            client=client,
            method=method,
            request=request,
            at=call.invoked_at,
        )
        return number

    def ok(self, number: int, value: Facts) -> None:
        """Note the answer."""
        self._end(number, "ok", value=value)

    def refused(self, number: int, code: str) -> None:
        """Note a gRPC error: `fail` if its code promises that nothing was done, else `info`."""
        self._end(number, "fail" if code in NOT_DONE else "info", code=code)

    def _end(
        self, number: int, outcome: Outcome, *, value: Facts | None = None, code: str = ""
    ) -> None:
        at = self._clock()
        self._calls[number] = replace(
            self._calls[number], ended_at=at, outcome=outcome, value=value, code=code
        )
        self._write(number=number, kind=outcome, value=value, code=code, at=at)

    def _write(self, **line: object) -> None:
        if self._journal is not None:
            self._journal.add(line)

    async def on_disk(self) -> None:
        """Return when every line noted until now is on disk."""
        if self._journal is not None:
            await self._journal.on_disk()

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()


def read(lines: Iterable[bytes]) -> list[Call]:
    """Read a history; a last line that was cut off by a kill is left out."""
    calls: dict[int, Call] = {}
    for text in lines:
        if not text.endswith(b"\n"):
            break
        line = json.loads(text)
        number, kind = line["number"], line["kind"]
        if kind == "invoke":
            calls[number] = Call(
                number, line["client"], line["method"], line["request"], line["at"]
            )
        else:
            calls[number] = replace(
                calls[number],
                ended_at=line["at"],
                outcome=kind,
                value=line["value"],
                code=line["code"],
            )
    return list(calls.values())
