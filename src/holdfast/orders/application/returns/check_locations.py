"""Check the locations that goods are said to be at, before it is recorded."""

from collections.abc import Collection

from holdfast.orders.application.ordering.stock_advice import refuse_locations
from holdfast.orders.application.ports import StockCheck


class CheckLocations:
    """Let pass locations that goods can come to. It is advice: Inventory books them in any case.

    :param product_ids: of the goods, at least one.
    :raises UnknownLocations, LocationSpelledOtherwise, LocationInactive: one can't be taken.
    :raises InventoryUnavailable: nobody can tell.
    """

    def __init__(self, stock_check: StockCheck) -> None:
        self._stock_check = stock_check

    async def __call__(self, product_ids: Collection[str], location_ids: Collection[str]) -> None:
        advice = await self._stock_check.ask(product_ids, location_ids)
        refuse_locations(location_ids, advice.locations)
