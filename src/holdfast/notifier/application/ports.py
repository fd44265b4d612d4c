"""The ports of the Notifier: what its use cases need; `infrastructure/` fills them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from holdfast.notifier.domain.delivery import Answer
from holdfast.notifier.domain.events import DeliveryState, FeedEvent, FeedName, MailState
from holdfast.notifier.domain.webhook import Webhook

EARLIEST = "earliest"
# When something happened is read from another clock, and before it is committed: by time alone, so
# much may look older than what was made before it.
MARGIN = timedelta(minutes=1)


class Clock(Protocol):
    """Where the time and new ids come from."""

    def now(self) -> datetime:
        """Return the time in UTC."""

    def new_id(self) -> str:
        """Return a UUIDv7."""


class ServiceAway(Exception):
    """A service does not answer, or does not let us in: that passes."""


class FeedLost(Exception):
    """There is no going on from a cursor without a gap: it is too old, or the feed was restored."""


class FeedPage(NamedTuple):
    """What follows a cursor, and the place behind it."""

    events: Sequence[FeedEvent]
    next_cursor: str


class Feeds(Protocol):
    """Both feeds, as any partner reads them."""

    async def read(
        self, feed: FeedName, after: str, *, types: Collection[str] = (), wait_s: float
    ) -> FeedPage:
        """Return a page of what follows a place; after a wait, if there is nothing.

        :param types: only these, by full name; none: all.

        :raises FeedLost: nobody can go on from there.
        :raises ServiceAway: the service does not answer.
        """

    async def latest(self, feed: FeedName) -> str:
        """Return the cursor behind all there is.

        :raises ServiceAway: the service does not answer.
        """


class Followed(NamedTuple):
    """How far a feed is followed.

    :param since: when that began.
    :param anew: from its beginning, since the place was lost: until the end is reached, what is
        older than who is to be told of it is passed over.
    """

    cursor: str
    since: datetime
    anew: bool = False


class CatchUp(NamedTuple):
    """A webhook that is being sent what it missed of a feed.

    :param since: only what happened at or after it; None: all.
    """

    webhook_id: str
    feed: FeedName
    cursor: str
    since: datetime | None = None


class NewDelivery(NamedTuple):
    """An event for a webhook."""

    webhook_id: str
    event_id: str
    line: str


class DueDelivery(NamedTuple):
    """What is to be sent now."""

    delivery_id: int
    webhook_id: str
    event_id: str
    line: str
    attempts: int
    body: bytes


class Delivery(NamedTuple):
    """A delivery as people see it.

    :param answer: to the last attempt.
    :param attempted_at: None: there was none yet.
    """

    delivery_id: int
    event_id: str
    type: str
    subject: str
    feed: str
    cursor: str
    state: DeliveryState
    attempts: int
    next_at: datetime
    answer: Answer
    attempted_at: datetime | None


class Attempt(NamedTuple):
    """What came of sending something once.

    :param next_at: when it is sent again; None: it has arrived or is given up.
    """

    delivery: DueDelivery
    answer: Answer
    at: datetime
    next_at: datetime | None


class Mail(NamedTuple):
    """A mail that tells a customer of an event."""

    mail_id: int
    event_id: str
    order_id: str
    kind: str
    happened_at: datetime
    state: MailState = MailState.WAITING
    attempts: int = 0
    next_at: datetime | None = None
    attempted_at: datetime | None = None
    problem: str = ""


class Work(Protocol):
    """An open transaction; it commits when its block ends cleanly."""

    async def lock_followed(self, feed: FeedName) -> Followed | None: ...

    async def start_following(self, feed: FeedName, followed: Followed) -> None: ...

    async def move_followed(self, feed: FeedName, cursor: str, *, anew: bool) -> None: ...

    async def catch_up(self, webhook_id: str, feed: FeedName) -> CatchUp | None: ...

    async def save_catch_up(self, place: CatchUp) -> None: ...

    async def move_catch_up(self, place: CatchUp) -> None: ...

    async def end_catch_up(self, webhook_id: str, feed: FeedName) -> None: ...

    async def end_catch_ups(self, webhook_id: str) -> None: ...

    async def listening(self, feed: FeedName) -> list[Webhook]:
        """Return the active webhooks that get what comes now in a feed."""

    async def lock_webhooks(self, webhook_ids: Collection[str]) -> dict[str, Webhook]:
        """Lock webhooks and return them as they are then; those that are gone are left out."""

    async def requested_webhook(self, request_id: str) -> Webhook | None: ...

    async def count_webhooks(self) -> int: ...

    async def add_webhook(self, webhook: Webhook) -> None: ...

    async def save_webhook(self, webhook: Webhook) -> None: ...

    async def delete_webhook(self, webhook_id: str) -> None: ...

    async def keep_events(self, events: Sequence[FeedEvent], at: datetime) -> None: ...

    async def add_deliveries(self, deliveries: Sequence[NewDelivery], at: datetime) -> None:
        """Add deliveries at the ends of their lines; who comes first in one is due at once. Of an
        event that the webhook has already, nothing changes.
        """

    async def forget_deliveries(self, webhook_id: str, event_ids: Collection[str]) -> None:
        """Forget what was delivered or given up of these events."""

    async def give_up_open(
        self, webhook_id: str, feeds: Collection[FeedName], problem: str, at: datetime
    ) -> None:
        """Give up what is to be sent of these feeds; who comes next in a line is due at once."""

    async def reopen(self, webhook_id: str, event_id: str | None, now: datetime) -> int:
        """Have what has ended sent again in its old place: one event, or (None) all that failed;
        return how many there were.
        """

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """Record attempts, and let go on who comes next in their lines."""

    async def add_mails(self, mails: Sequence[Mail]) -> None:
        """Add mails that are due at once; of an event that has one already, nothing changes."""

    async def record_mails(self, mails: Sequence[Mail]) -> None: ...

    async def retry_mail(self, event_id: str, now: datetime) -> None: ...


Begin = Callable[[], AbstractAsyncContextManager[Work]]


class Reader(Protocol):
    """What is asked without a transaction."""

    async def followed(self, feed: FeedName) -> Followed | None: ...

    async def catching_up(self) -> list[CatchUp]: ...

    async def webhook(self, webhook_id: str) -> Webhook | None: ...

    async def webhooks(self, *, before: str, limit: int) -> list[Webhook]: ...

    async def webhooks_of(self, webhook_ids: Collection[str]) -> dict[str, Webhook]: ...

    async def due(
        self,
        now: datetime,
        *,
        busy: Collection[str],
        tried: Collection[str],
        under_way: Collection[int],
        each: int,
        webhooks: int,
        rows: int,
    ) -> list[DueDelivery]:
        """Return what is due, of up to so many webhooks that are not busy: up to `each` of those
        that were tried and answered well, which come first, and of the others one, or more where
        that costs nothing; up to `rows` in all.
        """

    async def delivery(self, webhook_id: str, event_id: str) -> Delivery | None: ...

    async def deliveries(
        self, webhook_id: str, state: DeliveryState | None, *, before: int, limit: int
    ) -> list[Delivery]: ...

    async def due_mails(self, now: datetime, *, limit: int) -> list[Mail]: ...

    async def bring_forward(self, now: datetime, *, deliveries: datetime, mails: datetime) -> int:
        """Make what waits beyond these times due now; return how much that was."""

    async def mail(self, event_id: str) -> Mail | None: ...

    async def mails(
        self, state: MailState | None, order_id: str, *, before: int, limit: int
    ) -> list[Mail]: ...


class Sender(Protocol):
    """The way to receivers."""

    async def require_allowed(self, url: str) -> None:
        """See that a URL may be called.

        :raises UrlRefused: it may not; the message says why.
        """

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body once; whatever comes of it is an answer, and nothing is raised."""


class SecretUnusable(Exception):
    """A webhook's secret can't be read; the message says why, and what to do."""


class Signer(Protocol):
    """Who signs what is sent."""

    def headers(
        self, webhook: Webhook, event_id: str, body: bytes, now: datetime
    ) -> Mapping[str, str]:
        """Return the headers of one attempt, with a signature by every secret that is good.

        :raises SecretUnusable: there is none to sign with.
        """

    def new_secret(self, webhook_id: str) -> bytes:
        """Make up a secret, sealed."""

    def told(self, webhook: Webhook) -> str:
        """Return a webhook's secret as its receiver needs it.

        :raises SecretUnusable: it can't be read.
        """
