"""What the stock check says, held against what is wanted: who plainly can't be served is refused.

It is advice, on which no correctness depends: Inventory decides when it is asked for the stock.
"""

from collections.abc import Collection, Mapping

from holdfast.orders.application.ports import ProductStock
from holdfast.orders.domain.errors import (
    InactiveProducts,
    LocationInactive,
    LocationSpelledOtherwise,
    Shortage,
    ShortOfStock,
    UnknownLocations,
    UnknownProducts,
)

NOTHING: Mapping[str, int] = {}


def refuse_short(
    wanted: Mapping[str, int],
    stock: Mapping[str, ProductStock],
    held: Mapping[str, int] = NOTHING,
    *,
    may_wait: bool,
) -> None:
    """Let pass what can be had.

    :param wanted: units in all, by product.
    :param held: what the order was promised already, by product: it counts as available to it.
    :param may_wait: whether units may be waited for, where their product allows it.
    :raises UnknownProducts, InactiveProducts, ShortOfStock: not so; products as in `wanted`.
    """
    if unknown := [name for name in wanted if name not in stock]:
        raise UnknownProducts(unknown)
    if inactive := [name for name in wanted if not stock[name].active]:
        raise InactiveProducts(inactive)
    shortages = [
        Shortage(name, units, free)
        for name, units in wanted.items()
        if units > (free := stock[name].promisable(may_wait=may_wait) + held.get(name, 0))
    ]
    if shortages:
        raise ShortOfStock(shortages)


def refuse_locations(location_ids: Collection[str], known: Mapping[str, bool]) -> None:
    """Let pass locations that stock can be taken from, or put at.

    :param known: locations that exist, and whether each is active.
    :raises UnknownLocations, LocationSpelledOtherwise, LocationInactive: not so.
    """
    if unknown := [name for name in location_ids if name not in known]:
        spelled = {name.casefold(): name for name in known}
        for name in unknown:
            if name.casefold() in spelled:
                raise LocationSpelledOtherwise(name, spelled[name.casefold()])
        raise UnknownLocations(unknown)
    for name in location_ids:
        if not known[name]:
            raise LocationInactive(name)
