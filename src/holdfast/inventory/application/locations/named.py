"""Locations that somebody names: each exists, is written as it is here, and may be taken from."""

from collections.abc import Iterable, Mapping

from holdfast.inventory.domain.errors import (
    LocationInactive,
    LocationNotFound,
    LocationSpelledOtherwise,
)
from holdfast.inventory.domain.locations.location import Location, folded


def named(location_id: str, known: Mapping[str, Location]) -> Location:
    """Return the location of this name.

    :param known: locations by what `folded` makes of their ids.
    :raises LocationNotFound, LocationSpelledOtherwise: there is none.
    """
    location = known.get(folded(location_id))
    if location is None:
        raise LocationNotFound(location_id)
    if location.location_id != location_id:
        raise LocationSpelledOtherwise(location_id, location.location_id)
    return location


def refuse_inactive(location_ids: Iterable[str], known: Mapping[str, Location]) -> None:
    """Let pass locations that stock can be promised at.

    :raises LocationNotFound, LocationSpelledOtherwise, LocationInactive: one is none of them.
    """
    for location_id in location_ids:
        if not named(location_id, known).active:
            raise LocationInactive(location_id, wanted="promise")
