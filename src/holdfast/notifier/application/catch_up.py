"""Bring webhooks what they missed, up to where the feed is followed for all."""

from collections.abc import Callable

from holdfast.notifier.application.ports import (
    EARLIEST,
    Begin,
    CatchUp,
    Clock,
    FeedLost,
    FeedPage,
    Feeds,
    Reader,
    ServiceAway,
)
from holdfast.notifier.application.telling import tell
from holdfast.notifier.domain.webhook import WebhookState


class CatchUpWebhooks:
    """Takes a page for each webhook that is behind.

    While it catches up, it gets nothing of what comes now; where both places meet, it joins the
    others: so the order is the feed's, and each event comes once.

    :param lost: called with what was lost of whose place: what the feed still has is sent.
    """

    def __init__(
        self,
        begin: Begin,
        reader: Reader,
        feeds: Feeds,
        clock: Clock,
        lost: Callable[[CatchUp, str], None],
    ) -> None:
        self._begin, self._reader, self._feeds = begin, reader, feeds
        self._clock, self._lost = clock, lost

    async def __call__(self) -> int:
        """Return how many webhooks were brought a page; call again until 0.

        :raises ServiceAway: the service of a feed does not answer, and nobody else is behind.
        """
        moved, away = 0, None
        for place in await self._reader.catching_up():
            try:
                moved += await self._bring(place)
            except ServiceAway as error:  # others may be behind in the other feed
                away = away or error
        if away is not None and not moved:
            raise away
        return moved

    async def _bring(self, place: CatchUp) -> bool:
        """Return whether that moved it."""
        try:
            page = await self._feeds.read(place.feed, place.cursor, wait_s=0)
        except FeedLost as lost:
            self._lost(place, str(lost))
            page = FeedPage([], EARLIEST)
        async with self._begin() as work:
            followed = await work.lock_followed(place.feed)
            webhook = (await work.lock_webhooks([place.webhook_id])).get(place.webhook_id)
            # Behind the locks: a place that somebody asks for meanwhile is not ended with this one.
            if await work.catch_up(place.webhook_id, place.feed) != place:
                return True  # another process was faster, or somebody asked for another place
            if webhook is None or webhook.state is not WebhookState.ACTIVE:
                await work.end_catch_ups(place.webhook_id)
                return True
            # Where a lost feed is followed anew, what is older than a webhook is passed over.
            joint = "" if followed is None or followed.anew else followed.cursor
            events = list(page.events)
            cursors = [place.cursor, *(event.cursor for event in events)]
            if joins := joint in cursors:
                del events[cursors.index(joint) :]
            if place.since is not None:
                events = [event for event in events if event.happened_at >= place.since]
            wanted = [event for event in events if webhook.wants(event.type)]
            await work.forget_deliveries(webhook.webhook_id, [one.event_id for one in wanted])
            await tell(work, wanted, [webhook], self._clock.now())
            if joins:
                await work.end_catch_up(place.webhook_id, place.feed)
            else:
                await work.move_catch_up(place._replace(cursor=page.next_cursor))
        return joins or page.next_cursor != place.cursor
