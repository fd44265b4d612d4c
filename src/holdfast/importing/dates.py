"""Dates as files have them: ISO 8601, or a form of which a person said what comes first."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from holdfast.chassis import times
from holdfast.importing.flaws import Unintelligible, quoted


class DateOrder(StrEnum):
    """Which of day, month and year stands first, second and third."""

    DMY = "dmy"
    MDY = "mdy"
    YMD = "ymd"


_PARTED = re.compile(
    r"(?P<first>[0-9]{1,4})(?P<mark>[/.-])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{1,4})"
    r"(?:,?[T ] ?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second_of>[0-9]{2}))?"
    r"(?:[.](?P<fraction>[0-9]{1,6}))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?",
    re.ASCII,
)
_BARE_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?", re.ASCII)
_ISO = "2026-03-31 09:00"


@lru_cache(maxsize=16_384)
def moment(text: str, order: DateOrder | None = None) -> datetime:
    """The time in a cell; without an offset it is UTC, a date alone is its midnight.

    :param order: what a date with "/" or "." means, such as 03/04/2026; None: nobody has said.
    :raises Unintelligible: it is no time, or may be one of two.
    """
    stripped = text.strip(" ")
    try:
        return times.parse(stripped)
    except ValueError:
        pass
    found = _PARTED.fullmatch(stripped)
    if found:
        return _parted(text, found, order)
    if _BARE_NUMBER.fullmatch(stripped):
        raise Unintelligible(
            f"the date {quoted(text)} is a bare number, as a spreadsheet counts days: format the "
            "column as yyyy-mm-dd hh:mm and save the file again"
        )
    raise Unintelligible(f"the date {quoted(text)} cannot be read: write it as {_ISO}")


def _parted(text: str, found: re.Match[str], order: DateOrder | None) -> datetime:
    is_iso = len(found["first"]) == 4 and found["mark"] == "-"
    if is_iso and min(len(found["second"]), len(found["third"])) < 2:
        raise Unintelligible(
            f"the date {quoted(text)} has a month or a day of one digit: write it as {_ISO}"
        )
    if is_iso and not found["half"]:
        raise Unintelligible(
            f"the date {quoted(text)}: there is no such day or time; write it as {_ISO}"
        )
    if max(len(found["first"]), len(found["third"])) < 4:
        raise Unintelligible(
            f"the date {quoted(text)} has no year of four digits: write it as {_ISO}"
        )
    if order is None:
        if len(found["first"]) == 4:
            cure = "give --dates ymd"
        else:
            cure = "give --dates dmy if the day comes first, --dates mdy if the month does"
        raise Unintelligible(
            f"the date {quoted(text)} may be read in more than one way: {cure}, or write it as "
            f"{_ISO}"
        )
    parts = dict(zip(order, (found["first"], found["second"], found["third"]), strict=True))
    if len(parts["y"]) != 4:
        raise Unintelligible(
            f"the date {quoted(text)} has no year of four digits where --dates {order} wants it"
        )
    hour = int(found["hour"] or "0")
    if found["half"]:
        if not 1 <= hour <= 12:
            raise Unintelligible(f"the date {quoted(text)}: there is no such hour")
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    micros = int((found["fraction"] or "").ljust(6, "0"))
    try:
        return datetime(
            int(parts["y"]),
            int(parts["m"]),
            int(parts["d"]),
            hour,
            int(found["minute"] or "0"),
            int(found["second_of"] or "0"),
            micros,
            tzinfo=UTC,
        )
    except ValueError as error:
        raise Unintelligible(
            f"the date {quoted(text)}: there is no such day or time, read as {order}"
        ) from error
