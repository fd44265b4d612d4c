"""What may be asked of a server without a key: its health, and what it offers. It stays little."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, NamedTuple

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from holdfast.chassis import callers
from holdfast.chassis.grpc.receiving import INCOMPLETE, RECEIVE_S_MAX
from holdfast.chassis.grpc.wrapping import wrapping_for
from holdfast.chassis.turns import Counts, Turns

BYTES_MAX = 4 * 1024  # of a message
READ_AT_ONCE = 2  # first messages of one address: gRPC takes 16 MiB of each to have it refused


class Room(NamedTuple):
    """How many calls may be under way, of 10,000 that a server has room for."""

    of_address: int
    streams: int  # in all; what is answered at once is bounded by address alone


HEALTH, REFLECTION = Room(500, 5_000), Room(8, 64)  # reflection waits for any number of messages

Read = Callable[[bytes], Any]


class Health(health_pb2_grpc.HealthServicer):
    """The health service (grpc/health/v1), to whose watchers one writes for each at its own pace.

    That of grpcio-health-checking writes under a lock, and so a watcher that reads nothing would
    hold up every later report, and the end of the server.
    """

    def __init__(self) -> None:
        self._serving: dict[str, bool] = {}
        self._changed = asyncio.Event()
        self._is_stopping = False

    def report(self, service: str, serving: bool) -> None:
        """Answer so for a service from now on; "" is the server as a whole."""
        if not self._is_stopping:
            self._serving[service] = serving
            self._tell()

    def stop(self) -> None:
        """Answer from now on that nothing is served, whatever is reported later."""
        self._is_stopping = True
        self._serving = dict.fromkeys(self._serving, False)
        self._tell()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Any) -> Any:  # noqa: N802
        """Answer how a service is; NOT_FOUND: there is no such one."""
        if request.service not in self._serving:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such service")
        return self._state(request.service)

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, _context: Any
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Answer how a service is, now and whenever it changes."""
        told: health_pb2.HealthCheckResponse | None = None
        while True:
            changed = self._changed
            if (state := self._state(request.service)) != told:
                yield state
                told = state
            await changed.wait()

    def _state(self, service: str) -> health_pb2.HealthCheckResponse:
        states = health_pb2.HealthCheckResponse
        if service not in self._serving:
            return states(status=states.SERVICE_UNKNOWN)
        return states(status=states.SERVING if self._serving[service] else states.NOT_SERVING)

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class ForAnybody:
    """Stands around methods that anybody may call.

    They get short messages only, and there is a limit to how many are under way: a call that waits,
    for news or for its next message, would else take the room of somebody with a key.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._calls = Counts()
        self._streams = 0
        self._turns = Turns(READ_AT_ONCE)

    def around(self, server: aio.Server) -> aio.Server:
        """Return what a servicer is to be added to instead of the server."""
        return wrapping_for(server, self._bounded)

    def _bounded(self, _name: str, handler: Any) -> Any:
        read: Read = handler.request_deserializer

        async def answer(_requests: Any, context: Any) -> Any:
            async with self._one_of(context, stream=False):
                return await handler.unary_unary(await self._first(context, read), context)

        async def stream(_requests: Any, context: Any) -> AsyncIterator[Any]:
            async with self._one_of(context, stream=True):
                if handler.unary_stream:
                    request = await self._first(context, read)
                    responses = handler.unary_stream(request, context)
                else:
                    responses = handler.stream_stream(_all(context, read), context)
                async for response in responses:
                    yield response

        write = handler.response_serializer
        if handler.unary_unary:
            return grpc.stream_unary_rpc_method_handler(answer, response_serializer=write)
        return grpc.stream_stream_rpc_method_handler(stream, response_serializer=write)

    @asynccontextmanager
    async def _one_of(self, context: Any, *, stream: bool) -> AsyncIterator[None]:
        address = callers.address_of(context.peer())
        if self._calls.of(address) >= self._room.of_address or (
            stream and self._streams >= self._room.streams
        ):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, TOO_MANY)
        self._streams += stream
        try:
            with self._calls.one_of(address):
                yield
        finally:
            self._streams -= stream

    async def _first(self, context: Any, read: Read) -> Any:
        try:
            async with (
                asyncio.timeout(RECEIVE_S_MAX),
                self._turns.one_of(callers.address_of(context.peer())),
            ):
                body = await context.read()
        except TimeoutError:
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the request did not come")
        request = _read(read, body)
        del body  # or the error keeps it, until garbage is looked for
        return request or await context.abort(grpc.StatusCode.INVALID_ARGUMENT, BAD_BYTES)


TOO_MANY = "too many calls of this kind are under way"
BAD_BYTES = f"the request {INCOMPLETE}, or of another method, or has over {BYTES_MAX:,} bytes"


async def _all(context: Any, read: Read) -> AsyncIterator[Any]:
    while (body := await context.read()) is not aio.EOF:
        request = _read(read, body)
        del body
        yield request or await context.abort(grpc.StatusCode.INVALID_ARGUMENT, BAD_BYTES)


def _read(read: Read, body: Any) -> Any:
    """Return the message, which is true as all messages are; None: none that we take is there."""
    with suppress(Exception):  # whatever the parser raises, the bytes are bad
        if body is not aio.EOF and len(body) <= BYTES_MAX:
            return read(body)
    return None
