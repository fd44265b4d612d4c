"""How a command ends: for every error one message on standard error and an exit code."""

import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote

import typer
from typer.core import TyperGroup

from holdfast.cli.output import nobody_takes_more
from holdfast.cli.sourcing import shortage_line
from holdfast.client import (
    AlreadyExists,
    DeadlineExceeded,
    HoldfastError,
    InternalError,
    InvalidRequest,
    NotFound,
    OpenOrders,
    Overloaded,
    Refused,
    RequestIdReused,
    Resource,
    ShortOfStock,
    Unauthenticated,
    Unavailable,
    new_request_id,
)

REFUSED = 1  # the business says no: rejected, short, not allowed; or verify found something
USAGE = 2  # the command or the request is malformed
NOT_FOUND = 3
UNAVAILABLE = 4  # no answer, or not in time, or what is needed is taken by another
BUG = 70
INTERRUPTED = 130  # by Ctrl-C, as a shell says it

_EXIT_CODES: tuple[tuple[type[HoldfastError], int], ...] = (
    (InvalidRequest, USAGE),
    (NotFound, NOT_FOUND),
    (Overloaded, UNAVAILABLE),
    (Unavailable, UNAVAILABLE),
    (DeadlineExceeded, UNAVAILABLE),
    (InternalError, BUG),
)


class Failed(Exception):
    """A command cannot go on; the message is for the person who typed it."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Commands(TyperGroup):
    """The root of all commands: what any of them raises ends here."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # typer's own context
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:  # whatever it is, people get a message and no traceback
            if isinstance(error, OSError) and nobody_takes_more():
                error = Failed(
                    f"standard output takes no more: {error.strerror}\n"
                    "  What the command was to do may have been done all the same.",
                    UNAVAILABLE,
                )
            typer.echo(f"holdfast: {_message(error)}", err=True)
            if "HOLDFAST_DEBUG" in os.environ:
                traceback.print_exception(error, file=sys.stderr)
            raise typer.Exit(_exit_code(error)) from error


@contextmanager
def repeatable_as(request_id: str | None, option: str = "--request-id") -> Iterator[str]:
    """Give a command its request id, and tell it where nobody knows what became of the command.

    :param option: by which the id is typed.
    """
    own_id = new_request_id() if request_id is None else request_id
    remedy = (
        "  It may have been done all the same. The same command with "
        f"{option} {quote(own_id)} has its effect once only: repeat that."
    )
    try:
        yield own_id
    except (DeadlineExceeded, Unavailable) as error:
        raise Failed(f"{_message(error)}\n{remedy}", UNAVAILABLE) from error
    except KeyboardInterrupt as stopped:
        raise Failed(f"stopped before there was an answer\n{remedy}", INTERRUPTED) from stopped


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what databases, servers and data folders raise into a message for people."""
    from holdfast.chassis.database.migrations import WrongSchema
    from holdfast.chassis.database.seam import DatabaseUnavailable
    from holdfast.chassis.process.addresses import AddressInUse
    from holdfast.chassis.process.telemetry import TracesNotInstalled
    from holdfast.embedded import DataInUse
    from holdfast.home import DataMissing, KeyUnusable
    from holdfast.importing.flaws import why

    try:
        yield
    except BrokenPipeError:
        raise
    except TracesNotInstalled as error:
        raise Failed(str(error), USAGE) from error
    except OSError as error:
        told = f"{error.filename}: {why(error)}" if error.filename else str(error)
        raise Failed(told, UNAVAILABLE) from error
    except (AddressInUse, DatabaseUnavailable, DataInUse, WrongSchema) as error:
        raise Failed(str(error), UNAVAILABLE) from error
    except (DataMissing, KeyUnusable) as error:
        raise Failed(str(error), UNAVAILABLE) from error


def _exit_code(error: Exception) -> int:
    match error:
        case Failed():
            return error.exit_code
        case UnicodeEncodeError(reason="surrogates not allowed"):
            return USAGE
        case HoldfastError(code="UNIMPLEMENTED"):
            return USAGE
        case HoldfastError():
            return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), REFUSED)
        case _:
            return BUG


def _in_words(field: str) -> str:
    """A field of a request as people call it: lines[0].unit_price is line 1, unit price."""
    whole = re.sub(r"\.(nanos|units)$", "", field).replace(".currency_code", ", currency")
    counted = re.sub(
        r"\b(line|location|charge)(?:_id)?s\[([0-9]+)\]\.?",
        lambda at: f"{at[1]} {int(at[2]) + 1}, ",
        whole,
    )
    placed = re.sub(r"\b(ship_to|bill_to|sourcing|backorder|address)\.", r"\1, ", counted)
    bare = re.sub(r"^(product|location|shipment)\.", "", placed)
    return bare.removesuffix(", ").replace("_", " ")


def _message(error: Exception) -> str:
    match error:
        case InvalidRequest(violations=[_, *_]):
            listed = (f"  {_in_words(v.field)}: {v.description}" for v in error.violations)
            return "\n".join(["the request is not valid:", *listed])
        case Unauthenticated(reason="NO_CREDENTIAL"):
            return "who are you? put a key into HOLDFAST_KEY, or run where ./holdfast-data has one"
        case ShortOfStock(shortages=[_, *_]):
            listed = (f"  {shortage_line(short)}" for short in error.shortages)
            return "\n".join(["short of stock; nothing was done:", *listed])
        case OpenOrders(order_ids=[_, *_]):
            return "\n".join([error.message, *(f"  {order_id}" for order_id in error.order_ids)])
        case RequestIdReused(order_id=str(known)) if known:
            return f"{error.message}\n  holdfast order get {known}"
        case RequestIdReused(details={"transfer_id": str(known)}):
            return f"{error.message}\n  holdfast stock transfer get {quote(known)}"
        case RequestIdReused(product_id=str(known)) if known:
            return f"{error.message}\n  holdfast stock movements {quote(known)}"
        case NotFound(resources=[Resource(type="location"), *_]):
            return f"{error.message}\n  holdfast location list"
        case AlreadyExists(reason="LOCATION_EXISTS"):
            return f"{error.message}\n  holdfast location list"
        case Refused(reason="LOCATION_INACTIVE", details={"location_id": str(known)}):
            return f"{error.message}\n  holdfast location update {quote(known)} --active"
        case Refused(reason="STILL_QUEUED", details={"product_id": str(known)}):
            return f"{error.message}\n  holdfast backorder list {quote(known)}"
        case Unavailable(reason="") if error.message.endswith("does not answer"):
            return f"{error.message}; is `holdfast up` running?"
        case InternalError(correlation_id=str(known)) if known:
            return f"{error.message} (correlation id {known})"
        case Failed() | HoldfastError():
            return str(error)
        case UnicodeEncodeError(reason="surrogates not allowed"):
            return "an argument is no valid text in UTF-8"
        case _:
            return (
                f"a bug of ours, sorry: {type(error).__name__}: {error}\n"
                "  With HOLDFAST_DEBUG=1 the same command shows where."
            )
