"""Put on the shelf what the orders of a file will ask for, and never touch what was counted."""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from holdfast.cli.replay_locations import MAIN, dealt
from holdfast.client import (
    AlreadyExists,
    Holdfast,
    HoldfastError,
    Money,
    NotFound,
    StaleVersion,
    StockInfo,
    StockLevel,
    StockRequest,
)
from holdfast.exchange.patience import chunks, in_parallel, patiently
from holdfast.importing.reading import OrderFile

BATCH_MAX = 1_000  # products in one call
TOLD_EVERY = 100
STOCK_MAX = 1_000_000_000_000


@dataclass(slots=True)
class Stocked:
    """What was put on the shelf now, and what was there."""

    products_created: int = 0
    products_present: int = 0
    stock_set: int = 0
    stock_present: int = 0
    currencies: dict[str, str] = field(default_factory=dict)  # of the products that were there
    available: dict[str, int] = field(default_factory=dict)  # of the same, before


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the products go, and how many units of each.

    :param cover: opening stock of a product that has no stock level at all, as a share of all its
        demand in the file; None: no stock is touched.
    :param locations: what a product has is dealt out to them.
    """

    client: Holdfast
    file: OrderFile
    cover: Decimal | None
    concurrency: int
    patience_s: float
    locations: Sequence[str] = (MAIN,)

    async def fill(self, product_ids: Sequence[str], tell: Callable[[int, int], None]) -> Stocked:
        """Make the products that are missing, and set the opening stock of those without any.

        What somebody counted, at whatever location, stays as it is.

        :param tell: told how many products are made, of how many.
        """
        stocked = Stocked()
        patience_s = 0.0  # a wrong address should be told at once
        for some in chunks(product_ids, BATCH_MAX):
            infos = await patiently(patience_s, partial(self._infos, some))
            patience_s = self.patience_s
            missing = [one for one in some if one not in infos]
            for made in chunks(missing, TOLD_EVERY):
                await in_parallel(self.concurrency, made, self._create)
                stocked.products_created += len(made)
                tell(stocked.products_created, len(product_ids))
            stocked.products_present += len(some) - len(missing)
            for product_id, info in infos.items():
                stocked.currencies[product_id] = info.product.unit_price.currency
                stocked.available[product_id] = info.available
            if self.cover is None:
                continue
            bare = [one for one in some if one not in infos or not infos[one].levels]
            stocked.stock_present += len(some) - len(bare)
            # All levels of a product in one call, which is one transaction.
            for part in chunks(bare, BATCH_MAX // len(self.locations)):
                changed, counted = await self._set_opening_stock(part, self.cover)
                stocked.stock_set += changed
                stocked.stock_present += counted
        return stocked

    async def _infos(self, product_ids: Sequence[str]) -> dict[str, StockInfo]:
        """What there is of the products that exist."""
        infos: dict[str, StockInfo] = {}
        answers = await self.client.inventory.get_stock_batch(product_ids)
        for product_id, info in zip(product_ids, answers, strict=True):
            match info:
                case NotFound():
                    continue
                case HoldfastError():
                    raise info
                case _:
                    infos[product_id] = info
        return infos

    async def _create(self, product_id: str) -> None:
        entry = self.file.catalogue[product_id]
        create = partial(
            self.client.inventory.create_product,
            product_id,
            name=entry.name,
            unit_price=Money(self.file.currency, entry.unit_price_minor),
        )
        # If somebody was faster, they may call it what they like.
        with suppress(AlreadyExists):
            await patiently(self.patience_s, create)

    async def _set_opening_stock(
        self, product_ids: Sequence[str], cover: Decimal
    ) -> tuple[int, int]:
        """Set it where there is still none; for how many it was set, and how many had some."""
        wanted = {one: opening_stock(self.file.catalogue[one].demand, cover) for one in product_ids}
        requests = [
            StockRequest(
                product_id,
                quantity=units,
                location_id=location_id,
                expected_version=0,  # what is counted meanwhile is not overwritten
                reason="opening stock",
                request_id=self._request_id(product_id, location_id),
            )
            for product_id, in_all in wanted.items()
            for location_id, units in dealt(in_all, self.locations).items()
            if units  # a level of nothing is none
        ]
        if not requests:
            return 0, 0
        outcomes = await patiently(
            self.patience_s, lambda: self.client.inventory.set_stock_batch(requests)
        )
        answers = zip(requests, outcomes, strict=True)
        changed = {request.product_id for request, outcome in answers if _is_set(outcome)}
        return len(changed), len({request.product_id for request in requests}) - len(changed)

    def _request_id(self, product_id: str, location_id: str) -> str:
        """The same for every run over this file; a product's own id may leave no room for it."""
        shares = "" if len(self.locations) == 1 else f" {location_id} of {len(self.locations)}"
        told = f"{self.file.digest} {self.cover} {product_id}{shares}"
        digest = hashlib.sha256(told.encode())
        return f"opening-stock-{digest.hexdigest()[:32]}"


def opening_stock(demand: int, cover: Decimal) -> int:
    """Units to begin with: the share of the demand, rounded down, as far as a level can go."""
    return min(int(demand * cover), STOCK_MAX)


def _is_set(outcome: StockLevel | HoldfastError) -> bool:
    match outcome:
        case StockLevel():
            return True
        case StaleVersion():
            return False  # somebody was faster, and what they counted counts
        case _:
            raise outcome
