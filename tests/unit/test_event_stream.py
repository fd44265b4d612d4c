"""A method's stream over HTTP is one piece of work, as it is over gRPC: limits and context hold."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from holdfast.chassis.clock import SystemClock
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.rpc_boundary import RpcBoundary
from holdfast.chassis.http import event_stream
from holdfast.chassis.http.application import HttpApplication
from holdfast.chassis.http.binding import Rules
from holdfast.chassis.http.context import HttpContext
from holdfast.chassis.http.service import HttpService
from holdfast.chassis.identity.gate import OpenGate
from holdfast.chassis.process.ports import CallerLimits
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1.orders_pb2_grpc import add_OrderServiceServicer_to_server

SERVICE = pb.DESCRIPTOR.services_by_name["OrderService"]
PATH = b"/v1/orders/0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e/watch"
WAIT_S_MAX = 10.0

Handle = Callable[[Any, HttpContext], AsyncIterator[pb.Order]]


class Orders:
    """A servicer each of whose methods streams what a test wants it to."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __getattr__(self, _name: str) -> Handle:
        return self._handle


class Caller:
    """Whoever reads a stream, event by event, and may leave."""

    def __init__(self) -> None:
        self._sent: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._left = asyncio.Event()

    async def receive(self) -> Mapping[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Mapping[str, Any]) -> None:
        await self._sent.put(event)

    def leave(self) -> None:
        self._left.set()

    async def next(self) -> str:
        """The next part of the body; "": it has ended."""
        async with asyncio.timeout(WAIT_S_MAX):
            while (event := await self._sent.get())["type"] != "http.response.body":
                continue
        return bytes(event["body"]).decode()


@asynccontextmanager
async def watching(
    handle: Handle,
    stream_s_max: float = 3_600.0,
    caller: Caller | None = None,
    last_seen: int = 0,
) -> AsyncIterator[Caller]:
    admission = Admission(CallerLimits(stream_s_max=stream_s_max))
    boundary = RpcBoundary(lambda _error: None, SystemClock(), admission, OpenGate())
    methods = boundary.methods(add_OrderServiceServicer_to_server, Orders(handle))
    service = HttpService(
        SERVICE, methods, Rules(), boundary.require_known, boundary.is_for_anybody
    )
    asked = HttpApplication([service], SystemClock())
    scope = {
        "type": "http", "method": "GET", "raw_path": PATH, "query_string": b"",
        "headers": [(b"last-event-id", b"%d" % last_seen)], "client": ("127.0.0.1", 4711),
    }  # fmt: skip
    caller = caller or Caller()
    call = asyncio.ensure_future(asked(scope, caller.receive, caller.send))
    try:
        yield caller
    finally:
        caller.leave()
        await call


async def test_a_stream_lasts_no_longer_than_it_may() -> None:
    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        yield pb.Order(version=1)
        await asyncio.Event().wait()

    async with watching(handle, stream_s_max=0.2) as caller:
        assert "id: 1\n" in await caller.next()

        name, told = (await caller.next()).split("\n")[:2]

        assert name == "event: problem"
        assert json.loads(told.removeprefix("data: "))["status"] == 504
        assert await caller.next() == ""


async def test_a_method_that_streams_without_end_lasts_no_longer_either() -> None:
    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        while True:
            yield pb.Order(version=1)
            await asyncio.sleep(0.01)

    async with watching(handle, stream_s_max=0.2) as caller:
        async with asyncio.timeout(WAIT_S_MAX):
            while "event: problem" not in (part := await caller.next()):
                assert part, "it ended without a word"


async def test_what_a_method_knows_of_its_caller_it_knows_to_its_last_event() -> None:
    known: ContextVar[int] = ContextVar("known", default=0)
    tasks: list[object] = []

    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        known.set(7)
        for _ in range(2):
            tasks.append(asyncio.current_task())
            yield pb.Order(version=known.get())
            await asyncio.sleep(0)

    async with watching(handle) as caller:
        assert "id: 7\n" in await caller.next()
        assert "id: 7\n" in await caller.next()
        assert "event: end\n" in await caller.next()

    assert tasks[0] is tasks[1]


async def test_a_caller_who_leaves_ends_the_method_where_it_is() -> None:
    ended = asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        try:
            yield pb.Order(version=1)
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with watching(handle) as caller:
        assert "id: 1\n" in await caller.next()
        caller.leave()
        async with asyncio.timeout(WAIT_S_MAX):
            await ended.wait()


class Slow(Caller):
    """One who takes a part and then no more until told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def send(self, event: Mapping[str, Any]) -> None:
        await super().send(event)
        if event["type"] == "http.response.body":
            await self.goes_on.wait()


async def test_a_method_does_not_run_ahead_of_a_caller_who_does_not_read() -> None:
    made: list[int] = []

    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        for version in range(1, 1_000):
            made.append(version)
            yield pb.Order(version=version)

    slow = Slow()
    async with watching(handle, caller=slow):
        assert "id: 1\n" in await slow.next()
        for _ in range(100):
            await asyncio.sleep(0)

        assert len(made) <= 3, "one is taken, one is kept, one waits"
        slow.leave()
        slow.goes_on.set()


async def test_a_stream_whose_time_is_up_while_nobody_reads_just_ends() -> None:
    ended = asyncio.Event()

    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        try:
            for version in range(1, 1_000):
                yield pb.Order(version=version)
        finally:
            ended.set()

    slow = Slow()
    async with watching(handle, stream_s_max=0.2, caller=slow):
        assert "id: 1\n" in await slow.next()
        async with asyncio.timeout(WAIT_S_MAX):
            await ended.wait()
        slow.goes_on.set()

        assert "id: 2\n" in await slow.next()
        assert await slow.next() == "", "without an event `end`: the client comes back"


async def test_who_comes_back_is_not_told_again_what_they_saw_however_late_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        await asyncio.sleep(0.3)
        for version in (6, 7, 8):
            yield pb.Order(version=version)

    monkeypatch.setattr(event_stream, "HEADERS_S_MAX", 0.05)
    async with watching(handle, last_seen=7) as caller:
        assert await caller.next() == "retry: 1000\n\n"

        assert (await caller.next()).startswith("id: 8\n")
        assert "event: end\n" in await caller.next()


async def test_what_has_no_version_is_told_whatever_was_seen() -> None:
    async def handle(_request: Any, _context: HttpContext) -> AsyncIterator[pb.Order]:
        yield pb.Order(customer_id="c-1")

    async with watching(handle, last_seen=7) as caller:
        assert "c-1" in await caller.next()
