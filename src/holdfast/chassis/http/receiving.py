"""Bodies are received here: who never sends one whole, or large ones, leaves room for the others.

Who is known has no more than a share of what a server does at once (`shares`), and a few large
bodies of it on their way. Of what anybody may ask, such as signing in, the caller is the address,
which may be a proxy's: the share is a smaller one, and all of them together leave room for who has
a key.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any

import grpc
from google.rpc.status_pb2 import Status

from holdfast.chassis import callers
from holdfast.chassis.grpc import statuses
from holdfast.chassis.http.binding import Binding
from holdfast.chassis.http.context import Aborted
from holdfast.chassis.http.flaws import BadHttpRequest, refused
from holdfast.chassis.http.headers import is_json
from holdfast.chassis.turns import Counts, Turns

BODY_S_MAX = 30.0  # for a body to arrive
LARGE_AT_ONCE = 16  # bodies of one caller that come in several parts
STRANGER_BYTES_MAX = 16 * 1024  # of a body that anybody may send: a name and a password

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Body:
    """A request's body on its way, and whether some of it is still to come."""

    __slots__ = ("_receive", "is_left")

    def __init__(self, receive: Receive, headers: Mapping[str, str]) -> None:
        self._receive = receive
        has_length = headers.get("content-length", "0") != "0"
        self.is_left = has_length or "transfer-encoding" in headers

    async def receive(self) -> Any:
        event = await self._receive()
        self.is_left = self.is_left and event.get("more_body", False)
        return event


class Receiving:
    """The bodies that are on their way to a server.

    :param requests_max: how many requests it does at once, with those that are there.
    """

    def __init__(self, requests_max: int) -> None:
        self._share, self._all_max = requests_max // 4, requests_max // 2
        self._strangers = Counts()
        self._large = Turns(LARGE_AT_ONCE)

    @contextmanager
    def one_of(
        self, peer: str, *, for_anybody: bool
    ) -> Iterator[AbstractAsyncContextManager[None]]:
        """Run a block that receives a body; in what it gets, the rest of a large one comes.

        :param for_anybody: nobody is asked who they are: such are counted here. Who is known has a
            share of all that is done, see `Shares`.
        :raises Aborted: there are too many.
        """
        caller = callers.named(callers.address_of(peer))
        if not for_anybody:
            yield self._large.one_of(caller)
            return
        if self._strangers.of(caller) >= self._share:
            raise Aborted(_TOO_MANY)
        if self._strangers.total() >= self._all_max:
            raise Aborted(_BUSY)
        with self._strangers.one_of(caller):
            yield nullcontext()


_TOO_MANY: Status = statuses.retry_later(
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    "TOO_MANY_CALLS",
    "too many of your requests wait for the rest of their bodies",
)
_BUSY: Status = statuses.retry_later(
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    "OVERLOADED",
    "too many requests wait for the rest of their bodies",
)


async def body_of(
    binding: Binding,
    headers: Mapping[str, str],
    receive: Receive,
    bytes_max: int,
    turn: AbstractAsyncContextManager[None],
) -> bytes:
    """Return a request's body.

    :param turn: what comes after its first part is received in it.
    :raises BadHttpRequest: it is too large (413), too slow (408) or of another type (415).
    """
    length = headers.get("content-length", "")
    is_invited = headers.get("expect", "").lower() == "100-continue"  # by the first look for it
    if is_invited and length.isdigit() and int(length) > bytes_max:
        raise _too_large(bytes_max)
    try:
        async with asyncio.timeout(BODY_S_MAX):
            body = await _received(receive, bytes_max, turn)
    except TimeoutError:
        raise refused(f"the body did not come within {BODY_S_MAX:g} s", 408) from None
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise refused("the body must not be compressed", 415)
    is_patch = binding.route.verb == "PATCH"
    if body and not is_json(headers.get("content-type", ""), patch=is_patch):
        raise refused("the body must be JSON in UTF-8: content-type: application/json", 415)
    return body


async def _received(
    receive: Receive, bytes_max: int, turn: AbstractAsyncContextManager[None]
) -> bytes:
    body = bytearray()
    if await _take(receive, body, bytes_max):
        async with turn:
            while await _take(receive, body, bytes_max):
                pass
    return bytes(body)


async def _take(receive: Receive, body: bytearray, bytes_max: int) -> bool:
    """Add the next part to a body. Return whether there are more."""
    event = await receive()
    if event["type"] == "http.disconnect":
        raise refused("the body ended too early")
    body += event.get("body", b"")
    if len(body) > bytes_max:
        raise _too_large(bytes_max)
    return bool(event.get("more_body", False))


def _too_large(bytes_max: int) -> BadHttpRequest:
    return refused(f"the body may have {bytes_max:,} bytes: send less in one", 413)
