"""Page tokens (AIP-158): an opaque cursor bound to the filter that it was made for."""

import base64
import binascii
import hashlib
import re

from holdfast.chassis.validation import Violations

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1_000
_DIGEST_BYTES = 12


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
