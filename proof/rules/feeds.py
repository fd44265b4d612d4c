"""Rules about the feeds: all that was told stands there once, in order, and who follows gets it."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from proof.rules.due import (
    AGAIN,
    OF_ACTION,
    OF_STATUS,
    REST_CANCELLED,
    Aggregate,
    Told,
    due_events,
    says,
    told_by,
)
from proof.rules.orders import CAME_TO_NOTHING
from proof.run_record import RunRecord, Violation
from proof.snapshot import Change, Feed

# Of what customers hear; of payments they do only if one came too late.
NEWS = frozenset({*OF_STATUS.values(), REST_CANCELLED, OF_ACTION["EDITED"]})


def feeds(record: RunRecord) -> Iterator[Violation]:
    """7. Positions are dense and end at the head; every change stands in the feed once and says
    what happened, those of an aggregate in their order; nothing that was only told again does.
    """
    if not record.snapshot.feeds:
        return
    due = dict(due_events(record))
    seen = Counter[Told]()
    for service, feed in sorted(record.snapshot.feeds.items()):
        yield from _dense(service, feed, whole=not record.forgetful)
        highest = dict[Aggregate, int]()
        for position, event in feed.entries:
            told = told_by(event)
            seen[told] += 1
            where = f"at position {position} of the feed of {service}"
            if told not in due:
                what = "was told before" if event.type == AGAIN else "did not happen so"
                yield Violation(7, event.subject, f"{event.type} {event.sequence} {where} {what}")
            elif event.content is None or not says(event.content, due[told]):
                text = f"{event.type} {event.sequence} {where} says {event.content}"
                yield Violation(7, event.subject, f"{text}, not {due[told]}")
            if seen[told] > 1:
                text = f"{event.type} {event.sequence} {where} stands there again"
                yield Violation(7, event.subject, text)
            before = highest.get(told.aggregate, 0)
            if before > event.sequence:
                yield Violation(7, event.subject, f"{event.sequence} {where} comes after {before}")
            highest[told.aggregate] = max(before, event.sequence)
    for told in () if record.forgetful else sorted(due.keys() - seen.keys()):
        text = f"{told.type} {told.sequence} is in no feed"
        yield Violation(7, told.aggregate.subject, text)


def _dense(service: str, feed: Feed, *, whole: bool) -> Iterator[Violation]:
    positions = [position for position, _ in feed.entries]
    first = positions[0] if positions and not whole else 1
    if positions != list(range(first, first + len(positions))):
        yield Violation(7, service, f"the positions of its feed have gaps: {_gaps(positions)}")
    last = positions[-1] if positions else 0
    if feed.head != last:
        yield Violation(7, service, f"the head of its feed is {feed.head}, its end {last}")
    for event_id, times in Counter(event.event_id for _, event in feed.entries).items():
        if times > 1:
            yield Violation(7, event_id, f"stands in the feed of {service} {times} times")


def _gaps(positions: list[int]) -> list[tuple[int, int]]:
    beside = zip([0, *positions], positions, strict=False)
    return [(one, other) for one, other in beside if other != one + 1][:5]


def followers(record: RunRecord) -> Iterator[Violation]:
    """7. Who follows a feed through all that happens gets what stands in it: no less, nothing
    twice, in its order.
    """
    for service, got in sorted(record.followed.items()):
        stands = [event.event_id for _, event in record.snapshot.feeds[service].entries]
        if list(got) == stands:
            continue
        place = next(
            (n for n, (one, other) in enumerate(zip(got, stands, strict=False)) if one != other),
            min(len(got), len(stands)),
        )
        text = f"who followed its feed got {len(got)} events of {len(stands)}, other ones"
        yield Violation(7, service, f"{text} from number {place + 1} on")


def is_news(before: Change, now: Change) -> bool:
    """Whether the customer is to hear of it: a new status, other lines or charges, units that left,
    or money for nothing.
    """
    late = now.action == "PAYMENT_RECORDED" and now.status in CAME_TO_NOTHING
    return before.status != now.status or now.action in ("EDITED", "SHIPPED") or late


def news_told(record: RunRecord) -> Iterator[Violation]:
    """12. All news of an order, each of its ends among them, stands in the feed of Orders once and
    as what it was, for whoever tells its customer; no news stands there that did not happen. That
    is part of 7, said a second time from the histories alone.
    """
    if not record.snapshot.feeds:
        return
    told = defaultdict[tuple[str, int], list[str]](list)
    for _, event in record.snapshot.feeds["orders"].entries:
        told[event.subject, event.sequence].append(event.type)
    for order in record.snapshot.orders.values():
        for before, now in pairwise(order.history):
            if not is_news(before, now):
                continue
            types = told.pop((order.order_id, now.version), [])
            if not types and record.forgetful:
                continue
            if len(types) != 1 or types[0] not in _telling(now):
                text = f"it became {now.status} {now.action}".rstrip()
                text = f"{text} at {now.version}, its feed tells {types or 'nothing'}"
                yield Violation(12, order.order_id, text)
    for (subject, version), types in told.items():
        for one in sorted(NEWS.intersection(types)):
            yield Violation(12, subject, f"{one} {version} stands in the feed, which is no news")


def _telling(now: Change) -> tuple[str, ...]:
    """The types of the events that may tell of a change."""
    if now.action:
        return (OF_ACTION[now.action],)
    rest_is_cancelled = (REST_CANCELLED,) if now.status == "SHIPPED" else ()
    return (OF_STATUS.get(now.status, ""), *rest_is_cancelled)
