"""Check availability: what would be promised to a basket at this moment, and from where."""

from collections.abc import Mapping

from holdfast.inventory.application.locations.named import refuse_inactive
from holdfast.inventory.application.ports import StockReader
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.errors import ProductNotFound, ProductsInactive
from holdfast.inventory.domain.stock.finding import Found, find_or_wait
from holdfast.inventory.domain.stock.levels import Short
from holdfast.inventory.domain.stock.sourcing import Sourcing
from holdfast.inventory.domain.stock.stock import shelves


class CheckAvailability:
    """Find stock for a basket as it would be found for an order; nothing is promised.

    :param wanted: units per product, at least one of each.
    :returns: what would be promised, or what is missing; and the products that are wanted.
    :raises ProductNotFound, ProductsInactive: of all that are wanted and are so.
    :raises LocationNotFound, LocationSpelledOtherwise, LocationInactive: of one that is named.
    """

    def __init__(self, reader: StockReader) -> None:
        self._reader = reader

    async def __call__(
        self, wanted: Mapping[str, int], sourcing: Sourcing
    ) -> tuple[Found | Short, Mapping[str, Product]]:
        if sourcing.location_ids:
            known = await self._reader.locations_named(sourcing.location_ids)
            refuse_inactive(sourcing.location_ids, known)
        infos = await self._reader.stock_info(wanted)
        unknown = [one for one in wanted if one not in infos]
        if unknown:
            raise ProductNotFound(*unknown)
        inactive = [one for one in wanted if not infos[one].product.active]
        if inactive:
            raise ProductsInactive(*inactive)
        levels = shelves(level for info in infos.values() for level in info.levels)
        queues = {name: info.queue for name, info in infos.items()}
        found = find_or_wait(levels, wanted, sourcing, queues)
        return found, {name: info.product for name, info in infos.items()}
