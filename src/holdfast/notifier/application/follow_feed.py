"""Follow a feed: every event becomes deliveries and mails, in the transaction that moves on."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta

from holdfast.notifier.application.ports import (
    EARLIEST,
    MARGIN,
    Begin,
    Clock,
    FeedLost,
    FeedPage,
    Feeds,
    Followed,
    Mail,
    Work,
)
from holdfast.notifier.application.telling import tell
from holdfast.notifier.domain.events import FeedEvent, FeedName, feed_of
from holdfast.notifier.domain.webhook import Webhook

WAIT_S = 5.0  # for news, with one call; a new webhook may have to wait for its end
DELIVERIES_MAX = 10_000  # made in one transaction, unless one event has more
NOTHING: frozenset[str] = frozenset()


class FollowFeed:
    """Takes page after page of one feed.

    The place in the feed moves in the transaction that writes what is to be sent: nothing is left
    out and nothing is taken twice, whatever breaks, and if two processes follow at a time.

    What nobody wants is not even read: the place then moves to the feed's end now and then.

    :param kinds: of the mails that are sent.
    :param mail_types: of the events that such mails tell, by full name.
    :param kept: how long it is known which mails there were.
    :param told: called when there is something to send.
    :param lost: called with the reason when the place in the feed is lost: events that are not
        kept any more were told to nobody.
    """

    def __init__(
        self,
        begin: Begin,
        feeds: Feeds,
        clock: Clock,
        feed: FeedName,
        kinds: Collection[str],
        mail_types: Collection[str],
        kept: timedelta,
        told: Callable[[], None],
        lost: Callable[[str], None],
    ) -> None:
        self._begin, self._feeds, self._clock, self._feed = begin, feeds, clock, feed
        self._kinds, self._kept, self._told, self._lost = kinds, kept, told, lost
        self._mail_types = frozenset(one for one in mail_types if feed_of(one) is feed)

    async def start(self) -> None:
        """Begin with what happens from now on, unless it was begun before.

        A webhook may have been made before the feed was reached for the first time: then the feed
        is followed from its beginning, and what is older than the webhook by more than MARGIN is
        passed over: rather a little too much than an event that nobody is told of.

        :raises Transient: the service of the feed does not answer.
        """
        async with self._begin() as work:
            if await work.lock_followed(self._feed) is not None:
                return
        latest = await self._feeds.latest(self._feed)
        async with self._begin() as work:
            is_awaited = bool(await work.listening(self._feed))
            first = EARLIEST if is_awaited else latest
            followed = Followed(first, self._clock.now(), anew=is_awaited)
            await work.start_following(self._feed, followed)

    async def __call__(self) -> int:
        """Take a page, or wait for one; return how many events it had.

        :raises Transient: the service of the feed, or the database, does not answer.
        """
        async with self._begin() as work:
            followed = await work.lock_followed(self._feed)
            webhooks = await work.listening(self._feed)
        types = self._wanted(webhooks)
        if followed is None:
            await self.start()
            return 1
        if types == NOTHING:
            await self._pass_by(followed)
            return 0
        try:
            page = await self._feeds.read(
                self._feed, followed.cursor, types=types or (), wait_s=WAIT_S
            )
        except FeedLost as lost:
            await self._begin_anew(followed, lost)
            return 1
        if page.next_cursor != followed.cursor or followed.anew:
            for part in _parts(page, webhooks):
                followed = await self._take(part, followed, types)
                if followed is None:
                    break
        return len(page.events)

    def _wanted(self, webhooks: Collection[Webhook]) -> frozenset[str] | None:
        """Return which types of this feed anybody wants; None: all."""
        wanted = self._mail_types
        for webhook in webhooks:
            if not webhook.types:
                return None
            wanted |= {one for one in webhook.types if feed_of(one) is self._feed}
        return wanted

    async def _pass_by(self, before: Followed) -> None:
        """Nobody wants anything: go on behind all there is, as long as that stays so."""
        latest = await self._feeds.latest(self._feed)
        async with self._begin() as work:
            is_same = await work.lock_followed(self._feed) == before
            wanted = self._wanted(await work.listening(self._feed))
            if is_same and latest != before.cursor and wanted == NOTHING:
                await work.move_followed(self._feed, latest, anew=False)

    async def _begin_anew(self, lost: Followed, why: FeedLost) -> None:
        """What the feed still has is taken from its beginning; what was told is not told again."""
        self._lost(str(why))
        async with self._begin() as work:
            if await work.lock_followed(self._feed) == lost:
                await work.move_followed(self._feed, EARLIEST, anew=True)

    async def _take(
        self, page: FeedPage, before: Followed, types: frozenset[str] | None
    ) -> Followed | None:
        """Return how far that leads; None: nowhere, as something changed meanwhile."""
        now = self._clock.now()
        async with self._begin() as work:
            if await work.lock_followed(self._feed) != before:
                return None  # another process was faster
            wanted = self._wanted(await work.listening(self._feed))
            if types is not None and (wanted is None or not wanted <= types):
                return None  # meanwhile somebody wants what was not read
            await self._tell_webhooks(work, page.events, before)
            await work.add_mails(
                [
                    Mail(0, one.event_id, one.subject, one.kind, one.happened_at, next_at=now)
                    for one in page.events
                    if one.kind in self._kinds
                    and not (before.anew and one.happened_at < self._mailed_from(before, now))
                ]
            )
            # A page of some types may have no event and yet not be the last.
            anew = before.anew and page.next_cursor != before.cursor
            await work.move_followed(self._feed, page.next_cursor, anew=anew)
        self._told()
        return before._replace(cursor=page.next_cursor, anew=anew)

    def _mailed_from(self, before: Followed, now: datetime) -> datetime:
        """Return from when on there are mails of a feed that is followed anew: of what is older,
        nobody knows whether a customer was told.
        """
        return max(before.since - MARGIN, now - self._kept + MARGIN)

    async def _tell_webhooks(
        self, work: Work, events: Sequence[FeedEvent], before: Followed
    ) -> None:
        types = {event.type for event in events}
        asked = [
            webhook.webhook_id
            for webhook in await work.listening(self._feed)
            if any(map(webhook.wants, types))
        ]
        if not asked:
            return
        await work.lock_webhooks(asked)
        # Read again behind the locks: one may have been made inactive, or catch up now.
        webhooks = [one for one in await work.listening(self._feed) if one.webhook_id in asked]
        now = self._clock.now()
        if not before.anew:
            await tell(work, events, webhooks, now)
            return
        for webhook in webhooks:
            await tell(work, _since(events, webhook), [webhook], now)


def _parts(page: FeedPage, webhooks: Collection[Webhook]) -> Iterator[FeedPage]:
    """Cut a page where its deliveries would be too many for one transaction."""
    types = {event.type for event in page.events}
    told = {one: sum(webhook.wants(one) for webhook in webhooks) for one in types}
    part, deliveries = list[FeedEvent](), 0
    for event in page.events:
        deliveries += told[event.type]
        if part and deliveries > DELIVERIES_MAX:
            yield FeedPage(part, part[-1].cursor)
            part, deliveries = [], told[event.type]
        part.append(event)
    yield FeedPage(part, page.next_cursor)


def _since(events: Sequence[FeedEvent], webhook: Webhook) -> list[FeedEvent]:
    return [event for event in events if event.happened_at >= webhook.created_at - MARGIN]
