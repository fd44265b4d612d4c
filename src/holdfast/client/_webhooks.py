"""Webhooks and mails as callers use them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from holdfast.client._calls import Calls
from holdfast.client._checks import Checks
from holdfast.client._enums import by_number
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._requests import page_bounds
from holdfast.client._times import time_from_wire, time_to_wire
from holdfast.client._types import new_request_id
from holdfast.client._webhook_types import (
    Attempt,
    Delivery,
    DeliveryState,
    Mail,
    MailState,
    Webhook,
    WebhookSecret,
    WebhookState,
)
from holdfast.contracts.notifier.v1 import notifier_pb2 as pb
from holdfast.contracts.notifier.v1 import notifier_pb2_grpc

FEEDS = {"orders", "inventory"}

_STATES = by_number(pb.WebhookState.Value, "WEBHOOK_STATE", WebhookState)
_DELIVERY_STATES = by_number(pb.DeliveryState.Value, "DELIVERY_STATE", DeliveryState)
_MAIL_STATES = by_number(pb.MailState.Value, "MAIL_STATE", MailState)


class Webhooks:
    """The verbs about webhooks. Every method may raise any `HoldfastError`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = notifier_pb2_grpc.NotifierServiceStub(calls.channel)

    async def create(
        self,
        url: str,
        *,
        types: Sequence[str] = (),
        description: str = "",
        in_order: bool = False,
        after: Mapping[str, str] | datetime | None = None,
        request_id: str | None = None,
    ) -> WebhookSecret:
        """Make a webhook; it is sent what happens from now on. Repeating with the same request id
        returns the recorded one, with its secret.

        :param types: of events, by full name or its last word; none: all of both feeds.
        :param in_order: each event waits for the one before; else only those about one subject do.
        :param after: also what the feeds have behind cursors, as {"orders": CURSOR}, or since a
            time.
        :raises InvalidRequest: the URL may not be called: it has to be https, at a public address.
        :raises AlreadyExists: the request id was used with other contents.
        """
        checks = Checks()
        request = pb.CreateWebhookRequest(
            url=checks.text("url", url),
            description=checks.text("description", description),
            types=checks.texts("types", types),
            in_order=checks.flag("in_order", in_order),
            request_id=checks.request_id(new_request_id() if request_id is None else request_id),
        )
        if after is not None:
            request.after.CopyFrom(_place(checks, after))
        checks.raise_any()
        return _secret(await self._calls.ask(self._stub.CreateWebhook, request, repeatable=True))

    async def get(self, webhook_id: str) -> Webhook:
        """A webhook as it stands.

        :raises NotFound: there is none of this id.
        """
        request = pb.GetWebhookRequest(webhook_id=_id(webhook_id))
        return _webhook(await self._calls.ask(self._stub.GetWebhook, request, repeatable=True))

    def list(
        self, *, limit: int | None = None, page_size: int = PAGE_SIZE
    ) -> AsyncGenerator[Webhook]:
        """Every webhook, the newest first, fetched page by page.

        :param limit: at most so many; None: all.
        """
        size, wanted = page_bounds(page_size, limit)

        async def page(size: int, token: str) -> tuple[Sequence[Webhook], str]:
            return await self.page(token, page_size=size)

        return walk(page, page_size=size, limit=wanted)

    async def page(
        self, page_token: str = "", *, page_size: int = PAGE_SIZE
    ) -> tuple[Sequence[Webhook], str]:
        """One page of what `list` walks over, and the next one's token, "" on the last.

        :param page_token: as the page before told it; "": the first page.
        :raises InvalidRequest: the token is none.
        """
        size, _ = page_bounds(page_size, None)
        request = pb.ListWebhooksRequest(page_size=size, page_token=_id(page_token, "page_token"))
        answer = await self._calls.ask(self._stub.ListWebhooks, request, repeatable=True)
        return list(map(_webhook, answer.webhooks)), answer.next_page_token

    async def update(
        self,
        webhook_id: str,
        *,
        version: int,
        url: str | None = None,
        types: Sequence[str] | None = None,
        description: str | None = None,
        active: bool | None = None,
    ) -> Webhook:
        """Change a webhook; None leaves a field as it is. Never repeated after an unknown outcome.

        Made inactive, it is sent nothing, and what waits for it is given up. Made active again, it
        is sent what happens from then on; `replay` brings what it missed.

        :param version: the webhook's version as last read.
        :raises StaleVersion: it changed since.
        :raises NotFound: there is none of this id.
        """
        checks = Checks()
        request = pb.UpdateWebhookRequest()
        message, given = request.webhook, request.update_mask.paths
        message.webhook_id = checks.text("webhook_id", webhook_id)
        message.version = checks.number("version", version, lowest=1)
        if url is not None:
            message.url = checks.text("url", url)
            given.append("url")
        if description is not None:
            message.description = checks.text("description", description)
            given.append("description")
        if types is not None:
            message.types.extend(checks.texts("types", types))
            given.append("types")
        if active is not None:
            is_active = checks.flag("active", active)
            message.state = pb.WEBHOOK_STATE_ACTIVE if is_active else pb.WEBHOOK_STATE_INACTIVE
            given.append("state")
        checks.raise_any()
        return _webhook(await self._calls.ask(self._stub.UpdateWebhook, request, repeatable=False))

    async def delete(self, webhook_id: str) -> Webhook:
        """Delete a webhook with all that was recorded of its deliveries. Never repeated after an
        unknown outcome.

        :raises NotFound: there is none of this id, or not any more.
        """
        request = pb.DeleteWebhookRequest(webhook_id=_id(webhook_id))
        return _webhook(await self._calls.ask(self._stub.DeleteWebhook, request, repeatable=False))

    async def rotate(self, webhook_id: str) -> WebhookSecret:
        """Make another secret; for a day, what is sent is signed with both. Never repeated after
        an unknown outcome.

        :raises NotFound: there is none of this id.
        """
        request = pb.RotateWebhookSecretRequest(webhook_id=_id(webhook_id))
        answer = await self._calls.ask(self._stub.RotateWebhookSecret, request, repeatable=False)
        return _secret(answer)

    async def test(self, webhook_id: str) -> Attempt:
        """Send a test event at once, and tell what came of it. Nothing is recorded.

        :raises NotFound: there is none of this id.
        """
        request = pb.TestWebhookRequest(webhook_id=_id(webhook_id))
        answer = await self._calls.ask(
            self._stub.TestWebhook, request, repeatable=False, wait_s=20.0
        )
        return _attempt(answer)

    async def replay(
        self, webhook_id: str, after: Mapping[str, str] | datetime | None = None
    ) -> Webhook:
        """Have a webhook sent again what the feeds have behind a place, each event under its own id
        and in its order. Safe to repeat: it begins there again.

        :param after: cursors by feed, as {"orders": CURSOR}; or a time; None: only what was given
            up.
        :raises NotFound: there is none of this id.
        :raises Refused: it is not active (WEBHOOK_INACTIVE).
        """
        checks = Checks()
        request = pb.ReplayWebhookRequest(webhook_id=checks.text("webhook_id", webhook_id))
        if after is None:
            request.failed = True
        else:
            request.after.CopyFrom(_place(checks, after))
        checks.raise_any()
        return _webhook(await self._calls.ask(self._stub.ReplayWebhook, request, repeatable=True))

    def deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Delivery]:
        """What was delivered to a webhook, is to be, or was given up, the newest first.

        :param state: only these; None: all.
        :param limit: at most so many; None: all.
        :raises NotFound: there is no such webhook.
        """
        size, wanted = page_bounds(page_size, limit)
        _deliveries(webhook_id, state)  # what is wrong with them is told at once

        async def page(size: int, token: str) -> tuple[Sequence[Delivery], str]:
            return await self.delivery_page(webhook_id, token, state=state, page_size=size)

        return walk(page, page_size=size, limit=wanted)

    async def delivery_page(
        self,
        webhook_id: str,
        page_token: str = "",
        *,
        state: DeliveryState | None = None,
        page_size: int = PAGE_SIZE,
    ) -> tuple[Sequence[Delivery], str]:
        """One page of what `deliveries` walks over; its token as of `page`, of this state alone."""
        request = _deliveries(webhook_id, state, page_token)
        request.page_size, _ = page_bounds(page_size, None)
        answer = await self._calls.ask(self._stub.ListDeliveries, request, repeatable=True)
        return list(map(_delivery, answer.deliveries)), answer.next_page_token

    async def redeliver(self, webhook_id: str, event_id: str) -> Delivery:
        """Send one event once more. Safe to repeat: while it waits, that changes nothing.

        :raises NotFound: the webhook has no delivery of it.
        :raises Refused: the webhook is not active (WEBHOOK_INACTIVE).
        """
        checks = Checks()
        request = pb.RedeliverRequest(
            webhook_id=checks.text("webhook_id", webhook_id),
            event_id=checks.text("event_id", event_id),
        )
        checks.raise_any()
        return _delivery(await self._calls.ask(self._stub.Redeliver, request, repeatable=True))


