"""google.protobuf.Timestamp at the edge, aware datetimes inside; and times as people type them."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from google.protobuf.timestamp_pb2 import Timestamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
_SECONDS_PER_DAY = 86_400
_NANOS_PER_S = 1_000_000_000


def write(stamp: Timestamp, at: datetime) -> None:
    """Set a message's field to a time; a third of what the library's FromDatetime takes."""
    since_epoch = at - EPOCH
    stamp.seconds = since_epoch.days * _SECONDS_PER_DAY + since_epoch.seconds
    stamp.nanos = since_epoch.microseconds * 1_000


def read(stamp: Timestamp) -> datetime:
    """Return the time of a message's field. What is finer than a microsecond is rounded up.

    Stored times are whole microseconds, so this keeps the meaning of "from" (>=) and of "before"
    (<) alike.

    :raises ValueError: it is outside of the years 1 to 9999, or its nanos are none.
    """
    if not 0 <= stamp.nanos < _NANOS_PER_S:
        raise ValueError(f"nanos are {stamp.nanos}, not 0 to 999,999,999")
    try:
        return _rounded_up(EPOCH + timedelta(seconds=stamp.seconds), stamp.nanos)
    except OverflowError as error:
        raise ValueError("outside of the years 1 to 9999") from error


_TYPED = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<clock>\d{1,2}:\d{2}(?::\d{2})?)"
    r"(?:(?<=\d:\d{2}:\d{2})[.,](?P<fraction>\d{1,9}))?)?"
    # After a date alone an offset needs its minutes: 2026-03-02-05 is rather a slip.
    r" ?(?P<zone>[zZ]|UTC|GMT|[+-]\d{2}:\d{2}|(?(clock)[+-]\d{2}(?:\d{2})?|(?!)))?",
    re.ASCII,
)


def parse(text: str) -> datetime:
    """Read an ISO 8601 time such as 2026-03-02T09:00:00.5+02:00; without an offset it is UTC.

    A date alone is its midnight. What is finer than a microsecond is rounded up, as in `read`.

    :raises ValueError: it has another form, or no such day or time exists between 0001 and 9999;
        the message says what to write.
    """
    found = _TYPED.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"{text!r} is no time: write 2026-03-02 or 2026-03-02T09:00:00, in UTC, "
            "or with an offset 2026-03-02T09:00:00+01:00"
        )
    hour, minute, second = ((found["clock"] or "0:00") + ":00").split(":")[:3]
    try:
        day = date.fromisoformat(found["date"])
        clock = time(int(hour), int(minute), int(second), tzinfo=_zone(found["zone"]))
        moment = datetime.combine(day, clock).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time: there is no such day, hour or offset") from error
    return _rounded_up(moment, int((found["fraction"] or "").ljust(9, "0")))


def _rounded_up(moment: datetime, nanos: int) -> datetime:
    micros = timedelta(microseconds=-(-nanos // 1_000))
    # The last moment that there is stays what it is: nothing is stored behind it.
    return moment + micros if micros <= LATEST - moment else LATEST


def _zone(text: str | None) -> timezone:
    if text is None or text in ("z", "Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError(text)
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
