"""The ASGI application: finds the method, binds the request, asks, answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import grpc
import structlog
from google.rpc.status_pb2 import Status

from holdfast.chassis.clock import Clock
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.admission import StrangeCertificate
from holdfast.chassis.grpc.chassis_errors import chassis_status
from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX
from holdfast.chassis.http import event_stream, problems
from holdfast.chassis.http.answers import Answer, Answers, of_problem, place_of_made
from holdfast.chassis.http.binding import Binding
from holdfast.chassis.http.browsers import is_of_others
from holdfast.chassis.http.context import Aborted, HttpContext
from holdfast.chassis.http.event_stream import EventStream, last_event_id
from holdfast.chassis.http.flaws import BadHttpRequest
from holdfast.chassis.http.headers import EVENTS, JSON, gathered, prefers_events, wish_for
from holdfast.chassis.http.hosts import IsOurs
from holdfast.chassis.http.measuring import Measured
from holdfast.chassis.http.pages import Pages
from holdfast.chassis.http.problems import problem, problem_of, problem_of_flaws
from holdfast.chassis.http.receiving import STRANGER_BYTES_MAX, Body, Receive, Receiving, body_of
from holdfast.chassis.http.router import STREAM, Router, key_of, routes_of, segments_of
from holdfast.chassis.http.service import HttpService, Mounted
from holdfast.chassis.http.shares import Shares

CALL_S_MAX = 70.0  # for a method to answer: longer than any wait that may be asked for
REQUESTS_MAX = 1_000  # under way at the same time
STREAMS_MAX = 1_000  # open at the same time

ALWAYS = {
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
}

log = structlog.get_logger()

Scope = Mapping[str, Any]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Target:
    """What a route leads to.

    :param require_known: raises Aborted where whoever asks may not.
    :param for_anybody: nobody is asked who they are.
    """

    method: Any
    binding: Binding
    answers: Answers
    require_known: Callable[[HttpContext], Awaitable[None]]
    for_anybody: bool

    @property
    def streams(self) -> bool:
        return bool(self.binding.route.method.server_streaming)

    @property
    def waits(self) -> bool:
        """Whether it waits for what there is to be read, which is nobody's once they have left."""
        return self.binding.route.verb == "GET" and "wait" in self.binding.query


