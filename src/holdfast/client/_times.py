"""Times, days and durations, to the wire and from it."""

from datetime import UTC, date, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date


def time_to_wire(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    assert time.tzinfo is not None, "a time without a zone was refused, not guessed"
    message = Timestamp()
    message.FromDatetime(time)
    return message


def time_from_wire(message: Timestamp) -> datetime:
    return message.ToDatetime(tzinfo=UTC)


def day_to_wire(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)


def day_from_wire(message: Date) -> date:
    return date(message.year, message.month, message.day)


def seconds_to_wire(seconds: float) -> Duration | None:
    """Milliseconds are as fine as it needs to be; nothing to wait is no duration at all."""
    if seconds <= 0:
        return None
    message = Duration()
    message.FromMilliseconds(round(seconds * 1_000))
    return message
