"""What callers want of locations: to switch one off and on, and to know what could be promised."""

from random import Random
from typing import Any

from proof.goods_wishes import LOCATIONS, drawn_sourcing
from proof.history import Facts

PLACES = ("CheckAvailability", "UpdateLocation", "ListLocations")
SWITCHED = LOCATIONS[-1]  # never `main`, which every product's movements are locked by
SOURCED = 0.6  # of the baskets say where their stock is to come from
LARGE, LARGE_MAX = 0.2, 40  # of the lines of a basket; their units


class PlacesWishes:
    """One caller's wishes about locations.

    :param chance: the caller's.
    """

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        # The version of what is switched, and whether it is active; None: it has to be looked at.
        self._seen: tuple[int, bool] | None = (1, True)

    def told_of(self, answer: Facts) -> None:
        """An answer may show locations."""
        for location_id, active, version in answer.get("locations", ()):
            if location_id == SWITCHED:
                self._seen = version, active

    def next(self, method: str, lines: list[list[Any]]) -> tuple[str, Facts]:
        """What to ask for, and by which method: by a look, where nobody knows what there is.

        :param lines: of a basket, as those of an order.
        """
        match method:
            case "CheckAvailability":
                return method, self._basket(lines)
            case "UpdateLocation" if self._seen is not None:
                (version, active), self._seen = self._seen, None
                asked = {"location_id": SWITCHED, "version": version, "active": not active}
                return method, asked
        return "ListLocations", {}

    def _basket(self, lines: list[list[Any]]) -> Facts:
        chance = self._chance
        wanted = [
            [product_id, chance.randint(1, LARGE_MAX) if chance.random() < LARGE else units]
            for product_id, units in lines
        ]
        basket: Facts = {"lines": wanted}
        if chance.random() < SOURCED:
            return {**basket, "sourcing": drawn_sourcing(chance)}
        return basket
