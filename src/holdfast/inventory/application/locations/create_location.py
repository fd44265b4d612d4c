"""Create a location."""

from dataclasses import replace

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import Begin
from holdfast.inventory.domain.errors import LocationExists, TooManyLocations
from holdfast.inventory.domain.locations.location import (
    LOCATIONS_MAX,
    MAIN_LOCATION,
    Location,
)


class CreateLocation:
    """Make a location. A repeat with the same details returns it and changes nothing.

    :raises LocationExists: the id is taken by a location with other details.
    :raises LocationSpelledOtherwise: it is taken in other letters' case.
    :raises TooManyLocations: there are LOCATIONS_MAX already.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def __call__(self, location: Location) -> Location:
        location_id = location.location_id
        async with self._begin() as work:
            await work.lock_location(MAIN_LOCATION)  # one creates at a time: they are counted
            known = await work.locations({location_id})
            if not known:
                if await work.count_locations() >= LOCATIONS_MAX:
                    raise TooManyLocations(LOCATIONS_MAX)
                await work.add_location(location)
                return location
        there = named(location_id, known)
        if replace(there, version=location.version) != location:
            raise LocationExists(location_id)
        return there
