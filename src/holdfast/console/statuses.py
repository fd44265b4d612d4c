"""The HTTP status of what a service refused."""

from holdfast.client import (
    DeadlineExceeded,
    HoldfastError,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    Refused,
    Unauthenticated,
    Unavailable,
)

_STATUSES: tuple[tuple[type[HoldfastError], int], ...] = (
    (Unauthenticated, 401),
    (NotFound, 404),
    (PermissionDenied, 403),
    (InvalidRequest, 400),
    (Refused, 409),
    (Overloaded, 503),
    (Unavailable, 503),
    (DeadlineExceeded, 504),
)


def status_of(error: HoldfastError) -> int:
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
