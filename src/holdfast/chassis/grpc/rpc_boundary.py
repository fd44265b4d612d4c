"""Around every RPC: bad bytes are refused, errors become statuses, one line is logged."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast

import grpc
import structlog
from google.rpc.status_pb2 import Status
from grpc import aio
from prometheus_client import Histogram

from holdfast.chassis import tracing
from holdfast.chassis.batcher import Overloaded
from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, KeyTaken
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.admission import Admission, StrangeCertificate, TooMuch
from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX, RequestTooLarge
from holdfast.chassis.messaging.feed import CursorExpired, CursorUnknown
from holdfast.chassis.metrics import OVERLOAD_REFUSALS, RPC_SECONDS
from holdfast.chassis.tracing import TRACEPARENT
from holdfast.chassis.validation import InvalidRequest

REQUEST_ID_LOGGED = 100  # characters; a longer one is refused anyway
DETAILS_TRAILER = "grpc-status-details-bin"
REPLAYED_TRAILER = "idempotent-replayed"

log = structlog.get_logger()

Context = Any  # grpc.aio's own class is generic only in its stubs
Translator = Callable[[Exception], Status | None]


@dataclass(frozen=True, slots=True)
class _Malformed:
    """Bytes that are not read, and why."""

    refusal: Exception


class TooLong(Exception):
    """A call took longer than any may, whatever its caller's deadline says."""

    def __init__(self, longest_s: float) -> None:
        super().__init__(f"no call may take longer than {longest_s:g} s")


