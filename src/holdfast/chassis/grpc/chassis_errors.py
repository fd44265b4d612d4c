"""The errors that any service can have, as statuses."""

import grpc
import structlog
from google.rpc.status_pb2 import Status

from holdfast.chassis.batcher import Overloaded
from holdfast.chassis.database.seam import Conflict, DatabaseUnavailable, KeyTaken
from holdfast.chassis.grpc import statuses
from holdfast.chassis.grpc.admission import StrangeCertificate, TooMuch
from holdfast.chassis.grpc.receiving import TooSlow
from holdfast.chassis.grpc.sizes import REQUEST_BYTES_MAX, RequestTooLarge
from holdfast.chassis.identity.refusals import (
    Forbidden,
    IdentityUnavailable,
    KeyEnded,
    KeyNotFound,
    KeyOfUser,
    NotAUser,
    SignInOff,
    Unauthenticated,
    UserExists,
    UserNotFound,
)
from holdfast.chassis.messaging.feed import CursorExpired, CursorUnknown
from holdfast.chassis.validation import InvalidRequest

log = structlog.get_logger()


class TooLong(Exception):
    """A call took longer than any may, whatever its caller's deadline says."""

    def __init__(self, longest_s: float) -> None:
        super().__init__(f"no call may take longer than {longest_s:g} s")


def chassis_status(error: Exception) -> Status | None:
    """Translate the errors that any service can have; None for others."""
    match error:
        case InvalidRequest():
            return statuses.bad_request(error.violations)
        case RequestTooLarge():
            return statuses.request_too_large(error.size, REQUEST_BYTES_MAX, str(error))
        case Overloaded():
            return statuses.retry_later(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", str(error), error.retry_after_s
            )
        case TooMuch():
            return statuses.retry_later(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                error.reason,
                f"{error}: try again in {error.retry_after_s:.2g} s",
                error.retry_after_s,
            )
        case CursorExpired():
            return statuses.refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED", str(error))
        case CursorUnknown():
            code = grpc.StatusCode.FAILED_PRECONDITION
            return statuses.refusal(code, "CURSOR_UNKNOWN", str(error))
        case StrangeCertificate():
            return statuses.refusal(
                grpc.StatusCode.PERMISSION_DENIED, "CERTIFICATE_NOT_ALLOWED", str(error)
            )
        case TooSlow():
            return statuses.refusal(
                grpc.StatusCode.DEADLINE_EXCEEDED, "REQUEST_TOO_SLOW", f"{error}: nothing was done"
            )
        case TooLong():
            return statuses.refusal(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                "TOOK_TOO_LONG",
                f"{error}; whether it was done is unknown",
            )
        case DatabaseUnavailable():
            log.warning("database unavailable", error=str(error))
            return statuses.retry_later(
                grpc.StatusCode.UNAVAILABLE,
                "DATABASE_UNAVAILABLE",
                "the database is away: try again in a moment",
            )
        case KeyTaken():
            return statuses.refusal(
                grpc.StatusCode.ALREADY_EXISTS,
                "KEY_TAKEN",
                "something of this id exists already, with other contents; nothing was written",
            )
        case Conflict():
            return statuses.retry_later(
                grpc.StatusCode.UNAVAILABLE,
                "CONFLICT",
                "too many change the same things at once: try again in a moment",
            )
    return _identity_status(error)


def _identity_status(error: Exception) -> Status | None:
    """Translate why somebody was not let in, or a key is not there; None for other errors."""
    match error:
        case KeyNotFound():
            return statuses.not_found("key", [error.key_id])
        case KeyEnded():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, "KEY_ENDED", str(error))
        case KeyOfUser():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, "KEY_OF_USER", str(error))
        case NotAUser():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, "NOT_A_USER", str(error))
        case SignInOff():
            return statuses.refusal(grpc.StatusCode.FAILED_PRECONDITION, "SIGN_IN_OFF", str(error))
        case UserNotFound():
            return statuses.not_found("user", [error.name])
        case UserExists():
            return statuses.refusal(grpc.StatusCode.ALREADY_EXISTS, "USER_EXISTS", str(error))
        case Unauthenticated():
            return statuses.refusal(grpc.StatusCode.UNAUTHENTICATED, error.reason, str(error))
        case Forbidden():
            return statuses.refusal(
                grpc.StatusCode.PERMISSION_DENIED,
                "SCOPE_MISSING",
                str(error),
                metadata={"scope": error.scope},
            )
        case IdentityUnavailable():
            return statuses.retry_later(
                grpc.StatusCode.UNAVAILABLE,
                "IDENTITY_UNAVAILABLE",
                "who you are can't be found out now: try again in a moment",
            )
    return None
