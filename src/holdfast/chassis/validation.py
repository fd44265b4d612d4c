"""Checks of request fields: all violations of a request are gathered before it is refused."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from holdfast.chassis import times
from holdfast.chassis.identifiers import flaw_in

ID_CHARACTERS_MAX = 128
NANOS_PER_S = 1_000_000_000

# Free text is what people write, and identifies nothing: joiners, variation selectors and marks of
# direction belong into it. C0, DEL and C1 do not: they act on terminals and logs.
_FORBIDDEN_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
UUID_FORM = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID = re.compile(UUID_FORM)


class Period(Protocol):
    """A request for what was made in a period of time."""

    @property
    def created_from(self) -> Timestamp:
        """The first moment of it."""

    @property
    def created_before(self) -> Timestamp:
        """The first moment after it."""

    def HasField(self, field_name: Literal["created_from", "created_before"], /) -> bool:  # noqa: N802 - protobuf's name
        """Whether the field is set."""


class InvalidRequest(Exception):
    """A request whose fields are malformed or out of range.

    :param violations: (field path, what is wrong and what would be right), all of them.
    """

    def __init__(self, violations: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {text}" for field, text in violations[:5]))
        self.violations = violations


class Violations:
    """Gathers what is wrong with a request; the checks return the value as given."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, field: str, text: str) -> None:
        self._found.append((field, text))

    def __bool__(self) -> bool:
        return bool(self._found)

    def refusal(self) -> InvalidRequest:
        """Return what was found as an error."""
        return InvalidRequest(self._found)

    def raise_any(self) -> None:
        """Raise InvalidRequest if anything was found."""
        if self._found:
            raise self.refusal()

    def id(self, field: str, value: str, *, characters_max: int = ID_CHARACTERS_MAX) -> str:
        """Check an id that must be there."""
        if not value:
            self.add(field, "is missing")
        return self.optional_id(field, value, characters_max=characters_max)

    def optional_id(
        self, field: str, value: str, *, characters_max: int = ID_CHARACTERS_MAX
    ) -> str:
        """Check an id that may be empty; `identifiers.flaw_in` says what it may be made of."""
        if len(value) > characters_max:
            self.add(field, f"has {len(value)} characters; at most {characters_max} are allowed")
        elif flaw := flaw_in(value):
            self.add(field, flaw)
        return value

    def text(self, field: str, value: str, *, characters_max: int) -> str:
        """Check free text; line breaks and tabs are allowed, other control characters are not."""
        if len(value) > characters_max:
            self.add(field, f"has {len(value)} characters; at most {characters_max} are allowed")
        elif found := _FORBIDDEN_IN_TEXT.search(value):
            told = "must not contain control characters"
            if unicodedata.category(found[0]) == "Cs":  # no message has one, but a file can
                told = f"has half a character, U+{ord(found[0]):04X}, in place {found.start() + 1}"
            self.add(field, told)
        return value

    def email(self, field: str, value: str, *, characters_max: int) -> str:
        """Check an e-mail address, which may be empty.

        It identifies: what can't be seen in it makes it another one, and loses the mail.
        """
        self.text(field, value, characters_max=characters_max)
        if len(value) > characters_max:
            return value  # that is said already
        if value and not _EMAIL.fullmatch(value):
            self.add(field, "must be an e-mail address, such as ada@example.org")
        elif flaw := flaw_in(value):
            self.add(field, flaw)
        return value

    def uuid(self, field: str, value: str) -> str:
        """Check a UUID in its usual form and return it in lower case."""
        lower = value.lower()
        if not _UUID.fullmatch(lower):
            self.add(field, "must be a UUID such as 0198c5f0-7a3b-7c1e-9d43-5a8f0b2c6d1e")
            return str(UUID(int=0))
        return lower

    def within(self, field: str, value: int, *, lowest: int, highest: int) -> int:
        if not lowest <= value <= highest:
            self.add(field, f"is {value}; it must be between {lowest:,} and {highest:,}")
        return value

    def size(self, field: str, size: int, *, highest: int) -> None:
        """Check how many items a repeated field has; at least one is due."""
        if not 1 <= size <= highest:
            self.add(field, f"has {size} items; it must have between 1 and {highest:,}")

    def update_mask(self, paths: Sequence[str], known: Collection[str]) -> None:
        """Check the paths of a request's update mask; it names at least one."""
        if not paths:
            self.add("update_mask", f"is missing; it names any of {', '.join(known)}")
        for path in paths:
            if path not in known:
                self.add("update_mask", f"{path!r} is none of {', '.join(known)}")

    def period(self, request: Period) -> tuple[datetime | None, datetime | None]:
        """Check `created_from` (included) and `created_before` (not), each of which may be unset.

        What is finer than the stored microseconds is rounded up. An empty period is asked for by
        programs that go on from where they were; one that ends before it starts is a mistake.
        """
        start, end = (
            self.instant(field, getattr(request, field)) if request.HasField(field) else None
            for field in ("created_from", "created_before")
        )
        if start and end and end < start:
            self.add("created_before", "is before created_from; nothing can be between them")
        return start, end

    def span_ns(self, field: str, value: Duration) -> int:
        """Check a length of time and return its nanoseconds, below 0 where it goes backwards."""
        if abs(value.nanos) >= NANOS_PER_S or value.seconds * value.nanos < 0:
            self.add(field, "must have nanos below 1,000,000,000, of the same sign as its seconds")
        return value.seconds * NANOS_PER_S + value.nanos

    def wait_s(self, wait: Duration, *, longest_s: float) -> float:
        """Check how long to wait; what is longer is cut to the longest."""
        wait_ns = self.span_ns("wait", wait)
        if wait_ns < 0:
            self.add("wait", "must be 0 or more")
        return min(max(wait_ns / NANOS_PER_S, 0.0), longest_s)

    def instant(self, field: str, value: Timestamp) -> datetime | None:
        """Check a time; what is finer than microseconds is rounded up."""
        try:
            return times.read(value)
        except ValueError:
            self.add(
                field, "must be a time between the years 1 and 9999 with nanos 0 to 999,999,999"
            )
            return None
