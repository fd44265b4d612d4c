"""What callers want of the catalogue and of lists: to add, to change, and to read page by page."""

from collections.abc import Sequence
from random import Random

from proof.history import Facts

CATALOGUE = ("CreateProduct", "UpdateProduct", "ListProducts", "CreateLocation")
PAGES = ("ListOrders", "SearchOrders", "ListMovements", "ListTransfers", "GetOrderFigures")
NEWEST = 30  # rows of a page
DAYS = ("2027-01-15", "2027-02-28", "2027-12-31")  # when more is expected


class CatalogueWishes:
    """One caller's wishes; what it adds is not ordered by anybody.

    :param chance: the caller's.
    :param waits_max: units that may be waited for, by product; what is not in it can't be.
    """

    def __init__(self, name: str, chance: Random, waits_max: dict[str, int]) -> None:
        self._name, self._chance, self._waits_max = name, chance, waits_max
        self._versions: dict[str, int] = {}  # of products, as last seen
        self._numbers = 0

    def told_of(self, answer: Facts) -> None:
        """An answer may show products."""
        for product_id, version in answer.get("products", ()):
            self._versions[product_id] = version

    def next(self, method: str) -> tuple[str, Facts]:
        """What to ask for, and by which method: what is to be changed has to be seen first."""
        match method:
            case "CreateProduct":
                return method, {"product_id": f"{self._name}-thing"}
            case "CreateLocation":
                return method, {"location_id": f"{self._name}-place", "priority": 1_000}
            case "UpdateProduct" if self._versions:
                # Who waits most is told oftenest when there will be more.
                some = [*self._waits_max, self._chance.choice(list(self._versions))]
                product_id = self._chance.choice(some)
                return method, self._update(product_id)
        return "ListProducts", {}

    def _update(self, product_id: str) -> Facts:
        asked: Facts = {"product_id": product_id, "version": self._versions.get(product_id, 1)}
        if product_id not in self._waits_max:
            self._numbers += 1
            return {**asked, "description": f"{self._name} {self._numbers}"}
        day = self._chance.choice(DAYS)
        return {**asked, "waits_max": self._waits_max[product_id], "expected": day}

    def page(self, method: str, orders: Sequence[str], product_id: str) -> tuple[str, Facts]:
        """The page to read.

        :param orders: ids that the caller was told of.
        :param product_id: of the movements.
        """
        match method:
            case "SearchOrders" if orders:
                return method, {"order_id_prefix": self._chance.choice(orders)}
            case "ListMovements":
                return method, {"product_id": product_id}
            case "ListTransfers" | "GetOrderFigures":
                return method, {}
        return "ListOrders", {"customer_id": self._name}
