"""Read google.rpc.Status, of a failed call or one item of a batch, into the error that says it."""

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from holdfast.client._errors import (
    Failure,
    HoldfastError,
    Resource,
    Unmet,
    Violation,
    error_of,
)

STATUS_TRAILER = "grpc-status-details-bin"


def error_from_call(error: grpc.aio.AioRpcError, peer: str, deadline_s: float) -> HoldfastError:
    """The error of a call to `peer`, worded for people where only gRPC's own words came."""
    status = _trailing_status(error)
    if status is not None:
        return error_from_status(status)
    code = error.code()
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in (error.details() or ""):
        return _too_large(error, peer)
    message = {
        grpc.StatusCode.UNAVAILABLE: f"{peer} does not answer{_why(error.details() or '')}",
        grpc.StatusCode.DEADLINE_EXCEEDED: f"{peer} gave no answer within {deadline_s:g} s; "
        "the outcome is unknown",
        grpc.StatusCode.UNIMPLEMENTED: f"{peer} does not know this method: is the address right?",
    }.get(code, f"{peer}: {error.details() or code.name}")
    return error_of(Failure(code.name, message))


# gRPC's words for what went wrong before there was a connection, and ours.
_HANDSHAKES = {
    "WRONG_VERSION_NUMBER": "it speaks no TLS there: leave `tls` out, or ask another port",
    "Hostname Verification": "its certificate has another name than this address",
    "certificate has expired": "its certificate has expired",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is of nobody whom we trust: see `tls.ca`",
    "andshake failed": "no TLS came about",
    "Socket closed": "it hung up at once: it may ask for TLS, or for another certificate",
}


def _why(details: str) -> str:
    """Say why nobody could be talked to, if gRPC knows of more than silence."""
    if not details.startswith("failed to connect"):
        return ""
    found = [why for word, why in _HANDSHAKES.items() if word in details]
    return f": {found[0]}" if found else ""


def _too_large(error: grpc.aio.AioRpcError, peer: str) -> HoldfastError:
    """What gRPC refused by itself: the request at the far end, or the answer at this one."""
    if (error.details() or "").startswith("CLIENT"):
        message = f"{peer} answered with more than this client takes; the outcome is unknown"
        return error_of(Failure("RESOURCE_EXHAUSTED", message, reason="ANSWER_TOO_LARGE"))
    message = f"the request is larger than {peer} takes: send less in one call"
    return error_of(Failure("RESOURCE_EXHAUSTED", message, reason="REQUEST_TOO_LARGE"))


def error_from_status(status: status_pb2.Status) -> HoldfastError:
    """The error of one google.rpc.Status with its details."""
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    rules = error_details_pb2.PreconditionFailure()
    resources: list[Resource] = []
    for detail in status.details:
        resource = error_details_pb2.ResourceInfo()
        if detail.Unpack(resource):
            resources.append(Resource(resource.resource_type, resource.resource_name))
        else:
            _ = (
                detail.Unpack(info)
                or detail.Unpack(request)
                or detail.Unpack(retry)
                or detail.Unpack(rules)
            )
    return error_of(
        Failure(
            code=_code_name(status.code),
            message=status.message,
            reason=info.reason,
            details=dict(info.metadata),
            violations=tuple(Violation(v.field, v.description) for v in request.field_violations),
            resources=tuple(resources),
            unmet=tuple(Unmet(v.subject, v.description) for v in rules.violations),
            retry_after_s=retry.retry_delay.ToTimedelta().total_seconds()
            if retry.HasField("retry_delay")
            else None,
        )
    )


def _trailing_status(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == STATUS_TRAILER and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None  # the code still says what happened
    return None


def _code_name(number: int) -> str:
    return next((code.name for code in grpc.StatusCode if code.value[0] == number), "UNKNOWN")
