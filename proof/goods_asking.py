"""The client library is asked for what a caller wants of goods and of stock; see `asking.py`."""

from datetime import date, timedelta

from holdfast.chassis.times import EPOCH
from holdfast.client import (
    Backorder,
    BackorderMode,
    Disposition,
    ExplainedLevel,
    Holdfast,
    Order,
    ReceiptLine,
    Return,
    ReturnLine,
    ReturnState,
    ShipmentItem,
    Sourcing,
    SourcingStrategy,
    StockExplanation,
    StockInfo,
    StockLevel,
    StockRequest,
)
from proof.history import Facts
from proof.snapshot import since_1970_us
from proof.workload import UNLIMITED, Wanted

QUEUE_ROWS = 50  # of one page, which shows one moment


async def ask_for_goods(client: Holdfast, wanted: Wanted) -> Facts:
    """Ship goods or take them back.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, orders = wanted.request, client.orders
    match wanted.method:
        case "ShipOrder":
            items = [ShipmentItem(*item) for item in asked["items"]]
            return whole_order(
                await orders.ship(
                    asked["order_id"],
                    items or None,
                    shipment_id=asked["shipment_id"],
                    location=asked["location_id"],
                )
            )
        case "UpdateShipment":
            us = asked["delivered"]
            return whole_order(
                await orders.update_shipment(
                    asked["order_id"],
                    asked["shipment_id"],
                    tracking_number=asked["tracking_number"],
                    delivered=EPOCH + timedelta(microseconds=us) if us else None,
                )
            )
        case "OpenReturn":
            lines = [ReturnLine(*line) for line in asked["lines"]]
            request_id = asked["request_id"]
            return _return(
                await orders.open_return(asked["order_id"], lines, request_id=request_id)
            )
        case "ReceiveReturn":
            parcel = [
                ReceiptLine(line_no, units, Disposition(disposition), at)
                for line_no, units, disposition, at in asked["lines"]
            ]
            return _return(
                await orders.receive_return(
                    asked["return_id"], parcel, request_id=asked["request_id"]
                )
            )
        case "CloseReturn":
            return _return(await orders.close_return(asked["return_id"]))
    raise AssertionError(f"no caller knows how to call {wanted.method}")


async def ask_for_stock(client: Holdfast, wanted: Wanted) -> Facts:
    """Read or change stock, or make what it is of.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked, inventory = wanted.request, client.inventory
    match wanted.method:
        case "GetStockInfo":
            return stock_facts(await inventory.get_stock(asked["product_id"]))
        case "ExplainStock":
            us = asked.get("as_of_us")
            as_of = None if us is None else EPOCH + timedelta(microseconds=us)
            return _explanation(await inventory.explain(asked["product_id"], as_of=as_of))
        case "ListBackorders":
            rows = inventory.list_backorders(asked["product_id"], limit=QUEUE_ROWS)
            return {
                "rows": [
                    [one.order_id, one.quantity, one.units_ahead, one.position]
                    async for one in rows
                ]
            }
        case "UpdateStock" | "SetStock" | "QuarantineStock" | "ReleaseQuarantine":
            return level_facts(await _changed(client, wanted))
        case "CreateLocation":
            location_id = asked["location_id"]
            await inventory.create_location(location_id, priority=asked["priority"])
            return {"location_id": location_id}
    raise AssertionError(f"no caller knows how to call {wanted.method}")


async def _changed(client: Holdfast, wanted: Wanted) -> StockLevel:
    asked, inventory = wanted.request, client.inventory
    product_id, location_id = asked["product_id"], asked["location_id"]
    request_id = asked["request_id"]
    match wanted.method:
        case "UpdateStock":
            return await inventory.adjust_stock(
                product_id,
                asked["delta"],
                reason="count",
                location_id=location_id,
                request_id=request_id,
                displace=asked.get("displace", False),
            )
        case "SetStock":
            one = setting_of(asked)
            return await inventory.set_stock(
                one.product_id,
                one.quantity,
                location_id=one.location_id,
                reason=one.reason,
                request_id=one.request_id,
                displace=one.displace,
            )
        case "QuarantineStock":
            return await inventory.quarantine(
                product_id,
                asked["quantity"],
                reason="looks odd",
                location_id=location_id,
                request_id=request_id,
                displace=asked.get("displace", False),
            )
    return await inventory.release_quarantine(
        product_id,
        asked["quantity"],
        reason="looked at",
        location_id=location_id,
        write_off=asked["write_off"],
        request_id=request_id,
    )


