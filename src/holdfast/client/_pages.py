"""Walk over the pages of a list as if it were one."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1_000

T = TypeVar("T")


async def walk(
    page: Callable[[int, str], Awaitable[tuple[Sequence[T], str]]],
    *,
    page_size: int,
    limit: int | None,
) -> AsyncGenerator[T]:
    """Yield every item, or the first `limit`, asking for a page when the one before is used up.

    :param page_size: as `page_bounds` gave it.
    :param page: given a size and a token, returns the items and the next page's token.
    """
    token = ""
    left = limit
    while left is None or left > 0:
        items, token = await page(page_size if left is None else min(page_size, left), token)
        for item in items if left is None else items[:left]:
            yield item
        if not token:
            return
        left = None if left is None else left - len(items)
