"""Which method a path means: routes are made from the google.api.http annotations of a service.

Paths are cut at `/` before they are decoded, so that an id may hold `/`, `:` and `%`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor

from holdfast.chassis.http.flaws import BadHttpRequest, refused

Target = TypeVar("Target")

STREAM = "GET as a stream"  # what a path gives to whoever accepts events, beside its GET

_VERBS = ("get", "put", "post", "delete", "patch")
WRONG_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def inside(owner: Descriptor, name: str) -> Descriptor:
    """The message type of a field."""
    kind = owner.fields_by_name[name].message_type
    assert kind is not None, f"{owner.full_name}.{name} is no message"
    return kind


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call a method.

    :param template: such as /v1/products/{product.product_id}.
    :param body: the field that the body is; "*" all that the path leaves; "" no body.
    :param answer: the field of the answer that is told; "" all of it.
    """

    verb: str
    template: str
    method: MethodDescriptor
    body: str
    answer: str

    @property
    def segments(self) -> list[str]:
        return self.template.split("/")[1:]

    @property
    def variables(self) -> dict[int, str]:
        """The request's fields by the segments that hold them."""
        parts = enumerate(self.segments)
        return {place: part[1:-1] for place, part in parts if part.startswith("{")}


def key_of(route: Route, beside: Iterable[Route]) -> str:
    """The verb that a route is found by; STREAM where another one has the same path and verb."""
    has_plain = any(
        one.template == route.template
        and one.verb == route.verb
        and not one.method.server_streaming
        for one in beside
    )
    return STREAM if route.method.server_streaming and has_plain else route.verb


def routes_of(service: ServiceDescriptor) -> list[Route]:
    """All ways to call the methods of a service, each method's own path first."""
    return [route for method in service.methods for route in _routes(method)]


def _routes(method: MethodDescriptor) -> Iterator[Route]:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    for one in (rule, *rule.additional_bindings):
        yield _route(method, one)


def _route(method: MethodDescriptor, rule: http_pb2.HttpRule) -> Route:
    verb = next((verb for verb in _VERBS if getattr(rule, verb)), "")
    assert verb, f"{method.full_name} has no path"
    return Route(verb.upper(), getattr(rule, verb), method, rule.body, rule.response_body)


class Router(Generic[Target]):
    """Finds what a path leads to, by verb; a word of a template wins over a variable."""

    def __init__(self) -> None:
        self._literals: dict[str, Router[Target]] = {}
        self._variable: Router[Target] | None = None
        self._by_verb: dict[str, Target] = {}

    def add(self, route: Route, target: Target, *, key: str) -> None:
        """Add a route.

        :param key: the verb that it is found by; see `key_of`.
        """
        node = self
        for segment in route.segments:
            if segment.startswith("{"):
                node._variable = node = node._variable or Router()
            else:
                node = node._literals.setdefault(segment, Router())  # noqa: SLF001
        assert key not in node._by_verb, f"{key} {route.template} is there twice"  # noqa: SLF001
        node._by_verb[key] = target  # noqa: SLF001

    def find(self, segments: Sequence[str]) -> Mapping[str, Target]:
        """Return what is there for each verb; empty: nothing is."""
        if not segments:
            return self._by_verb
        first, rest = segments[0], segments[1:]
        found: Mapping[str, Target] = {}
        if first in self._literals:
            found = self._literals[first].find(rest)
        if not found and self._variable and first:
            found = self._variable.find(rest)
        return found


def segments_of(raw_path: bytes) -> list[str]:
    """Cut a path, and decode each part.

    :raises BadHttpRequest: a part is no UTF-8, or wrongly escaped.
    """
    return [_decoded(part) for part in raw_path.split(b"/")[1:]]


def _decoded(part: bytes) -> str:
    if b"%" not in part:
        text = part
    elif WRONG_ESCAPE.search(part):
        raise _no_path("has a % that escapes nothing")
    else:
        text = unquote_to_bytes(part)
    try:
        found = text.decode()
    except UnicodeDecodeError:
        raise _no_path("is not UTF-8") from None
    if "\0" in found:
        raise _no_path("has a NUL")
    return found


def _no_path(detail: str) -> BadHttpRequest:
    return refused(detail, name="path", place="parameter")
