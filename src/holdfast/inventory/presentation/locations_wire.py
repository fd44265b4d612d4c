"""Locations on the wire: read with all their violations, written as they are."""

import re
from dataclasses import dataclass

from holdfast.chassis.grpc import pages
from holdfast.chassis.grpc.sourcing import LOCATION_CHARACTERS_MAX
from holdfast.chassis.validation import Violations
from holdfast.contracts.inventory.v1 import inventory_pb2 as pb
from holdfast.inventory.domain.locations.location import (
    LOCATIONS_MAX,
    NO_ADDRESS,
    PRIORITY_DEFAULT,
    PRIORITY_MAX,
    Address,
    Location,
    LocationKind,
)

NAME_CHARACTERS_MAX = 500
VERSION_MAX = 2**63 - 1
FIELDS = ("name", "kind", "priority", "active", "address")
ADDRESS_CHARACTERS_MAX = {"street": 500, "city": 200, "region": 200, "postal_code": 50}
FIRST = (-1, "")  # before all of them
CURSOR_FORM = r"[0-9]{1,7}/[^\0]+"

_COUNTRY = re.compile(r"[A-Z]{2}")
_PREFIX = "LOCATION_KIND_"


def read_location(location: pb.Location, violations: Violations) -> Location:
    """Read a location with what is not given as it is by default."""
    return Location(
        violations.id(
            "location.location_id", location.location_id, characters_max=LOCATION_CHARACTERS_MAX
        ),
        violations.text("location.name", location.name, characters_max=NAME_CHARACTERS_MAX),
        _read_kind(location.kind, violations),
        violations.within("location.priority", location.priority, lowest=0, highest=PRIORITY_MAX)
        if location.HasField("priority")
        else PRIORITY_DEFAULT,
        location.active if location.HasField("active") else True,
        _read_address(location.address, violations) if location.HasField("address") else NO_ADDRESS,
    )


def _read_kind(kind: int, violations: Violations) -> LocationKind:
    if kind not in pb.LocationKind.values():
        known = ", ".join(LocationKind)
        violations.add("location.kind", f"{kind} is no kind of location; there are {known}")
        kind = 0
    name = pb.LocationKind.Name(pb.LocationKind.ValueType(kind)).removeprefix(_PREFIX)
    return LocationKind(name) if kind else LocationKind.WAREHOUSE


def _read_address(address: pb.LocationAddress, violations: Violations) -> Address:
    parts = {
        name: violations.text(
            f"location.address.{name}", getattr(address, name), characters_max=limit
        )
        for name, limit in ADDRESS_CHARACTERS_MAX.items()
    }
    if address.country and not _COUNTRY.fullmatch(address.country):
        violations.add(
            "location.address.country", "must be two capital letters, such as FR (ISO 3166-1)"
        )
    return Address(**parts, country=address.country)


@dataclass(frozen=True, slots=True)
class LocationRevision:
    """What UpdateLocation asks for."""

    location_id: str
    expected_version: int
    details: dict[str, object]


def read_revision(request: pb.UpdateLocationRequest, violations: Violations) -> LocationRevision:
    fields = list(request.update_mask.paths)
    violations.update_mask(fields, FIELDS)
    message = request.location
    for field in {"priority", "active"}.intersection(fields):
        if not message.HasField(field):  # type: ignore[arg-type] # both are optional fields
            violations.add(f"location.{field}", "is missing, and update_mask names it")
    violations.within("location.version", message.version, lowest=1, highest=VERSION_MAX)
    location = read_location(message, violations)
    details = {field: getattr(location, field) for field in fields if field in FIELDS}
    return LocationRevision(location.location_id, message.version, details)


def read_page(request: pb.ListLocationsRequest, violations: Violations) -> tuple[str, int]:
    """Read after which cursor a page begins, and how many locations it may have."""
    cursor = pages.read_token(violations, request.page_token, "locations", cursor_form=CURSOR_FORM)
    size = pages.page_size(violations, request.page_size or LOCATIONS_MAX)
    return cursor, size


def place_of(cursor: str) -> tuple[int, str]:
    """The priority and id that a cursor stands for; "" stands before all of them."""
    priority, _, location_id = cursor.partition("/")
    return (int(priority), location_id) if cursor else FIRST


def cursor_of(location: Location) -> str:
    return f"{location.priority}/{location.location_id}"


def location_message(location: Location) -> pb.Location:
    message = pb.Location()
    write_location(message, location)
    if location.address is not NO_ADDRESS and any(location.address):
        for name, text in location.address._asdict().items():
            setattr(message.address, name, text)
    return message


def write_location(message: pb.Location, location: Location) -> None:
    """Write all but the address in place."""
    message.location_id = location.location_id
    message.name = location.name
    message.kind = pb.LocationKind.Value(f"{_PREFIX}{location.kind}")
    message.priority = location.priority
    message.active = location.active
    message.version = location.version
