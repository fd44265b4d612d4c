"""Locations as plain facts."""

from typing import NamedTuple


class Location(NamedTuple):
    """A place that stock is kept at.

    :param inactive_after: the newest movement when it was made inactive; None: it is active.
    """

    location_id: str
    priority: int = 0
    version: int = 1
    active: bool = True
    inactive_after: int | None = None
