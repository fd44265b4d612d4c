"""Requests are received here: who never sends one whole is not waited for.

gRPC keeps a call whose request never comes, or ends in the middle, as long as its connection lives,
and never answers it; ten thousand of them, and a server has no room for anybody's. So every method
is told to gRPC as one with a stream of requests, of which the one that there should be is read:
when it is known who sends it, and a few of one caller at once, as the others take no memory then.
"""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc
from grpc import aio

from holdfast.chassis import callers
from holdfast.chassis.grpc.admission import BUSY_S, TooMuch
from holdfast.chassis.turns import Counts, Turns
from holdfast.chassis.validation import InvalidRequest

RECEIVE_S_MAX = 20.0
LOOK_S = 1.0  # between looks for who is late
RECEIVING_MAX = 2_000  # calls of one address that wait for their request
STRANGERS_RECEIVING_MAX = 500  # likewise, beyond which nobody is let wait who is not known
READ_AT_ONCE = 16  # requests of one caller, of RECEIVE_BYTES_MAX each at worst
STRANGERS_READ_AT_ONCE = 2  # of one address, by methods where nobody is asked who they are

# Names and values of a call's headers together. Keys and tokens are the longest that we ask for.
# gRPC has a limit of its own, which looks at them as they are compressed.
METADATA_BYTES_MAX = 16 * 1024

TOO_LARGE = f"the headers of a call may have {METADATA_BYTES_MAX:,} bytes"
INCOMPLETE = "is not there, or not whole"
TOO_MANY = "too many calls from your address wait for their requests already"

Receive = Callable[[bool], Awaitable[bytes]]
"""Return the bytes of a call's request; told whether it is for anybody, who is nobody we know.

:raises InvalidRequest, TooSlow, TooMuch: there is none.
"""


class TooSlow(Exception):
    """The request of a call did not come in time; nothing was done."""

    def __init__(self) -> None:
        super().__init__(f"the request did not come within {RECEIVE_S_MAX:g} s")


class Answering:
    """The calls that are being answered: as many as run such a block."""

    def __init__(self) -> None:
        self._calls = 0
        self._ended_at = time.monotonic()

    def __enter__(self) -> None:
        self._calls += 1

    def __exit__(self, *_error: object) -> None:
        self._calls -= 1
        self._ended_at = time.monotonic()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Run a block that waits for a caller."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def idle_s(self) -> float:
        """How long ago the last call was answered; 0.0: one is being answered.

        Who is waited for, or was never handed to us, is not being answered.
        """
        return 0.0 if self._calls else time.monotonic() - self._ended_at


class Receiving:
    """A server as far as methods are added to it."""

    def __init__(self, server: aio.Server) -> None:
        self._server = server
        self._receiving = Counts()
        self._waits: dict[asyncio.Timeout, float] = {}  # with when each is late
        self._is_looking = False
        self._known = Turns(READ_AT_ONCE)
        self._strangers = Turns(STRANGERS_READ_AT_ONCE)
        self.answering = Answering()

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Add methods with one request each, which are given a `Receive` in its place."""
        self._server.add_generic_rpc_handlers([_Methods(one, self) for one in handlers])

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Do nothing: the same methods are added by name."""

    async def require_short(self, context: Any) -> None:
        """End a call with too large headers."""
        metadata = context.invocation_metadata() or ()
        if sum(len(name) + len(value) for name, value in metadata) > METADATA_BYTES_MAX:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, TOO_LARGE)

    async def receive(self, context: Any, for_anybody: bool) -> bytes:
        """See `Receive`."""
        address = callers.address_of(context.peer())
        most = STRANGERS_RECEIVING_MAX if for_anybody else RECEIVING_MAX
        if self._receiving.of(address) >= most:
            raise TooMuch("TOO_MANY_CALLS", TOO_MANY, BUSY_S)
        turns = self._strangers if for_anybody else self._known
        wait = asyncio.timeout(None)
        try:
            with self._receiving.one_of(address), self.answering.waiting():
                async with wait:
                    self._end_if_late(wait)
                    async with turns.one_of(callers.current.get()):
                        request = await context.read()
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._waits.pop(wait, None)
        if request is aio.EOF:
            raise InvalidRequest([("request", INCOMPLETE)])
        return request  # type: ignore[no-any-return]

    def _end_if_late(self, wait: asyncio.Timeout) -> None:
        """Have a wait end after RECEIVE_S_MAX. A timer each would cost a tenth of an empty call."""
        loop = asyncio.get_running_loop()
        self._waits[wait] = loop.time() + RECEIVE_S_MAX
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(LOOK_S, self._end_late, loop)

    def _end_late(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for wait in [wait for wait, late_at in self._waits.items() if late_at <= now]:
            del self._waits[wait]
            wait.reschedule(now)
        self._is_looking = bool(self._waits)
        if self._is_looking:
            loop.call_later(LOOK_S, self._end_late, loop)


class _Methods(grpc.GenericRpcHandler):
    """Finds a method's handler, which receives its request by itself."""

    def __init__(self, methods: grpc.GenericRpcHandler, receiving: Receiving) -> None:
        self._methods, self._receiving = methods, receiving
        self._made: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = handler_call_details.method
        if method not in self._made:
            handler = self._methods.service(handler_call_details)
            if handler is None:
                return None  # and not kept: anybody can ask for any name
            self._made[method] = _receiving_by_itself(handler, self._receiving)
        return self._made[method]


def _receiving_by_itself(handler: Any, receiving: Receiving) -> Any:
    kinds = {
        "request_deserializer": handler.request_deserializer,
        "response_serializer": handler.response_serializer,
    }

    async def answer(_requests: Any, context: Any) -> Any:
        await receiving.require_short(context)
        with receiving.answering:
            return await handler.unary_unary(partial(receiving.receive, context), context)

    async def stream(_requests: Any, context: Any) -> AsyncIterator[Any]:
        await receiving.require_short(context)
        with receiving.answering:
            receive = partial(receiving.receive, context)
            async for response in handler.unary_stream(receive, context):
                yield response

    if handler.response_streaming:
        return grpc.stream_stream_rpc_method_handler(stream, **kinds)
    return grpc.stream_unary_rpc_method_handler(answer, **kinds)
