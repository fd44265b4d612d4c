"""Rows of products, and lists of them."""

from datetime import date

from holdfast.chassis.database.seam import Database, Row
from holdfast.chassis.database.sql import BEHIND_ALL
from holdfast.inventory.application.ports import ProductFilter
from holdfast.inventory.domain.catalog.product import Product
from holdfast.inventory.infrastructure.products_sql import ProductStatements

SCARCE_MAX = 20  # units free at a gate that is `scarce`


class ProductReading:
    """Questions about products."""

    _database: Database
    _sql: ProductStatements

    async def products(self, wanted: ProductFilter, *, after: str, limit: int) -> list[Product]:
        sql, (before, until) = self._sql.LIST_PRODUCTS, _around(wanted.id_prefix)
        async with self._database.read() as reading:
            if wanted.waited_for:
                sql = self._sql.LIST_PRODUCTS_WAITED_FOR
            # More may be free at a gate that counts for nothing.
            elif _is_little(wanted.available_max) and await reading.fetch(self._sql.IS_MAIN_ACTIVE):
                is_none = wanted.available_max == 0
                sql = (
                    self._sql.LIST_SOLD_OUT_PRODUCTS if is_none else self._sql.LIST_SCARCE_PRODUCTS
                )
            elif wanted.active is not None:
                sql = self._sql.LIST_PRODUCTS_BY_ACTIVE
            facts = wanted.active, wanted.available_max, wanted.waited_for
            rows = await reading.fetch(sql, max(after, before), until, limit, *facts)
        return [product_of(row, version=row["version"]) for row in rows]


def _around(prefix: str) -> tuple[str, str]:
    """What stands right before and right behind all ids that begin so, byte by byte."""
    before = prefix and prefix[:-1] + chr(ord(prefix[-1]) - 1) + BEHIND_ALL
    return before, prefix + BEHIND_ALL


def _is_little(units: int | None) -> bool:
    return units is not None and units <= SCARCE_MAX


def product_of(row: Row, *, version: int) -> Product:
    return Product(
        product_id=row["product_id"],
        name=row["name"],
        description=row["description"],
        currency=row["currency"],
        price_minor=row["price_minor"],
        active=bool(row["active"]),
        version=version,
        backorder_max=row["backorder_max"],
        expected_on=date.fromisoformat(row["expected_on"]) if row["expected_on"] else None,
        safety_stock=row["safety_stock"],
    )


def product_columns(product: Product) -> tuple[object, ...]:
    details = product.product_id, product.name, product.description
    price = product.currency, product.price_minor
    expected = product.expected_on and product.expected_on.isoformat()
    policy = product.backorder_max, expected, product.safety_stock
    return (*details, *price, product.active, product.version, *policy)
