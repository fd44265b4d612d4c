"""After healing everything must come to rest by itself: nobody helps, somebody only looks."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from holdfast.chassis.database.seam import Database, DatabaseUnavailable
from testbed.processes import ProgramFailed

LOOK_S = 0.5
LOOK_S_MAX = 10.0
REST_S = 6.0  # the broker tells of its queues every 5 s

# What asking the broker for its queues may end in.
UNANSWERED = (OSError, http.client.HTTPException, ProgramFailed)

_ORDERS_LEFT = """
SELECT (SELECT count(*) FROM unanswered) AS pending,
       (SELECT count(*) FROM outbox) AS outbox
"""

_INVENTORY_LEFT = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM to_serve WHERE served < ticket) AS to_serve
"""

Depths = Callable[[], Awaitable[Mapping[str, int]]]


@dataclass(frozen=True, slots=True)
class Rest:
    """How far the system is from rest: what waits, by place; nothing of it is at rest."""

    waits: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""  # why nobody knows

    @property
    def is_rest(self) -> bool:
        return not self.trouble and not any(self.waits.values())

    def __str__(self) -> str:
        left = ", ".join(f"{count} {place}" for place, count in self.waits.items() if count)
        return self.trouble or left or "nothing waits"


async def look(orders: Database, inventory: Database, depths: Depths) -> Rest:
    """See what waits now: orders to be decided, events to be sent or taken.

    :param depths: messages in the broker's queues, ready or not acknowledged.
    """
    try:
        async with asyncio.timeout(LOOK_S_MAX):
            async with orders.read() as reading:
                (of_orders,) = await reading.fetch(_ORDERS_LEFT)
            async with inventory.read() as reading:
                (of_inventory,) = await reading.fetch(_INVENTORY_LEFT)
            queues = await depths()
    except (*UNANSWERED, DatabaseUnavailable) as error:
        return Rest(trouble=f"{type(error).__name__}: {error}")
    return Rest(
        {
            "orders PENDING": of_orders["pending"],
            "events in the outbox of Orders": of_orders["outbox"],
            "events in the outbox of Inventory": of_inventory["outbox"],
            "queues to be served": of_inventory["to_serve"],
            **{f"messages in {queue}": count for queue, count in queues.items()},
        }
    )


async def come_to_rest(
    orders: Database, inventory: Database, depths: Depths, *, within_s: float
) -> tuple[Rest, float]:
    """Wait until nothing has waited for REST_S, or until it is too late for that; how it stands
    then, and after how many seconds the rest began.
    """
    clock = asyncio.get_running_loop().time
    began = last_seen_busy = clock()
    while True:
        rest = await look(orders, inventory, depths)
        if not rest.is_rest:
            last_seen_busy = clock()
        rest_s = last_seen_busy - began
        if clock() - last_seen_busy > REST_S or rest_s > within_s:
            return rest, rest_s
        await asyncio.sleep(LOOK_S)
