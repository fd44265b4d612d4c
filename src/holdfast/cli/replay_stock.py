"""Put on the shelf what the invoices of a file will ask for, once and for all runs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from holdfast.cli.invoices import CURRENCY, InvoiceFile
from holdfast.cli.patience import chunks, in_parallel, patiently
from holdfast.client import (
    AlreadyExists,
    Holdfast,
    HoldfastError,
    Money,
    NotFound,
    Refused,
    StockLevel,
    StockRequest,
)

BATCH_MAX = 1_000  # products in one call
TOLD_EVERY = 100
STOCK_MAX = 1_000_000_000_000


@dataclass(slots=True)
class Stocked:
    """What was put on the shelf now, and what an earlier run had put there."""

    products_created: int = 0
    products_present: int = 0
    stock_set: int = 0
    stock_present: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the products go, and how many units of each.

    :param cover: opening stock of a product as a share of all its demand in the file.
    """

    client: Holdfast
    file: InvoiceFile
    cover: Decimal
    concurrency: int
    patience_s: float

    async def fill(self, product_ids: Sequence[str], tell: Callable[[int, int], None]) -> Stocked:
        """Make the products and set their opening stock, where no run over this file has done it.

        :param tell: told how many products are made, of how many.
        """
        stocked = Stocked()
        patience_s = 0.0  # a wrong address should be told at once
        for some in chunks(product_ids, BATCH_MAX):
            versions = await patiently(patience_s, partial(self._versions, some))
            patience_s = self.patience_s
            missing = [one for one, version in versions.items() if version is None]
            for made in chunks(missing, TOLD_EVERY):
                await in_parallel(self.concurrency, made, self._create)
                stocked.products_created += len(made)
                tell(stocked.products_created, len(product_ids))
            stocked.products_present += len(some) - len(missing)
            changed = await self._set_opening_stock(versions)
            stocked.stock_set += changed
            stocked.stock_present += len(some) - changed
        return stocked

    async def _versions(self, product_ids: Sequence[str]) -> dict[str, int | None]:
        """The stock level's version for every product: 0 without one, None without a product."""
        infos = await self.client.inventory.get_stock_batch(product_ids)
        versions: dict[str, int | None] = {}
        for product_id, info in zip(product_ids, infos, strict=True):
            match info:
                case NotFound():
                    versions[product_id] = None
                case HoldfastError():
                    raise info
                case _:
                    versions[product_id] = max((level.version for level in info.levels), default=0)
        return versions

    async def _create(self, product_id: str) -> None:
        entry = self.file.catalogue[product_id]
        create = partial(
            self.client.inventory.create_product,
            product_id,
            name=entry.name,
            unit_price=Money(CURRENCY, entry.unit_price_minor),
        )
        # If somebody was faster, they may call it what they like.
        with suppress(AlreadyExists):
            await patiently(self.patience_s, create)

    async def _set_opening_stock(self, versions: dict[str, int | None]) -> int:
        """Set it for all, repeats included; how many levels have changed by it."""
        requests = [
            StockRequest(
                product_id,
                quantity=opening_stock(self.file.catalogue[product_id].demand, self.cover),
                reason="opening stock",
                request_id=f"opening-stock-{self.file.digest[:16]}-{product_id}",
            )
            for product_id in versions
        ]
        outcomes = await patiently(
            self.patience_s, lambda: self.client.inventory.set_stock_batch(requests)
        )
        return sum(map(_has_changed, versions.values(), outcomes))


def opening_stock(demand: int, cover: Decimal) -> int:
    """Units to begin with: the share of the demand, rounded down, as far as a level can go."""
    return min(int(demand * cover), STOCK_MAX)


def _has_changed(version_before: int | None, outcome: StockLevel | HoldfastError) -> bool:
    match outcome:
        case StockLevel():
            return version_before is None or outcome.version > version_before
        case Refused():
            return False  # an earlier run had another cover, or more of it was promised away
        case _:
            raise outcome
