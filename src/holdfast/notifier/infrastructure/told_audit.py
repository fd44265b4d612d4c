"""The Notifier held against the feeds: it is where it says it is, and all are told of every event.

Of what is behind the Notifier's place nothing is asked, nor of what it need not keep any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from google.protobuf.message import Message

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row, instant
from holdfast.chassis.messaging.feed import NO_CHECK, Cursor, CursorMalformed, check_of, cursor_of
from holdfast.chassis.messaging.feed_audit import SKEW, WHOLE
from holdfast.contracts.orders.v1 import events_pb2
from holdfast.notifier.application.ports import EARLIEST, MARGIN
from holdfast.notifier.domain.events import FeedName
from holdfast.notifier.infrastructure.mail_events import DECIDED_BY_DATA, kind_told_by

PAGE_EVENTS = 5_000

FOLLOWED = """
SELECT cursor, since, anew
  FROM followed
 WHERE feed = $1
"""

HEAD = """
SELECT feed_id, last, (SELECT min(position) FROM feed) AS oldest
  FROM feed_head
"""

EVENT_AT = """
SELECT event_id, happened_at
  FROM feed
 WHERE position = $1
"""

_DECIDED = ", ".join(f"'{one.DESCRIPTOR.full_name}'" for one in DECIDED_BY_DATA)
EVENTS = f"""
SELECT position, event_id, type, subject, happened_at,
       CASE WHEN type IN ({_DECIDED}) THEN data END AS data
  FROM feed
 WHERE position > $1
   AND position <= $2
 ORDER BY position
"""  # noqa: S608 - constants only

# Of one feed: who is sent what comes now.
LISTENING = """
SELECT CAST(webhook_id AS text) AS webhook_id, types, whole_since
  FROM webhook
 WHERE state = 'ACTIVE'
   AND NOT EXISTS (SELECT 1
                     FROM catch_up
                    WHERE catch_up.webhook_id = webhook.webhook_id
                      AND feed = $1)
"""

# Ids of events rise with time: those of a page of the feed lie close together.
KEPT = """
SELECT event_id, feed, cursor, type, subject, happened_at
  FROM event
 WHERE event_id BETWEEN $1 AND $2
"""

TOLD = """
SELECT event_id, CAST(webhook_id AS text) AS webhook_id
  FROM delivery
 WHERE event_id BETWEEN $1 AND $2
"""

MAILED = """
SELECT event_id, order_id, kind, happened_at
  FROM mail
 WHERE event_id BETWEEN $1 AND $2
"""

# How many there are is compared first: only where it is not as many, all are read.
COUNTED_SINCE = """
SELECT (SELECT count(*) FROM event WHERE happened_at > $1 AND feed = $2) AS events,
       (SELECT count(*) FROM mail WHERE happened_at > $1 AND $2 = 'orders') AS mails
"""

IN_FEED = "SELECT event_id FROM feed"

MAILS_SINCE = """
SELECT event_id, kind, order_id
  FROM mail
 WHERE happened_at > $1
"""

EVENTS_SINCE = """
SELECT event_id, type, subject
  FROM event
 WHERE happened_at > $1
   AND feed = $2
