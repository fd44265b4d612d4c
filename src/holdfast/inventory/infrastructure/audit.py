"""Recompute Inventory from its own records: levels from movements, holds from reservations."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row, instant
from holdfast.chassis.messaging import feed_audit
from holdfast.inventory.domain.locations.location import folded
from holdfast.inventory.domain.reservations.reservation import ReservationState
from holdfast.inventory.domain.stock.levels import LevelKey
from holdfast.inventory.infrastructure import backorders_audit, transfers_audit
from holdfast.inventory.infrastructure.backorders_audit import sourcing_in

COUNTS = {
    "products": "product",
    "stock levels": "stock_level",
    "stock movements": "stock_movement",
    "reservations": "reservation",
    "transfers": "transfer",
}

# Every version of a reservation is told by one event; levels have versions of their own.
VERSIONS = "SELECT CAST(order_id AS text) AS subject, version, updated_at FROM reservation"
LEVEL_CHANGED = "holdfast.inventory.v1.StockLevelChanged"

QUESTIONS = {
    "level {product_id} at {location_id} has on hand {on_hand}, reserved {reserved}, quarantined "
    "{quarantined}, version {version}; its movements sum to {on_hand_sum}, {reserved_sum}, "
    "{quarantined_sum}, {movements}": """
SELECT stock_level.product_id, stock_level.location_id, on_hand, reserved, quarantined, version,
       on_hand_sum, reserved_sum, quarantined_sum, movements
  FROM stock_level
  LEFT JOIN (SELECT product_id, location_id, coalesce(lot_id, '') AS lot_id, count(*) AS movements,
                    sum(on_hand_delta) AS on_hand_sum, sum(reserved_delta) AS reserved_sum,
                    sum(coalesce(quarantined_delta, 0)) AS quarantined_sum
               FROM stock_movement
              GROUP BY product_id, location_id, coalesce(lot_id, '')) AS ledger
    ON ledger.product_id = stock_level.product_id AND ledger.location_id = stock_level.location_id
   AND ledger.lot_id = stock_level.lot_id
 WHERE on_hand <> coalesce(on_hand_sum, 0)
    OR reserved <> coalesce(reserved_sum, 0)
    OR quarantined <> coalesce(quarantined_sum, 0)
    OR version <> coalesce(movements, 0)
""",
    "{movements} movements of {product_id} at {location_id} belong to no level": """
SELECT stock_movement.product_id, stock_movement.location_id, count(*) AS movements
  FROM stock_movement
  LEFT JOIN stock_level ON stock_level.product_id = stock_movement.product_id
   AND stock_level.location_id = stock_movement.location_id
   AND stock_level.lot_id = coalesce(stock_movement.lot_id, '')
 WHERE stock_level.product_id IS NULL
 GROUP BY stock_movement.product_id, stock_movement.location_id
""",
    "movement {movement_id} of {product_id} at {location_id} says {on_hand_after} on hand, "
    "{reserved_after} reserved and {quarantined_after} quarantined; its predecessors sum to "
    "{on_hand_sum}, {reserved_sum} and {quarantined_sum}": """
SELECT *
  FROM (SELECT movement_id, product_id, location_id, on_hand_after, reserved_after,
               coalesce(quarantined_after, 0) AS quarantined_after,
               sum(on_hand_delta) OVER level_so_far AS on_hand_sum,
               sum(reserved_delta) OVER level_so_far AS reserved_sum,
               sum(coalesce(quarantined_delta, 0)) OVER level_so_far AS quarantined_sum
          FROM stock_movement
        WINDOW level_so_far AS (PARTITION BY product_id, location_id, coalesce(lot_id, '')
                                ORDER BY movement_id ROWS UNBOUNDED PRECEDING)) AS running
 WHERE on_hand_after <> on_hand_sum
    OR reserved_after <> reserved_sum
    OR quarantined_after <> quarantined_sum
    OR reserved_sum < 0
    OR quarantined_sum < 0
    OR reserved_sum + quarantined_sum > on_hand_sum
""",
    "movement {movement_id} of {product_id} is a {kind} of {on_hand_delta} on hand, "
    "{reserved_delta} reserved and {quarantined_delta} quarantined": """