def whole_order(order: Order) -> Facts:
    """An order with its contents: the next call for it goes on from them."""
    return {
        **order_facts(order),
        "version": order.version,
        "lines": [[line.product_id, line.quantity] for line in order.lines],
        "numbers": [line.line_no for line in order.lines],
        "total_minor": order.total.minor,
        "stock": [[one.product_id, one.location_id, one.quantity] for one in order.stock],
        "queued": [[one.product_id, one.quantity] for one in order.queued],
        "shipments": [
            [
                shipment.shipment_id,
                [
                    [one.line_no, one.product_id, one.location_id, one.quantity]
                    for one in shipment.items
                ],
            ]
            for shipment in order.shipments
        ],
        "left_us": [since_1970_us(shipment.ship_time) for shipment in order.shipments],
    }


def order_facts(order: Order) -> Facts:
    """Which order it is, and where it stands."""
    return {"order_id": order.order_id, "status": order.status.value}


def sourcing_of(asked: Facts) -> Sourcing | None:
    """Where the stock of an order is to come from, if it says so."""
    if "sourcing" not in asked:
        return None
    strategy, location_ids, *wishes = asked["sourcing"]
    return Sourcing(SourcingStrategy(strategy), location_ids, *wishes)


def backorder_of(asked: Facts) -> Backorder | None:
    """Whether a product may be waited for, if it says so."""
    units = asked.get("waits_max", 0)
    if not units:
        return None
    day = date.fromisoformat(asked["expected"])
    if units == UNLIMITED:
        return Backorder(BackorderMode.UNLIMITED, expected_date=day)
    return Backorder(BackorderMode.LIMITED, units, day)


def setting_of(asked: Facts) -> StockRequest:
    """To how many units a level is to be set."""
    return StockRequest(
        product_id=asked["product_id"],
        quantity=asked["quantity"],
        location_id=asked["location_id"],
        reason="counted all",
        request_id=asked["request_id"],
        displace=asked.get("displace", False),
    )


def _return(one: Return) -> Facts:
    return {
        "order_id": one.order_id,
        "return_id": one.return_id,
        "closed": one.state is ReturnState.CLOSED,
        "units": [[line.line_no, line.quantity, line.received] for line in one.lines],
        "receipts": [receipt.request_id for receipt in one.receipts],
    }


def _explanation(found: StockExplanation) -> Facts:
    return {
        "product_id": found.product_id,
        "explained": [_explained(one) for one in found.levels if one.movements],
    }


def _explained(one: ExplainedLevel) -> Facts:
    level, earlier, newest = one.level, one.earlier, one.movements[0]
    return {
        "location_id": level.location_id,
        "units": [level.on_hand, level.reserved, level.quarantined],
        "version": level.version,
        "earlier": [earlier.on_hand, earlier.reserved, earlier.quarantined],
        "sums": sorted(
            [kind.kind.value, kind.movements, kind.on_hand, kind.reserved, kind.quarantined]
            for kind in one.sums
        ),
        "holds": [[hold.order_id, hold.quantity] for hold in one.holds],
        "held": [one.hold_orders, one.hold_units],
        "movements": [move.movement_id for move in one.movements],
        "moved_at_us": since_1970_us(newest.create_time),
    }


def stock_facts(info: StockInfo) -> Facts:
    """What there is of a product, in all and by location."""
    levels = [
        [one.location_id, one.on_hand, one.reserved, one.quarantined, one.version]
        for one in info.levels
    ]
    units = _units(info.on_hand, info.reserved, info.quarantined, info.available)
    free = [[one.location_id, one.available] for one in info.levels]
    coming = [[one.location_id, one.in_transit] for one in info.levels if one.in_transit]
    return {**units, "queued": info.queued, "levels": levels, "free": free, "coming": coming}


def level_facts(level: StockLevel) -> Facts:
    """A level after a change."""
    return _units(level.on_hand, level.reserved, level.quarantined, level.available)


def _units(on_hand: int, reserved: int, quarantined: int, available: int) -> Facts:
    told = {"on_hand": on_hand, "reserved": reserved, "quarantined": quarantined}
    return {**told, "available": available}
