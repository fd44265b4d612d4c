"""Who asks: every use case is told, and the order's history keeps it."""

from typing import NamedTuple


class Caller(NamedTuple):
    """Who is behind a request, and the trace it belongs to (W3C traceparent, may be empty)."""

    name: str
    traceparent: str = ""


ORDERS = Caller("orders")
