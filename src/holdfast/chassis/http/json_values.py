"""Values that JSON writes as a text of their own: times, durations, dates, money, masks, enums.

Writers take what a service answers, which is well formed. Readers take anything, and raise
ValueError with what is wrong and what would be right.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from holdfast.chassis.money import DIGITS
from holdfast.chassis.times import EPOCH

_NANOS = 1_000_000_000
_DURATION_S_MAX = 315_576_000_000  # 10,000 years, as google.protobuf.Duration has it
_UNITS_MAX = 2**63 - 1

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_AMOUNT = re.compile(r"(-?)(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


def _fraction(nanos: int) -> str:
    return f".{nanos:09}".rstrip("0") if nanos else ""


def _nanos(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def write_time(message: Timestamp) -> str:
    """RFC 3339 in UTC, as fine as it is: 2026-11-28T09:30:00.25Z."""
    moment = EPOCH + timedelta(seconds=message.seconds)
    return f"{moment.isoformat()[:19]}{_fraction(message.nanos)}Z"


def read_time(value: Any) -> Timestamp:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a time with its offset, such as 2026-11-28T09:30:00Z (RFC 3339)")
    day, clock, fraction, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("there is no such day, hour or offset") from error
    since = moment - EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=_nanos(fraction))


def write_duration(message: Duration) -> str:
    """Seconds with an s: 10s, 1.5s."""
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def read_duration(value: Any) -> Duration:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value}s" if abs(value) <= _DURATION_S_MAX else ""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[2]) > _DURATION_S_MAX:
        raise ValueError("must be a duration in seconds, such as 10s or 1.5s")
    sign = -1 if found[1] else 1
    return Duration(seconds=sign * int(found[2]), nanos=sign * _nanos(found[3]))


def write_date(message: Date) -> str:
    return f"{message.year:04}-{message.month:02}-{message.day:02}"


def read_date(value: Any) -> Date:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a date such as 2026-11-28")
    year, month, day = map(int, found.groups())
    return Date(year=year, month=month, day=day)


def write_money(message: Money) -> dict[str, str]:
    """A decimal amount, written as its currency is: {"amount": "2.50", "currency": "GBP"}."""
    sign = "-" if message.units < 0 or message.nanos < 0 else ""
    decimals = DIGITS.get(message.currency_code, 2)
    fraction = _fraction(abs(message.nanos))[1:].ljust(decimals, "0")
    amount = f"{sign}{abs(message.units)}{'.' if fraction else ''}{fraction}"
    return {"amount": amount, "currency": message.currency_code}


def read_money(value: Any) -> Money:
    """Read an amount; without a currency it is in that of what it belongs to."""
    if not isinstance(value, dict) or not {"amount"} <= value.keys() <= {"amount", "currency"}:
        raise ValueError('must be money such as {"amount": "12.50", "currency": "GBP"}')
    amount, currency = value["amount"], value.get("currency", "")
    found = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
    if found is None or int(found[2]) > _UNITS_MAX:
        raise ValueError('its amount must be a decimal number in a string, such as "12.50"')
    if not isinstance(currency, str) or not currency.isascii():
        raise ValueError('its currency must be a string such as "GBP"')
    sign = -1 if found[1] else 1
    return Money(currency_code=currency, units=sign * int(found[2]), nanos=sign * _nanos(found[3]))


def write_mask(message: FieldMask) -> str:
    return ",".join(message.paths)


def read_mask(value: Any) -> FieldMask:
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - as all readers do
            'must be names of fields with commas between, such as "name,price"'
        )
    return FieldMask(paths=value.split(",") if value else ())


WRITERS: dict[str, Any] = {
    Timestamp.DESCRIPTOR.full_name: write_time,
    Duration.DESCRIPTOR.full_name: write_duration,
    Date.DESCRIPTOR.full_name: write_date,
    Money.DESCRIPTOR.full_name: write_money,
    FieldMask.DESCRIPTOR.full_name: write_mask,
}
READERS: dict[str, Any] = {
    Timestamp.DESCRIPTOR.full_name: read_time,
    Duration.DESCRIPTOR.full_name: read_duration,
    Date.DESCRIPTOR.full_name: read_date,
    Money.DESCRIPTOR.full_name: read_money,
    FieldMask.DESCRIPTOR.full_name: read_mask,
}


def short_names(enum: EnumDescriptor) -> dict[int, str]:
    """The names of an enum's values without the prefix that protobuf asks for."""
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.number: value.name.removeprefix(prefix) for value in enum.values}
