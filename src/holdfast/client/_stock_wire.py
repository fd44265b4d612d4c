"""Locations, sourcing and back-orders, from the wire and to it; `_wire` has the rest of
Inventory's values.
"""

from collections.abc import Iterable
from dataclasses import fields
from datetime import date

from holdfast.client._enums import by_number
from holdfast.client._stock_types import (
    AwaitedUnits,
    Backorder,
    BackorderedUnits,
    BackorderMode,
    HeldStock,
    Location,
    LocationAddress,
    LocationKind,
    QueuedUnits,
    Sourcing,
    SourcingReason,
    SourcingStrategy,
    StockReason,
)
from holdfast.client._times import day_from_wire, time_from_wire
from holdfast.client._types import Shortage
from holdfast.contracts.inventory.v1 import inventory_pb2
from holdfast.contracts.orders.v1 import orders_pb2


def location_from_wire(message: inventory_pb2.Location) -> Location:
    return Location(
        location_id=message.location_id,
        name=message.name,
        kind=_KINDS.get(message.kind, LocationKind.UNKNOWN),
        priority=message.priority,
        active=message.active,
        address=_address(message.address) if message.HasField("address") else None,
        version=message.version,
    )


def _address(message: inventory_pb2.LocationAddress) -> LocationAddress:
    return LocationAddress(**{p.name: getattr(message, p.name) for p in fields(LocationAddress)})


def location_kind_to_wire(kind: LocationKind) -> inventory_pb2.LocationKind.ValueType:
    return inventory_pb2.LocationKind.Value(f"LOCATION_KIND_{kind}")


def sourcing_from_wire(message: inventory_pb2.Sourcing) -> Sourcing:
    """What is not said is by priority, and may be shared."""
    return Sourcing(
        strategy=_STRATEGIES.get(message.strategy, SourcingStrategy.UNKNOWN),
        locations=tuple(message.location_ids),
        may_split=message.may_split or not message.HasField("may_split"),
        in_stock_only=message.in_stock_only,
    )


def strategy_to_wire(strategy: SourcingStrategy) -> inventory_pb2.SourcingStrategy.ValueType:
    return inventory_pb2.SourcingStrategy.Value(f"SOURCING_STRATEGY_{strategy}")


def held_from_wire(
    messages: Iterable[orders_pb2.HeldStock | inventory_pb2.AvailableStock],
) -> tuple[HeldStock, ...]:
    return tuple(
        HeldStock(
            m.product_id,
            m.location_id,
            m.quantity,
            _SOURCING_REASONS.get(m.reason, SourcingReason.UNKNOWN),
        )
        for m in messages
    )


def backorder_from_wire(message: inventory_pb2.Backorder) -> Backorder:
    return Backorder(
        mode=_BACKORDER_MODES.get(message.mode, BackorderMode.UNKNOWN),
        units_max=message.units_max,
        expected_date=_expected(message),
    )


def backorder_mode_to_wire(mode: BackorderMode) -> inventory_pb2.BackorderMode.ValueType:
    return inventory_pb2.BackorderMode.Value(f"BACKORDER_MODE_{mode}")


def queued_from_wire(messages: Iterable[orders_pb2.QueuedUnits]) -> tuple[QueuedUnits, ...]:
    return tuple(QueuedUnits(m.product_id, m.quantity) for m in messages)


def awaited_from_wire(messages: Iterable[inventory_pb2.AwaitedStock]) -> tuple[AwaitedUnits, ...]:
    return tuple(AwaitedUnits(m.product_id, m.quantity, _expected(m)) for m in messages)


def missing_from_wire(messages: Iterable[inventory_pb2.UnavailableStock]) -> tuple[Shortage, ...]:
    return tuple(Shortage(m.product_id, m.wanted, m.available, _expected(m)) for m in messages)


def backordered_from_wire(message: inventory_pb2.BackorderedUnits) -> BackorderedUnits:
    return BackorderedUnits(
        position=message.position,
        order_id=message.order_id,
        quantity=message.quantity,
        units_ahead=message.units_ahead,
        since_time=time_from_wire(message.since_time),
    )


def _expected(
    message: inventory_pb2.Backorder | inventory_pb2.AwaitedStock | inventory_pb2.UnavailableStock,
) -> date | None:
    return day_from_wire(message.expected_date) if message.HasField("expected_date") else None


def stock_reason_from_wire(number: int) -> StockReason | None:
    """None: not said."""
    if number == inventory_pb2.STOCK_REASON_UNSPECIFIED:
        return None
    return _STOCK_REASONS.get(number, StockReason.UNKNOWN)


def stock_reason_to_wire(reason: StockReason) -> inventory_pb2.StockReason.ValueType:
    return inventory_pb2.StockReason.Value(f"STOCK_REASON_{reason}")


_STOCK_REASONS = by_number(inventory_pb2.StockReason.Value, "STOCK_REASON", StockReason)
_BACKORDER_MODES = by_number(inventory_pb2.BackorderMode.Value, "BACKORDER_MODE", BackorderMode)
_BACKORDER_MODES[inventory_pb2.BACKORDER_MODE_UNSPECIFIED] = BackorderMode.NONE
_KINDS = by_number(inventory_pb2.LocationKind.Value, "LOCATION_KIND", LocationKind)
_STRATEGIES = by_number(inventory_pb2.SourcingStrategy.Value, "SOURCING_STRATEGY", SourcingStrategy)
_STRATEGIES[inventory_pb2.SOURCING_STRATEGY_UNSPECIFIED] = SourcingStrategy.PRIORITY
_SOURCING_REASONS = by_number(inventory_pb2.SourcingReason.Value, "SOURCING_REASON", SourcingReason)
_SOURCING_REASONS[inventory_pb2.SOURCING_REASON_UNSPECIFIED] = SourcingReason.PRIORITY
