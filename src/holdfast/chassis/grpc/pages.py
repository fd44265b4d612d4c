"""Pages (AIP-158): as many items as were asked for and fit, and an opaque token for the next.

A token holds a cursor and is bound to the filter that it was made for.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

from holdfast.chassis.grpc.sizes import ANSWER_BYTES_MAX, FRAME_BYTES
from holdfast.chassis.validation import Violations

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1_000
PAGE_BYTES_MAX = ANSWER_BYTES_MAX - 4_096  # the rest is for the token
# Read in steps: a thousand orders of 2,000 lines would fill the memory, and a page takes a few.
READ_ITEMS_MIN = 50
READ_ITEMS_MAX = 250
_DIGEST_BYTES = 12


Item = TypeVar("Item")
Wire = TypeVar("Wire", bound=Message)


@dataclass(frozen=True, slots=True)
class Page(Generic[Wire]):
    """What one answer takes; `cursor` is the last item's, "" when nothing follows."""

    messages: list[Wire]
    cursor: str


async def fill(
    size: int,
    read: Callable[[str, int], Awaitable[Sequence[Item]]],
    to_message: Callable[[Item], Wire],
    cursor_of: Callable[[Item], str],
    *,
    start: str,
) -> Page[Wire]:
    """Read a page of at most `size` items, fewer where an answer has no room: at least one.

    :param read: returns at most so many items that follow a cursor.
    :param start: the cursor that the page follows.
    """
    messages: list[Wire] = []
    cursor, room = start, PAGE_BYTES_MAX
    while True:
        wanted = min(size - len(messages), _step(len(messages), PAGE_BYTES_MAX - room))
        items = await read(cursor, wanted + 1)
        for item in items[:wanted]:
            message = to_message(item)
            room -= message.ByteSize() + FRAME_BYTES
            if room < 0 and messages:
                return Page(messages, cursor)
            messages.append(message)
            cursor = cursor_of(item)
        if len(items) <= wanted:
            return Page(messages, "")
        if len(messages) == size:
            return Page(messages, cursor)


def _step(items: int, used_bytes: int) -> int:
    """How many to read next: about as many as still fit, if they are like those before."""
    if not items:
        return READ_ITEMS_MIN
    room = max(PAGE_BYTES_MAX - used_bytes, 0)
    return min(room * items // max(used_bytes, 1) + 1, READ_ITEMS_MAX)


def page_size(violations: Violations, requested: int) -> int:
    """Return how many items a page has: 0 means the default, more than the limit the limit."""
    if requested < 0:
        violations.add("page_size", f"is {requested}; it must be 0 or more")
    return min(requested, PAGE_SIZE_MAX) or PAGE_SIZE_DEFAULT


def make_token(cursor: str, filter_text: str) -> str:
    """Wrap a cursor; "" (no further page) stays ""."""
    return (
        cursor and base64.urlsafe_b64encode(_digest(cursor, filter_text) + cursor.encode()).decode()
    )


def read_token(
    violations: Violations, token: str, filter_text: str, *, cursor_form: str = r"[^\0]+"
) -> str:
    """Return a token's cursor; a violation if damaged, forged or made for another filter.

    :param cursor_form: regular expression of a cursor. The digest has no secret: who knows the
        source can put anything into a token.
    """
    if not token:
        return ""
    try:
        raw = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
        cursor = raw[_DIGEST_BYTES:].decode()
    except (binascii.Error, UnicodeError):
        cursor, raw = "", b""
    genuine = raw[:_DIGEST_BYTES] == _digest(cursor, filter_text)
    if not genuine or not re.fullmatch(cursor_form, cursor):
        violations.add(
            "page_token", "was not made by this service for this filter; start without one"
        )
        return ""
    return cursor


def _digest(cursor: str, filter_text: str) -> bytes:
    text = f"{len(cursor)}:{cursor}{filter_text}"
    return hashlib.blake2b(
        text.encode(), digest_size=_DIGEST_BYTES, person=b"holdfast-page"
    ).digest()
