"""Events as callers follow them: each service's feed, from any place on, without a gap."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from time import monotonic
from typing import NamedTuple

from google.protobuf.message import Message

from holdfast.client._calls import PAUSE_S_MAX, PAUSE_S_MIN, Calls
from holdfast.client._checks import SECONDS_MAX, WAIT_S_MAX, Checks
from holdfast.client._errors import CLIENT_CLOSED, DeadlineExceeded, Overloaded, Unavailable
from holdfast.client._times import seconds_to_wire, time_from_wire
from holdfast.contracts.feeds.v1 import feeds_pb2
from holdfast.contracts.inventory.v1 import events_pb2 as inventory_events
from holdfast.contracts.inventory.v1 import inventory_pb2_grpc
from holdfast.contracts.orders.v1 import events_pb2 as orders_events
from holdfast.contracts.orders.v1 import orders_pb2_grpc

EARLIEST, LATEST = "earliest", "latest"
PAGE_SIZE = 500
POLL_S = 30.0  # a poll waits so long for news


class FeedName(StrEnum):
    """Whose events they are; there is no order across the two."""

    ORDERS = "orders"
    INVENTORY = "inventory"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    :param cursor: keep it with what you made of the event: what follows is asked for by it.
    :param type: full name, such as holdfast.orders.v1.OrderPlaced; `name` is its last word.
    :param subject: id of what it is about: an order's, a product's.
    :param sequence: the subject's version with it.
    :param data: what happened, as a message of holdfast.contracts; None: of a type that this
        version of the library does not know.
    """

    cursor: str
    id: str
    type: str
    subject: str
    sequence: int
    time: datetime
    data: Message | None
    traceparent: str = ""

    @property
    def name(self) -> str:
        """The type without its package: OrderPlaced."""
        return self.type.rpartition(".")[2]


class EventPage(NamedTuple):
    """What one call answers; `next_cursor` goes on behind all that was looked at."""

    events: Sequence[Event]
    next_cursor: str


class Events:
    """The feeds. Every method may raise any `HoldfastError`.

    Three places to begin: a cursor; `"earliest"`, before all that is kept; `"latest"`, behind all
    there is. A cursor is refused with `CursorExpired` or `CursorUnknown` where nobody could go on
    from it without a gap: docs/concepts/events.md tells what to do then.
    """

    def __init__(self, orders: Calls, inventory: Calls) -> None:
        self._calls = {FeedName.ORDERS: orders, FeedName.INVENTORY: inventory}
        self._methods = {
            FeedName.ORDERS: orders_pb2_grpc.OrderServiceStub(orders.channel).ReadEvents,
            FeedName.INVENTORY: inventory_pb2_grpc.InventoryServiceStub(
                inventory.channel
            ).ReadEvents,
        }

    async def read(
        self,
        *,
        after: str = EARLIEST,
        feed: FeedName | str = FeedName.ORDERS,
        types: Sequence[str] = (),
        limit: int = PAGE_SIZE,
        wait_s: float = 0.0,
    ) -> EventPage:
        """A page of what follows a place. A repeat answers the same, and perhaps more.

        :param types: only these, by full name or its last word; none: all.
        :param limit: at most so many, up to 1,000.
        :param wait_s: if there are none, wait for some for so long, at most 60.
        :raises CursorExpired, CursorUnknown: there is no going on from there without a gap.
        """
        whose, request = _request(after, feed, types, limit, wait_s)
        answer = await self._calls[whose].ask(
            self._methods[whose], request, repeatable=True, wait_s=float(wait_s)
        )
        return EventPage([_event(one) for one in answer.events], answer.next_cursor)

    async def latest(self, feed: FeedName | str = FeedName.ORDERS) -> str:
        """The cursor behind all there is at this moment."""
        return (await self.read(after=LATEST, feed=feed, limit=1)).next_cursor

    def follow(
        self,
        *,
        after: str,
        feed: FeedName | str = FeedName.ORDERS,
        types: Sequence[str] = (),
        patience_s: float | None = None,
    ) -> AsyncGenerator[Event]:
        """Every event that follows a place, and then each as it happens, without an end.

        A service that restarts or is away is waited for, and then goes on where it was: an event
        is given once, in the order of the feed, to whoever begins behind the last one's `cursor`.
        `"latest"` is where the feed ends when the first answer comes, and stays that place.

        :param patience_s: give up when there was no answer for so long; None: never.
        :raises CursorExpired, CursorUnknown: there is no going on from there without a gap.
        """
        whose, request = _request(after, feed, types, PAGE_SIZE, POLL_S)
        checks = Checks()
        if patience_s is not None:
            patience_s = checks.seconds("patience_s", patience_s, highest=SECONDS_MAX)
        checks.raise_any()
        return self._follow(whose, request, patience_s)

    async def _follow(
        self, whose: FeedName, request: feeds_pb2.ReadEventsRequest, patience_s: float | None
    ) -> AsyncGenerator[Event]:
        heard_at, pause_s = monotonic(), PAUSE_S_MIN
        while True:
            # Asked for again, the end would be another one: its cursor has to be there first.
            wait_s = 0.0 if request.cursor == LATEST else POLL_S
            request.wait.FromTimedelta(timedelta(seconds=wait_s))
            try:
                answer = await self._calls[whose].ask(
                    self._methods[whose], request, repeatable=True, wait_s=wait_s
                )
            except (Unavailable, Overloaded, DeadlineExceeded) as error:
                is_over = patience_s is not None and monotonic() - heard_at > patience_s
                if is_over or error.reason == CLIENT_CLOSED:
                    raise
                asked_s = 0.0 if isinstance(error, DeadlineExceeded) else error.retry_after_s or 0.0
                await asyncio.sleep(asked_s + pause_s * random.uniform(0.5, 1.0))  # noqa: S311
                pause_s = min(2 * pause_s, PAUSE_S_MAX)
                continue
            for one in answer.events:
                yield _event(one)
            request.cursor = answer.next_cursor
            heard_at, pause_s = monotonic(), PAUSE_S_MIN


def _request(
    after: object, feed: object, types: object, limit: object, wait_s: object
) -> tuple[FeedName, feeds_pb2.ReadEventsRequest]:
    checks = Checks()
    whose = next((one for one in FeedName if one == feed), None)
    if whose is None:
        checks.add("feed", "must be orders or inventory")
    request = feeds_pb2.ReadEventsRequest(
        cursor=checks.text("after", after),
        page_size=checks.number("limit", limit, lowest=1, highest=1_000),
    )
    if request.cursor == "":
        checks.add("after", f'must be a cursor, or "{EARLIEST}", or "{LATEST}"')
    request.types.extend(checks.texts("types", types))
    wait = seconds_to_wire(checks.seconds("wait_s", wait_s, highest=WAIT_S_MAX))
    if wait is not None:
        request.wait.CopyFrom(wait)
    checks.raise_any()
    assert whose is not None, "else it was refused"
    return whose, request


# By the names of their types; whatever else is in these files is never told.
_MESSAGES = {
    descriptor.full_name: getattr(module, name)
    for module in (orders_events, inventory_events)
    for name, descriptor in module.DESCRIPTOR.message_types_by_name.items()
}


def _event(message: feeds_pb2.Event) -> Event:
    kind = _MESSAGES.get(message.type)
    return Event(
        cursor=message.cursor,
        id=message.id,
        type=message.type,
        subject=message.subject,
        sequence=message.sequence,
        time=time_from_wire(message.time),
        data=None if kind is None else kind.FromString(message.data.value),
        traceparent=message.traceparent,
    )