SELECT movement_id, product_id, kind, on_hand_delta, reserved_delta, quarantined_delta
  FROM (SELECT movement_id, product_id, kind, order_id, on_hand_delta, reserved_delta,
               coalesce(quarantined_delta, 0) AS quarantined_delta
          FROM stock_movement) AS moved
 WHERE NOT CASE kind
           WHEN 'RECEIPT' THEN on_hand_delta > 0 AND reserved_delta = 0 AND quarantined_delta = 0
           WHEN 'ADJUSTMENT'
           THEN on_hand_delta <> 0 AND reserved_delta = 0 AND quarantined_delta = 0
           WHEN 'RESERVATION'
           THEN on_hand_delta = 0 AND reserved_delta > 0 AND quarantined_delta = 0
           WHEN 'RELEASE' THEN on_hand_delta = 0 AND reserved_delta < 0 AND quarantined_delta = 0
           WHEN 'SHIPMENT'
           THEN on_hand_delta < 0 AND reserved_delta IN (0, on_hand_delta) AND quarantined_delta = 0
           WHEN 'RETURN'
           THEN on_hand_delta > 0 AND reserved_delta = 0 AND quarantined_delta IN (0, on_hand_delta)
           WHEN 'WRITE_OFF'
           THEN on_hand_delta < 0 AND reserved_delta = 0 AND quarantined_delta IN (0, on_hand_delta)
           WHEN 'QUARANTINE'
           THEN on_hand_delta = 0 AND reserved_delta = 0 AND quarantined_delta > 0
           WHEN 'UNQUARANTINE'
           THEN on_hand_delta = 0 AND reserved_delta = 0 AND quarantined_delta < 0
           WHEN 'TRANSFER_IN'
           THEN on_hand_delta > 0 AND reserved_delta = 0 AND quarantined_delta = 0
           WHEN 'TRANSFER_OUT'
           THEN on_hand_delta < 0 AND reserved_delta = 0 AND quarantined_delta = 0
           WHEN 'TRANSFER_LOSS'
           THEN on_hand_delta < 0 AND reserved_delta = 0 AND quarantined_delta = 0
           ELSE false END
    OR kind IN ('RESERVATION', 'RELEASE', 'SHIPMENT', 'RETURN') AND order_id IS NULL
    OR kind IN ('RECEIPT', 'QUARANTINE', 'UNQUARANTINE', 'TRANSFER_OUT', 'TRANSFER_IN',
                'TRANSFER_LOSS') AND order_id IS NOT NULL
""",
    # Also what is booked as leaving unpromised was promised once: it gave way while it was told.
    # Only a book that was restored from a backup may have lost the promise; then it is told here.
    "{promised} of {product_id} were promised to order {order_id}, and {shipped} have left": """
SELECT *
  FROM (SELECT order_id, product_id,
               sum(CASE kind WHEN 'RESERVATION' THEN reserved_delta ELSE 0 END) AS promised,
               sum(CASE kind WHEN 'SHIPMENT' THEN -on_hand_delta ELSE 0 END) AS shipped
          FROM stock_movement
         WHERE order_id IS NOT NULL
         GROUP BY order_id, product_id) AS sums
 WHERE shipped > promised
""",
    "movement {movement_id} of {product_id} does not tell who made it": """
SELECT movement_id, product_id
  FROM stock_movement
 WHERE actor = ''
""",
    "product {product_id} has no level at main, which is its gate": """
SELECT product.product_id
  FROM product
  LEFT JOIN stock_level ON stock_level.product_id = product.product_id
   AND location_id = 'main' AND lot_id = ''
 WHERE stock_level.product_id IS NULL
""",
    "level {product_id} at {location_id} is wrong about levels beside its gate": """
SELECT gate.product_id, gate.location_id
  FROM stock_level AS gate
  JOIN (SELECT product_id, count(*) - 1 AS others
          FROM stock_level
      GROUP BY product_id) AS counted ON counted.product_id = gate.product_id
 WHERE gate.others <> CASE WHEN gate.location_id = 'main' AND gate.lot_id = ''
                           THEN counted.others ELSE 0 END
""",
    "level {product_id} at {location_id} keeps back {kept}, by its product it is {due}": """
SELECT product_id, location_id, kept, due
  FROM (SELECT stock_level.product_id, location_id, stock_level.safety_stock AS kept,
               CASE location_id WHEN 'main' THEN product.safety_stock ELSE 0 END AS due
          FROM stock_level
          JOIN product ON product.product_id = stock_level.product_id) AS told
 WHERE kept <> due
""",
    "product {product_id} has stock and is none": """
SELECT DISTINCT stock_level.product_id
  FROM stock_level
  LEFT JOIN product ON product.product_id = stock_level.product_id
 WHERE product.product_id IS NULL
""",
    "location {location_id} has stock and is none": """
