"""What forms do: once however often they are sent, or shown again with what is wrong in them."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from starlette.responses import Response

from holdfast.client import (
    AlreadyExists,
    InvalidRequest,
    NotFound,
    Refused,
    RequestIdReused,
    StaleVersion,
)
from holdfast.console.forms import Form
from holdfast.console.visit import Visit

Act = Callable[[], Coroutine[Any, Any, Response]]
Again = Callable[[int], Awaitable[Response]]
Done = Callable[[], Awaitable[Response | None]]


class Flawed(Exception):
    """Something in the form is wrong, and told there.

    :param status: 409 where the rules say no.
    """

    def __init__(self, status: int = 400) -> None:
        super().__init__(status)
        self.status, self.errors = status, dict[str, str]()


class Stale(Exception):
    """Somebody was faster than whoever saw what the form is about."""


async def nothing_found() -> None:
    """What a form says is never found to be done already."""


async def answered(
    visit: Visit,
    form: Form,
    act: Act,
    again: Again,
    *,
    fields: Mapping[str, str],
    prefix: str = "",
    stale: str = "",
    refused_at: str = "",
    done: Done = nothing_found,
    remembers: bool = True,
) -> Response:
    """Do what a form says, and answer with what `act` does; else with the form.

    :param again: shows the page with the form, given a status: 409 where others were faster, or
        the rules say no.
    :param fields: of the form, by those of the request; those that are named alike but for `prefix`
        need not be told.
    :param stale: tells that somebody was faster; "": as the service tells it.
    :param refused_at: the field that is told what the rules say; "": it is told on top.
    :param done: where somebody was faster, answers whom it is done for all the same, as it is what
        they want: their own form, sent before another session knew of it.
    :param remembers: a form that is sent again is told what came of it. False: it is done again, as
        it sets what others may have set otherwise meanwhile, and changes nothing if nobody has.
    """

    async def acted() -> Response:
        try:
            return await act()
        except Flawed as flawed:
            flawed.errors = form.errors  # for all who sent this form
            raise

    status = 400
    try:
        return await (visit.answer_once(form, acted) if remembers else acted())
    except Flawed as flawed:
        form.errors, status = flawed.errors, flawed.status
    except InvalidRequest as error:
        form.refuse(error, fields, prefix)
        if not form.errors:
            raise
    except (Stale, StaleVersion) as error:
        if (found := await done()) is not None:
            return found
        form.errors[""], status = stale or str(error), 409
    except AlreadyExists as error:
        at = "" if isinstance(error, RequestIdReused) else refused_at
        form.errors[at], status = error.message, 409
        form.values = {**form.values, "request_id": ""}  # what is sent next has another one
    except (Refused, NotFound) as error:
        form.errors[refused_at], status = error.message, 409
    return await again(status)