class HttpApplication:
    """Services over HTTP/JSON, as uvicorn calls them.

    `stop` ends streams; a server that waits for them would wait for ever.

    :param is_ours: whether a Host means this server; None: any does.
    :param mounted: what stands beside the services.
    :param names: alternative names, of which a caller's certificate must have one; none: any will
        do. The server tells what it has in the scope's `state`, under `names`.
    """

    def __init__(
        self,
        services: Iterable[HttpService],
        clock: Clock,
        is_ours: IsOurs | None = None,
        mounted: Iterable[Mounted] = (),
        names: Iterable[str] = (),
    ) -> None:
        self._clock, self._is_ours, self._names = clock, is_ours, frozenset(names)
        self._mounted = {one.name.encode(): one for one in mounted}
        self._router: Router[_Target] = Router()
        templates: list[str] = []
        for service in services:
            routes = routes_of(service.descriptor)
            templates += [route.template for route in routes]
            for route in routes:
                method = f"{service.descriptor.full_name}/{route.method.name}"
                self._router.add(
                    route,
                    _Target(
                        service.methods[route.method.name],
                        Binding(route, service.rules),
                        Answers(route, service.rules, place_of_made(route, routes)),
                        partial(service.require_known, method),
                        service.is_for_anybody(method),
                    ),
                    key=key_of(route, routes),
                )
        self._pages = Pages(templates)
        self._stopping = asyncio.Event()
        self._requests = Shares(REQUESTS_MAX, "TOO_MANY_CALLS")
        self._streams = Shares(STREAMS_MAX, "TOO_MANY_STREAMS")
        self._receiving = Receiving(REQUESTS_MAX)

    def stop(self) -> None:
        """End all streams."""
        self._stopping.set()
        for one in self._mounted.values():
            one.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "the server does nothing else"
        headers = gathered(scope["headers"])
        beside = self._beside(scope["raw_path"])
        if beside and self._is_for_us(headers) and self._may_enter(scope):
            await beside(scope, receive, send)
            return
        body, measured = Body(receive, headers), Measured(scope["method"])
        try:
            answer = await self._answer(scope, headers, body.receive, send, measured)
        except BadHttpRequest as bad:
            answer = of_problem(problem_of_flaws(bad))
        except Aborted as aborted:
            answer = of_problem(problem_of(aborted.status))
        except TimeoutError:
            answer = of_problem(problem_of(_TOO_LATE))
        except Exception:
            correlation_id = self._clock.new_id()
            log.exception("http request failed", correlation_id=correlation_id)
            answer = of_problem(_ours(correlation_id))
        if answer is not None:
            await _send(send, answer, hang_up=body.is_left)
        measured.end(answer.status if answer is not None else 200)

    def _is_for_us(self, headers: Mapping[str, str]) -> bool:
        return self._is_ours is None or self._is_ours(headers.get("host"))

    def _may_enter(self, scope: Scope) -> bool:
        """Whether the caller's certificate has a name that is on the list, if there is one."""
        return not self._names or not self._names.isdisjoint(_names_in(scope))

    def _beside(self, raw_path: bytes) -> Mounted | None:
        name = raw_path.removeprefix(b"/").partition(b"/")[0]
        return self._mounted.get(name) if self._mounted else None

    async def _answer(
        self,
        scope: Scope,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
        measured: Measured,
    ) -> Answer | None:
        """None: it is sent already, as a stream."""
        if not self._is_for_us(headers):
            return of_problem(problem(421, _MISDIRECTED))
        if not self._may_enter(scope):
            return of_problem(problem_of(_NOT_ALLOWED))
        verb = scope["method"]
        if is_of_others(verb, headers):
            return of_problem(problem(403, _OF_OTHERS))
        segments = segments_of(scope["raw_path"])
        if (page := self._pages.find(segments, headers)) and verb in ("GET", "HEAD"):
            return page
        by_verb = self._router.find(segments)
        target = by_verb.get("GET" if verb == "HEAD" else verb)
        if verb == "GET" and STREAM in by_verb and prefers_events(headers):
            target = by_verb[STREAM]
        if target is None or (verb == "HEAD" and target.streams):
            return _elsewhere(verb, by_verb, is_page=page is not None)
        measured.route = target.binding.route.template
        if not wish_for(EVENTS if target.streams else JSON, headers).quality:
            return of_problem(problem(406, _NOT_ACCEPTED))
        shares, peer = self._streams if target.streams else self._requests, _peer(scope)
        with shares.one():
            await target.require_known(_context(scope, headers, None))
            with shares.one_of(peer):
                with self._answered_at_the_end():
                    body = await self._body(target, peer, headers, receive)
                    bound = target.binding.bound(segments, scope["query_string"], headers, body)
                    if not target.streams:
                        return await self._ask(target, bound, scope, headers, receive)
                return await self._stream(target, bound, scope, headers, receive, send)

    @contextmanager
    def _answered_at_the_end(self) -> Iterator[None]:
        """:raises Aborted: the server stops, and does not wait for the block any longer."""
        try:
            yield
        except asyncio.CancelledError as error:
            if not self._stopping.is_set():
                raise
            raise Aborted(_STOPPING) from error

    async def _body(
        self, target: _Target, peer: str, headers: Mapping[str, str], receive: Receive
    ) -> bytes:
        """Return the body, where the method takes one."""
        if not target.binding.route.body:
            return b""
        bytes_max = STRANGER_BYTES_MAX if target.for_anybody else REQUEST_BYTES_MAX
        with self._receiving.one_of(peer, for_anybody=target.for_anybody) as turn:
            return await body_of(target.binding, headers, receive, bytes_max, turn)

    async def _ask(
        self,
        target: _Target,
        bound: Any,
        scope: Scope,
        headers: Mapping[str, str],
        receive: Receive,
    ) -> Answer:
        deadline = asyncio.get_running_loop().time() + CALL_S_MAX
        context = _context(scope, headers, deadline)
        try:
            async with asyncio.timeout(CALL_S_MAX) as time_left:
                with _until_gone(receive, time_left) if target.waits else nullcontext():
                    message = await target.method(bound.message, context)
        except Aborted as aborted:
            found = problem_of(aborted.status, bound.places)
            if bound.by_header and found.content.get("reason") == "STALE_VERSION":
                content = found.content | {"status": 412}
                found = problems.Problem(412, content, found.headers)
            return of_problem(found)
        return target.answers.of(
            message,
            query=scope["query_string"],
            if_none_match=headers.get("if-none-match", ""),
            wait_s=bound.wait_s,
            trailing=context.trailing,
        )

    async def _stream(
        self,
        target: _Target,
        bound: Any,
        scope: Scope,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
    ) -> Answer | None:
        over = asyncio.Event()
        watch = asyncio.create_task(self._until_over(receive, over))
        context = _context(scope, headers, None)
        message = bound.message
        last_seen = headers.get("last-event-id", "")
        last_id = last_event_id(last_seen)
        if last_seen and "cursor" in message.DESCRIPTOR.fields_by_name:
            message.cursor = last_seen  # it has seen more than it first asked for
            bound.places["cursor"] = {"header": "Last-Event-ID"}
        stream = EventStream(target.method(message, context), last_id, over)
        try:
            try:
                first = await stream.first()
            except Aborted as aborted:
                return of_problem(problem_of(aborted.status, bound.places))
            if first is None:
                return Answer(204, {}, b"")
            await _start(send, 200, {"content-type": event_stream.CONTENT_TYPE})
            await _part(send, first)
            await stream.rest(lambda text: _part(send, text))
            await send({"type": "http.response.body", "body": b""})
            return None
        finally:
            watch.cancel()
            await stream.close()
            with suppress(asyncio.CancelledError):
                await watch

    async def _until_over(self, receive: Receive, over: asyncio.Event) -> None:
        """Set the event when the client has left, or the server stops."""
        gone = asyncio.create_task(_gone(receive))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((gone, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.set()
            gone.cancel()
            stopping.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


@contextmanager
def _until_gone(receive: Receive, time_left: asyncio.Timeout) -> Iterator[None]:
    """Have no time left as soon as the client has left while the block runs."""

    async def watch() -> None:
        await _gone(receive)
        time_left.reschedule(asyncio.get_running_loop().time())

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


def _ours(correlation_id: str) -> problems.Problem:
    detail = f"an error of ours, logged as {correlation_id}"
    found = problem(500, detail)
    told = {"code": "INTERNAL", "reason": "INTERNAL", "correlation_id": correlation_id}
    return problems.Problem(500, found.content | told)


_MISDIRECTED = (
    "this server is for this machine, by a name of this machine such as localhost; whoever passes"
    " requests on by another name sets http_hosts"
)
_OF_OTHERS = (
    "a browser's page of another place asks for this, and may change nothing here: let a program of"
    " yours ask, such as the page's own server"
)
_NOT_ACCEPTED = (
    "there is no answer of a type that Accept names: it is application/json, or text/event-stream"
)
_NOT_ALLOWED = cast(Status, chassis_status(StrangeCertificate()))  # as gRPC's callers are told
_STOPPING: Status = statuses.status(
    grpc.StatusCode.UNAVAILABLE,
    "this server stops before an answer is there; what became of it is unknown: repeat it",
)
_TOO_LATE: Status = statuses.status(
    grpc.StatusCode.DEADLINE_EXCEEDED,
    "no answer in time; what became of it is unknown: repeat it",
)


def _elsewhere(verb: str, by_verb: Mapping[str, _Target], *, is_page: bool) -> Answer:
    """Answer a path that is not there, or not for this verb."""
    if not by_verb and not is_page:
        return of_problem(problem(404, "there is no such path; /docs shows those that there are"))
    verbs = {"GET"} if is_page else set(by_verb) - {STREAM}
    if "GET" in verbs and not (by_verb and by_verb["GET"].streams):
        verbs.add("HEAD")
    allow = {"allow": ", ".join(sorted(verbs | {"OPTIONS"}))}
    if verb == "OPTIONS":
        return Answer(204, allow, b"")
    return of_problem(problem(405, f"{verb} is not for this path", headers=allow))


def _context(scope: Scope, headers: Mapping[str, str], deadline: float | None) -> HttpContext:
    return HttpContext(headers, _peer(scope), deadline, _names_in(scope))


def _names_in(scope: Scope) -> tuple[str, ...]:
    names: tuple[str, ...] = scope.get("state", {}).get("names", ())
    return names


def _peer(scope: Scope) -> str:
    host, port = scope.get("client") or ("", 0)
    if not host:
        return ""
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"


async def _send(send: Send, answer: Answer, *, hang_up: bool) -> None:
    headers = dict(answer.headers)
    if answer.status not in (204, 304):
        headers["content-length"] = str(len(answer.body))
    if hang_up or answer.status in (408, 413):
        headers["connection"] = "close"  # what is left of the body is not waited for
    await _start(send, answer.status, headers)
    await send({"type": "http.response.body", "body": answer.body})


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in (ALWAYS | dict(headers)).items()
    ]
    await send({"type": "http.response.start", "status": status, "headers": pairs})


async def _part(send: Send, text: bytes) -> None:
    await send({"type": "http.response.body", "body": text, "more_body": True})
