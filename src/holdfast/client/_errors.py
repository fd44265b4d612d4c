"""What can go wrong, as classes that carry facts.

HoldfastError
├── InvalidRequest            fields are malformed or out of range: `violations`, all of them
│   └── RequestTooLarge       more bytes than one call may have: `bytes` and `bytes_max`
├── NotFound                  `resources` do not exist, or are somebody else's
├── Refused                   well formed, but the rules say no; a repeat gets the same answer
│   ├── ShortOfStock          `shortages`, one per product
│   ├── IllegalTransition     the order's status does not allow it
│   ├── HoldExpired           the hold has ended: place a new order, or give the payment back
│   ├── EditUnderWay          the order's last edit has no answer yet: read the order again
│   ├── NothingLeft           no unit would be left: cancel the order as a whole
│   ├── CursorExpired         events after this cursor are not kept any more
│   ├── CursorUnknown         a cursor of another feed, or of what a restored database has lost
│   ├── OpenOrders            orders to erase are not final: `order_ids`, up to ten
│   ├── AlreadyExists         the id is taken by other contents
│   │   └── RequestIdReused   the request id was used for something else: see `order_id`
│   └── StaleVersion          somebody was faster: read again, `current_version`
├── Overloaded                not done, come back in `retry_after_s`
├── Unavailable               no usable answer: whether it was done is unknown
├── DeadlineExceeded          no answer in time: whether it was done is unknown
├── Unauthenticated           no credentials, or bad ones
├── PermissionDenied          good credentials that do not reach this far
└── InternalError             a bug of ours; `correlation_id` finds it in the service's log

After an unknown outcome repeat the call with the same request id, or read what is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.client._types import Shortage

CLIENT_CLOSED = "CLIENT_CLOSED"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that breaks a rule."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that was asked for and does not exist."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Unmet:
    """One thing of several, such as a product, for which the rules say no."""

    subject: str
    description: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What a service, or the way to it, told about a call that failed."""

    code: str
    message: str
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    resources: tuple[Resource, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    retry_after_s: float | None = None


class HoldfastError(Exception):
    """The root: `code` names the gRPC status, `reason` the situation, `details` hold its facts.

    Codes and reasons are part of the contract and stay; messages are for people and may change.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self._failure = failure
        self.code = failure.code
        self.reason = failure.reason
        self.message = failure.message
        self.details = failure.details

    def __reduce__(self) -> tuple[object, ...]:
        # By what it was made of: Python's own way gives a class its message alone.
        return type(self), (self._failure,), self.__dict__


class InvalidRequest(HoldfastError):
    """One or more fields are malformed or out of range; nothing was done."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.violations = failure.violations


class RequestTooLarge(InvalidRequest):
    """The request has more bytes than a call may have; nothing was done, no repeat is any use.

    `bytes_max` is 0 where only gRPC's own limit was met, which is higher.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.bytes = int(failure.details.get("bytes", "0"))
        self.bytes_max = int(failure.details.get("bytes_max", "0"))


class NotFound(HoldfastError):
    """A thing that was named does not exist, or is somebody else's; nothing was done."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.resources = failure.resources


class Refused(HoldfastError):
    """The request is well formed and the rules say no; nothing was done.

    `unmet` tells of each product by its id, where the service told of them one by one.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.unmet = failure.unmet


class ShortOfStock(Refused):
    """The order, or an edit of it, plainly cannot be filled; it was not recorded."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.shortages = tuple(
            Shortage(
                product_id=product_id,
                wanted=int(wanted),
                available=int(failure.details.get(f"available:{product_id}", "0")),
            )
            for product_id, wanted in _by_product(failure.details, "wanted:")
        )


class IllegalTransition(Refused):
    """The order's status does not allow what was asked."""


class HoldExpired(Refused):
    """The hold has ended, and the units may be somebody else's: place a new order."""


class EditUnderWay(Refused):
    """Inventory has not answered the order's last edit yet: read the order again, then edit it."""


class CursorExpired(Refused):
    """Events after this cursor are not kept any more: take the newest cursor, read anew what you
    follow, then go on from that cursor.
    """


class CursorUnknown(Refused):
    """The cursor is of another feed, of events that a restored database has lost, or made up: take
    the newest cursor, read anew what you follow, then go on from that cursor.
    """


class NothingLeft(Refused):
    """These are all units that the order has: cancel it as a whole."""


