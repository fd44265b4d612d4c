"""Make, change and delete webhooks, and have things sent again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from holdfast.notifier.application.ports import (
    EARLIEST,
    MARGIN,
    Begin,
    CatchUp,
    Clock,
    Delivery,
    Mail,
    Reader,
    Sender,
    Signer,
    Work,
)
from holdfast.notifier.domain.errors import (
    DeliveryNotFound,
    MailNotFound,
    RequestIdReused,
    TooManyWebhooks,
    WebhookNotFound,
)
from holdfast.notifier.domain.events import FEEDS, FeedName
from holdfast.notifier.domain.webhook import WEBHOOKS_MAX, Secrets, Webhook, WebhookState


class Place(NamedTuple):
    """Where to begin in the feeds: by cursor, or by time.

    :param cursors: by feed; a feed that is not there is left alone.
    :param since: in both feeds; then there are no cursors.
    """

    cursors: Mapping[FeedName, str]
    since: datetime | None = None

    def of(self, webhook_id: str, now: datetime) -> list[CatchUp]:
        """:param now: what happens after it is never passed over, however a clock dates it."""
        if self.since is not None:
            since = min(self.since, now - MARGIN)
            return [CatchUp(webhook_id, feed, EARLIEST, since) for feed in FeedName]
        return [CatchUp(webhook_id, feed, cursor) for feed, cursor in self.cursors.items()]


class NewWebhook(NamedTuple):
    """What CreateWebhook asks for."""

    url: str
    description: str
    types: tuple[str, ...]
    in_order: bool
    after: Place | None
    request_id: str

    def digest(self) -> str:
        """Tell a repeat of this request from another one. It is kept: its form never changes."""
        place = self.after
        since = place.since.isoformat() if place is not None and place.since is not None else None
        after = None if place is None else (sorted(place.cursors.items()), since)
        asked = self.url, self.description, self.types, self.in_order, after
        return f"v1:{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}"


class CreateWebhook:
    """Make a webhook; a repeat of the request returns the recorded one, as it is by then.

    Of requests that come at once, one loses a conflict on its id, and finds the other's when it
    runs again.

    :raises UrlRefused: the URL may not be called.
    :raises RequestIdReused: the request id named other contents.
    :raises TooManyWebhooks: there are as many as there may be.
    """

    def __init__(self, begin: Begin, sender: Sender, signer: Signer, clock: Clock) -> None:
        self._begin, self._sender, self._signer, self._clock = begin, sender, signer, clock

    async def __call__(self, asked: NewWebhook) -> Webhook:
        if asked.request_id and (known := await self._recorded(asked)) is not None:
            return known
        await self._sender.require_allowed(asked.url)
        webhook_id, now = self._clock.new_id(), self._clock.now()
        webhook = Webhook(
            webhook_id,
            asked.url,
            asked.description,
            asked.types,
            asked.in_order,
            Secrets(self._signer.new_secret(webhook_id)),
            created_at=now,
            whole_since=now,
            request_id=asked.request_id,
            request_hash=asked.digest() if asked.request_id else "",
        )
        async with self._begin() as work:
            if await work.count_webhooks() >= WEBHOOKS_MAX:
                raise TooManyWebhooks(WEBHOOKS_MAX)
            await work.add_webhook(webhook)
            places = [] if asked.after is None else asked.after.of(webhook_id, now)
            for place in places:
                await work.save_catch_up(place)
        return replace(webhook, catching_up=bool(places))

    async def _recorded(self, asked: NewWebhook) -> Webhook | None:
        """Return what the request made before, whatever became of it since."""
        async with self._begin() as work:
            known = await work.requested_webhook(asked.request_id)
        if known is not None and known.request_hash != asked.digest():
            raise RequestIdReused(asked.request_id, known.webhook_id)
        return known


class UpdateWebhook:
    """Change some of a webhook's details, if it still has the version that the caller read.

    Made inactive, it is sent nothing any more, and what waited for it is given up.

    :param details: new values by field name: url, description, types, state.
    :raises UrlRefused: the URL may not be called.
    :raises WebhookNotFound: there is none of this id.
    :raises StaleVersion: it changed meanwhile, or this is a repeat.
    """

    def __init__(self, begin: Begin, sender: Sender, clock: Clock) -> None:
        self._begin, self._sender, self._clock = begin, sender, clock

    async def __call__(
        self, webhook_id: str, expected_version: int, details: Mapping[str, object]
    ) -> Webhook:
        if "url" in details:
            await self._sender.require_allowed(str(details["url"]))
        async with self._begin() as work:
            webhook = await locked(work, webhook_id)
            now = self._clock.now()
            revised = webhook.revised(expected_version=expected_version, now=now, **details)
            await work.save_webhook(revised)
            if revised.state is not WebhookState.ACTIVE:
                await work.give_up_open(webhook_id, FEEDS, "the webhook was made inactive", now)
                await work.end_catch_ups(webhook_id)
                revised = replace(revised, catching_up=False)
        return revised


class DeleteWebhook:
    """Delete a webhook with all that was recorded of its deliveries.

    :raises WebhookNotFound: there is none of this id, or not any more.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def __call__(self, webhook_id: str) -> Webhook:
        async with self._begin() as work:
            webhook = await locked(work, webhook_id)
            await work.delete_webhook(webhook_id)
        return webhook


