"""Events as the Notifier keeps them: who is told of what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedName(StrEnum):
    """Whose events they are."""

    ORDERS = "orders"
    INVENTORY = "inventory"


FEEDS = tuple(FeedName)


def feed_of(event_type: str) -> FeedName:
    """Return whose a type is: they are named holdfast.FEED.v1.NAME."""
    return FeedName(event_type.split(".")[1])


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event of a feed.

    :param cursor: the place behind it.
    :param body: makes what is sent: the same bytes, whenever it does.
    :param kind: of the mail that tells a customer of it; "": none does.
    """

    event_id: str
    feed: FeedName
    cursor: str
    type: str
    subject: str
    happened_at: datetime
    body: Callable[[], bytes]
    kind: str = ""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "WAITING"  # it is sent next
    QUEUED = "QUEUED"  # behind another of its line
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"  # given up


class MailState(StrEnum):
    """Where a mail stands."""

    WAITING = "WAITING"
    SENT = "SENT"
    SKIPPED = "SKIPPED"  # nobody is to get it
    FAILED = "FAILED"  # given up
