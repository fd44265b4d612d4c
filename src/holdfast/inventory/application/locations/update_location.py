"""Update a location's details."""

from collections.abc import Mapping

from holdfast.inventory.application.locations.named import named
from holdfast.inventory.application.ports import Begin
from holdfast.inventory.domain.errors import LocationNotFound
from holdfast.inventory.domain.locations.location import Location


class UpdateLocation:
    """Change some of a location's details, if it still has the version that the caller read.

    Whoever moves stock there has the location locked, so that once it is not active nothing comes
    there and nothing is promised there, not even by those who began before.

    :param details: new values by field name: name, kind, priority, active, address.
    :raises LocationNotFound, LocationSpelledOtherwise: there is none of this id.
    :raises StaleVersion: it changed meanwhile, or this is a repeat.
    """

    def __init__(self, begin: Begin) -> None:
        self._begin = begin

    async def __call__(
        self, location_id: str, expected_version: int, details: Mapping[str, object]
    ) -> Location:
        async with self._begin() as work:
            location = await work.lock_location(location_id)
            if location is None:
                named(location_id, await work.locations({location_id}))
                raise LocationNotFound(location_id)
            revised = location.revised(expected_version=expected_version, **details)
            await work.save_location(revised)
        return revised
