"""Create a product."""

from dataclasses import replace

from holdfast.inventory.application.ports import Begin, Clock
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.domain.errors import ProductExists


class CreateProduct:
    """Make a product. A repeat with the same details returns it and changes nothing.

    :raises ProductExists: the id is taken by a product with other details.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, product: Product) -> Product:
        async with self._begin() as work:
            if await work.add_product(product, self._clock.now()):
                return product
            there = await work.lock_product(product.product_id)
        if there is None or replace(there, version=product.version) != product:
            raise ProductExists(product.product_id)
        return there
