"""Locations: the places that stock is kept at."""

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from holdfast.inventory.domain.errors import StaleVersion

MAIN_LOCATION = "main"  # in this spelling only, as every location; always there
LOCATIONS_MAX = 1_000  # all that a product may have stock at: they are locked and told together
PRIORITY_MAX = 1_000_000
PRIORITY_DEFAULT = 100


class LocationKind(StrEnum):
    """What a location is."""

    WAREHOUSE = "WAREHOUSE"
    SHOP = "SHOP"
    SUPPLIER = "SUPPLIER"
    OTHER = "OTHER"


class Address(NamedTuple):
    """Where a location is; what is not known is empty."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


NO_ADDRESS = Address()


@dataclass(frozen=True, slots=True)
class Location:
    """A place that stock is kept at.

    :param priority: stock is taken from the lowest number first, of equal ones by id.
    :param active: whether units may come there and be promised there.
    :param version: rises by one with every change.
    """

    location_id: str
    name: str = ""
    kind: LocationKind = LocationKind.WAREHOUSE
    priority: int = PRIORITY_DEFAULT
    active: bool = True
    address: Address = NO_ADDRESS
    version: int = 1

    def revised(self, *, expected_version: int, **details: Any) -> "Location":
        """Return the location with new details, one version later.

        :raises StaleVersion: `expected_version` is not the current one.
        """
        if expected_version != self.version:
            raise StaleVersion(
                "location", self.location_id, expected=expected_version, current=self.version
            )
        return replace(self, **details, version=self.version + 1)


def folded(location_id: str) -> str:
    """What all spellings of a location have in common: letters without their case."""
    return unicodedata.normalize("NFC", location_id.casefold())
