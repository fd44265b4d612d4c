"""Streams as Server-Sent Events: an event a message, whose id is the version that it tells; of a
feed, an event for each of its own, whose id is the cursor behind it.

A client that comes back with Last-Event-ID is told what is newer. A stream ends with an event `end`
when the method has no more to tell, without it when the server stops: then the client comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from holdfast.chassis.http.context import Aborted
from holdfast.chassis.http.json_writing import written
from holdfast.chassis.http.problems import problem_of

CONTENT_TYPE = "text/event-stream"
ALIVE_EVERY_S = 15.0
HEADERS_S_MAX = 1.0  # a client that has seen everything so far learns so soon that it is heard
RETRY_MS = 1_000

_ALIVE = b": still here\n\n"
_OPENING = b"retry: %d\n\n" % RETRY_MS
_END = b"event: end\ndata: {}\n\n"

# In place of a message.
_ENDED, _OVER, _NONE_YET = object(), object(), object()

Send = Callable[[bytes], Awaitable[None]]


class EventStream:
    """Sends what a method streams, until it ends, the client leaves or the server stops.

    The method runs in one task from its first line to its last: a limit of time ends the task that
    it was set in, and what is known of the caller is known there.

    :param messages: of the method.
    :param last_id: the version that the client has seen; 0: none.
    :param over: set when the server stops or the client has left.
    """

    def __init__(self, messages: AsyncIterator[Any], last_id: int, over: asyncio.Event) -> None:
        self._last_id, self._over = last_id, over
        self._handed: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)  # no further ahead of a client
        self._next: asyncio.Future[Any] | None = None
        self._work = asyncio.create_task(self._hand_over(messages))

    async def first(self) -> bytes | None:
        """Return what there is to send at first; None: the client has seen all there will be.

        :raises Aborted: the method refuses the call.
        """
        while True:
            message = await self._message(HEADERS_S_MAX)
            if message is _ENDED:
                return None
            if message in (_NONE_YET, _OVER):
                return _OPENING
            if self._is_news(message):
                return _OPENING + _events(message)

    async def rest(self, send: Send) -> None:
        """Send what follows."""
        try:
            while (message := await self._message(ALIVE_EVERY_S)) is not _OVER:
                if message is _ENDED:
                    return await send(_END)
                if message is _NONE_YET:
                    await send(_ALIVE)
                elif self._is_news(message):
                    await send(_events(message))
        except Aborted as aborted:
            await send(b"event: problem\ndata: " + problem_of(aborted.status).body() + b"\n\n")

    def _is_news(self, message: Any) -> bool:
        """Whether the client has not seen it. What has no version is always told."""
        version = _version(message)
        return not version or version > self._last_id

    async def _hand_over(self, messages: AsyncIterator[Any]) -> None:
        try:
            async for message in messages:
                await self._handed.put(message)
        finally:
            await messages.aclose()  # type: ignore[attr-defined]  # of generators, which they are

    async def _message(self, within_s: float) -> Any:
        """Return the method's next message, or why there is none."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._handed.get())
        over = asyncio.ensure_future(self._over.wait())
        any_of = (self._next, self._work, over)
        try:
            await asyncio.wait(any_of, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            over.cancel()
        if self._over.is_set():
            return _OVER
        if self._next.done() or not self._handed.empty():
            taken, self._next = self._next, None
            return await taken
        if not self._work.done():
            return _NONE_YET
        if self._work.cancelled():
            return _OVER  # its time was up while the client did not read
        self._work.result()
        return _ENDED

    async def close(self) -> None:
        """Let the method end."""
        tasks = [task for task in (self._work, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if not self._work.cancelled():
            self._work.exception()  # it was told, or nobody is there to be told


def _version(message: Any) -> int:
    return getattr(message, "version", 0)


def _events(message: Any) -> bytes:
    if cursor := getattr(message, "next_cursor", ""):
        told = b"".join(map(_of_feed, message.events))
        if message.events and message.events[-1].cursor == cursor:
            return told
        # Moves the client on, past what it did not ask for, and is nothing to it else.
        return told + b"id: %b\n\n" % cursor.encode()
    version = _version(message)
    named = b"id: %d\n" % version if version else b""
    return named + b"data: " + written(message) + b"\n\n"


def _of_feed(event: Any) -> bytes:
    cursor, name = event.cursor.encode(), event.type.encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (cursor, name, written(event))


def last_event_id(text: str) -> int:
    """Return the version that a client names; 0 where it names none that we sent."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
