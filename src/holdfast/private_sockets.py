"""Where services of one process reach each other, and nobody else does."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple


class Private(NamedTuple):
    """Addresses that only this user can open; "": none."""

    orders: str = ""
    inventory: str = ""
    notifier: str = ""


@asynccontextmanager
async def private_sockets(*, wanted: bool) -> AsyncIterator[Private]:
    """Addresses in a folder of this user's own, gone after the block."""
    if not wanted:
        yield Private()
        return
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        yield Private(*(f"unix:{folder}/{name}" for name in Private._fields))
