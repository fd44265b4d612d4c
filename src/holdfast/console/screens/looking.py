"""Look through a list for what fits, where the service has no filter for it: so far and no further,
and from there on with the next page.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Place(NamedTuple):
    """Where in a list a page begins.

    :param after: the service's token of a page of its own; "": the first.
    :param past: the last one of that page that was shown already; "": none.
    """

    after: str = ""
    past: str = ""


BEGINNING = Place()


@dataclass(frozen=True, slots=True)
class Found(Generic[R]):
    """What fits.

    :param rest: where the next page begins; None: all were looked at.
    :param looked: how many were looked at, if not all that fit beside them are here because there
        were too many to look at; else 0.
    """

    rows: list[R]
    rest: Place | None
    looked: int = 0


async def look(
    page: Callable[[str], Awaitable[tuple[Sequence[T], str]]],
    keep: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
    *,
    name: Callable[[T | R], str],
    start: Place,
    rows_max: int,
    looked_max: int,
) -> Found[R]:
    """Return the first that fit, from a place on.

    :param page: given a token, returns what there is and the next page's token, "" on the last.
    :param keep: returns what fits of these, in their order.
    :param name: tells one of a page from all others of it.
    :param looked_max: no further page is asked for when so many were looked at.
    """
    rows: list[R] = []
    looked, (after, past) = 0, start
    while True:
        given, following = await page(after)
        items = _behind(given, past, name)
        looked += len(items)
        fitting = await keep(items)
        room = rows_max - len(rows)
        rows += fitting[:room]
        if len(fitting) > room:
            return Found(rows, Place(after, name(rows[-1])))
        if not following:
            return Found(rows, None)
        if len(rows) == rows_max:
            return Found(rows, Place(following))
        if looked >= looked_max:
            return Found(rows, Place(following), looked)
        after, past = following, ""


def _behind(items: Sequence[T], past: str, name: Callable[[T | R], str]) -> Sequence[T]:
    """Those behind one of them; all where it is not there."""
    at = next((at for at, one in enumerate(items, 1) if past and name(one) == past), 0)
    return items[at:]
