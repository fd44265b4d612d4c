"""One service behind one channel: each call has a deadline, and is repeated only where safe."""

import asyncio
import os
import random
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar, TypeVar

import grpc
from google.protobuf.message import Message

from holdfast.client._batches import REQUEST_BYTES_MAX
from holdfast.client._errors import (
    HoldfastError,
    Overloaded,
    Unavailable,
    client_closed,
    client_forked,
    other_loop,
    request_too_large,
)
from holdfast.client._status import error_from_call

PAUSE_S_MIN = 0.05  # doubles from here with every try, up to the maximum
PAUSE_S_MAX = 1.0

_CHANNEL_OPTIONS = (
    # gRPC's own way back after a lost connection grows to two minutes; ours must not.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A server that is frozen closes nothing: ask, while a call waits, whether it is still there.
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
    # A proxy set for the web would be asked for 127.0.0.1 too.
    ("grpc.enable_http_proxy", 0),
)

# How long a connection may take, too: a busy server needs its time for a handshake.
_PLAIN = (*_CHANNEL_OPTIONS, ("grpc.min_reconnect_backoff_ms", 100))
_TLS = (*_CHANNEL_OPTIONS, ("grpc.min_reconnect_backoff_ms", 2_000))

RequestT = TypeVar("RequestT", bound=Message)
AnswerT = TypeVar("AnswerT")


class Calls:
    """Calls to one service, over one long-lived channel."""

    # Where gRPC began. Whatever is asked of it in a fork of that process waits for ever, or aborts.
    _grpc_process: ClassVar[int | None] = None

    def __init__(
        self,
        service: str,
        target: str,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        key: str = "",
        deadline_s: float,
        retry_s: float | None,
    ) -> None:
        self._process = os.getpid()
        if Calls._grpc_process not in (None, self._process):
            raise client_forked()
        Calls._grpc_process = self._process
        self._loop = _running_loop()
        self._identity = (("authorization", f"Bearer {key}"),) if key else ()
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(target, options=_PLAIN)
        else:
            self.channel = grpc.aio.secure_channel(target, credentials, options=_TLS)
        self.service, self._peer = service, f"{service} at {target}"
        self._deadline_s = deadline_s
        self._retry_s = deadline_s if retry_s is None else retry_s
        self._closed = asyncio.Event()

    async def close(self) -> None:
        """Close the channel: every call ends as Unavailable. A repeat changes nothing."""
        self._closed.set()
        await self.channel.close()

    @contextmanager
    def while_open(self) -> Iterator[None]:
        """A call goes here: gRPC says in many ways that its channel is closed.

        :raises Unavailable: it is, or was closed meanwhile.
        :raises Refused: the client is of the process that this one was forked from, or of another
            event loop.
        """
        if os.getpid() != self._process:
            raise client_forked()
        if _running_loop() is not self._loop:
            raise other_loop()
        if self._closed.is_set():
            raise client_closed()
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._closed.is_set() or (task is not None and task.cancelling()):
                raise
            raise client_closed() from None

    async def ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[RequestT, AnswerT],
        request: RequestT,
        *,
        repeatable: bool,
        wait_s: float = 0.0,
    ) -> AnswerT:
        """Call a method, again where that is safe, until there is an answer or the time is over.

        :param repeatable: the service makes a repeat harmless; an unknown outcome is no obstacle.
        :param wait_s: seconds that the service itself may wait, on top of the deadline.
        :raises RequestTooLarge: it is not even sent.
        """
        size = request.ByteSize()
        if size > REQUEST_BYTES_MAX:
            raise request_too_large("request", size, REQUEST_BYTES_MAX)
        whole_s = self._deadline_s + wait_s
        patience = _Patience(self._retry_s, whole_s)
        while True:
            try:
                with self.while_open():
                    return await method(request, timeout=patience.left_s(), metadata=self._identity)
            except grpc.aio.AioRpcError as failed:
                error = error_from_call(failed, self._peer, whole_s)
                if not (_nothing_done(error) or (repeatable and _worth_repeating(error))):
                    raise error from failed
                pause_s = patience.pause_s(error)
                if pause_s is None:
                    raise error from failed
            await self._pause(pause_s)

    async def _pause(self, pause_s: float) -> None:
        """Wait before the next try, unless the client is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._closed.wait()

    def error(self, failed: grpc.aio.AioRpcError, deadline_s: float) -> HoldfastError:
        """What a call that failed tells of this service."""
        return error_from_call(failed, self._peer, deadline_s)

    async def listen(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[RequestT, AnswerT],
        request: RequestT,
        *,
        listen_s: float,
        whole: bool = False,
    ) -> AsyncGenerator[AnswerT]:
        """Yield what a stream sends, connecting again when it breaks, until it or the time ends.

        :param whole: only all of it is of use, so that the end of the time is an error too.
        :raises DeadlineExceeded: nothing at all came in that time.
        """
        ends_at = time.monotonic() + listen_s
        heard = False
        patience: _Patience | None = None  # counts from the first failure since something came
        while True:
            with self.while_open():
                left_s = max(ends_at - time.monotonic(), 0.0)
                call = method(request, timeout=left_s, metadata=self._identity)
                try:
                    async for answer in call:
                        heard, patience = True, None
                        yield answer
                except grpc.aio.AioRpcError as failed:
                    if heard and not whole and failed.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                        return
                    error = error_from_call(failed, self._peer, listen_s)
                    patience = patience or _Patience(self._retry_s, listen_s)
                    pause_s = patience.pause_s(error)
                    if pause_s is None or not (_nothing_done(error) or _worth_repeating(error)):
                        raise error from failed
                else:
                    return
                finally:
                    call.cancel()
            await self._pause(pause_s)


def _running_loop() -> asyncio.AbstractEventLoop:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise other_loop() from None


class _Patience:
    """How long to go on trying: pauses that grow and are jittered, within a deadline."""

    def __init__(self, retry_s: float, deadline_s: float) -> None:
        now = time.monotonic()
        self._retry_until = now + min(retry_s, deadline_s)
        self._ends_at = now + deadline_s
        self._step_s = PAUSE_S_MIN

    def left_s(self) -> float:
        return max(self._ends_at - time.monotonic(), 0.0)

    def pause_s(self, error: HoldfastError) -> float | None:
        """Seconds to wait before the next try: what the service asks for or more; None: give up."""
        jittered_s = self._step_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads, hides nothing
        self._step_s = min(2 * self._step_s, PAUSE_S_MAX)
        asked_s = error.retry_after_s if isinstance(error, Overloaded | Unavailable) else None
        pause_s = jittered_s + (asked_s or 0.0)
        return pause_s if time.monotonic() + pause_s < self._retry_until else None


def _nothing_done(error: HoldfastError) -> bool:
    # gRPC itself says RESOURCE_EXHAUSTED for a message too large: only RetryInfo makes it a queue.
    return isinstance(error, Overloaded) and error.retry_after_s is not None


def _worth_repeating(error: HoldfastError) -> bool:
    # A gRPC server that stops says CANCELLED to calls that it had received but not yet picked up.
    return isinstance(error, Unavailable) and error.code in ("UNAVAILABLE", "CANCELLED")
