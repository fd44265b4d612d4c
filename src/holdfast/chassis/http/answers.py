"""What a method answered, as an HTTP answer: status, headers and body."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from google.protobuf.message import Message

from holdfast.chassis.grpc.rpc_boundary import REPLAYED_TRAILER
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.headers import names_tag
from holdfast.chassis.http.json_writing import written
from holdfast.chassis.http.problems import CONTENT_TYPE as PROBLEM_TYPE
from holdfast.chassis.http.problems import Problem
from holdfast.chassis.http.router import Route

MAKES = ("Create", "Open")  # how names of methods begin that make one resource


class Answer(NamedTuple):
    """An HTTP answer whose body is known."""

    status: int
    headers: dict[str, str]
    body: bytes


def of_problem(problem: Problem) -> Answer:
    return Answer(problem.status, {"content-type": PROBLEM_TYPE, **problem.headers}, problem.body())


def place_of_made(route: Route, beside: Iterable[Route]) -> str:
    """The template of the path to what a route makes; "" where there is none."""
    return next((one.template for one in beside if _is_child(one.template, route.template)), "")


def _is_child(template: str, of: str) -> bool:
    owner, _, last = template.rpartition("/")
    return owner == of and last.startswith("{")


class Answers:
    """How what one route's method answers becomes an HTTP answer.

    :param made: the template of the path to what it makes; "" where there is none.
    """

    def __init__(self, route: Route, rules: Rules, made: str) -> None:
        self._route, self._rules, self._made = route, rules, made
        self._is_read = route.verb == "GET"
        self._makes = route.verb == "POST" and route.method.name.startswith(MAKES)

    def of(
        self,
        message: Any,
        *,
        query: bytes,
        if_none_match: str,
        wait_s: int | None,
        trailing: Mapping[str, Any],
    ) -> Answer:
        """Build the answer.

        :param query: of the request; the next page has the same but for its token.
        :param wait_s: the caller's preference, if it was taken.
        :param trailing: what the method told beside its message.
        """
        if self._route.answer:
            message = getattr(message, self._route.answer)
        body = written(message)
        headers = {"content-type": "application/json"}
        if tag := self._tag(message, body):
            headers["etag"] = tag
            if self._is_read and if_none_match and names_tag(if_none_match, tag):
                return Answer(304, headers, b"")
        if token := getattr(message, "next_page_token", ""):
            headers["link"] = f'<{_with_token(query, token)}>; rel="next"'
        if wait_s is not None:
            headers["preference-applied"] = f"wait={wait_s}"
        if REPLAYED_TRAILER in trailing:
            headers["idempotent-replayed"] = "true"
        elif self._makes:
            if self._made:
                headers["location"] = _filled(self._made, message)
            return Answer(201, headers, body)
        return Answer(200, headers, body)

    def _tag(self, message: Any, body: bytes) -> str:
        """The ETag of one resource; "" where the answer is none."""
        version = getattr(message, "version", 0) or getattr(
            getattr(message, "level", None), "version", 0
        )
        if not version:
            return ""
        # The version alone would say that nothing has changed of what moves on without it.
        drifts = any(getattr(message, name, None) for name in self._rules.drifting)
        return f'"{version}-{zlib.crc32(body):08x}"' if drifts else f'"{version}"'


def _with_token(query: bytes, token: str) -> str:
    """A reference to the same list with another page token."""
    kept = parse_qsl(query.decode(), keep_blank_values=True)
    kept = [(name, value) for name, value in kept if name not in ("page_token", "pageToken")]
    return f"?{urlencode([*kept, ('page_token', token)])}"


def _filled(template: str, message: Any) -> str:
    """The path of what was made, whose template ends with a variable: a field of the answer, or of
    what is told in it beside something else, such as a secret.
    """
    owner, _, variable = template.rpartition("/")
    name = variable.strip("{}").rpartition(".")[2]
    parts = [one for _, one in message.ListFields() if isinstance(one, Message)]
    made = next(one for one in (message, *parts) if name in one.DESCRIPTOR.fields_by_name)
    return f"{owner}/{quote(getattr(made, name), safe='')}"