SELECT DISTINCT stock_level.location_id
  FROM stock_level
  LEFT JOIN location ON location.location_id = stock_level.location_id
 WHERE location.location_id IS NULL
""",
    "movement {movement_id} is a {kind} of {product_id} at {location_id}, which was not active": """
SELECT movement_id, stock_movement.kind, product_id, stock_movement.location_id
  FROM stock_movement
  JOIN location ON location.location_id = stock_movement.location_id
 WHERE movement_id > inactive_after
   AND (stock_movement.kind IN ('RECEIPT', 'UNQUARANTINE') OR reserved_delta > 0)
""",
    "locations {one} and {other} differ only in the case of their letters": """
SELECT one.location_id AS one, other.location_id AS other
  FROM location AS one
  JOIN location AS other ON lower(other.location_id) = lower(one.location_id)
   AND other.location_id > one.location_id
""",
    "order {order_id} moved stock by {fact} {moved} times, and it is booked {booked} times": """
SELECT order_id, fact, sum(moved) AS moved, sum(booked) AS booked
  FROM (SELECT DISTINCT order_id,
               CASE kind WHEN 'RETURN' THEN '\n' ELSE '' END || reference AS fact,
               1 AS moved, 0 AS booked
          FROM stock_movement
         WHERE kind IN ('SHIPMENT', 'RETURN')
         UNION ALL
        SELECT order_id, fact, 0, 1
          FROM booked_fact) AS told
 GROUP BY order_id, fact
HAVING sum(moved) <> sum(booked)
""",
    "order {order_id} moved {product_id} at {location_id} without a reservation": """
SELECT DISTINCT stock_movement.order_id, stock_movement.product_id, stock_movement.location_id
  FROM stock_movement
  LEFT JOIN reservation ON reservation.order_id = stock_movement.order_id
 WHERE stock_movement.order_id IS NOT NULL
   AND reservation.order_id IS NULL
""",
}

SPELLINGS = "SELECT location_id, folded FROM location"

BETWEEN = """
SELECT order_id, version, revision, state, CAST(stock AS text) AS stock,
       CAST(missing AS text) AS missing, CAST(sourcing AS text) AS sourcing,
       CAST(queued AS text) AS queued, placed_at
  FROM reservation
 WHERE order_id >= $1 AND order_id <= $2
"""

QUEUED_BETWEEN = """
SELECT order_id, product_id, since, quantity
  FROM backorder
 WHERE order_id >= $1 AND order_id <= $2
"""

Place = tuple[str, datetime]  # in the queue of a product, whose order is that of asking

LEDGER_BETWEEN = """
SELECT order_id, product_id, location_id, coalesce(lot_id, '') AS lot_id,
       sum(reserved_delta) AS held,
       sum(CASE kind WHEN 'SHIPMENT' THEN -on_hand_delta ELSE 0 END) AS shipped,
       sum(CASE kind WHEN 'RETURN' THEN on_hand_delta ELSE 0 END) AS returned,
       sum(CASE kind WHEN 'RETURN' THEN coalesce(quarantined_delta, 0) ELSE 0 END) AS aside,
       sum(CASE kind WHEN 'WRITE_OFF' THEN -on_hand_delta ELSE 0 END) AS gone
  FROM stock_movement
 WHERE order_id >= $1 AND order_id <= $2
 GROUP BY order_id, product_id, location_id, coalesce(lot_id, '')
