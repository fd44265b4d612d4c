"""Around every RPC: bad bytes are refused, errors become statuses, one line is logged."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Protocol

import grpc
import structlog
from google.rpc.status_pb2 import Status
from grpc import aio
from prometheus_client import Histogram

from holdfast.chassis import tracing
from holdfast.chassis.clock import Clock
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.admission import Admission
from holdfast.chassis.grpc.chassis_errors import TooLong, chassis_status
from holdfast.chassis.grpc.receiving import Receive
from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX, RequestTooLarge
from holdfast.chassis.grpc.wrapping import wrapping, wrapping_for
from holdfast.chassis.identity import principal
from holdfast.chassis.identity.refusals import Forbidden, Unauthenticated
from holdfast.chassis.metrics import OVERLOAD_REFUSALS, RPC_SECONDS
from holdfast.chassis.tracing import TRACEPARENT
from holdfast.chassis.validation import InvalidRequest

WAITED_S = 1.0  # who waited for longer may have lost their key meanwhile
REQUEST_ID_LOGGED = 100  # characters; a longer one is refused anyway
DETAILS_TRAILER = "grpc-status-details-bin"
REPLAYED_TRAILER = "idempotent-replayed"

log = structlog.get_logger()

Context = Any  # grpc.aio's own class is generic only in its stubs
Read = Callable[[Any], Awaitable[Any]]  # what a method is given, to its request message
Translator = Callable[[Exception], Status | None]


class Gate(Protocol):
    """Who may call what; see `identity.gate`."""

    async def admit(self, method: str, context: Any) -> None: ...

    def is_for_anybody(self, method: str) -> bool: ...

    def require_still(self) -> None:
        """See that who was admitted may still come in. :raises Unauthenticated: not so."""


class RpcBoundary:
    """Stands around every method, so that no Python message ever reaches a caller.

    :param translate: the service's own errors to statuses; None where it knows none.
    :param admission: who may begin a call.
    :param gate: who may call what.
    """

    def __init__(
        self, translate: Translator, clock: Clock, admission: Admission, gate: Gate
    ) -> None:
        self._admission, self._gate = admission, gate
        self._translate = translate
        self._clock = clock

    def around(self, server: aio.Server) -> aio.Server:
        """Return what a servicer is to be added to instead of the server."""
        return wrapping_for(server, self._wrap)

    def methods(self, add: Callable[[Any, aio.Server], None], servicer: Any) -> dict[str, Any]:
        """Return a servicer's methods by name, wrapped as for a server of gRPC, but given messages
        that are read already.

        :param add: generated: adds the servicer to a server.
        """
        kept: dict[str, Any] = {}

        def take(_service: str, methods: dict[str, Any]) -> None:
            for name, method in methods.items():
                kept[name] = method.unary_stream or method.unary_unary

        def wrap(name: str, handler: Any) -> Any:
            return self._wrap(name, handler, read=_read_already)

        add(servicer, wrapping(wrap, take))
        return kept

    def is_for_anybody(self, method: str) -> bool:
        """Whether nobody is asked who they are, where others are."""
        return self._gate.is_for_anybody(method)

    async def require_known(self, method: str, context: Context) -> None:
        """End a call whose caller may not make it, before anything of it is read."""
        try:
            await self._admit(method, context)
        except Exception as error:
            await self._refuse(context, self.status_of(error))
            raise  # abort has raised already

    async def _admit(self, method: str, context: Context) -> None:
        try:
            await self._gate.admit(method, context)
        except (Unauthenticated, Forbidden):
            # Who is refused is counted too, by address: there is a limit to that as well.
            with self._admission.enter(context, stream=False):
                raise

    def _wrap(
        self,
        name: str,
        handler: grpc.RpcMethodHandler[Any, Any],
        read: Read | None = None,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        # Nothing of a request is received before it is known who sends it; and gRPC itself would
        # answer bad bytes with UNKNOWN and a traceback in the log.
        read = read or _reading(handler.request_deserializer, self._gate.is_for_anybody(name))
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._guard_stream(name, handler.unary_stream, read),
                request_deserializer=_same,
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._guard(name, handler.unary_unary, read),
            request_deserializer=_same,
            response_serializer=handler.response_serializer,
        )

    def _guard(self, name: str, handle: Any, read: Read) -> Any:
        told = _Told(name)

        async def guarded(body: Any, context: Context) -> Any:
            with _Call(told, context) as call:
                try:
                    await self._admit(name, context)
                    with self._admission.enter(context, stream=False):
                        request = call.request = await read(body)
                        longest_s = self._admission.limits.call_s_max
                        if _ends_within(context, longest_s):
                            response = await handle(request, context)
                        else:
                            async with _at_most(longest_s):
                                response = await handle(request, context)
                    if call.has_waited():
                        self._gate.require_still()
                except Exception as error:
                    await self._abort(context, call, error)
                    raise  # abort has raised already
                call.code = "OK"
                return response

        return guarded

    def _guard_stream(self, name: str, handle: Any, read: Read) -> Any:
        told = _Told(name)

        async def guarded(body: Any, context: Context) -> AsyncIterator[Any]:
            with _Call(told, context) as call:
                try:
                    await self._admit(name, context)
                    with self._admission.enter(context, stream=True):
                        request = call.request = await read(body)
                        async with _at_most(self._admission.limits.stream_s_max):
                            async for response in handle(request, context):
                                self._gate.require_still()
                                yield response
                except Exception as error:
                    await self._abort(context, call, error)
                    raise  # abort has raised already
                call.code = "OK"

        return guarded

    async def _abort(self, context: Context, call: _Call, error: Exception) -> None:
        if isinstance(error, aio.AbortError):
            raise error
        found = self.status_of(error)
        call.code = _CODES[found.code].name
        if statuses.reason_of(found) in _OVERLOAD:
            call.told.refusals.inc()
        await self._refuse(context, found)

    async def _refuse(self, context: Context, found: Status) -> None:
        trailer = (DETAILS_TRAILER, found.SerializeToString())
        await context.abort(_CODES[found.code], found.message, trailing_metadata=(trailer,))

    def status_of(self, error: Exception) -> Status:
        """Translate any error; an unknown one is logged, and only its correlation id leaves."""
        found = self._translate(error) or chassis_status(error)
        if found is not None:
            return found
        correlation_id = self._clock.new_id()
        log.error("rpc failed", correlation_id=correlation_id, exc_info=error)
        return statuses.refusal(
            grpc.StatusCode.INTERNAL,
            "INTERNAL",
            f"an error of ours, logged as {correlation_id}",
            metadata={"correlation_id": correlation_id},
        )


class _Told:
    """How calls of one method are measured."""

    def __init__(self, method: str) -> None:
        self.method, self.name = method, method.rpartition("/")[2]
        self.refusals = OVERLOAD_REFUSALS.labels(method)
        self._seconds: dict[str, Histogram] = {}  # finding a series costs more than measuring

    def observe(self, code: str, seconds: float) -> None:
        if (series := self._seconds.get(code)) is None:
            series = self._seconds[code] = RPC_SECONDS.labels(self.method, code)
        series.observe(seconds)


class _Call:
    """A call while it is handled: measured, traced, and told in one line of the log when it ends.

    One that its caller gave up has no answer and counts as CANCELLED.
    """

    __slots__ = ("_started", "_work", "code", "request", "told")

    def __init__(self, told: _Told, context: Context) -> None:
        self.told = told
        self.request: Any = None  # as soon as it is read
        self.code = "CANCELLED"
        self._started = time.perf_counter()
        parent = incoming_traceparent(context)
        self._work = tracing.Work(told.method, "server", (parent,), may_begin=True)

    def __enter__(self) -> _Call:
        self._work.__enter__()
        return self

    def has_waited(self) -> bool:
        """Whether it has waited to read for so long that its caller is looked at again. What is
        done, however long it took, is told to whoever had it done.
        """
        return self.told.name in _WAITING and time.perf_counter() - self._started > WAITED_S

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        self.told.observe(self.code, seconds)
        fields = {"method": self.told.name, "code": self.code}
        if request_id := getattr(self.request, "request_id", ""):
            fields["request_id"] = request_id[:REQUEST_ID_LOGGED]
        if who := principal.current.get(None):
            fields |= {"by": who.name, "credential_id": who.credential_id}
        if self.code != "OK":
            named = {name: getattr(self.request, name, "") for name in _NAMING}
            fields |= {name: text[:REQUEST_ID_LOGGED] for name, text in named.items() if text}
        tell = log.debug if self.told.name in _OFTEN and self.code == "OK" else log.info
        tell("rpc", **fields, took_ms=round(seconds * 1000, 2))
        # A refusal is an answer: its span has not failed.
        has_failed = self.code in _FAILURES
        self._work.__exit__(kind, error if has_failed else None, traceback)


_OVERLOAD = ("OVERLOADED", "OUTBOX_TOO_LONG")  # of us; other limits are of one caller
_NAMING = ("order_id", "return_id", "customer_id", "product_id")  # what a refusal is about
_OFTEN = ("OfferKeys", "ReadEvents")  # asked all the time by those who follow
_WAITING = ("ReadEvents",)  # for what there is to be read
_FAILURES = frozenset(  # of a server, as OpenTelemetry has them
    "UNKNOWN DEADLINE_EXCEEDED UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS".split()
)


def traceparent_of(context: Context) -> str:
    """Return the trace that a call belongs to, for what it causes; "" if it belongs to none."""
    return tracing.current_one() or incoming_traceparent(context)


def incoming_traceparent(context: Context) -> str:
    """Return the W3C Trace Context that a call came with; "": with none that is one."""
    for name, value in context.invocation_metadata() or ():
        if name == "traceparent" and isinstance(value, str) and TRACEPARENT.fullmatch(value):
            return value
    return ""


def tell_replay(context: Context) -> None:
    """Tell the caller, beside the answer, that the request had been done before."""
    context.set_trailing_metadata(((REPLAYED_TRAILER, "true"),))


def _ends_within(context: Context, seconds: float) -> bool:
    """Whether the call's own deadline comes so soon; it may have none."""
    left_s = context.time_remaining()
    return left_s is not None and left_s <= seconds


@asynccontextmanager
async def _at_most(seconds: float) -> AsyncIterator[None]:
    """:raises TooLong: the block took longer, and was cancelled."""
    try:
        async with asyncio.timeout(seconds) as deadline:
            yield
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise TooLong(seconds) from error


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def _same(body: Any) -> Any:
    return body


async def _read_already(message: Any) -> Any:
    return message


def _reading(deserialize: Callable[[bytes], Any] | None, for_anybody: bool) -> Read:
    """Make what receives a method's request and reads it, or refuses its bytes."""
    assert deserialize is not None

    async def read(receive: Receive) -> Any:
        body = await receive(for_anybody)
        if (size := len(body)) > REQUEST_BYTES_MAX:
            del body  # or the error keeps it, until garbage is looked for
            raise RequestTooLarge(size)
        try:
            return deserialize(body)
        except Exception:  # noqa: BLE001 - whatever the parser raises, the bytes are bad
            del body
            raise InvalidRequest(
                [("request", "these bytes are not the request message of this method")]
            ) from None

    return read
