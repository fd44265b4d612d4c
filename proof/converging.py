"""After a run all comes right by itself: wait for it, and gather what stands in the databases."""

import asyncio
import time
from collections.abc import Mapping

from holdfast.chassis.database.engines import connect
from proof.checker import RunRecord, check
from proof.history import History
from proof.snapshot_reading import snapshot_of

LOOK_AGAIN_S = 0.1


async def converge(history: History, urls: Mapping[str, str], within_s: float) -> None:
    """Return as soon as nothing is wrong, or when the time for that is over: a judge will tell."""
    ends_at = time.monotonic() + within_s
    while check(await record_of(history, urls)) and time.monotonic() < ends_at:
        await asyncio.sleep(LOOK_AGAIN_S)


async def record_of(history: History, urls: Mapping[str, str]) -> RunRecord:
    """What callers were told, and what stands in the databases of these addresses now."""
    async with (
        connect(urls["orders"], wait=False) as orders,
        connect(urls["inventory"], wait=False) as inventory,
    ):
        return RunRecord(history.calls, await snapshot_of(orders, inventory))
