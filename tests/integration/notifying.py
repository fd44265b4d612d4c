"""A Notifier whose feeds a test writes and whose receivers it plays, one step at a time.

Everything of the Notifier is real, down to its database; the feeds are the real ones of tables that
a test fills. Only the network is left out: what is posted arrives at `Outside`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.chassis.clock import Clock
from holdfast.chassis.database.seam import Database
from holdfast.chassis.messaging import feed as feeds
from holdfast.chassis.messaging.feed import Feed
from holdfast.client import CursorExpired, CursorUnknown, EventPage, Order, Unavailable
from holdfast.client._errors import Failure
from holdfast.client._events import _MESSAGES, Event
from holdfast.notifier.application.catch_up import CatchUpWebhooks
from holdfast.notifier.application.deliver import Deliver, RecordAttempts
from holdfast.notifier.application.follow_feed import FollowFeed
from holdfast.notifier.application.mails.ports import Letter
from holdfast.notifier.application.mails.send_mail import SendMail
from holdfast.notifier.application.manage_webhooks import (
    CreateWebhook,
    NewWebhook,
    Redeliver,
    ReplayWebhook,
    UpdateWebhook,
)
from holdfast.notifier.application.ports import Attempt
from holdfast.notifier.application.send_mails import SendMails
from holdfast.notifier.domain.delivery import Answer, UrlRefused
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.domain.mail import Language, MailKind, Outcome, Sent
from holdfast.notifier.domain.webhook import WebhookState
from holdfast.notifier.infrastructure.example_order import full_order
from holdfast.notifier.infrastructure.feeds import ClientFeeds, ClientOrders
from holdfast.notifier.infrastructure.mail_events import TYPES
from holdfast.notifier.infrastructure.sealing import Sealer
from holdfast.notifier.infrastructure.signatures import Signatures
from holdfast.notifier.infrastructure.store import Store
from holdfast.notifier.infrastructure.when_needed import TemplatesWhenNeeded
from holdfast.notifier.settings import TELLING_DEFAULTS
from testbed.keys import KEY
from tests.contract.conftest import spoken

ORDERS, INVENTORY = FeedName.ORDERS, FeedName.INVENTORY
PLACED, CONFIRMED, CANCELLED = (
    f"holdfast.orders.v1.Order{name}" for name in ("Placed", "Confirmed", "Cancelled")
)
OK, FAILED, HUNG_UP, GONE, MOVED = (
    Answer(204),
    Answer(500),
    Answer(0, "hung up"),
    Answer(410),
    Answer(302),
)


class Tables:
    """What `Holdfast` has of feeds and orders, without a network: `is_away` stands for its end.

    :param pause_s: how long to wait for news, at most.
    """

    def __init__(self, databases: Mapping[FeedName, Database], pause_s: float = 0.0) -> None:
        self._feeds = {name: Feed(database, name) for name, database in databases.items()}
        self._pause_s = pause_s
        self.is_away = False
        self.erased = set[str]()
        self.events = self.orders = self

    async def read(
        self,
        *,
        after: str,
        feed: str = "orders",
        types: Sequence[str] = (),
        limit: int = 500,
        wait_s: float = 0.0,
    ) -> EventPage:
        if self.is_away:
            raise Unavailable(Failure("UNAVAILABLE", "", "it is away"))
        try:
            page = await self._feeds[FeedName(feed)].read(after, types=types, limit=limit)
            if not page.entries and wait_s and self._pause_s:
                await asyncio.sleep(min(wait_s, self._pause_s))
                page = await self._feeds[FeedName(feed)].read(after, types=types, limit=limit)
        except feeds.CursorExpired as error:
            raise CursorExpired(Failure("OUT_OF_RANGE", "CURSOR_EXPIRED", str(error))) from error
        except (feeds.CursorUnknown, feeds.CursorMalformed) as error:
            raise CursorUnknown(Failure("OUT_OF_RANGE", "CURSOR_UNKNOWN", str(error))) from error
        return EventPage([_event(*entry) for entry in page.entries], page.next_cursor)

    async def latest(self, feed: str = "orders") -> str:
        return (await self.read(after="latest", feed=feed, limit=1)).next_cursor

    async def get(self, order_id: str) -> Order:
        if self.is_away:
            raise Unavailable(Failure("UNAVAILABLE", "", "it is away"))
        order = replace(full_order(), order_id=order_id)
        if order_id in self.erased:
            return replace(order, customer=replace(order.customer, email=""))
        return order


def _event(cursor: str, event: Any) -> Event:
    kind = _MESSAGES.get(event.type)
    data = None if kind is None else kind.FromString(event.data)
    return Event(
        cursor, event.event_id, event.type, event.subject, event.sequence, event.time, data
    )


class Arrival(NamedTuple):
    """What came to a receiver."""

    url: str
    event_id: str
    body: bytes
    headers: Mapping[str, str]


Happening = tuple[str, str, int]  # type, subject and sequence
Behave = Callable[[Arrival], Awaitable[Answer]]


async def well(_: Arrival) -> Answer:
    return OK


def always(answer: Answer) -> Behave:
    async def behave(_: Arrival) -> Answer:
        return answer

    return behave


def silent(arrived: asyncio.Event | None = None) -> Behave:
    """Never answer; tell that something has arrived."""

    async def behave(_: Arrival) -> Answer:
        if arrived is not None:
            arrived.set()
        await asyncio.Event().wait()
        return OK

    return behave


@dataclass
class Outside:
    """Receivers by URL, who answer well unless told otherwise; and the letter box of customers."""

    behave: dict[str, Behave] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    post_office: Callable[[Letter], Outcome] = lambda _: Sent()

    async def require_allowed(self, url: str) -> None:
        if url in self.refused:
            raise UrlRefused(url)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        arrival = Arrival(url, headers["webhook-id"], body, headers)
        self.arrivals.append(arrival)
        return await self.behave.get(url, well)(arrival)

    async def send(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        return self.post_office(letter)

    def ids(self, url: str) -> list[str]:
        """The ids of what came to a receiver, in its order."""
        return [one.event_id for one in self.arrivals if one.url == url]


class Notifying:
    """A Notifier on its database, moved on by hand.

    :param databases: by service; of Orders and Inventory only the feeds are read.
    """

    def __init__(
        self,
        databases: Mapping[str, Database],
        clock: Clock,
        outside: Outside,
        kinds: frozenset[MailKind] = frozenset(MailKind),
    ) -> None:
        self.databases, self.clock, self.outside = databases, clock, outside
        self.tables = Tables({name: databases[name] for name in FeedName})
        client: Any = self.tables
        self.store = store = Store(databases["notifier"])
        begin, feeds = store.begin, ClientFeeds(client)
        self.signatures = signatures = Signatures(Sealer([KEY]))
        self.lost: list[str] = []
        self.kept = timedelta(days=TELLING_DEFAULTS.kept_days)
        self.follows = {
            feed: FollowFeed(
                begin, feeds, clock, feed, kinds, TYPES, self.kept, lambda: None, self.lost.append
            )
            for feed in FeedName
        }
        self.catch_up = CatchUpWebhooks(
            begin, store, feeds, clock, lambda _, why: self.lost.append(why)
        )
        recording = RecordAttempts(begin, lambda _: None)

        async def record(attempt: Attempt) -> None:
            await recording([attempt])

        self.failures: list[BaseException] = []
        self.deliver = Deliver(
            store,
            record,
            outside,
            signatures,
            clock,
            lambda: 0.5,
            lambda _: None,
            self.failures.append,
        )
        templates = TemplatesWhenNeeded(TELLING_DEFAULTS)
        send = SendMail(ClientOrders(client), templates, outside, Language.EN, kinds)
        self.send_mails = SendMails(begin, store, send, clock, lambda: 0.5, lambda *_: None)
        self.create = CreateWebhook(begin, outside, signatures, clock)
        self.update = UpdateWebhook(begin, outside, clock)
        self.replay = ReplayWebhook(begin, clock)
        self.redeliver = Redeliver(begin, store, clock)

    async def start(self) -> None:
        for follow in self.follows.values():
            await follow.start()

    async def hook(self, url: str, *types: str, in_order: bool = False) -> str:
        """Make a webhook; return its id."""
        asked = NewWebhook(url, "", types, in_order, None, "")
        return (await self.create(asked)).webhook_id

    async def activate(self, webhook_id: str, state: WebhookState) -> None:
        webhook = await self.store.webhook(webhook_id)
        assert webhook is not None
        await self.update(webhook_id, webhook.version, {"state": state})

    async def follow(self, feed: FeedName = ORDERS) -> int:
        """Take a page of a feed."""
        return await self.follows[feed]()

    async def deliver_all(self) -> None:
        """Send what is due until nothing is any more."""
        deliver = self.deliver
        while await deliver.look() or deliver._under_way or deliver.wake.is_set():
            await deliver.wake.wait()
            deliver.wake.clear()

    async def happen(
        self, *events: Happening, feed: FeedName = ORDERS, at: datetime | None = None
    ) -> list[str]:
        return await happen(self.databases[feed], self.clock, *events, at=at)

    async def sql(self, statement: str, *arguments: object, service: str = "notifier") -> int:
        database = self.databases[service]
        return await database.execute(spoken(database, statement), *arguments)

    async def rows(self, statement: str, *arguments: object) -> list[Any]:
        database = self.databases["notifier"]
        async with database.read() as reading:
            return list(await reading.fetch(spoken(database, statement), *arguments))


async def happen(
    database: Database, clock: Clock, *events: Happening, at: datetime | None = None
) -> list[str]:
    """Put events (type, subject, sequence) into a feed; return their ids."""
    made = [(clock.new_id(), *event) for event in events]
    async with database.begin() as work:
        (head,) = await work.fetch("SELECT last FROM feed_head")
        for position, row in enumerate(made, head["last"] + 1):
            await work.execute(
                spoken(
                    database,
                    "INSERT INTO feed (position, event_id, type, subject, sequence, happened_at,"
                    " traceparent, data) VALUES ($1, $2, $3, $4, $5, $6, '', $7)",
                ),
                position,
                *row,
                at or clock.now(),
                b"",
            )
        await work.execute(
            spoken(database, "UPDATE feed_head SET last = $1"), head["last"] + len(made)
        )
    return [row[0] for row in made]


@asynccontextmanager
async def notifying(databases: Mapping[str, Database], clock: Clock) -> AsyncIterator[Notifying]:
    """A Notifier that follows from now on."""
    notifier = Notifying(databases, clock, Outside())
    await notifier.start()
    try:
        yield notifier
    finally:
        await notifier.deliver.stop()


def subjects(*names: str) -> list[Happening]:
    """Orders that are placed, confirmed and cancelled, side by side."""
    steps = (PLACED, 1), (CONFIRMED, 2), (CANCELLED, 3)
    return [(kind, name, number) for kind, number in steps for name in names]
