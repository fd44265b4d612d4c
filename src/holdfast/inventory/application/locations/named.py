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


def all_named(location_ids: Iterable[str], known: Mapping[str, Location]) -> list[Location]:
    """Return the locations of these names, in their order.

    :raises LocationNotFound: of all that there are none of.
    :raises LocationSpelledOtherwise: of the first that is.
    """
    asked = list(location_ids)
    unknown = [location_id for location_id in asked if folded(location_id) not in known]
    if unknown:
        raise LocationNotFound(*unknown)
    return [named(location_id, known) for location_id in asked]


def refuse_inactive(location_ids: Iterable[str], known: Mapping[str, Location]) -> None:
    """Let pass locations that stock can be promised at.

    :raises LocationNotFound, LocationSpelledOtherwise: see `all_named`.
    :raises LocationInactive: one is.
    """
    for location in all_named(location_ids, known):
        if not location.active:
            raise LocationInactive(location.location_id, wanted="promise")
