"""Shipments, returns and sourcing are read, row by row, by SQL of the proof's own."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from holdfast.chassis.database.seam import Reading
from proof.goods import Item, Receipt, Return, Shipment, Sourcing

_SOURCING = """
SELECT CAST(order_id AS text) AS order_id, edition, strategy,
       CAST(location_ids AS text) AS location_ids, may_split, in_stock_only
  FROM order_sourcing
"""

_SHIPMENTS = """
SELECT CAST(order_id AS text) AS order_id, shipment_id, version, revision, tracking_number,
       delivered_at IS NOT NULL AS is_delivered
  FROM shipment
 ORDER BY shipment.order_id, version
"""

_SHIPMENT_ITEMS = """
SELECT CAST(order_id AS text) AS order_id, shipment_id AS name, line_no, product_id, location_id,
       quantity, '' AS disposition
  FROM shipment_item
 ORDER BY shipment_item.order_id, shipment_id, item_no
"""

_RETURNS = """
SELECT CAST(return_id AS text) AS return_id, CAST(order_id AS text) AS order_id, request_id,
       version, closed_at IS NOT NULL AS is_closed
  FROM order_return
 ORDER BY order_return.order_id, version
"""

_RETURN_ITEMS = """
SELECT CAST(return_id AS text) AS return_id, line_no, product_id, quantity
  FROM return_item
 ORDER BY return_item.return_id, line_no
"""

_RECEIPTS = """
SELECT CAST(return_id AS text) AS return_id, CAST(order_id AS text) AS order_id, request_id,
       version, revision
  FROM return_receipt
 ORDER BY return_receipt.order_id, version
"""

_RECEIPT_ITEMS = """
SELECT CAST(order_id AS text) AS order_id, request_id AS name, line_no, product_id, location_id,
       quantity, disposition
  FROM receipt_item
 ORDER BY receipt_item.order_id, request_id, item_no
"""

_BOOKED = """
SELECT CAST(order_id AS text) AS order_id, fact
  FROM booked_fact
"""


class GoodsOfOrders(NamedTuple):
    """By order; `strays` are ids that items, receipts or sourcing name and that are none's."""

    shipments: Mapping[str, list[Shipment]]
    returns: Mapping[str, list[Return]]
    sourcing: Mapping[tuple[str, int], Sourcing]  # by order and edition
    strays: frozenset[str]


async def goods_of_orders(reading: Reading) -> GoodsOfOrders:
    """Read all that left and came back, and where stock is to come from."""
    left = await _items(reading, _SHIPMENT_ITEMS)
    shipments = defaultdict[str, list[Shipment]](list)
    for row in await reading.fetch(_SHIPMENTS):
        name = row["shipment_id"]
        items = tuple(left.pop((row["order_id"], name), ()))
        travels = row["tracking_number"], bool(row["is_delivered"])
        shipment = Shipment(name, row["version"], row["revision"], items, *travels)
        shipments[row["order_id"]].append(shipment)
    returns, strays = await _returns(reading)
    sourcing = {
        (row["order_id"], row["edition"]): Sourcing(
            row["strategy"],
            tuple(json.loads(row["location_ids"])),
            bool(row["may_split"]),
            bool(row["in_stock_only"]),
        )
        for row in await reading.fetch(_SOURCING)
    }
    return GoodsOfOrders(shipments, returns, sourcing, strays | {order for order, _ in left})


async def _items(reading: Reading, sql: str) -> dict[tuple[str, str], list[Item]]:
    found = defaultdict[tuple[str, str], list[Item]](list)
    for row in await reading.fetch(sql):
        place = row["line_no"], row["product_id"], row["location_id"]
        item = Item(*place, row["quantity"], row["disposition"])
        found[row["order_id"], row["name"]].append(item)
    return found


async def _returns(reading: Reading) -> tuple[Mapping[str, list[Return]], frozenset[str]]:
    lines = defaultdict[str, list[tuple[int, str, int]]](list)
    for row in await reading.fetch(_RETURN_ITEMS):
        lines[row["return_id"]].append((row["line_no"], row["product_id"], row["quantity"]))
    came = await _items(reading, _RECEIPT_ITEMS)
    receipts = defaultdict[tuple[str, str], list[Receipt]](list)
    for row in await reading.fetch(_RECEIPTS):
        items = tuple(came.pop((row["order_id"], row["request_id"]), ()))
        receipt = Receipt(row["request_id"], row["version"], row["revision"], items)
        receipts[row["order_id"], row["return_id"]].append(receipt)
    returns = defaultdict[str, list[Return]](list)
    for row in await reading.fetch(_RETURNS):
        return_id, order_id = row["return_id"], row["order_id"]
        known = return_id, row["request_id"], row["version"], tuple(lines.pop(return_id, ()))
        parcels = tuple(receipts.pop((order_id, return_id), ()))
        returns[order_id].append(Return(*known, bool(row["is_closed"]), parcels))
    return returns, frozenset([*lines, *(order for order, _ in [*came, *receipts])])


async def booked_facts(reading: Reading) -> frozenset[tuple[str, str]]:
    """Read what Inventory has booked, by order."""
    return frozenset((row["order_id"], row["fact"]) for row in await reading.fetch(_BOOKED))


def sourcing_in(text: str | None) -> Sourcing:
    """Read the document of a reservation; none: by priority."""
    if text is None:
        return Sourcing()
    strategy, location_ids, *wishes = json.loads(text)
    return Sourcing(strategy, tuple(location_ids), *wishes)
