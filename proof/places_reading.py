"""Locations are read, row by row, by SQL of the proof's own."""

from collections.abc import Mapping

from holdfast.chassis.database.seam import Reading
from proof.places import Location

_LOCATIONS = """
SELECT location_id, priority, version, active, inactive_after
  FROM location
"""


async def locations_of(reading: Reading) -> Mapping[str, Location]:
    """Read all locations, by id."""
    return {
        row["location_id"]: Location(
            row["location_id"],
            row["priority"],
            row["version"],
            bool(row["active"]),
            row["inactive_after"],
        )
        for row in await reading.fetch(_LOCATIONS)
    }
