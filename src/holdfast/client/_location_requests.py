"""Locations, availability and queues as request messages, checked like everything in
`_requests`.
"""

from dataclasses import fields

from holdfast.client._checks import Checks
from holdfast.client._details import write_lines, write_sourcing
from holdfast.client._stock_types import LocationAddress, LocationKind
from holdfast.client._stock_wire import location_kind_to_wire
from holdfast.contracts.inventory.v1 import inventory_pb2

PRIORITY_MAX = 1_000_000


def create_location(location_id: object, **details: object) -> inventory_pb2.CreateLocationRequest:
    """Of the details, None is left to the service."""
    checks = Checks()
    request = inventory_pb2.CreateLocationRequest()
    request.location.location_id = checks.text("location.location_id", location_id)
    _write_details(checks, request.location, details)
    checks.raise_any()
    return request


def update_location(
    location_id: object, version: object, **details: object
) -> inventory_pb2.UpdateLocationRequest:
    """Of the details, None is left as it is."""
    checks = Checks()
    request = inventory_pb2.UpdateLocationRequest()
    request.location.location_id = checks.text("location.location_id", location_id)
    request.location.version = checks.number("location.version", version, lowest=1)
    request.update_mask.paths.extend(_write_details(checks, request.location, details))
    checks.raise_any()
    return request


def _write_details(
    checks: Checks, location: inventory_pb2.Location, details: dict[str, object]
) -> list[str]:
    """Write what is given; the names of that."""
    given = {name: value for name, value in details.items() if value is not None}
    if "name" in given:
        location.name = checks.text("location.name", given["name"])
    if "kind" in given:
        kind = checks.known("location.kind", given["kind"], LocationKind)
        location.kind = location_kind_to_wire(kind or LocationKind.WAREHOUSE)
    if "priority" in given:
        location.priority = checks.number(
            "location.priority", given["priority"], lowest=0, highest=PRIORITY_MAX
        )
    if "active" in given:
        location.active = checks.flag("location.active", given["active"])
    if "address" in given and checks.is_a("location.address", given["address"], LocationAddress):
        for part in fields(LocationAddress):
            text = checks.text(
                f"location.address.{part.name}", getattr(given["address"], part.name)
            )
            setattr(location.address, part.name, text)
    return list(given)


def check_availability(lines: object, sourcing: object) -> inventory_pb2.CheckAvailabilityRequest:
    checks = Checks()
    request = inventory_pb2.CheckAvailabilityRequest()
    write_lines(checks, request, lines)
    if sourcing is not None:
        write_sourcing(checks, request.sourcing, sourcing)
    checks.raise_any()
    return request


def list_backorders(product_id: object) -> inventory_pb2.ListBackordersRequest:
    checks = Checks()
    request = inventory_pb2.ListBackordersRequest(product_id=checks.text("product_id", product_id))
    checks.raise_any()
    return request
