"""Shipments as rows: items are only added, and how a shipment travels is kept as last told."""

import json
from collections import defaultdict
from collections.abc import Sequence

from holdfast.chassis.database.seam import Row, Transaction, instant
from holdfast.orders.domain.events import OrderShipped
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.shipping.shipment import Shipment, ShipmentItem
from holdfast.orders.infrastructure.ordering.sql import Statements


async def record_shipments(
    transaction: Transaction, sql: Statements, changes: Sequence[OrderChange]
) -> None:
    """Write what changes of locked orders say of shipments."""
    told = {(c.order_id, s.shipment_id): (c, s) for c in changes if (s := c.shipment)}
    if not told:
        return
    first = {
        (c.order_id, s.shipment_id): c.version
        for c in changes
        if (s := c.shipment) and isinstance(c.event, OrderShipped)
    }
    rows = [
        (order_id, s.shipment_id, first.get((order_id, s.shipment_id), c.version), s.revision)
        + (s.carrier, s.tracking_number, s.tracking_url, s.request_hash)
        + (s.shipped_at, s.delivered_at)
        for (order_id, _), (c, s) in told.items()
    ]
    await transaction.write(sql.PUT_SHIPMENTS, rows)
    transaction.defer(
        sql.INSERT_SHIPMENT_ITEMS,
        [
            (order_id, shipment_id, number, *item)
            for order_id, shipment_id in first
            for number, item in enumerate(told[order_id, shipment_id][1].items, 1)
        ],
    )


def shipments_of(row: Row) -> tuple[Shipment, ...]:
    """Read shipments from their documents, in the order of recording."""
    if not row["shipments"]:
        return ()
    items: dict[str, list[ShipmentItem]] = defaultdict(list)
    for shipment_id, *item in json.loads(row["shipment_items"]):
        items[shipment_id].append(ShipmentItem(*item))
    return tuple(
        Shipment(
            shipment_id,
            revision,
            tuple(items[shipment_id]),
            carrier,
            number,
            url,
            request_hash,
            instant(shipped_at),
            delivered_at and instant(delivered_at),
        )
        for shipment_id, revision, carrier, number, url, request_hash, shipped_at, delivered_at in (
            json.loads(row["shipments"])
        )
    )
