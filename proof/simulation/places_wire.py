"""How calls about locations look on the wire, and what of the answers is written down."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from holdfast.contracts.inventory.v1 import inventory_pb2
from proof.history import Facts


def sourcing(facts: Facts) -> inventory_pb2.Sourcing | None:
    """Where stock is to come from, if it is said."""
    if "sourcing" not in facts:
        return None
    strategy, location_ids, may_split, in_stock_only = facts["sourcing"]
    return inventory_pb2.Sourcing(
        strategy=inventory_pb2.SourcingStrategy.Value(f"SOURCING_STRATEGY_{strategy}"),
        location_ids=location_ids,
        may_split=may_split,
        in_stock_only=in_stock_only,
    )


def creation(facts: Facts) -> inventory_pb2.CreateLocationRequest:
    return inventory_pb2.CreateLocationRequest(location=inventory_pb2.Location(**facts))


def switch(facts: Facts) -> inventory_pb2.UpdateLocationRequest:
    location = inventory_pb2.Location(**facts)
    mask = FieldMask(paths=["active"])
    return inventory_pb2.UpdateLocationRequest(location=location, update_mask=mask)


def location(body: bytes) -> dict[str, Any]:
    return {"locations": [_told(inventory_pb2.Location.FromString(body))]}


def locations(body: bytes) -> dict[str, Any]:
    listed = inventory_pb2.ListLocationsResponse.FromString(body).locations
    return {"locations": [_told(one) for one in listed]}


def _told(one: inventory_pb2.Location) -> list[Any]:
    return [one.location_id, one.active, one.version]


def basket(facts: Facts) -> inventory_pb2.CheckAvailabilityRequest:
    lines = [
        inventory_pb2.BasketLine(product_id=product_id, quantity=quantity)
        for product_id, quantity in facts["lines"]
    ]
    return inventory_pb2.CheckAvailabilityRequest(lines=lines, sourcing=sourcing(facts))


def availability(body: bytes) -> dict[str, Any]:
    found = inventory_pb2.CheckAvailabilityResponse.FromString(body)
    return {
        "available": found.available,
        "stock": [[one.product_id, one.location_id, one.quantity] for one in found.stock],
        "shipments": found.shipments,
        "missing": [[one.product_id, one.wanted, one.available] for one in found.missing],
        "queued": [[one.product_id, one.quantity] for one in found.queued],
    }
