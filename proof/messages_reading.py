"""What a service keeps for its messages is read, by SQL of the proof's own."""

from typing import NamedTuple

from holdfast.chassis.database.seam import Reading, Row, instant
from holdfast.chassis.messaging.broker import Event
from proof.observed_events import observed_event
from proof.snapshot import Feed, Letter, ObservedEvent

_INBOX = """
SELECT event_id
  FROM inbox
"""

_OUTBOX = """
SELECT count(*) AS waiting
  FROM outbox
"""

_FEED = """
  SELECT position, event_id, type, subject, sequence, happened_at, data
    FROM feed
ORDER BY position
"""

_FEED_HEAD = "SELECT last FROM feed_head"

_LETTERS = """
SELECT letter_id, coalesce(type, '') AS type, reason
  FROM dead_letter
"""


class Messages(NamedTuple):
    """What one service keeps for its messages."""

    inbox: frozenset[str]
    waiting: int
    letters: tuple[Letter, ...]
    feed: Feed


async def messages_of(reading: Reading, service: str) -> Messages:
    """Read them all."""
    inbox = frozenset(row["event_id"] for row in await reading.fetch(_INBOX))
    (outbox,) = await reading.fetch(_OUTBOX)
    letters = tuple(
        Letter(service, row["letter_id"], row["type"], row["reason"])
        for row in await reading.fetch(_LETTERS)
    )
    (head,) = await reading.fetch(_FEED_HEAD)
    entries = tuple((row["position"], _told(row)) for row in await reading.fetch(_FEED))
    return Messages(inbox, outbox["waiting"], letters, Feed(head["last"], entries))


def _told(row: Row) -> ObservedEvent:
    named = row["event_id"], row["type"], row["subject"], row["sequence"]
    return observed_event(Event(*named, instant(row["happened_at"]), row["data"]))
