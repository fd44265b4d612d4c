"""What a servicer's method sees of its call when HTTP stands before it, in place of gRPC."""

import asyncio
from collections.abc import Iterable
from typing import Any, NoReturn

import grpc
from google.rpc.status_pb2 import Status
from grpc import aio

from holdfast.chassis.grpc.admission import NAMES
from holdfast.chassis.grpc.rpc_boundary import DETAILS_TRAILER
from holdfast.chassis.http.headers import Headers

HANDED_ON = ("authorization", "traceparent", "tracestate")
Pairs = Iterable[tuple[str, str | bytes]]


class Aborted(aio.AbortError):
    """The method ended with a status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status


class HttpContext:
    """One call.

    :param peer: who calls, as HOST:PORT.
    :param deadline: when the caller is answered at the latest, by the loop's clock; None: it is a
        stream, which has no end of its own.
    :param names: alternative names of the caller's certificate, if there is one.
    """

    def __init__(
        self, headers: Headers, peer: str, deadline: float | None, names: Iterable[str] = ()
    ) -> None:
        self._metadata = tuple((name, headers[name]) for name in HANDED_ON if name in headers)
        self._peer, self._deadline, self._names = peer, deadline, names
        self.trailing: dict[str, Any] = {}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata

    def peer(self) -> str:
        """Such as ipv4:127.0.0.1:40112; "" where it is not known."""
        return self._peer

    def auth_context(self) -> dict[str, list[bytes]]:
        """What is known of the caller's certificate: its names."""
        return {NAMES: [name.encode() for name in self._names]}

    def time_remaining(self) -> float | None:
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    def set_trailing_metadata(self, trailing_metadata: Pairs) -> None:
        self.trailing = dict(trailing_metadata)

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Pairs = ()
    ) -> NoReturn:
        """:raises Aborted: always."""
        told = dict(trailing_metadata).get(DETAILS_TRAILER)
        if isinstance(told, bytes):
            raise Aborted(Status.FromString(told))
        raise Aborted(Status(code=code.value[0], message=details))
