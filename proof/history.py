"""What callers were told: every call with its outcome, on disk before the caller goes on.

A line is one JSON object. `invoke` stands before the call is made; then comes `ok` with the answer,
`fail` where the code promises that nothing was done, or `info`: nobody knows. A call without an end
is `info` too: its caller died.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["ok", "fail", "info"]
Facts = Mapping[str, Any]  # plain JSON

# Codes that promise "not done". All others (DEADLINE_EXCEEDED, UNAVAILABLE, CANCELLED, UNKNOWN,
# INTERNAL, ABORTED) leave it open.
NOT_DONE = frozenset(
    "INVALID_ARGUMENT NOT_FOUND ALREADY_EXISTS FAILED_PRECONDITION OUT_OF_RANGE RESOURCE_EXHAUSTED"
    " PERMISSION_DENIED UNAUTHENTICATED UNIMPLEMENTED".split()
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


class History:
    """Gathers calls; with a path, each line is on disk when the method returns."""

    def __init__(self, clock: Callable[[], float], path: Path | None = None) -> None:
        self._clock = clock
        self._file = path.open("ab", buffering=0) if path else None
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
        if self._file is not None:
            self._file.write(json.dumps(line).encode() + b"\n")
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


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
