"""Locations and sourcing, from the wire and to it; `_wire` has the rest of Inventory's values."""

from collections.abc import Iterable
from dataclasses import fields

from holdfast.client._enums import by_number
from holdfast.client._stock_types import (
    HeldStock,
    Location,
    LocationAddress,
    LocationKind,
    Sourcing,
    SourcingReason,
    SourcingStrategy,
    StockReason,
)
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


def stock_reason_from_wire(number: int) -> StockReason | None:
    """None: not said."""
    if number == inventory_pb2.STOCK_REASON_UNSPECIFIED:
        return None
    return _STOCK_REASONS.get(number, StockReason.UNKNOWN)


def stock_reason_to_wire(reason: StockReason) -> inventory_pb2.StockReason.ValueType:
    return inventory_pb2.StockReason.Value(f"STOCK_REASON_{reason}")


_STOCK_REASONS = by_number(inventory_pb2.StockReason.Value, "STOCK_REASON", StockReason)
_KINDS = by_number(inventory_pb2.LocationKind.Value, "LOCATION_KIND", LocationKind)
_STRATEGIES = by_number(inventory_pb2.SourcingStrategy.Value, "SOURCING_STRATEGY", SourcingStrategy)
_STRATEGIES[inventory_pb2.SOURCING_STRATEGY_UNSPECIFIED] = SourcingStrategy.PRIORITY
_SOURCING_REASONS = by_number(inventory_pb2.SourcingReason.Value, "SOURCING_REASON", SourcingReason)
_SOURCING_REASONS[inventory_pb2.SOURCING_REASON_UNSPECIFIED] = SourcingReason.PRIORITY
