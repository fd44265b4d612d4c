"""Recompute Inventory from its own records: levels from movements, holds from reservations."""

from collections import Counter
from dataclasses import dataclass

from holdfast.chassis.audit import Auditor
from holdfast.inventory.domain.reservation import ReservationState

COUNTS = {
    "products": "product",
    "stock levels": "stock_level",
    "stock movements": "stock_movement",
    "reservations": "reservation",
}

QUESTIONS = {
    "level {product_id} at {location_id} has on hand {on_hand}, reserved {reserved}, version "
    "{version}; its movements sum to {on_hand_sum}, {reserved_sum}, {movements}": """
SELECT stock_level.product_id, stock_level.location_id, on_hand, reserved, version,
       on_hand_sum, reserved_sum, movements
  FROM stock_level
  LEFT JOIN (SELECT product_id, location_id, count(*) AS movements,
                    sum(on_hand_delta) AS on_hand_sum, sum(reserved_delta) AS reserved_sum
               FROM stock_movement
              GROUP BY product_id, location_id) AS ledger
    ON ledger.product_id = stock_level.product_id AND ledger.location_id = stock_level.location_id
 WHERE on_hand <> coalesce(on_hand_sum, 0)
    OR reserved <> coalesce(reserved_sum, 0)
    OR version <> coalesce(movements, 0)
""",
    "{movements} movements of {product_id} at {location_id} belong to no level": """
SELECT stock_movement.product_id, stock_movement.location_id, count(*) AS movements
  FROM stock_movement
  LEFT JOIN stock_level ON stock_level.product_id = stock_movement.product_id
   AND stock_level.location_id = stock_movement.location_id
 WHERE stock_level.product_id IS NULL
 GROUP BY stock_movement.product_id, stock_movement.location_id
""",
    "movement {movement_id} of {product_id} at {location_id} says {on_hand_after} on hand and "
    "{reserved_after} reserved; its predecessors sum to {on_hand_sum} and {reserved_sum}": """
SELECT *
  FROM (SELECT movement_id, product_id, location_id, on_hand_after, reserved_after,
               sum(on_hand_delta) OVER level_so_far AS on_hand_sum,
               sum(reserved_delta) OVER level_so_far AS reserved_sum
          FROM stock_movement
        WINDOW level_so_far AS (PARTITION BY product_id, location_id ORDER BY movement_id
                                ROWS UNBOUNDED PRECEDING)) AS running
 WHERE on_hand_after <> on_hand_sum
    OR reserved_after <> reserved_sum
    OR reserved_sum < 0
    OR reserved_sum > on_hand_sum
""",
    "level {product_id} at {location_id} has {reserved} reserved, its reservations hold {held}": """
SELECT stock_level.product_id, stock_level.location_id, reserved, coalesce(held, 0) AS held
  FROM stock_level
  LEFT JOIN (SELECT product_id, location_id, sum(reserved_delta) AS held
               FROM stock_movement
               JOIN reservation ON reservation.order_id = stock_movement.order_id
              WHERE kind = 'RESERVATION'
                AND state = 'RESERVED'
              GROUP BY product_id, location_id) AS promised
    ON promised.product_id = stock_level.product_id
   AND promised.location_id = stock_level.location_id
 WHERE reserved <> coalesce(held, 0)
""",
    "reservation of order {order_id} is {state}; its movements of {product_id} at {location_id} "
    "reserved {reserved} and released {released}": """
SELECT moved.order_id, state, product_id, location_id, reserved, released
  FROM (SELECT order_id, product_id, location_id,
               sum(CASE WHEN kind = 'RESERVATION' THEN reserved_delta ELSE 0 END) AS reserved,
               sum(CASE WHEN kind = 'RELEASE' THEN -reserved_delta ELSE 0 END) AS released
          FROM stock_movement
         WHERE order_id IS NOT NULL
         GROUP BY order_id, product_id, location_id) AS moved
  JOIN reservation ON reservation.order_id = moved.order_id
 WHERE state NOT IN ('RESERVED', 'RELEASED')
    OR reserved <= 0
    OR released <> CASE WHEN state = 'RELEASED' THEN reserved ELSE 0 END
""",
    "reservation of order {order_id} is {state} and holds no stock": """
SELECT reservation.order_id, state
  FROM reservation
  LEFT JOIN stock_movement ON stock_movement.order_id = reservation.order_id
 WHERE state IN ('RESERVED', 'RELEASED')
   AND stock_movement.order_id IS NULL
""",
    "location {location_id} has stock and is none": """
SELECT DISTINCT stock_level.location_id
  FROM stock_level
  LEFT JOIN location ON location.location_id = stock_level.location_id
 WHERE location.location_id IS NULL
""",
    "locations {one} and {other} differ only in the case of their letters": """
SELECT one.location_id AS one, other.location_id AS other
  FROM location AS one
  JOIN location AS other ON lower(other.location_id) = lower(one.location_id)
   AND other.location_id > one.location_id
""",
    "order {order_id} moved {product_id} at {location_id} without a reservation": """
SELECT DISTINCT stock_movement.order_id, stock_movement.product_id, stock_movement.location_id
  FROM stock_movement
  LEFT JOIN reservation ON reservation.order_id = stock_movement.order_id
 WHERE stock_movement.order_id IS NOT NULL
   AND reservation.order_id IS NULL
""",
}

BETWEEN = """
SELECT order_id, state
  FROM reservation
 WHERE order_id >= $1 AND order_id <= $2
"""

STOCK_BETWEEN = """
SELECT order_id, product_id, reserved_delta AS quantity
  FROM stock_movement
 WHERE order_id >= $1 AND order_id <= $2
   AND kind = 'RESERVATION'
"""


@dataclass(frozen=True, slots=True)
class ReservationFacts:
    """What a reservation holds, or held, over all locations."""

    state: ReservationState
    stock: Counter[str]


async def audit(auditor: Auditor) -> None:
    """Check all of Inventory's own records."""
    await auditor.count(COUNTS)
    await auditor.refute(QUESTIONS)
    await auditor.messages()


async def facts_between(auditor: Auditor, first: str, last: str) -> dict[str, ReservationFacts]:
    """Return what the reservations of orders from one id to another hold, by order id."""
    found = {
        str(row["order_id"]): ReservationFacts(ReservationState(row["state"]), Counter())
        for row in await auditor.rows(BETWEEN, first, last)
    }
    for row in await auditor.rows(STOCK_BETWEEN, first, last):
        reservation = found.get(str(row["order_id"]))
        if reservation:
            reservation.stock[row["product_id"]] += row["quantity"]
    return found
