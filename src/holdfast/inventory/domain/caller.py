"""Who asks: every use case is told, and the ledger keeps it."""

from typing import NamedTuple


class Caller(NamedTuple):
    """Who is behind a request.

    :param traceparent: the trace it belongs to (W3C); may be empty.
    :param credential_id: which key or token it came with, never the secret; "": with none, such as
        the work of a service itself.
    """

    name: str
    traceparent: str = ""
    credential_id: str = ""