"""


class Place(NamedTuple):
    """How far a feed is followed.

    :param anew: from its beginning: what lies behind the place may have been told before.
    """

    feed: FeedName
    position: int
    feed_id: str
    since: datetime
    anew: bool


class Page(NamedTuple):
    """What the Notifier has of some events that follow each other in a feed."""

    kept: dict[str, Row]
    told: set[tuple[str, str]]
    mailed: dict[str, Row]


async def compare(
    notifier: Auditor, feeds: Mapping[FeedName, Auditor], *, kept: timedelta
) -> list[str]:
    """Return what the Notifier and the feeds say differently. The Notifier is read as of a moment
    before that of the feeds.

    Its place in each feed is a place of that feed, and the event there is the one it has seen. Of
    every event up to there, each webhook that is ACTIVE, is not catching up and wants its type has
    a delivery, unless it happened before `whole_since` of the webhook or is older than `kept`.
    Every mail, and every event that is kept, is of an event of the feed at or before the place,
    and says of it what the feed says, unless the feed no longer has what is so old. An event that
    leads to a mail and has none is only noted: which kinds were switched on then, nobody knows.

    :param kept: how long the Notifier keeps what has ended.
    """
    found: list[str] = []
    for feed, auditor in feeds.items():
        place = await _place(notifier, auditor, feed, found)
        if place is not None:
            found += await _compare_events(notifier, auditor, place, notifier.at - kept)
    return [f"{notifier.service}: {text}" for text in found]


async def _place(
    notifier: Auditor, auditor: Auditor, feed: FeedName, found: list[str]
) -> Place | None:
    """Return where the Notifier is in a feed, if anything can be said of what comes before."""
    notes, its = notifier.findings.notes, f"{notifier.service}: its place in the feed of {feed}"
    rows = await notifier.rows(FOLLOWED, feed)
    if not rows or rows[0]["cursor"] == EARLIEST:
        why = "is lost: it begins anew" if rows else "is not known yet"
        notes.append(f"{its} {why}")
        return None
    (head,) = await auditor.rows(HEAD)
    try:
        cursor = cursor_of(rows[0]["cursor"])
    except CursorMalformed:
        found.append(f"its place in the feed of {feed} is no cursor: {rows[0]['cursor']}")
        return None
    there = await auditor.rows(EVENT_AT, cursor.position)
    oldest = head["oldest"] or 1
    if cursor.feed_id == head["feed_id"] and cursor.position < oldest != 1:
        notes.append(f"{its} was cut off for its age: when it goes on, it begins anew")
        return None
    if why := _not_there(cursor, head, check_of(there[0]["event_id"]) if there else NO_CHECK):
        found.append(f"its place in the feed of {feed} {why}")
        return None
    since, anew = instant(rows[0]["since"]), bool(rows[0]["anew"])
    return Place(feed, cursor.position, cursor.feed_id, since, anew)


def _not_there(cursor: Cursor, head: Row, check: str) -> str:
    if cursor.feed_id != head["feed_id"]:
        return f"is of another feed: {cursor}"
    if cursor.position > head["last"]:
        return f"is at {cursor.position}, the feed ends at {head['last']}"
    if cursor.check != check:
        return f"is at {cursor.position}, and another event is there"
    return ""


async def _compare_events(
    notifier: Auditor, auditor: Auditor, place: Place, forgotten: datetime
) -> list[str]:
    found: list[str] = []
    unmailed, told, compared = Counter[str](), Counter[str](), 0
    webhooks = await notifier.rows(LISTENING, place.feed)
    (head,) = await auditor.rows(HEAD)
    first = head["oldest"] or 1
    oldest = await auditor.rows(EVENT_AT, first)
    since = WHOLE if first == 1 else instant(oldest[0]["happened_at"]) + SKEW
    for start in range(first - 1, head["last"], PAGE_EVENTS):
        events = await auditor.rows(EVENTS, start, min(start + PAGE_EVENTS, head["last"]))
        page = await _page(notifier, events)
        for what, rows in (("events", page.kept), ("mails", page.mailed)):
            told[what] += sum(instant(row["happened_at"]) > since for row in rows.values())
        for event in events:
            is_followed = event["position"] <= place.position
            compared += is_followed
            found += _contradictions(place, event, page)
            if not is_followed or instant(event["happened_at"]) < forgotten + MARGIN:
                continue
            found += _untold(event, webhooks, page)
            kind = _kind(event)
            if kind and event["event_id"] not in page.mailed:
                unmailed[kind] += instant(event["happened_at"]) > place.since + MARGIN
    (counted,) = await notifier.rows(COUNTED_SINCE, since, place.feed)
    if any(counted[what] != told[what] for what in ("events", "mails")):
        found += await _of_no_event(notifier, auditor, place, since)
    notifier.findings.checked[f"events of {place.feed} compared with who was told"] = compared
    why = "it was switched off then, or there was no mail server"
    notifier.findings.notes += [
        f"{notifier.service}: {count} events have no mail of kind {kind}: {why}"
        for kind, count in sorted(unmailed.items())
        if count
    ]
    return found


async def _page(notifier: Auditor, events: list[Row]) -> Page:
    if not events:
        return Page({}, set(), {})
    ids = [row["event_id"] for row in events]
    ends = min(ids), max(ids)
    its = set(ids)  # the ends may have others between them
    kept = {row["event_id"]: row for row in await notifier.rows(KEPT, *ends)}
    told = {(row["event_id"], row["webhook_id"]) for row in await notifier.rows(TOLD, *ends)}
    mailed = {row["event_id"]: row for row in await notifier.rows(MAILED, *ends)}
    return Page(
        {one: row for one, row in kept.items() if one in its},
        told,
        {one: row for one, row in mailed.items() if one in its},
    )


def _untold(event: Row, webhooks: list[Row], page: Page) -> Iterator[str]:
    """Every event is told."""
    at = instant(event["happened_at"])
    for webhook in webhooks:
        types = webhook["types"].split()
        if types and event["type"] not in types:
            continue
        if at <= instant(webhook["whole_since"]) + MARGIN:
            continue
        if (event["event_id"], webhook["webhook_id"]) not in page.told:
            yield (
                f"webhook {webhook['webhook_id']} was never to be told of event"
                f" {event['event_id']} ({event['type']} of {event['subject']})"
            )


def _contradictions(place: Place, event: Row, page: Page) -> Iterator[str]:
    """What is told of an event is what it was, and is told when the Notifier comes by."""
    event_id = event["event_id"]
    kept, mail = page.kept.get(event_id), page.mailed.get(event_id)
    if kept is not None:
        cursor = str(Cursor(place.feed_id, event["position"], check_of(event_id)))
        expected = place.feed, cursor, event["type"], event["subject"]
        if tuple(kept[name] for name in ("feed", "cursor", "type", "subject")) != expected:
            yield f"event {event_id} is not kept as the feed has it"
    if mail is None or place.feed is not FeedName.ORDERS:
        return
    if event["position"] > place.position and not place.anew:
        yield f"a mail tells of event {event_id}, which is behind its place in the feed"
    told = mail["kind"], mail["order_id"], instant(mail["happened_at"])
    if told != (_kind(event), event["subject"], instant(event["happened_at"])):
        yield f"the mail {mail['kind']} of order {mail['order_id']} does not tell event {event_id}"


async def _of_no_event(
    notifier: Auditor, auditor: Auditor, place: Place, since: datetime
) -> list[str]:
    """What is told of events that the feed does not have, though it has what is older."""
    seen = {row["event_id"] for row in await auditor.rows(IN_FEED)}
    told = [
        f"event {row['event_id']} ({row['type']} of {row['subject']}) is told to webhooks, and is"
        f" not in the feed of {place.feed}"
        for row in await notifier.rows(EVENTS_SINCE, since, place.feed)
        if row["event_id"] not in seen
    ]
    if place.feed is FeedName.ORDERS:
        told += [
            f"the mail {row['kind']} of order {row['order_id']} is of event {row['event_id']},"
            " which is not in the feed of orders"
            for row in await notifier.rows(MAILS_SINCE, since)
            if row["event_id"] not in seen
        ]
    return told


_TYPES = {
    f"{events_pb2.DESCRIPTOR.package}.{name}": getattr(events_pb2, name)
    for name in events_pb2.DESCRIPTOR.message_types_by_name
}


def _kind(event: Row) -> str | None:
    """Return the kind of mail that an event leads to; None: it leads to none."""
    known = _TYPES.get(event["type"])
    if known is None:
        return None
    happened: Message = known.FromString(bytes(event["data"] or b""))
    return kind_told_by(happened)
