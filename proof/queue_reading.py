"""The queues are read, row by row, by SQL of the proof's own."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from holdfast.chassis.database.seam import Reading, instant
from proof.snapshot import Gate, Waiting

_GATES = """
SELECT stock_level.product_id, queued, queued_max, coalesce(served < ticket, false) AS is_due
  FROM stock_level
  LEFT JOIN to_serve ON to_serve.product_id = stock_level.product_id
 WHERE location_id = 'main'
   AND (queued > 0 OR queued_max > 0)
"""

_ROWS = """
SELECT CAST(order_id AS text) AS order_id, product_id, since, quantity
  FROM backorder
 ORDER BY backorder.order_id, product_id, since
"""


async def queues_of(
    reading: Reading,
) -> tuple[Mapping[str, Gate], Mapping[str, tuple[Waiting, ...]]]:
    """Read what the gates say of the queues, by product, and the queues' rows, by order."""
    gates = {
        row["product_id"]: Gate(row["queued"], row["queued_max"], bool(row["is_due"]))
        for row in await reading.fetch(_GATES)
    }
    rows = defaultdict[str, list[Waiting]](list)
    for row in await reading.fetch(_ROWS):
        one = Waiting(row["product_id"], row["quantity"], instant(row["since"]))
        rows[row["order_id"]].append(one)
    return gates, {order_id: tuple(its) for order_id, its in rows.items()}


def waiting_in(text: str | None) -> tuple[Waiting, ...]:
    """Read what a reservation says of what waits."""
    return tuple(
        Waiting(product_id, units, datetime.fromisoformat(since))
        for product_id, units, since in json.loads(text or "[]")
    )
