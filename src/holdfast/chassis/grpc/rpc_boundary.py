"""Around every RPC: bad bytes are refused, errors become statuses, one line is logged."""

from __future__ import annotations  # grpc's classes are generic only in their stubs

import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import grpc
import structlog
from google.rpc.status_pb2 import Status
from grpc import aio

from holdfast.chassis.batcher import Overloaded
from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, KeyTaken
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX, RequestTooLarge
from holdfast.chassis.validation import InvalidRequest

DETAILS_TRAILER = "grpc-status-details-bin"
REPLAYED_TRAILER = "idempotent-replayed"

log = structlog.get_logger()

Context = Any  # grpc.aio's own class is generic only in its stubs
Translator = Callable[[Exception], Status | None]


@dataclass(frozen=True, slots=True)
class _Malformed:
    """Bytes that are not read, and why."""

    refusal: Exception


class Guarded:
    """A server as generated code sees it while it adds a servicer to it."""

    def __init__(self, server: aio.Server, wrap: Callable[[str, Any], Any]) -> None:
        self._server = server
        self._wrap = wrap

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Do nothing: the same methods are added by name."""

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        wrapped = {name: self._wrap(name, handler) for name, handler in handlers.items()}
        handler = grpc.method_handlers_generic_handler(service, wrapped)
        self._server.add_generic_rpc_handlers([handler])


class _Kept:
    """A server that only keeps what generated code adds to it."""

    def __init__(self, wrap: Callable[[str, Any], Any]) -> None:
        self._wrap = wrap
        self.methods: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Do nothing: the same methods are added by name."""

    def add_registered_method_handlers(self, _service: str, handlers: Mapping[str, Any]) -> None:
        for name, handler in handlers.items():
            wrapped = self._wrap(name, handler)
            self.methods[name] = wrapped.unary_stream or wrapped.unary_unary


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
    """

    def __init__(self, translate: Translator, clock: Clock) -> None:
        self._translate = translate
        self._clock = clock

    def around(self, server: aio.Server) -> aio.Server:
        """Return what a servicer is to be added to instead of the server.

        The methods are wrapped once. An interceptor does the same for every call anew, which costs
        a tenth of an empty one.
        """
        return cast(aio.Server, Guarded(server, self._wrap))  # as far as generated code goes

    def methods(self, add: Callable[[Any, aio.Server], None], servicer: Any) -> dict[str, Any]:
        """Return a servicer's methods by name, wrapped as for a server of gRPC.

        :param add: generated: adds the servicer to a server.
        """
        kept = _Kept(self._wrap)
        add(servicer, cast(aio.Server, kept))  # as far as generated code goes
        return kept.methods

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
        async def guarded(request: Any, context: Context) -> Any:
            started = time.perf_counter()
            try:
                _refuse_malformed(request)
                response = await handle(request, context)
            except Exception as error:
                await self._abort(context, name, started, error)
                raise  # abort has raised already
            log.info("rpc", method=name, code="OK", took_ms=_elapsed_ms(started))
            return response

        return guarded

    def _guard_stream(self, name: str, handle: Any) -> Any:
        async def guarded(request: Any, context: Context) -> AsyncIterator[Any]:
            started = time.perf_counter()
            try:
                _refuse_malformed(request)
                async for response in handle(request, context):
                    yield response
            except Exception as error:
                await self._abort(context, name, started, error)
                raise  # abort has raised already
            log.info("rpc", method=name, code="OK", took_ms=_elapsed_ms(started))

        return guarded

    async def _abort(self, context: Context, name: str, started: float, error: Exception) -> None:
        if isinstance(error, aio.AbortError):
            raise error
        found = self.status_of(error)
        code = _CODES[found.code]
        log.info("rpc", method=name, code=code.name, took_ms=_elapsed_ms(started))
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


# W3C Trace Context. What has another form is not passed on: it would travel with the events, and
# the other service reads none of a batch that holds one unreadable event.
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(context: Context) -> str:
    """Return the trace that a call belongs to; "" if it names none."""
    for name, value in context.invocation_metadata() or ():
        if name == "traceparent" and isinstance(value, str) and _TRACEPARENT.fullmatch(value):
            return value
    return ""


def tell_replay(context: Context) -> None:
    """Tell the caller, beside the answer, that the request had been done before."""
    context.set_trailing_metadata(((REPLAYED_TRAILER, "true"),))


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


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
