"""A service as HTTP knows it: its descriptor, its methods, and its own rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import ServiceDescriptor

from holdfast.chassis.http.binding import Rules


@dataclass(frozen=True, slots=True)
class HttpService:
    """What is served.

    :param methods: by name, as `RpcBoundary.methods` gives them.
    :param require_known: `RpcBoundary.require_known`: before a body is read.
    """

    descriptor: ServiceDescriptor
    methods: Mapping[str, Any]
    rules: Rules
    require_known: Callable[[str, Any], Awaitable[None]]
