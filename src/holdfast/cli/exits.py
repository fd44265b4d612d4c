"""How a command ends: for every error one message on standard error and an exit code."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from typer.core import TyperGroup

from holdfast.client import (
    DeadlineExceeded,
    HoldfastError,
    InternalError,
    InvalidRequest,
    NotFound,
    Overloaded,
    ShortOfStock,
    Unavailable,
)

REFUSED = 1  # the business says no: rejected, short, not allowed; or verify found something
USAGE = 2  # the command or the request is malformed
NOT_FOUND = 3
UNAVAILABLE = 4  # no answer, or not in time, or what is needed is taken by another
BUG = 70

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
            typer.echo(f"holdfast: {_message(error)}", err=True)
            if "HOLDFAST_DEBUG" in os.environ:
                traceback.print_exception(error, file=sys.stderr)
            raise typer.Exit(_exit_code(error)) from error


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what databases, servers and data folders raise into a message for people."""
    from holdfast.chassis.database import DatabaseUnavailable
    from holdfast.chassis.grpc_server import AddressInUse
    from holdfast.chassis.migrations import WrongSchema
    from holdfast.embedded import DataInUse

    try:
        yield
    except BrokenPipeError:
        raise
    except (AddressInUse, DatabaseUnavailable, DataInUse, WrongSchema, OSError) as error:
        raise Failed(str(error), UNAVAILABLE) from error


def _exit_code(error: Exception) -> int:
    match error:
        case Failed():
            return error.exit_code
        case HoldfastError(code="UNIMPLEMENTED") | UnicodeEncodeError():
            return USAGE
        case HoldfastError():
            return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), REFUSED)
        case _:
            return BUG


def _message(error: Exception) -> str:
    match error:
        case InvalidRequest(violations=[_, *_]):
            listed = (f"  {v.field}: {v.description}" for v in error.violations)
            return "\n".join(["the request is not valid:", *listed])
        case ShortOfStock(shortages=[_, *_]):
            listed = (
                f"  {short.product_id}: wanted {short.wanted}, available {short.available}"
                for short in error.shortages
            )
            return "\n".join(["short of stock; nothing was ordered:", *listed])
        case Unavailable(reason=""):
            return f"{error.message}; is `holdfast up` running?"
        case InternalError(correlation_id=str(known)) if known:
            return f"{error.message} (correlation id {known})"
        case Failed() | HoldfastError():
            return str(error)
        case UnicodeEncodeError():
            return "an argument is no valid text in UTF-8"
        case _:
            return (
                f"a bug of ours, sorry: {type(error).__name__}: {error}\n"
                "  With HOLDFAST_DEBUG=1 the same command shows where."
            )
