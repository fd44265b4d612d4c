"""Methods are wrapped once, as generated code adds them to a server."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import grpc
from grpc import aio


class _Wrapping:
    """A server as generated code sees it while it adds a servicer to it."""

    def __init__(
        self, wrap: Callable[[str, Any], Any], take: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._wrap, self._take = wrap, take

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Do nothing: the same methods are added by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        wrapped = {
            name: self._wrap(f"{service}/{name}", handler) for name, handler in handlers.items()
        }
        self._take(service, wrapped)


def wrapping(
    wrap: Callable[[str, Any], Any], take: Callable[[str, dict[str, Any]], None]
) -> aio.Server:
    """Return what a servicer is to be added to instead of a server.

    :param wrap: is given each method, by its full name.
    :param take: is given each service's methods, wrapped, by name.
    """
    return cast(aio.Server, _Wrapping(wrap, take))  # as far as generated code goes


def wrapping_for(server: aio.Server, wrap: Callable[[str, Any], Any]) -> aio.Server:
    """Likewise; the wrapped methods are added to that server.

    An interceptor does the same for every call anew, which costs a tenth of an empty one.
    """

    def take(service: str, methods: dict[str, Any]) -> None:
        handler = grpc.method_handlers_generic_handler(service, methods)
        server.add_generic_rpc_handlers([handler])

    return wrapping(wrap, take)
