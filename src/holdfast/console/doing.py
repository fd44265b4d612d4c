"""What forms do: once however often they are sent, or shown again with what is wrong in them."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from starlette.responses import Response

from holdfast.client import InvalidRequest, Refused, StaleVersion
from holdfast.console.forms import Form
from holdfast.console.visit import Visit

Act = Callable[[], Coroutine[Any, Any, Response]]
Again = Callable[[int], Awaitable[Response]]


class Flawed(Exception):
    """Something in the form is wrong, and told there."""


async def answered(
    visit: Visit,
    form: Form,
    act: Act,
    again: Again,
    *,
    fields: Mapping[str, str],
    stale: str = "",
) -> Response:
    """Do what a form says, and answer with what `act` does; else with the form.

    :param again: shows the page with the form, given a status: 409 where others were faster, or
        the rules say no.
    :param fields: of the form, by those of the request.
    :param stale: tells that somebody was faster; "": as the service tells it.
    """
    status = 400
    try:
        return await visit.answer_once(form, act)
    except Flawed:
        pass
    except InvalidRequest as error:
        form.refuse(error, fields)
        if not form.errors:
            raise
    except StaleVersion as error:
        form.errors[""], status = stale or error.message, 409
    except Refused as error:
        form.errors[""], status = error.message, 409
    return await again(status)