class RotateSecret:
    """Make another secret; for a day both sign. A repeat makes another one still.

    :raises WebhookNotFound: there is none of this id.
    """

    def __init__(self, begin: Begin, signer: Signer, clock: Clock) -> None:
        self._begin, self._signer, self._clock = begin, signer, clock

    async def __call__(self, webhook_id: str) -> Webhook:
        async with self._begin() as work:
            webhook = await locked(work, webhook_id)
            secrets = webhook.secrets.rotated(
                self._signer.new_secret(webhook_id), self._clock.now()
            )
            rotated = replace(webhook, secrets=secrets, version=webhook.version + 1)
            await work.save_webhook(rotated)
        return rotated


class ReplayWebhook:
    """Have a webhook sent again what the feeds have behind a place, or (None) what was given up.

    What of these feeds is open then is given up: what of it is behind the place comes again in its
    turn.

    :raises WebhookNotFound: there is none of this id.
    :raises WebhookInactive: it is sent nothing.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin, self._clock = begin, clock

    async def __call__(self, webhook_id: str, after: Place | None) -> Webhook:
        async with self._begin() as work:
            webhook = await locked(work, webhook_id)
            webhook.require_active()
            now = self._clock.now()
            if after is None:
                await work.reopen(webhook_id, None, now)
                return webhook
            places = after.of(webhook_id, now)
            why = "a replay from a later place was asked for"
            await work.give_up_open(webhook_id, [one.feed for one in places], why, now)
            await work.save_webhook(replace(webhook, whole_since=now))
            for place in places:
                await work.save_catch_up(place)
        return replace(webhook, catching_up=True)


class Redeliver:
    """Send one event once more, with all its attempts; a repeat while it waits changes nothing.

    :raises DeliveryNotFound: the webhook has no delivery of the event.
    :raises WebhookNotFound: there is none of this id.
    :raises WebhookInactive: it is sent nothing.
    """

    def __init__(self, begin: Begin, reader: Reader, clock: Clock) -> None:
        self._begin, self._reader, self._clock = begin, reader, clock

    async def __call__(self, webhook_id: str, event_id: str) -> Delivery:
        async with self._begin() as work:
            (await locked(work, webhook_id)).require_active()
            await work.reopen(webhook_id, event_id, self._clock.now())
        delivery = await self._reader.delivery(webhook_id, event_id)
        if delivery is None:
            raise DeliveryNotFound(webhook_id, event_id)
        return delivery


class RetryMail:
    """Send a mail at once that was not sent; one that was is left alone.

    :raises MailNotFound: there is none of this event.
    """

    def __init__(self, begin: Begin, reader: Reader, clock: Clock) -> None:
        self._begin, self._reader, self._clock = begin, reader, clock

    async def __call__(self, event_id: str) -> Mail:
        async with self._begin() as work:
            await work.retry_mail(event_id, self._clock.now())
        mail = await self._reader.mail(event_id)
        if mail is None:
            raise MailNotFound(event_id)
        return mail


async def locked(work: Work, webhook_id: str) -> Webhook:
    """Lock a webhook.

    :raises WebhookNotFound: there is none of this id.
    """
    found = (await work.lock_webhooks([webhook_id])).get(webhook_id)
    if found is None:
        raise WebhookNotFound(webhook_id)
    return found
