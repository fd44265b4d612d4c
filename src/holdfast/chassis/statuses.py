"""Builders of google.rpc.Status, the form in which every error leaves a service (AIP-193)."""

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "holdfast"


def status(code: grpc.StatusCode, message: str, details: Iterable[Message] = ()) -> Status:
    """Build a status from its parts."""
    built = Status(code=code.value[0], message=message)
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
    """Build a status with an ErrorInfo; `reason` is UPPER_SNAKE and part of the contract."""
    info = ErrorInfo(domain=DOMAIN, reason=reason, metadata=metadata)
    return status(code, message, [info, *details])


def retry_later(
    code: grpc.StatusCode, reason: str, message: str, retry_after_s: float = 1.0
) -> Status:
    """Build a refusal that passes by itself, with a RetryInfo."""
    delay = Duration()
    delay.FromMilliseconds(round(retry_after_s * 1000))
    return refusal(code, reason, message, details=[RetryInfo(retry_delay=delay)])


def bad_request(violations: Iterable[tuple[str, str]]) -> Status:
    """Build INVALID_ARGUMENT from (field, description) pairs."""
    fields = [
        BadRequest.FieldViolation(field=field, description=text) for field, text in violations
    ]
    message = "; ".join(f"{field.field}: {field.description}" for field in fields[:5])
    if len(fields) > 5:
        message += f"; and {len(fields) - 5} more"
    return status(grpc.StatusCode.INVALID_ARGUMENT, message, [BadRequest(field_violations=fields)])


def not_found(kind: str, names: Iterable[str]) -> Status:
    """Build NOT_FOUND with a ResourceInfo for each missing thing."""
    missing = [ResourceInfo(resource_type=kind, resource_name=name) for name in names]
    listed = ", ".join(resource.resource_name for resource in missing[:5])
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return status(grpc.StatusCode.NOT_FOUND, f"{kind} not found: {listed}{more}", missing)


def stale(kind: str, name: str, current_version: int) -> Status:
    """Build ABORTED for a version that is no longer the current one."""
    return refusal(
        grpc.StatusCode.ABORTED,
        "STALE_VERSION",
        f"{kind} {name} is at version {current_version} now; read it again",
        metadata={"current_version": str(current_version)},
    )
