"""Feeds and orders through the client library, as any partner reads them."""

from collections.abc import Collection
from functools import partial

from holdfast.chassis.transient import Transient
from holdfast.client import (
    CursorExpired,
    CursorUnknown,
    Event,
    Holdfast,
    HoldfastError,
    InvalidRequest,
    NotFound,
    Order,
)
from holdfast.notifier.application import ports
from holdfast.notifier.application.ports import FeedLost, FeedPage
from holdfast.notifier.domain.events import FeedEvent, FeedName
from holdfast.notifier.infrastructure.mail_events import kind_of
from holdfast.notifier.infrastructure.payload import body_of

PAGE_EVENTS = 500


class ServiceAway(ports.ServiceAway, Transient):
    """See `ports.ServiceAway`; a background loop waits it out."""


class ClientFeeds:
    """See `Feeds`."""

    def __init__(self, client: Holdfast) -> None:
        self._client = client

    async def read(
        self, feed: FeedName, after: str, *, types: Collection[str] = (), wait_s: float
    ) -> FeedPage:
        try:
            page = await self._client.events.read(
                after=after, feed=feed.value, types=sorted(types), limit=PAGE_EVENTS, wait_s=wait_s
            )
        except (CursorExpired, CursorUnknown, InvalidRequest) as error:
            raise FeedLost(str(error)) from error
        except HoldfastError as error:
            raise ServiceAway(f"the feed of {feed} can't be read: {error}") from error
        return FeedPage([_event(feed, event) for event in page.events], page.next_cursor)

    async def latest(self, feed: FeedName) -> str:
        try:
            return await self._client.events.latest(feed.value)
        except HoldfastError as error:
            raise ServiceAway(f"the feed of {feed} can't be read: {error}") from error


def _event(feed: FeedName, event: Event) -> FeedEvent:
    return FeedEvent(
        event_id=event.id,
        feed=feed,
        cursor=event.cursor,
        type=event.type,
        subject=event.subject,
        happened_at=event.time,
        body=partial(body_of, feed.value, event),
        kind=kind_of(event) or "",
    )


class ClientOrders:
    """Orders as any partner reads them; see `Orders` of mails."""

    def __init__(self, client: Holdfast) -> None:
        self._client = client

    async def get(self, order_id: str) -> Order | None:
        try:
            return await self._client.orders.get(order_id)
        except NotFound:
            return None
        except HoldfastError as error:
            raise ServiceAway(f"order {order_id} can't be read: {error}") from error
