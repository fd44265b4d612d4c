"""What a page tells beside what it is about, which is shown also while that can't be known."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from holdfast.client import DeadlineExceeded, Unavailable

BESIDE_S_MAX = 2.0

Found = TypeVar("Found")
Without = TypeVar("Without")


async def beside(asked: Awaitable[Found], without: Without) -> Found | Without:
    """Return what a service is asked, such as a product's name for an order of it; `without`: the
    service is away.
    """
    try:
        async with asyncio.timeout(BESIDE_S_MAX):
            return await asked
    except (TimeoutError, Unavailable, DeadlineExceeded):
        return without
