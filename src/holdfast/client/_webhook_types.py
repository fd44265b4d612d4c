"""Webhooks, deliveries and mails as callers see them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class WebhookState(StrEnum):
    """Whether a webhook is sent anything."""

    UNKNOWN = "UNKNOWN"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"  # somebody made it so
    DISABLED = "DISABLED"  # nothing arrived there for 5 days, or it answered 410


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    UNKNOWN = "UNKNOWN"
    WAITING = "WAITING"  # it is sent next
    QUEUED = "QUEUED"  # it waits behind an earlier event of its subject
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"  # given up


class MailState(StrEnum):
    """Where a mail stands."""

    UNKNOWN = "UNKNOWN"
    WAITING = "WAITING"
    SENT = "SENT"
    SKIPPED = "SKIPPED"  # nobody is to get it
    FAILED = "FAILED"  # given up


@dataclass(frozen=True, slots=True)
class Webhook:
    """A place that is told of events.

    :param types: of events, by full name; none: all.
    :param in_order: each event waits for the one before; else only those about one subject do.
    :param failing_since: since when every attempt has failed; None: the last one did not.
    :param catching_up: it is being sent what it missed.
    """

    webhook_id: str
    url: str
    description: str
    types: tuple[str, ...]
    in_order: bool
    state: WebhookState
    failing_since: datetime | None
    catching_up: bool
    create_time: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A webhook with the secret that signs what it is sent."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending something once.

    :param status: of HTTP; 0: there was no answer.
    :param problem: why it did not arrive; "": it did.
    :param excerpt: of the answer: the receiver's text, to be escaped wherever it is shown.
    """

    delivered: bool
    status: int
    problem: str
    excerpt: str
    attempt_time: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook.

    :param cursor: the event's place in its feed.
    :param last_attempt: None: there was none yet.
    :param next_attempt_time: None: it is not tried any more, or waits behind another one.
    """

    event_id: str
    type: str
    subject: str
    feed: str
    cursor: str
    state: DeliveryState
    attempts: int
    last_attempt: Attempt | None
    next_attempt_time: datetime | None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that tells a customer of an order.

    :param kind: what it tells.
    :param problem: why it was not sent yet, or not at all.
    """

    event_id: str
    order_id: str
    kind: str
    state: MailState
    attempts: int
    problem: str
    event_time: datetime | None
    attempt_time: datetime | None
    next_attempt_time: datetime | None
