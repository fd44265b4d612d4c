"""Recompute who waits for stock: the queues, their gates, and that no unit is free without need."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row

QUESTIONS = {
    "{queued} units of {product_id} are waited for by its gate, {in_queue} by its queue": """
SELECT stock_level.product_id, queued, coalesce(in_queue, 0) AS in_queue
  FROM stock_level
  LEFT JOIN (SELECT product_id, sum(quantity) AS in_queue
               FROM backorder
              GROUP BY product_id) AS queue ON queue.product_id = stock_level.product_id
 WHERE queued <> CASE WHEN location_id = 'main' AND lot_id = ''
                      THEN coalesce(in_queue, 0) ELSE 0 END
""",
    "product {product_id} lets {backorder_max} units be waited for, and its gate {queued_max}": """
SELECT product.product_id, backorder_max, queued_max
  FROM product
  JOIN stock_level ON stock_level.product_id = product.product_id
 WHERE queued_max <> CASE WHEN location_id = 'main' AND lot_id = ''
                          THEN backorder_max ELSE 0 END
""",
    "the queue of {product_id} was served {served} times, by ticket {ticket}, and {why}": """
SELECT to_serve.product_id, served, ticket,
       CASE WHEN served > ticket THEN 'the next ticket would not be seen'
            ELSE 'that is no product' END AS why
  FROM to_serve
  LEFT JOIN product ON product.product_id = to_serve.product_id
 WHERE served > ticket OR product.product_id IS NULL
""",
    "order {order_id} waits for {product_id} and has no reservation": """
SELECT backorder.order_id, product_id
  FROM backorder
  LEFT JOIN reservation ON reservation.order_id = backorder.order_id
 WHERE reservation.order_id IS NULL
""",
}

# What the queue is served from: not what a product keeps back, what is in quarantine, or what is
# where nothing is promised. None of a product whose queue is still to be served.
FREE = """
SELECT stock_level.product_id, stock_level.location_id,
       sum(on_hand - reserved - quarantined - product.safety_stock) AS free
  FROM stock_level
  JOIN product ON product.product_id = stock_level.product_id
  JOIN location ON location.location_id = stock_level.location_id
  LEFT JOIN to_serve ON to_serve.product_id = stock_level.product_id
 WHERE location.active
   AND on_hand - reserved - quarantined > product.safety_stock
   AND coalesce(served >= ticket, true)
   AND stock_level.product_id IN (SELECT product_id FROM backorder)
 GROUP BY stock_level.product_id, stock_level.location_id
 ORDER BY stock_level.product_id, stock_level.location_id
"""

# Page by page, as many may wait.
AT_ONCE = 10_000
NOBODY = "00000000-0000-0000-0000-000000000000"
WAITING = """
SELECT order_id, CAST(sourcing AS text) AS sourcing, CAST(stock AS text) AS stock,
       CAST(queued AS text) AS queued
  FROM reservation
 WHERE order_id > $1
   AND queued IS NOT NULL
 ORDER BY order_id
 LIMIT $2
"""

Free = dict[str, Counter[str]]  # by product, units by location


async def audit(auditor: Auditor) -> None:
    """Check the queues, and that no unit is free that somebody who may have it waits for."""
    await auditor.refute(QUESTIONS)
    free: Free = defaultdict(Counter)
    for row in await auditor.rows(FREE):
        free[row["product_id"]][row["location_id"]] = int(row["free"])
    after, idle = NOBODY, list[str]()
    while free and (rows := await auditor.rows(WAITING, after, AT_ONCE)):
        for row in rows:
            with auditor.reading(f"the reservation of order {row['order_id']}"):
                idle += [f"{auditor.service}: {text}" for text in _idle(row, free)]
        after = str(rows[-1]["order_id"])
    auditor.findings.contradict(idle)


def _idle(row: Row, free: Free) -> Iterator[str]:
    """What an order waits for that is free where it may have it from. Units go to a queue one by
    one, so that any one is too many.
    """
    wish = sourcing_in(row["sourcing"])
    held = {location_id for _, location_id, *_ in json.loads(row["stock"])}
    products = {product_id for product_id, *_ in json.loads(row["queued"])}
    for product_id in sorted(products & free.keys()):
        there = [one for one in free[product_id] if _may_have(wish, held, one)]
        units = sum(free[product_id][one] for one in there)
        if units:
            yield (
                f"{units} units of {product_id} are free at {', '.join(there)}, "
                f"order {row['order_id']} waits for them, and nobody serves"
            )


Sourcing = tuple[str, tuple[str, ...], bool, bool]


def _may_have(wish: Sourcing, held: Collection[str], location_id: str) -> bool:
    """Whether units there may go to an order that holds units at these locations: one that must not
    be split gets the rest from there, or anything from anywhere once it holds nothing.
    """
    strategy, named, may_split, _ = wish
    if strategy == "PINNED" and location_id not in named:
        return False
    return may_split or not held or location_id in held


def sourcing_in(text: str | None) -> Sourcing:
    """Read where an order's stock is to come from: strategy, locations, whether they may share, and
    whether what is not there is refused.
    """
    wish = json.loads(text or '["PRIORITY", [], true, false]')
    strategy, location_ids, may_split, in_stock_only = wish
    return strategy, tuple(location_ids), may_split, in_stock_only
