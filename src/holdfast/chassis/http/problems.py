"""Errors as HTTP tells them: problem details (RFC 9457), made of the status that gRPC would give.

One gRPC code is not one HTTP status: which it is follows from code and reason.
"""

import math
import re
from ast import literal_eval
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import grpc
import orjson
from google.rpc.error_details_pb2 import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
    ResourceInfo,
    RetryInfo,
)
from google.rpc.status_pb2 import Status

from holdfast.chassis.http.flaws import BadHttpRequest, pointer_to

CONTENT_TYPE = "application/problem+json"

_BY_CODE = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 409,
    "OUT_OF_RANGE": 400,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 503,
    "UNAVAILABLE": 503,
    "UNIMPLEMENTED": 501,
    "DEADLINE_EXCEEDED": 504,
}
_BY_REASON = {
    ("INVALID_ARGUMENT", "REQUEST_TOO_LARGE"): 413,
    ("ALREADY_EXISTS", "REQUEST_ID_REUSED"): 422,
    ("ALREADY_EXISTS", "SHIPMENT_REUSED"): 422,
    ("OUT_OF_RANGE", "CURSOR_EXPIRED"): 410,
}
STATUSES = sorted({*_BY_CODE.values(), *_BY_REASON.values(), 405, 406, 408, 412, 415, 428, 500})
_PASSING = (429, 503)
RETRY_S = 1

_KEY = re.compile(r"""\[('.*'|".*")\]$""", re.DOTALL)  # of a map, as Python writes it

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it leaves.

    :param content: its JSON; `headers` beside those that every answer has.
    """

    status: int
    content: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        return orjson.dumps(self.content)


def problem(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> Problem:
    """Build a problem of HTTP itself, which no status of gRPC stands behind."""
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return Problem(status, content | {"detail": detail}, headers or {})


def problem_of_flaws(bad: BadHttpRequest) -> Problem:
    """Build the problem of a request that is none, with all that is wrong."""
    errors = [{flaw.place: flaw.name, "detail": flaw.detail} for flaw in bad.flaws.found]
    found = problem(bad.status, str(bad)[:1_000].lstrip(": "))
    return Problem(found.status, found.content | {"errors": errors}, found.headers)


def problem_of(status: Status, places: Mapping[str, dict[str, str]] | None = None) -> Problem:
    """Translate a status with all its details.

    :param places: where the request's fields came from, if not from the body; see `located`.
    """
    code = _CODES.get(status.code, "UNKNOWN")
    content: dict[str, Any] = {"code": code, "detail": status.message}
    retry_s: float | None = None
    for detail in status.details:
        match _unpacked(detail):
            case ErrorInfo() as info:
                content |= {"reason": info.reason} | _facts(info)
            case BadRequest() as bad:
                content["errors"] = [
                    located(one.field, places or {}) | {"detail": one.description}
                    for one in bad.field_violations
                ]
            case PreconditionFailure() as unmet:
                content["violations"] = [
                    {"type": one.type, "subject": one.subject, "detail": one.description}
                    for one in unmet.violations
                ]
            case ResourceInfo() as missing:
                named = {"type": missing.resource_type, "name": missing.resource_name}
                content.setdefault("missing", []).append(named)
            case RetryInfo() as retry:
                retry_s = retry.retry_delay.ToTimedelta().total_seconds()
    reason = content.get("reason", "")
    number = _BY_REASON.get((code, reason), _BY_CODE.get(code, 500))
    title = reason.replace("_", " ").capitalize() or HTTPStatus(number).phrase
    kind = f"urn:holdfast:{reason}" if reason else "about:blank"
    return Problem(
        number,
        {"type": kind, "title": title, "status": number} | content,
        _headers(number, retry_s, content.get("current_version")),
    )


def _facts(info: ErrorInfo) -> dict[str, Any]:
    """What an ErrorInfo tells beside its reason; a version is a number."""
    facts: dict[str, Any] = {}
    told = dict(info.metadata)
    if current := told.pop("current_version", ""):
        facts["current_version"] = int(current)
    if correlation_id := told.pop("correlation_id", ""):
        facts["correlation_id"] = correlation_id
    return facts | ({"facts": told} if told else {})


def _headers(status: int, retry_s: float | None, current_version: int | None) -> dict[str, str]:
    headers = {}
    if status in _PASSING:
        headers["retry-after"] = str(max(math.ceil(retry_s or RETRY_S), 1))
    if current_version is not None:
        headers["etag"] = f'"{current_version}"'
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="holdfast"'
    return headers


def located(field_path: str, places: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """Tell where a field of the request stood: `lines[2].quantity` is at /lines/2/quantity, and
    `attributes['a/b']` at /attributes/a~1b.

    :param places: of fields that did not come from the body's own members: by their paths, where
        they came from; "" as a pointer means that the path's first part is the whole body.
    """
    if key := _KEY.search(field_path):
        within = located(field_path[: key.start()], places)["pointer"]
        return {"pointer": pointer_to(within, literal_eval(key[1]))}
    for known, place in places.items():
        if field_path == known or field_path.startswith(f"{known}["):
            if "pointer" not in place or field_path == known:
                return place
        elif field_path.startswith(f"{known}.") and "pointer" in place:
            field_path = field_path.removeprefix(f"{known}.")
            break
    parts = [part for part in re.split(r"[.\[\]]+", field_path) if part]
    match parts:
        case [*money, "currency_code"]:
            parts = [*money, "currency"]
        case [*money, "units" | "nanos"] if money:
            parts = [*money, "amount"]
    return {"pointer": "".join(f"/{part}" for part in parts if part != "request")}


def _unpacked(detail: Any) -> Any:
    for kind in (ErrorInfo, BadRequest, PreconditionFailure, ResourceInfo, RetryInfo):
        found = kind()
        if detail.Unpack(found):
            return found
    return None
