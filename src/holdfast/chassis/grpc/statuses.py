"""Builders of google.rpc.Status, the form in which every error leaves a service (AIP-193)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "holdfast"

# A status leaves in HTTP/2 trailers, and gRPC's own limit for all of them is 8 KiB: beyond it the
# caller learns nothing at all. Base64 adds a third; percent-encoding makes three of one.
DETAILS_BYTES_MAX = 3_500
ENVELOPE_BYTES = 60  # of one detail: the name of its type, about
FACT_BYTES = 8  # of one fact beside its name and value
TEXT_BYTES_MAX = 400
SMALL_DETAIL_BYTES = 250
SMALL_DETAILS_MAX = 2
SHORT_BYTES = 1_000  # of a status in short: its message and two small details

Told = TypeVar("Told", bound=Message)


def status(code: grpc.StatusCode, message: str, details: Iterable[Message] = ()) -> Status:
    """Build a status from its parts."""
    built = Status(code=code.value[0], message=shortened(message))
    for detail in details:
        built.details.add().Pack(detail)
    return built


def refusal(
    code: grpc.StatusCode,
    reason: str,
    message: str,
    *,
    metadata: Mapping[str, str] | None = None,
    details: Iterable[Message] = (),
) -> Status:
    """Build a status with an ErrorInfo; `reason` is UPPER_SNAKE and part of the contract.

    :param metadata: facts, the first of them that fit.
    """
    info = ErrorInfo(domain=DOMAIN, reason=reason, metadata=_facts_that_fit(metadata or {}))
    return status(code, message, [info, *details])


def _facts_that_fit(facts: Mapping[str, str]) -> Mapping[str, str]:
    told, room = dict[str, str](), DETAILS_BYTES_MAX
    for name, value in facts.items():
        room -= len(name.encode()) + len(value.encode()) + FACT_BYTES
        if room < 0:
            break
        told[name] = value
    return told


def reason_of(told: Status) -> str:
    """Return the reason of a refusal; "" of what has none."""
    info = ErrorInfo()
    is_told = bool(told.details) and told.details[0].Unpack(info)
    return info.reason if is_told else ""


def retry_later(
    code: grpc.StatusCode, reason: str, message: str, retry_after_s: float = 1.0
) -> Status:
    """Build a refusal that passes by itself, with a RetryInfo."""
    delay = Duration()
    delay.FromMilliseconds(round(retry_after_s * 1000))
    return refusal(code, reason, message, details=[RetryInfo(retry_delay=delay)])


def bad_request(violations: Iterable[tuple[str, str]]) -> Status:
    """Build INVALID_ARGUMENT from (field, description) pairs, as many as fit."""
    fields = [
        BadRequest.FieldViolation(field=shortened(field), description=shortened(text))
        for field, text in violations
    ]
    message = "; ".join(f"{field.field}: {field.description}" for field in fields[:5])
    if len(fields) > 5:
        message = f"{len(fields)} violations: {message}; and more"
    told = BadRequest(field_violations=as_many_as_fit(fields))
    return status(grpc.StatusCode.INVALID_ARGUMENT, message, [told])


def request_too_large(size: int, size_max: int, message: str) -> Status:
    """Build INVALID_ARGUMENT for a request message with too many bytes: no repeat is any use."""
    field = BadRequest.FieldViolation(field="request", description=message)
    return refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_TOO_LARGE",
        message,
        metadata={"bytes": str(size), "bytes_max": str(size_max)},
        details=[BadRequest(field_violations=[field])],
    )


def not_found(kind: str, names: Iterable[str]) -> Status:
    """Build NOT_FOUND with a ResourceInfo for each missing thing, as many as fit."""
    missing = [ResourceInfo(resource_type=kind, resource_name=name) for name in names]
    listed = ", ".join(resource.resource_name for resource in missing[:5])
    more = f" ({len(missing)} of them)" if len(missing) > 5 else ""
    told = as_many_as_fit(missing)
    return status(grpc.StatusCode.NOT_FOUND, f"{kind} not found{more}: {listed}", told)


def as_many_as_fit(items: Sequence[Told], bytes_max: int = DETAILS_BYTES_MAX) -> list[Told]:
    """Return the first of these details, as many as a trailer has room for; at least one."""
    room = bytes_max
    for index, item in enumerate(items):
        room -= item.ByteSize() + ENVELOPE_BYTES
        if room < 0:
            return list(items[: max(index, 1)])
    return list(items)


def in_short(full: Status) -> Status:
    """Return the status with its code, message and reason, and of its details the small ones.

    At most SHORT_BYTES long, for an answer that has no room for more.
    """
    short = Status(code=full.code, message=full.message)
    for detail in full.details:
        info = ErrorInfo()
        if detail.ByteSize() <= SMALL_DETAIL_BYTES:
            short.details.append(detail)
        elif detail.Unpack(info):
            short.details.add().Pack(ErrorInfo(domain=info.domain, reason=info.reason))
        if len(short.details) == SMALL_DETAILS_MAX:
            break
    return short


def shortened(text: str) -> str:
    """Return a text, which may echo what a caller sent, cut where it gets long."""
    raw = text.encode()
    if len(raw) <= TEXT_BYTES_MAX:
        return text
    return raw[:TEXT_BYTES_MAX].decode(errors="ignore") + "..."


def stale(kind: str, name: str, current_version: int) -> Status:
    """Build ABORTED for a version that is no longer the current one."""
    return refusal(
        grpc.StatusCode.ABORTED,
        "STALE_VERSION",
        f"{kind} {name} has changed meanwhile and is at version {current_version} now: look at it "
        "again, then repeat the change",
        metadata={"current_version": str(current_version)},
    )
