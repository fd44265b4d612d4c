"""Rules about the feeds: all that was told stands there once, in order, and who follows gets it."""

from collections import Counter
from collections.abc import Iterator

from proof.rules.due import AGAIN, Aggregate, Told, due_events, says, told_by
from proof.run_record import RunRecord, Violation
from proof.snapshot import Feed


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
