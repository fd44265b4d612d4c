"""What people type into forms: read with all its flaws, and shown again with them."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from holdfast.client import InvalidRequest, parse_amount
from holdfast.console.words import Words

T = TypeVar("T")

BODY_BYTES_MAX = 1024 * 1024
FORM_S_MAX = 30.0  # for a form to arrive
FIELDS_MAX = 10_000
DIGITS_MAX = 12  # of a number in a form: longer ones are slow to read, or can't be
_PART_OF_AMOUNT = re.compile(r"\.(nanos|units)$")  # people type it as one
UNSEEN = {"request_id", "version"}  # what forms bring along: a flaw of it is told on top


class FormUnreadable(Exception):
    """What was sent is no form, or too large for one."""


@dataclass(slots=True)
class Form:
    """A form as somebody filled it in.

    :param name: which of a page's forms; "": none was sent.
    :param errors: by field, in the reader's language.
    """

    words: Words
    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def needed(self, name: str) -> str:
        found = self.text(name)
        if not found:
            self.errors[name] = self.words.say("form.needed")
        return found

    def typed(self, name: str) -> str:
        """A password, as it was typed, blanks and all; there must be one."""
        found = self.values.get(name, "")
        if not found:
            self.errors[name] = self.words.say("form.needed")
        return found

    def whole(self, name: str, *, lowest: int = 0) -> int:
        """A whole number, 0 where the field is empty."""
        flaw = self.words.say("form.whole")
        return self._read(name, lambda text: _whole(text, lowest), flaw) or 0

    def amount(self, name: str) -> Decimal | None:
        """An amount of money as 12.50, or as 12,50 where that is how numbers are written."""
        point = self.words.say("number.point")
        flaw = self.words.say("form.amount")
        return self._read(name, lambda text: _amount(text, point), flaw)

    def picked(self, prefix: str) -> list[str]:
        """What was ticked of boxes whose names are PREFIX and what each stands for."""
        return [name.removeprefix(prefix) for name in self.values if name.startswith(prefix)]

    def time(self, name: str) -> datetime | None:
        """A day, or a time of one; without a zone it is UTC."""
        return self._read(name, moment, self.words.say("filter.time"))

    def units(self, prefix: str) -> dict[int, int]:
        """Units by line, from fields named PREFIX and the line's number; none where it is 0."""
        found = {}
        for name in self.values:
            number = number_in(name.removeprefix(prefix))
            if name.startswith(prefix) and number is not None and self.text(name):
                quantity = self.whole(name)
                if quantity:
                    found[number] = quantity
        return found

    def day(self, name: str) -> date | None:
        """A day as 2027-01-15, which is what browsers send for the one that was chosen."""
        return self._read(name, date.fromisoformat, self.words.say("form.day"))

    def others(self, there: Mapping[str, str]) -> dict[str, str]:
        """What is there now, where that is not what the form says."""
        return {name: text for name, text in there.items() if self.values.get(name, "") != text}

    def refuse(self, error: InvalidRequest, fields: Mapping[str, str], prefix: str = "") -> None:
        """Put what a service found wrong to the fields that it came from, the rest on top.

        :param fields: the form's names of the service's fields.
        :param prefix: of those that are named alike, the service's begin so.
        """
        for violation in error.violations:
            path = _PART_OF_AMOUNT.sub("", violation.field)
            field_name = path.partition("[")[0].removeprefix(prefix)
            name = fields.get(path, field_name)
            at = name if name in self.values and name not in UNSEEN else ""
            told = violation.description if at else f"{path} {violation.description}"
            self.errors.setdefault(at, told)

    def _read(self, name: str, read: Callable[[str], T], flaw: str) -> T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return read(text)
        except ValueError:
            self.errors["" if name in UNSEEN else name] = flaw
            return None


def number_in(text: str) -> int | None:
    """A number of at most DIGITS_MAX digits; None: it is none."""
    return int(text) if text.isdecimal() and len(text) <= DIGITS_MAX else None


def moment(text: str) -> datetime:
    """Read a day, or a time of one; without a zone it is UTC.

    :raises ValueError: it is neither.
    """
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole(text: str, lowest: int) -> int:
    if len(text) > DIGITS_MAX or not text.lstrip("-").isdecimal() or int(text) < lowest:
        raise ValueError(text)
    return int(text)


def _amount(text: str, point: str) -> Decimal:
    """Where a comma is the point, a dot may have been meant for thousands: that is not guessed."""
    if point != "." and "." in text:
        raise ValueError(text)
    return parse_amount(text.replace(point, "."))


async def read_form(
    request: Request, words: Words, name: str, bytes_max: int = BODY_BYTES_MAX
) -> Form:
    """Read what a form sent.

    :raises FormUnreadable: it is none, too large, or did not come in time.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise FormUnreadable
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_S_MAX):
            async for part in request.stream():
                body += part
                if len(body) > bytes_max:
                    raise FormUnreadable
    except TimeoutError:
        raise FormUnreadable from None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise FormUnreadable from None
    return Form(words, name, {key: value.replace("\r\n", "\n") for key, value in pairs})
