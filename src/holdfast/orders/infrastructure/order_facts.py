"""What orders say of their stock, a page of orders at a time, to be held against Inventory."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.chassis.database.audit import Auditor
from holdfast.chassis.database.seam import Row, instant
from holdfast.orders.domain.ordering.status import OrderStatus

# Strategy, locations, whether they may share, whether what is not there is refused.
Sourcing = tuple[str, tuple[str, ...], bool, bool]
BY_PRIORITY: Sourcing = ("PRIORITY", (), True, False)

PAGE = """
SELECT order_id, status, asked, edit_revision, stock_sequence, stock_revision,
       CAST(stock AS text) AS stock, placed_at, CAST(shortages AS text) AS shortages
  FROM orders
 WHERE order_id >= $1
 ORDER BY order_id
 LIMIT $2
"""

PAGE_LINES = """
SELECT order_line.order_id, product_id, quantity
  FROM order_line
  JOIN orders ON orders.order_id = order_line.order_id AND orders.edition = order_line.edition
 WHERE order_line.order_id >= $1 AND order_line.order_id <= $2
"""

PAGE_SOURCINGS = """
SELECT order_sourcing.order_id, strategy, CAST(location_ids AS text) AS location_ids, may_split,
       in_stock_only
  FROM order_sourcing
  JOIN orders ON orders.order_id = order_sourcing.order_id
   AND orders.edition = order_sourcing.edition
 WHERE order_sourcing.order_id >= $1 AND order_sourcing.order_id <= $2
"""

PAGE_REFUSED = """
SELECT order_id, revision, CAST(missing AS text) AS missing
  FROM order_edit
 WHERE order_id >= $1 AND order_id <= $2
   AND state = 'REFUSED'
"""

PAGE_SHIPPED = """
SELECT order_id, product_id, location_id, sum(quantity) AS quantity
  FROM shipment_item
 WHERE order_id >= $1 AND order_id <= $2
 GROUP BY order_id, product_id, location_id
"""

PAGE_RETURNED = """
SELECT order_id, product_id, location_id, disposition, sum(quantity) AS quantity
  FROM receipt_item
 WHERE order_id >= $1 AND order_id <= $2
 GROUP BY order_id, product_id, location_id, disposition
"""


@dataclass(slots=True)
class OrderFacts:
    """What an order says of its stock: what its lines ask for, and what Inventory last told it.

    :param stock: by product and location, as `shipped` is.
    :param waits: its stock, or an edit of it, is not decided as far as it knows.
    :param refused: by the question that was, what was short: product, wanted, available.
    :param demand: units per product that have not left.
    :param shipped: units that have.
    :param returned: units that came back, by product, location and what became of them.
    :param sourcing: of the edition that counts.
    :param queued: units per product that wait for stock, as Inventory last told.
    """

    status: OrderStatus
    asked: int
    sequence: int
    revision: int
    stock: Counter[tuple[str, str]]
    waits: bool
    placed_at: datetime
    refused: dict[int, list[object]]
    demand: Counter[str] = field(default_factory=Counter)
    shipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    returned: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sourcing: Sourcing = BY_PRIORITY
    queued: Counter[str] = field(default_factory=Counter)


async def facts_from(auditor: Auditor, start: str, limit: int) -> dict[str, OrderFacts]:
    """Return what the first `limit` orders from an id on say, by order id and in its order."""
    found = {}
    for row in await auditor.rows(PAGE, start, limit):
        with auditor.reading(f"order {row['order_id']}"):
            found[str(row["order_id"])] = _facts(row)
    if found:
        await _add_contents(auditor, found, start)
        await _add_refusals(auditor, found, start)
        await _add_goods(auditor, found, start)
    return found


def _facts(row: Row) -> OrderFacts:
    parts = json.loads(row["stock"])
    status = OrderStatus(row["status"])
    return OrderFacts(
        status,
        row["asked"],
        row["stock_sequence"],
        row["stock_revision"],
        Counter({(p, at): units for p, at, units, *_ in parts if at}),
        status is OrderStatus.PENDING or row["edit_revision"] is not None,
        instant(row["placed_at"]),
        {1: json.loads(row["shortages"])} if status is OrderStatus.REJECTED else {},
        queued=Counter({p: units for p, at, units, *_ in parts if not at}),
    )


async def _add_contents(auditor: Auditor, found: dict[str, OrderFacts], start: str) -> None:
    for line in await auditor.rows(PAGE_LINES, start, max(found)):
        if order := found.get(str(line["order_id"])):
            order.demand[line["product_id"]] += line["quantity"]
    for row in await auditor.rows(PAGE_SOURCINGS, start, max(found)):
        if order := found.get(str(row["order_id"])):
            with auditor.reading(f"the sourcing of order {row['order_id']}"):
                named = tuple(json.loads(row["location_ids"]))
                wishes = bool(row["may_split"]), bool(row["in_stock_only"])
                order.sourcing = row["strategy"], named, *wishes


async def _add_refusals(auditor: Auditor, found: dict[str, OrderFacts], start: str) -> None:
    for row in await auditor.rows(PAGE_REFUSED, start, max(found)):
        if order := found.get(str(row["order_id"])):
            with auditor.reading(f"an edit of order {row['order_id']}"):
                order.refused[row["revision"]] = json.loads(row["missing"])


async def _add_goods(auditor: Auditor, found: dict[str, OrderFacts], start: str) -> None:
    for item in await auditor.rows(PAGE_SHIPPED, start, max(found)):
        if order := found.get(str(item["order_id"])):
            product_id, units = item["product_id"], int(item["quantity"])
            order.shipped[product_id, item["location_id"]] += units
            order.demand[product_id] -= units
            if not order.demand[product_id]:
                del order.demand[product_id]
    for item in await auditor.rows(PAGE_RETURNED, start, max(found)):
        if order := found.get(str(item["order_id"])):
            key = item["product_id"], item["location_id"], item["disposition"]
            order.returned[key] += int(item["quantity"])
