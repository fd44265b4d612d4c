"""Update a product's details."""

from collections.abc import Mapping

from holdfast.inventory.application.ports import Begin, Clock
from holdfast.inventory.domain.catalog.product import Detail, Product
from holdfast.inventory.domain.errors import ProductNotFound

AT_GATE = {"backorder_max", "safety_stock"}  # details that are kept there, too


class UpdateProduct:
    """Change some of a product's details, if it still has the version that the caller read.

    :param details: new values by field name: name, description, currency with price_minor, active,
        backorder_max with expected_on, safety_stock.
    :raises ProductNotFound: there is none of this id.
    :raises StaleVersion: it changed meanwhile, or this is a repeat.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(
        self, product_id: str, expected_version: int, details: Mapping[str, Detail]
    ) -> Product:
        async with self._begin() as work:
            if details.keys() & AT_GATE:  # the gate first, as everyone locks
                await work.lock_levels([product_id])
            product = await work.lock_product(product_id)
            if product is None:
                raise ProductNotFound(product_id)
            revised = product.revised(expected_version=expected_version, **details)
            await work.save_product(revised, self._clock.now())
        return revised