class _Guarded:
    """A server as generated code sees it while it adds a servicer to it.

    :param take: is given each service's methods, wrapped, by name.
    """

    def __init__(
        self, wrap: Callable[[str, Any], Any], take: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._wrap, self._take = wrap, take

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Do nothing: the same methods are added by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        wrapped = {
            name: self._wrap(f"{service}/{name}", handler) for name, handler in handlers.items()
        }
        self._take(service, wrapped)


def chassis_status(error: Exception) -> Status | None:
    """Translate the errors that any service can have; None for others."""
    match error:
        case InvalidRequest():
            return statuses.bad_request(error.violations)
        case RequestTooLarge():
            return statuses.request_too_large(error.size, REQUEST_BYTES_MAX, str(error))
        case Overloaded():
            return statuses.retry_later(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", str(error), error.retry_after_s
            )
        case TooMuch():
            return statuses.retry_later(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                error.reason,
                f"{error}: try again in {error.retry_after_s:.2g} s",
                error.retry_after_s,
            )
        case CursorExpired():
            return statuses.refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", str(error))
        case CursorUnknown():
            code = grpc.StatusCode.FAILED_PRECONDITION
            return statuses.refusal(code, "CURSOR_UNKNOWN", str(error))
        case StrangeCertificate():
            return statuses.refusal(
                grpc.StatusCode.PERMISSION_DENIED, "CERTIFICATE_NOT_ALLOWED", str(error)
            )
        case TooLong():
            return statuses.refusal(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                "TOOK_TOO_LONG",
                f"{error}; whether it was done is unknown",
            )
        case DatabaseUnavailable():
            log.warning("database unavailable", error=str(error))
            return statuses.retry_later(
                grpc.StatusCode.UNAVAILABLE,
                "DATABASE_UNAVAILABLE",
                "the database is away: try again in a moment",
            )
        case KeyTaken():
            return statuses.refusal(
                grpc.StatusCode.ALREADY_EXISTS,
                "KEY_TAKEN",
                "something of this id exists already, with other contents; nothing was written",
            )
        case Conflict():
            return statuses.retry_later(
                grpc.StatusCode.UNAVAILABLE,
                "CONFLICT",
                "too many change the same things at once: try again in a moment",
            )
    return None


class RpcBoundary:
    """Stands around every method, so that no Python message ever reaches a caller.

    :param translate: the service's own errors to statuses; None where it knows none.
    :param admission: who may begin a call.
    """

    def __init__(self, translate: Translator, clock: Clock, admission: Admission) -> None:
        self._admission = admission
        self._translate = translate
        self._clock = clock

    def around(self, server: aio.Server) -> aio.Server:
        """Return what a servicer is to be added to instead of the server.

        The methods are wrapped once. An interceptor does the same for every call anew, which costs
        a tenth of an empty one.
        """

        def take(service: str, methods: dict[str, Any]) -> None:
            handler = grpc.method_handlers_generic_handler(service, methods)
            server.add_generic_rpc_handlers([handler])

        return cast(aio.Server, _Guarded(self._wrap, take))  # as far as generated code goes

    def methods(self, add: Callable[[Any, aio.Server], None], servicer: Any) -> dict[str, Any]:
        """Return a servicer's methods by name, wrapped as for a server of gRPC.

        :param add: generated: adds the servicer to a server.
        """
        kept: dict[str, Any] = {}

        def take(_service: str, methods: dict[str, Any]) -> None:
            for name, method in methods.items():
                kept[name] = method.unary_stream or method.unary_unary

        add(servicer, cast(aio.Server, _Guarded(self._wrap, take)))  # as far as generated code goes
        return kept

    def _wrap(
        self, name: str, handler: grpc.RpcMethodHandler[Any, Any]
    ) -> grpc.RpcMethodHandler[Any, Any]:
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._guard_stream(name, handler.unary_stream),
                request_deserializer=_guarded(handler.request_deserializer),
                response_serializer=handler.response_serializer,
            )
        return grpc.unary_unary_rpc_method_handler(
            self._guard(name, handler.unary_unary),
            request_deserializer=_guarded(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def _guard(self, name: str, handle: Any) -> Any:
        told = _Told(name)

        async def guarded(request: Any, context: Context) -> Any:
            with _Call(told, request, context) as call:
                try:
                    with self._admission.enter(context, stream=False):
                        _refuse_malformed(request)
                        longest_s = self._admission.limits.call_s_max
                        if _ends_within(context, longest_s):
                            response = await handle(request, context)
                        else:
                            async with _at_most(longest_s):
                                response = await handle(request, context)
                except Exception as error:
                    await self._abort(context, call, error)
                    raise  # abort has raised already
                call.code = "OK"
                return response

        return guarded

    def _guard_stream(self, name: str, handle: Any) -> Any:
        told = _Told(name)

        async def guarded(request: Any, context: Context) -> AsyncIterator[Any]:
            with _Call(told, request, context) as call:
                try:
                    with self._admission.enter(context, stream=True):
                        _refuse_malformed(request)
                        async with _at_most(self._admission.limits.stream_s_max):
                            async for response in handle(request, context):
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
        code = _CODES[found.code]
        call.code = code.name
        trailer = (DETAILS_TRAILER, found.SerializeToString())
        await context.abort(code, found.message, trailing_metadata=(trailer,))

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
        if code == "RESOURCE_EXHAUSTED":
            self.refusals.inc()


class _Call:
    """A call while it is handled: measured, traced, and told in one line of the log when it ends.

    One that its caller gave up has no answer and counts as CANCELLED.
    """

    __slots__ = ("_request", "_started", "_told", "_work", "code")

    def __init__(self, told: _Told, request: Any, context: Context) -> None:
        self._told, self._request = told, request
        self.code = "CANCELLED"
        self._started = time.perf_counter()
        parent = incoming_traceparent(context)
        self._work = tracing.Work(told.method, "server", (parent,), may_begin=True)

    def __enter__(self) -> _Call:
        self._work.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        self._told.observe(self.code, seconds)
        fields = {"method": self._told.name, "code": self.code}
        if request_id := getattr(self._request, "request_id", ""):
            fields["request_id"] = request_id[:REQUEST_ID_LOGGED]
        log.info("rpc", **fields, took_ms=round(seconds * 1000, 2))
        # A refusal is an answer: its span has not failed.
        has_failed = self.code in _FAILURES
        self._work.__exit__(kind, error if has_failed else None, traceback)


_FAILURES = frozenset(  # of a server, as OpenTelemetry has them
    "UNKNOWN DEADLINE_EXCEEDED UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS".split()
)


def traceparent_of(context: Context) -> str:
    """Return the trace that a call belongs to, for what it causes; "" if it belongs to none."""
    return tracing.current_one() or incoming_traceparent(context)


def incoming_traceparent(context: Context) -> str:
    """Return the W3C Trace Context that a call came with. What has another form is not passed on:
    it would travel with the events, and the other service reads none of a batch that holds one
    unreadable event.
    """
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


def _guarded(deserialize: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
    # grpc.aio parses before it calls the handler and answers UNKNOWN with a traceback in the log:
    # catch it here.
    assert deserialize is not None

    def guarded(body: bytes) -> Any:
        if len(body) > REQUEST_BYTES_MAX:
            return _Malformed(RequestTooLarge(len(body)))
        try:
            return deserialize(body)
        except Exception:  # noqa: BLE001 - whatever the parser raises, the bytes are bad
            return _Malformed(
                InvalidRequest(
                    [("request", "these bytes are not the request message of this method")]
                )
            )

    return guarded


def _refuse_malformed(request: Any) -> None:
    if isinstance(request, _Malformed):
        raise request.refusal
