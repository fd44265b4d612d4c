"""A service as HTTP knows it: its descriptor, its methods, and its own rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.descriptor import ServiceDescriptor

from holdfast.chassis.http.binding import Rules


@dataclass(frozen=True, slots=True)
class HttpService:
    """What is served.

    :param methods: by name, as `RpcBoundary.methods` gives them.
    :param require_known: `RpcBoundary.require_known`: before a body is read.
    :param is_for_anybody: `RpcBoundary.is_for_anybody`.
    """

    descriptor: ServiceDescriptor
    methods: Mapping[str, Any]
    rules: Rules
    require_known: Callable[[str, Any], Awaitable[None]]
    is_for_anybody: Callable[[str], bool]


class Mounted(Protocol):
    """An ASGI application of its own, beside the services on the same port.

    It answers every request whose path begins with `/NAME`, whatever happens in it; that the Host
    is this server's has been seen before.
    """

    @property
    def name(self) -> str: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def stop(self) -> None:
        """End what has no end of its own, such as streams."""
