"""A feed over gRPC and HTTP: the two methods that every service has."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache

from holdfast.chassis import times
from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.rpc_boundary import Context
from holdfast.chassis.messaging.broker import exchange_of
from holdfast.chassis.messaging.cloudevents import SPEC_VERSION
from holdfast.chassis.messaging.feed import (
    EARLIEST,
    CursorMalformed,
    Entry,
    Feed,
    Page,
)
from holdfast.chassis.validation import InvalidRequest, Violations
from holdfast.contracts.feeds.v1 import feeds_pb2 as pb

WAIT_S_MAX = 60.0
STREAMED_MAX = 500  # events in one message of a stream
QUIET_S = 5.0  # a stream tells so often where it is, if nothing is of the types asked for


class FeedMethods:
    """ReadEvents and StreamEvents of a servicer, which has it as its first base; feeds.proto
    documents them.

    :param types: full names of all that the feed may have.
    """

    def __init__(self, feed: Feed, types: Sequence[str]) -> None:
        self._feed = feed
        self._types = {type_: type_ for type_ in types}
        self._types |= {type_.rpartition(".")[2]: type_ for type_ in types}

    async def ReadEvents(  # noqa: N802 - the name of the RPC
        self, request: pb.ReadEventsRequest, context: Context
    ) -> pb.ReadEventsResponse:
        """Answer with a page, after a wait if there is nothing yet."""
        violations = Violations()
        types = self._types_of(request.types, violations)
        size = pages.page_size(violations, request.page_size)
        wait_s = violations.wait_s(request.wait, longest_s=WAIT_S_MAX)
        violations.raise_any()
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait_s
        page = await self._events(request.cursor, types, size)
        while not page.entries and (left_s := ends_at - loop.time()) > 0:
            if page.position >= page.newest:
                await self._feed.beyond(page.position, within_s=left_s)
            if self._feed.is_closed:
                break
            page = await self._events(page.next_cursor, types, size)
        return pb.ReadEventsResponse(
            events=map(_message, page.entries), next_cursor=page.next_cursor
        )

    async def StreamEvents(  # noqa: N802 - the name of the RPC
        self, request: pb.StreamEventsRequest, context: Context
    ) -> AsyncIterator[pb.StreamEventsResponse]:
        """Give page after page, until the feed is closed."""
        violations = Violations()
        types = self._types_of(request.types, violations)
        violations.raise_any()
        now = asyncio.get_running_loop().time
        cursor, told, told_at = request.cursor, "", now()
        while not self._feed.is_closed:
            page = await self._events(cursor, types, STREAMED_MAX)
            cursor = page.next_cursor
            is_overdue = cursor != told and (not told or now() - told_at > QUIET_S)
            if page.entries or is_overdue:
                yield pb.StreamEventsResponse(
                    events=map(_message, page.entries), next_cursor=cursor
                )
                told, told_at = cursor, now()
            if page.position >= page.newest:
                await self._feed.beyond(page.position, within_s=QUIET_S)

    async def _events(self, cursor: str, types: Sequence[str], size: int) -> Page:
        try:
            return await self._feed.read(cursor or EARLIEST, types=types, limit=size)
        except CursorMalformed as malformed:
            raise InvalidRequest([("cursor", str(malformed))]) from malformed

    def _types_of(self, names: Iterable[str], violations: Violations) -> list[str]:
        found = []
        for place, name in enumerate(names):
            if name in self._types:
                found.append(self._types[name])
            else:
                known = ", ".join(sorted(name for name in self._types if "." not in name))
                violations.add(f"types[{place}]", f"is no type of this feed; it has: {known}")
        return found


def _message(entry: Entry) -> pb.Event:
    event = entry.event
    message = pb.Event()
    message.MergeFrom(_frame(event.type))
    message.id, message.subject, message.sequence = event.event_id, event.subject, event.sequence
    message.cursor = entry.cursor
    message.data.value = event.data
    times.write(message.time, event.time)
    if event.traceparent:
        message.traceparent = event.traceparent
    return message


@cache
def _frame(event_type: str) -> pb.Event:
    """What all events of a type have in common."""
    frame = pb.Event(
        specversion=SPEC_VERSION,
        source="/" + exchange_of(event_type).replace(".", "/"),
        type=event_type,
    )
    frame.data.type_url = f"type.googleapis.com/{event_type}"
    return frame
