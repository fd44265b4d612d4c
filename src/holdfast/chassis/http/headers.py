"""What headers of a request ask for: a key for repeats, a version, a wait."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from holdfast.chassis.http.flaws import Flaws

Headers = Mapping[str, str]

JSON, EVENTS = "application/json", "text/event-stream"
WAIT_S_MAX = 60  # nobody waits longer for an outcome, whatever they prefer

_WAIT = re.compile(
    r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.ASCII | re.IGNORECASE
)
# Weak where a proxy has compressed the answer that told it: the version is the same.
_TAG = re.compile(r'(?:W/)?"(\d{1,18})(?:-[0-9a-f]+)?"', re.ASCII)
_JSON = re.compile(r"application/(?P<patch>merge-patch\+)?json", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(
    r"\s*(?P<kind>\*/\*|[^\s/;,*]+/(?:\*|[^\s/;,*]+))\s*"
    r"(?:;(?!\s*q\s*=)[^;]*)*(?:;\s*q\s*=\s*(?P<q>0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*(?:;.*)?)?",
    re.ASCII,
)
_UTF_8 = re.compile(r'\s*charset\s*=\s*"?utf-?8"?\s*', re.ASCII | re.IGNORECASE)


class Precondition(NamedTuple):
    """The version that a change is for. None: none is named; 0: there must be nothing yet."""

    version: int | None
    header: str = ""


def gathered(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case; of repeated ones all values, as one list. Keys
    for repeats, which may have commas, are no list: a line each.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        joint = "\n" if name == "idempotency-key" else ", "
        headers[name] = f"{headers[name]}{joint}{value}" if name in headers else value
    return headers


def is_json(content_type: str, *, patch: bool) -> bool:
    """Whether a body of this type is read: JSON in UTF-8, and of a PATCH a merge patch as well."""
    kind, _, parameters = content_type.partition(";")
    found = _JSON.fullmatch(kind.strip())
    if found is None or (found["patch"] and not patch):
        return False
    return not parameters.strip() or _UTF_8.fullmatch(parameters) is not None


def idempotency_key(headers: Headers, flaws: Flaws) -> str:
    """Return the key, which stands bare or, as the draft has it, as a quoted string; "": none."""
    text = headers.get("idempotency-key")
    if text is None:
        return ""
    if "\n" in text:
        flaws.add("Idempotency-Key", "is there twice", place="header")
        return ""
    is_quoted = text.startswith('"')
    key = text[1:-1] if is_quoted else text
    if is_quoted and (len(text) < 2 or text[-1] != '"' or '"' in key or "\\" in key):
        flaws.add("Idempotency-Key", "has a quote too few or too many", place="header")
    elif not key or not key.isascii():
        flaws.add("Idempotency-Key", "must be ASCII, and not empty", place="header")
    return key


def preconditions_in(headers: Headers) -> list[str]:
    """The names of those that are there and name a version."""
    return [name for name in ("If-Match", "If-None-Match") if name.lower() in headers]


def precondition(headers: Headers, flaws: Flaws) -> Precondition:
    """Return what If-Match, or If-None-Match: *, asks for."""
    there = preconditions_in(headers)
    if not there:
        return Precondition(None)
    name = there[-1]
    text = headers[name.lower()]
    found = _TAG.fullmatch(text)
    if len(there) > 1:
        flaws.add(name, "can't be there beside If-Match: one of them is enough", place="header")
    elif name == "If-None-Match":
        if text == "*":
            return Precondition(0, name)
        flaws.add(name, "must be *, for what is not there yet", place="header")
    elif found is None:
        flaws.add(name, 'must be one ETag as it was told, such as "7"', place="header")
    else:
        return Precondition(int(found[1]), name)
    return Precondition(None, name)


def names_tag(if_none_match: str, tag: str) -> bool:
    """Whether a list of ETags has this one; weak ones count, as reads compare."""
    if if_none_match.strip() == "*":
        return True
    return tag in [one.strip().removeprefix("W/") for one in if_none_match.split(",")]


def preferred_wait_s(headers: Headers) -> int | None:
    """Return how long the caller would wait for an outcome (RFC 7240), as far as anybody waits;
    None: it does not say.
    """
    found = _WAIT.search(headers.get("prefer", ""))
    return min(int(found[1]), WAIT_S_MAX) if found else None


class Wish(NamedTuple):
    """How much an answer's type is wanted: 0 not at all; and whether by its own name (2), by the
    first part of it (1), or as any is (0).
    """

    quality: float
    closeness: int


def wish_for(kind: str, headers: Headers) -> Wish:
    """Return how much a type is wanted (RFC 9110, 12.5.1): what names it most closely counts. What
    is no range of types counts for nothing; without any, all types are welcome.
    """
    found = [_RANGE.fullmatch(one) for one in headers.get("accept", "").lower().split(",")]
    wanted = {one["kind"]: float(one["q"] or 1) for one in found if one}
    if not wanted:
        return Wish(1.0, 0)
    names = ("*/*", f"{kind.partition('/')[0]}/*", kind)
    named = [Wish(wanted[name], place) for place, name in enumerate(names) if name in wanted]
    return named[-1] if named else Wish(0.0, 0)


def prefers_events(headers: Headers) -> bool:
    """Whether the caller would rather have Server-Sent Events, as browsers' EventSource says."""
    events, json = wish_for(EVENTS, headers), wish_for(JSON, headers)
    return events > json or (events == json and events.quality > 0 and events.closeness == 2)
