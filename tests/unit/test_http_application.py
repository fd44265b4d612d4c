"""What a method sees of a call over HTTP, and what a caller sees when all goes wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import pytest
import structlog
from grpc import aio

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http import application, event_stream
from holdfast.chassis.http.answers import Answers
from holdfast.chassis.http.application import HttpApplication
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.context import Aborted, HttpContext
from holdfast.chassis.http.router import routes_of
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.gate import OpenGate
from holdfast.chassis.metrics import REGISTRY, RPC_SECONDS
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server

Handle = Callable[[Any, HttpContext], Awaitable[pb.Order] | AsyncIterator[pb.Order]]
PATH = b"/v1/orders/0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e"
SERVICE = pb.DESCRIPTOR.services_by_name["OrderService"]


class Orders:
    """A servicer each of whose methods is what a test wants it to be."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __getattr__(self, _name: str) -> Handle:
        return self._handle


def an_open_boundary() -> RpcBoundary:
    admission = Admission(CallerLimits())
    return RpcBoundary(lambda _error: None, SystemClock(), admission, OpenGate())


def served(handle: Handle) -> HttpApplication:
    boundary = RpcBoundary(
        lambda _error: None, SystemClock(), Admission(CallerLimits()), OpenGate()
    )
    methods = boundary.methods(add_OrderServiceServicer_to_server, Orders(handle))
    return HttpApplication(
        [HttpService(SERVICE, methods, Rules(), boundary.require_known, boundary.is_for_anybody)],
        SystemClock(),
    )


