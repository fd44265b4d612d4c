"""Who asks: every use case is told, and the ledger keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is behind a request, and the trace it belongs to (W3C traceparent, may be empty)."""

    name: str
    traceparent: str = ""
