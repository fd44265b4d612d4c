"""Products: sellable things and their details."""

from dataclasses import dataclass, replace
from datetime import date

from holdfast.inventory.domain.errors import StaleVersion

Detail = str | int | bool | date | None


@dataclass(frozen=True, slots=True)
class Product:
    """A sellable thing; the id is the merchant's own code.

    :param price_minor: price of one unit in minor units of the currency (pence, cents, yen).
    :param backorder_max: units that orders may wait for; 0: they may not; UNLIMITED: any number.
    :param expected_on: when more is expected; None: not known.
    :param safety_stock: units that are not promised, at each location.
    :param version: rises by one with every change of the details.
    """

    product_id: str
    name: str
    description: str
    currency: str
    price_minor: int
    active: bool
    version: int = 1
    backorder_max: int = 0
    expected_on: date | None = None
    safety_stock: int = 0

    def __post_init__(self) -> None:
        assert self.product_id, "a product has an id"
        assert self.price_minor >= 0, "a price is never negative"
        assert self.safety_stock >= 0, "no number is below zero"

    def revised(self, *, expected_version: int, **details: "Detail") -> "Product":
        """Return the product with new details, one version later.

        :raises StaleVersion: `expected_version` is not the current one.
        """
        if expected_version != self.version:
            raise StaleVersion(
                "product", self.product_id, expected=expected_version, current=self.version
            )
        return replace(self, **details, version=self.version + 1)  # type: ignore[arg-type] # checked at the edge