async def ask(
    asked: HttpApplication,
    headers: Mapping[str, str] | None = None,
    *,
    what: tuple[str, bytes] = ("GET", PATH),
    query: bytes = b"",
    address: str = "127.0.0.1",
    gone: asyncio.Event | None = None,
) -> tuple[int, dict[str, str], Any]:
    """What is answered.

    :param gone: set when the caller has left; None: they wait.
    """
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "http", "method": what[0], "raw_path": what[1], "query_string": query,
        "headers": raw, "client": (address, 4711),
    }  # fmt: skip
    sent: list[Mapping[str, Any]] = []
    events = iter([{"type": "http.request", "body": b""}])

    async def receive() -> Mapping[str, Any]:
        if (event := next(events, None)) is not None:
            return event
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    await asked(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    if told["content-type"] == event_stream.CONTENT_TYPE:
        return sent[0]["status"], told, None
    return sent[0]["status"], told, json.loads(sent[1]["body"])


async def test_a_request_is_measured_by_what_there_is_and_never_by_what_it_says() -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        return pb.Order()

    def told(verb: str, route: str, status: str) -> float:
        labels = {
            "http_request_method": verb,
            "http_route": route,
            "http_response_status_code": status,
        }
        return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0

    of_order = "/v1/orders/{order_id}"
    expected = [
        (("GET", PATH), ("GET", of_order, "200")),
        (("PATCH", PATH), ("PATCH", of_order, "428")),  # of no version
        (("GET", b"/4711"), ("GET", "", "404")),
        (("FOO", PATH), ("_OTHER", "", "405")),
    ]
    before = [told(*labels) for _, labels in expected]
    for what, _ in expected:
        await ask(served(handle), what=what)

    assert [told(*labels) for _, labels in expected] == [count + 1 for count in before]


async def test_who_is_not_answered_before_the_server_stops_is_told_to_come_again() -> None:
    begun = asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        begun.set()
        await asyncio.Event().wait()
        return pb.Order()

    asked = served(handle)
    asking = asyncio.create_task(ask(asked))
    await begun.wait()
    asked.stop()
    asking.cancel()  # as the server does when its patience ends

    status, headers, problem = await asking
    assert (status, problem["code"], headers["retry-after"]) == (503, "UNAVAILABLE", "1")


async def test_a_method_sees_who_calls_in_what_trace_and_for_how_long() -> None:
    seen: list[HttpContext] = []

    async def handle(_request: Any, context: HttpContext) -> pb.Order:
        seen.append(context)
        return pb.Order()

    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await ask(served(handle), {"traceparent": trace, "authorization": "Bearer x", "cookie": "c"})

    (context,) = seen
    assert dict(context.invocation_metadata()) == {
        "traceparent": trace,
        "authorization": "Bearer x",
    }
    assert context.peer() == "ipv4:127.0.0.1:4711"
    assert application.CALL_S_MAX - 5 < (context.time_remaining() or 0) <= application.CALL_S_MAX


async def test_a_method_is_measured_under_one_name_over_http_and_grpc() -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        return pb.Order()

    def measured() -> dict[tuple[str, str], float]:
        (family,) = RPC_SECONDS.collect()
        counts = [one for one in family.samples if one.name.endswith("_count")]
        labels = "rpc_method", "rpc_status_code"
        return {(one.labels[labels[0]], one.labels[labels[1]]): one.value for one in counts}

    before = measured()
    await ask(served(handle))

    counted = {series for series, calls in measured().items() if calls != before.get(series, 0)}
    assert counted == {(f"{SERVICE.full_name}/GetOrderDetails", "OK")}


async def test_a_method_may_end_the_call_itself() -> None:
    async def handle(_request: Any, context: HttpContext) -> pb.Order:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

    status, _, problem = await ask(served(handle))

    assert (status, problem["code"], problem["detail"]) == (403, "PERMISSION_DENIED", "not you")


async def test_a_bug_is_told_by_its_id_alone() -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        raise ValueError("the secret is hunter2")

    with structlog.testing.capture_logs() as logs:
        status, _, problem = await ask(served(handle))

    assert status == 500
    assert "hunter2" not in str(problem)
    assert problem["correlation_id"] in str(logs)


async def test_a_bug_of_http_is_told_by_its_id_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        return pb.Order()

    asked = served(handle)
    monkeypatch.setattr(Answers, "of", lambda *_args, **_named: 1 // 0)
    with structlog.testing.capture_logs() as logs:
        status, _, problem = await ask(asked)

    assert (status, problem["code"]) == (500, "INTERNAL")
    assert "division" not in str(problem)
    assert problem["correlation_id"] in str(logs)


async def test_who_has_waited_too_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        await asyncio.sleep(60)
        return pb.Order()

    monkeypatch.setattr(application, "CALL_S_MAX", 0.05)
    status, _, problem = await ask(served(handle))

    assert (status, problem["code"]) == (504, "DEADLINE_EXCEEDED")


async def test_beyond_its_limit_requests_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        await go_on.wait()
        return pb.Order()

    monkeypatch.setattr(application, "REQUESTS_MAX", 2)
    asked = served(handle)
    addresses = ("10.0.0.1", "10.0.0.2")
    under_way = [asyncio.create_task(ask(asked, address=one)) for one in addresses]
    await asyncio.sleep(0)
    status, headers, problem = await ask(asked)
    go_on.set()

    assert (status, problem["reason"], headers["retry-after"]) == (429, "OVERLOADED", "1")
    assert [(await one)[0] for one in under_way] == [200, 200]
    assert (await ask(asked))[0] == 200, "there is room again"


@pytest.mark.parametrize(
    ("limit", "path", "reason"),
    [
        ("REQUESTS_MAX", PATH, "TOO_MANY_CALLS"),
        ("STREAMS_MAX", PATH + b"/watch", "TOO_MANY_STREAMS"),
    ],
)
async def test_one_caller_has_half_of_all_that_is_done_at_once_and_others_the_rest(
    monkeypatch: pytest.MonkeyPatch, limit: str, path: bytes, reason: str
) -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        begun.release()
        await go_on.wait()
        return pb.Order()

    async def stream(request: Any, context: HttpContext) -> AsyncIterator[pb.Order]:
        yield await handle(request, context)

    monkeypatch.setattr(application, limit, 4)
    asked = served(stream if reason.endswith("STREAMS") else handle)
    what = ("GET", path)
    under_way = [asyncio.create_task(ask(asked, what=what, address="10.0.0.1")) for _ in range(2)]
    for _ in under_way:
        await begun.acquire()
    status, headers, problem = await ask(asked, what=what, address="10.0.0.1")
    other = asyncio.create_task(ask(asked, what=what, address="10.0.0.2"))
    await begun.acquire()
    go_on.set()

    assert (status, problem["reason"], headers["retry-after"]) == (429, reason, "1")
    assert [(await one)[0] for one in (*under_way, other)] == [200] * 3
    assert (await ask(asked, what=what, address="10.0.0.1"))[0] == 200, "there is room again"


async def test_a_read_that_waits_ends_when_its_caller_has_left() -> None:
    begun, gone, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return pb.Order()

    what = ("GET", b"/v1/feeds/orders/events")
    asking = asyncio.create_task(ask(served(handle), what=what, query=b"wait=20s", gone=gone))
    await begun.wait()
    gone.set()

    await asyncio.wait_for(asking, 5)
    assert ended.is_set()


async def test_a_change_that_has_begun_is_finished_though_its_caller_has_left() -> None:
    begun, gone, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        begun.set()
        await go_on.wait()
        return pb.Order(order_id="done")

    what = ("POST", PATH + b"/cancel")
    asking = asyncio.create_task(ask(served(handle), what=what, gone=gone))
    await begun.wait()
    gone.set()
    await asyncio.sleep(0)
    go_on.set()

    assert (await asking)[2]["order_id"] == "done"


async def test_every_method_has_a_path_and_each_path_a_method() -> None:
    async def handle(_request: Any, _context: HttpContext) -> pb.Order:
        return pb.Order()

    boundary = RpcBoundary(
        lambda _error: None, SystemClock(), Admission(CallerLimits()), OpenGate()
    )
    methods = boundary.methods(add_OrderServiceServicer_to_server, Orders(handle))

    assert {route.method.name for route in routes_of(SERVICE)} == methods.keys()
    assert methods.keys() == {method.name for method in SERVICE.methods}


def test_aborting_is_what_the_boundary_lets_pass() -> None:
    assert issubclass(Aborted, aio.AbortError)