class OpenOrders(Refused):
    """The customer has orders that are not final; `order_ids` names some of them."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        named = failure.details.get("order_ids", "")
        self.order_ids = tuple(named.split(",")) if named else ()


class AlreadyExists(Refused):
    """The id belongs to something with other contents."""


class RequestIdReused(AlreadyExists):
    """The request id was used before, for other contents: look at what was recorded under it.

    For an order `order_id` names it; for a change of stock `product_id` and `location_id` name the
    level. What does not apply is empty.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.order_id = failure.details.get("order_id", "")
        self.product_id = failure.details.get("product_id", "")
        self.location_id = failure.details.get("location_id", "")


class StaleVersion(Refused):
    """Somebody changed it since it was read; `current_version` is the one to read again."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.current_version = int(failure.details.get("current_version", "0"))


class Overloaded(HoldfastError):
    """The service is full and did nothing; it asks to wait `retry_after_s` seconds."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.retry_after_s = failure.retry_after_s


class Unavailable(HoldfastError):
    """No usable answer came; the outcome is unknown. `reason` is empty if nothing answered, and
    CLIENT_CLOSED where the client itself is closed, or was while it waited.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.retry_after_s = failure.retry_after_s


class DeadlineExceeded(HoldfastError):
    """No answer came before the deadline; the outcome is unknown."""


class Unauthenticated(HoldfastError):
    """There were no credentials, or bad ones."""


class PermissionDenied(HoldfastError):
    """The credentials are good, but not for this."""


class InternalError(HoldfastError):
    """A bug of ours. `correlation_id` finds it in the service's log; empty if none was given."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.correlation_id = failure.details.get("correlation_id", "")


_BY_REASON: Mapping[str, type[HoldfastError]] = {
    "SHORT_OF_STOCK": ShortOfStock,
    "HOLD_EXPIRED": HoldExpired,
    "EDIT_UNDER_WAY": EditUnderWay,
    "NOTHING_LEFT": NothingLeft,
    "OPEN_ORDERS": OpenOrders,
    "ILLEGAL_TRANSITION": IllegalTransition,
    "REQUEST_ID_REUSED": RequestIdReused,
    "STALE_VERSION": StaleVersion,
    "REQUEST_TOO_LARGE": RequestTooLarge,
    "ANSWER_TOO_LARGE": Unavailable,
    "CURSOR_EXPIRED": CursorExpired,
    "CURSOR_UNKNOWN": CursorUnknown,
}
_BY_CODE: Mapping[str, type[HoldfastError]] = {
    "INVALID_ARGUMENT": InvalidRequest,
    "OUT_OF_RANGE": InvalidRequest,
    "NOT_FOUND": NotFound,
    "FAILED_PRECONDITION": Refused,
    "ALREADY_EXISTS": AlreadyExists,
    "ABORTED": Refused,
    "RESOURCE_EXHAUSTED": Overloaded,
    "UNAVAILABLE": Unavailable,
    "CANCELLED": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "INTERNAL": InternalError,
    "UNKNOWN": InternalError,
    "DATA_LOSS": InternalError,
}


def error_of(failure: Failure) -> HoldfastError:
    """The class that says most about it: by reason, else by code, else the root."""
    fitting = _BY_REASON.get(failure.reason) or _BY_CODE.get(failure.code, HoldfastError)
    return fitting(failure)


def client_closed() -> HoldfastError:
    """What a closed client says, and one that is closed under a call."""
    return Unavailable(Failure("CANCELLED", "the client is closed", reason=CLIENT_CLOSED))


def client_forked() -> HoldfastError:
    """The refusal of a client where gRPC, and perhaps its thread, are another process's."""
    message = (
        "a client was made before this process forked off, and gRPC does not go on after that: "
        "start processes by spawn, or make no client before they fork"
    )
    return Refused(Failure("FAILED_PRECONDITION", message, reason="FORKED"))


def other_loop() -> HoldfastError:
    """The refusal of a client outside the event loop that its connections belong to."""
    message = (
        "a client belongs to the event loop that it is made in: make it inside the coroutine that "
        "uses it, with `async with`; without an event loop use HoldfastSync"
    )
    return Refused(Failure("FAILED_PRECONDITION", message, reason="OTHER_EVENT_LOOP"))


def request_too_large(field: str, size: int, size_max: int) -> HoldfastError:
    """The refusal of a message that would be too large to send."""
    description = f"has {size:,} bytes and may have {size_max:,}: send less in one call"
    return RequestTooLarge(
        Failure(
            "INVALID_ARGUMENT",
            f"{field} {description}",
            reason="REQUEST_TOO_LARGE",
            details={"bytes": str(size), "bytes_max": str(size_max)},
            violations=(Violation(field, description),),
        )
    )


def _by_product(details: Mapping[str, str], prefix: str) -> list[tuple[str, str]]:
    return sorted(
        (name.removeprefix(prefix), value)
        for name, value in details.items()
        if name.startswith(prefix)
    )