class Mails:
    """The verbs about mails to customers. Every method may raise any `HoldfastError`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = notifier_pb2_grpc.NotifierServiceStub(calls.channel)

    def list(
        self,
        *,
        state: MailState | None = None,
        order_id: str = "",
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Mail]:
        """Mails to customers, the newest first.

        :param state: only these; None: all.
        :param order_id: only about this order.
        :param limit: at most so many; None: all.
        """
        size, wanted = page_bounds(page_size, limit)
        checks = Checks()
        request = pb.ListMailsRequest(order_id=checks.text("order_id", order_id))
        if state is not None:
            request.state = _number(_MAIL_STATES, checks.known("state", state, MailState))
        checks.raise_any()

        async def page(size: int, token: str) -> tuple[Sequence[Mail], str]:
            request.page_size, request.page_token = size, token
            answer = await self._calls.ask(self._stub.ListMails, request, repeatable=True)
            return [_mail(one) for one in answer.mails], answer.next_page_token

        return walk(page, page_size=size, limit=wanted)

    async def retry(self, event_id: str) -> Mail:
        """Send a mail at once that was not sent. Safe to repeat: one that was sent is left alone.

        :raises NotFound: no mail tells of this event.
        """
        request = pb.RetryMailRequest(event_id=_id(event_id, "event_id"))
        return _mail(await self._calls.ask(self._stub.RetryMail, request, repeatable=True))


def _id(value: object, field: str = "webhook_id") -> str:
    checks = Checks()
    text = checks.text(field, value)
    checks.raise_any()
    return text


def _deliveries(
    webhook_id: object, state: object, page_token: object = ""
) -> pb.ListDeliveriesRequest:
    checks = Checks()
    request = pb.ListDeliveriesRequest(
        webhook_id=checks.text("webhook_id", webhook_id),
        page_token=checks.text("page_token", page_token),
    )
    if state is not None:
        request.state = _number(_DELIVERY_STATES, checks.known("state", state, DeliveryState))
    checks.raise_any()
    return request


def _place(checks: Checks, after: Mapping[str, str] | datetime) -> pb.Place:
    if isinstance(after, Mapping):
        if unknown := after.keys() - FEEDS:
            checks.add("after", f"has {', '.join(map(repr, unknown))}; feeds: orders, inventory")
            return pb.Place()
        place = pb.Place()
        for feed, cursor in after.items():
            setattr(place, feed, checks.text(f"after.{feed}", cursor))
        return place
    since = time_to_wire(checks.instant("after", after))
    return pb.Place(since=since)


def _secret(message: pb.WebhookSecret) -> WebhookSecret:
    return WebhookSecret(_webhook(message.webhook), message.secret)


def _webhook(message: pb.Webhook) -> Webhook:
    return Webhook(
        message.webhook_id,
        message.url,
        message.description,
        tuple(message.types),
        message.in_order,
        _STATES.get(message.state, WebhookState.UNKNOWN),
        _at(message, "failing_since"),
        message.catching_up,
        _at(message, "create_time"),
        message.version,
    )


def _attempt(message: pb.Attempt) -> Attempt:
    return Attempt(
        message.delivered,
        message.status,
        message.problem,
        message.excerpt,
        _at(message, "attempt_time"),
    )


def _delivery(message: pb.Delivery) -> Delivery:
    return Delivery(
        message.event_id,
        message.type,
        message.subject,
        message.feed,
        message.cursor,
        _DELIVERY_STATES.get(message.state, DeliveryState.UNKNOWN),
        message.attempts,
        _attempt(message.last_attempt) if message.HasField("last_attempt") else None,
        _at(message, "next_attempt_time"),
    )


def _mail(message: pb.Mail) -> Mail:
    return Mail(
        message.event_id,
        message.order_id,
        message.kind,
        _MAIL_STATES.get(message.state, MailState.UNKNOWN),
        message.attempts,
        message.problem,
        _at(message, "event_time"),
        _at(message, "attempt_time"),
        _at(message, "next_attempt_time"),
    )


def _number(states: Mapping[int, StrEnum], state: StrEnum | None) -> Any:
    """The number of a state on the wire; 0: it has none there."""
    return next((number for number, one in states.items() if one is state), 0)


def _at(message: Any, field: str) -> datetime | None:
    return time_from_wire(getattr(message, field)) if message.HasField(field) else None