"""


@dataclass(frozen=True, slots=True)
class ReservationFacts:
    """What Inventory holds for an order: by its document, and by its ledger.

    :param missing: what was short, if its newest question was refused: product, wanted, available.
    :param shipped: units that have left, by the ledger, by product and location.
    :param returned: likewise, that came back, and by what became of them.
    :param waits: units that wait for stock, by their places; `in_queues`: by the products' queues.
    """

    version: int
    revision: int
    state: ReservationState
    stock: Counter[LevelKey]
    missing: list[object]
    ledger: Counter[LevelKey]
    sourcing: tuple[str, tuple[str, ...], bool, bool]
    shipped: Counter[tuple[str, str]]
    returned: Counter[tuple[str, str, str]]
    waits: Counter[Place]
    in_queues: Counter[Place]
    placed_at: datetime

    @property
    def units(self) -> Counter[str]:
        """Units held per product."""
        units = Counter[str]()
        for (product_id, _, _), quantity in self.stock.items():
            units[product_id] += quantity
        return units

    @property
    def queued(self) -> Counter[str]:
        """Units that wait for stock, per product."""
        return _by_product(self.waits)

    def contradictions(self) -> Iterator[str]:
        """What is wrong with the reservation by itself, to be read after the order's name."""
        if self.stock != self.ledger:
            yield f"holds {dict(self.stock)} by its document, {dict(self.ledger)} by its movements"
        if bool(self.stock or self.queued) != (self.state is ReservationState.HELD):
            yield f"is {self.state}, holds {dict(self.stock)} and waits for {dict(self.queued)}"
        if self.waits != self.in_queues:
            here, there = self.queued, _by_product(self.in_queues)
            if here == there:
                here, there = _by_place(self.waits), _by_place(self.in_queues)
            yield f"waits for {dict(here)}, and the queues have {dict(there)}"
        if self.state is ReservationState.SHORT and not self.missing:
            yield "is SHORT and lacks nothing"
        strategy, named, may_split, _ = self.sourcing
        places = {location_id for _, location_id, _ in self.stock}
        if strategy == "PINNED" and not places <= {*named}:
            yield f"is pinned to {', '.join(named)} and holds stock at {', '.join(sorted(places))}"
        if not may_split and len(places) > 1:
            yield f"must not be split and holds stock at {', '.join(sorted(places))}"


async def audit(auditor: Auditor) -> None:
    """Check all of Inventory's own records."""
    await auditor.count(COUNTS)
    await auditor.refute(QUESTIONS)
    await auditor.refute(transfers_audit.QUESTIONS)
    await backorders_audit.audit(auditor)
    auditor.findings.contradict(
        [
            f"inventory: location {row['location_id']} is not found by how it may be written"
            for row in await auditor.rows(SPELLINGS)
            if row["folded"] != folded(row["location_id"])
        ]
    )
    await auditor.messages()
    await feed_audit.audit(auditor, VERSIONS, beside=LEVEL_CHANGED)


async def facts_between(auditor: Auditor, first: str, last: str) -> dict[str, ReservationFacts]:
    """Return what is held for orders from one id to another, by order id."""
    found = dict[str, ReservationFacts]()
    for row in await auditor.rows(BETWEEN, first, last):
        with auditor.reading(f"the reservation of order {row['order_id']}"):
            found[str(row["order_id"])] = _facts(row)
    for row in await auditor.rows(LEDGER_BETWEEN, first, last):
        if reservation := found.get(str(row["order_id"])):
            _add_moved(reservation, row)
    for row in await auditor.rows(QUEUED_BETWEEN, first, last):
        if reservation := found.get(str(row["order_id"])):
            with auditor.reading(f"what order {row['order_id']} waits for"):
                place = row["product_id"], instant(row["since"])
                reservation.in_queues[place] += int(row["quantity"])
    return found


def _facts(row: Row) -> ReservationFacts:
    return ReservationFacts(
        row["version"],
        row["revision"],
        ReservationState(row["state"]),
        Counter({(p, at, lot): units for p, at, lot, units, *_ in json.loads(row["stock"])}),
        json.loads(row["missing"]),
        Counter(),
        sourcing_in(row["sourcing"]),
        Counter(),
        Counter(),
        _places_in(row["queued"]),
        Counter(),
        instant(row["placed_at"]),
    )


def _places_in(text: str | None) -> Counter[Place]:
    units = Counter[Place]()
    for product_id, quantity, since in json.loads(text or "[]"):
        units[product_id, instant(since)] += quantity
    return units


def _by_product(places: Counter[Place]) -> Counter[str]:
    units = Counter[str]()
    for (product_id, _), quantity in places.items():
        units[product_id] += quantity
    return units


def _by_place(places: Counter[Place]) -> Counter[str]:
    """By their names, as they are told."""
    return Counter(
        {f"{product_id} since {at.isoformat()}": n for (product_id, at), n in places.items()}
    )


def _add_moved(reservation: ReservationFacts, row: Row) -> None:
    """Add what the ledger says of the order at one level."""
    product_id, location_id = here = row["product_id"], row["location_id"]
    if row["shipped"]:
        reservation.shipped[here] += int(row["shipped"])
    back, aside, gone = (int(row[name]) for name in ("returned", "aside", "gone"))
    for what, units in (
        ("RESTOCK", back - aside - gone),
        ("QUARANTINE", aside),
        ("WRITE_OFF", gone),
    ):
        if units:
            reservation.returned[product_id, location_id, what] += units
    if row["held"]:
        reservation.ledger[product_id, location_id, row["lot_id"]] = int(row["held"])
