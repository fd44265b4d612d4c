"""The cancellations of a file beside its orders: what came back before, and what is to come back.

Every order of the file is decided before anything comes back, whatever its date. So what comes
back is sold to no order of the file; nor is it when the file is replayed again.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping

from holdfast.cli.replay_records import ShippedOrders
from holdfast.cli.replay_report import ReturnsReport
from holdfast.cli.replay_returns import OwnReturn, own_returns, units_back
from holdfast.cli.replay_taking_back import TakingBack
from holdfast.client import Holdfast, Order, OrderStatus, Shortage
from holdfast.importing.orders import Cancellation, FileOrder
from holdfast.importing.reading import OrderFile

_OPEN = (OrderStatus.PENDING, OrderStatus.UNKNOWN)


class Cancellations:
    """Takes them back, and keeps the account in `report`.

    :param limit: orders to place; cancellations after the last of them are left alone.
    """

    def __init__(
        self,
        client: Holdfast,
        file: OrderFile,
        limit: int | None,
        concurrency: int,
        patience_s: float,
    ) -> None:
        self._client, self._concurrency, self._patience_s = client, concurrency, patience_s
        self._file = file
        self._orders = file.orders[:limit]
        self._wanted = _up_to(file, limit)
        self._shipped = ShippedOrders(client, concurrency, patience_s)
        self._there: dict[str, Order] = {}
        self._came_back: Counter[str] = Counter()
        self.report = ReturnsReport(
            cancellations=len(self._wanted) + file.cancellations_held_back,
            held_back=file.cancellations_held_back,
            lines=sum(len(one.lines) for one in self._wanted),
            units=sum(line.quantity for one in self._wanted for line in one.lines),
        )

    async def read(self, there: Mapping[str, Order]) -> None:
        """Find out what earlier runs took back.

        :param there: what is recorded under the numbers of the file's orders, by order id.
        """
        self._there = dict(there)
        self._came_back = units_back(await self._own_returns(self._there))

    def short_without(self, order: FileOrder, available: Mapping[str, int]) -> list[Shortage]:
        """What the order could only have of what came back: it was short before that did.

        :param available: units by product, with what came back.
        """
        wanted: Counter[str] = Counter()
        for line in order.lines:
            if line.product_id in self._came_back:
                wanted[line.product_id] += line.quantity
        left = {one: max(0, available[one] - self._came_back[one]) for one in wanted}
        return [
            Shortage(product_id, units, left[product_id])
            for product_id, units in wanted.items()
            if units > left[product_id]
        ]

    async def take_back(
        self,
        found: Mapping[str, Order],
        placed: Mapping[str, FileOrder],
        tell: Callable[[int, int], None],
    ) -> dict[str, Order]:
        """Take back what is not taken back yet; the orders as they are then.

        Nothing is, and all is told as not tried, if one of them is still undecided.

        :param found: orders of the file, by id.
        :param placed: what they are in the file, by id.
        """
        if any(order.status in _OPEN for order in found.values()):
            self.leave()
        if not self._wanted or self.report.units_not_tried:
            return dict(found)
        begun = time.perf_counter()
        known = {**self._there, **found}
        taken = await self._own_returns(known)
        taking_back = TakingBack(
            self._client, self.report, self._concurrency, self._patience_s, tell
        )
        recorded = {placed[order_id].number: known[order_id] for order_id in found}
        await taking_back.go(self._orders, self._wanted, recorded, taken)
        self.report.seconds = time.perf_counter() - begun
        return {one: taking_back.shipped.get(one) or known[one] for one in found}

    def leave(self) -> None:
        """Tell that they were not tried."""
        self.report.units_not_tried = self.report.units

    async def _own_returns(self, orders: dict[str, Order]) -> list[OwnReturn]:
        """Returns that stand for cancellations of the file; `orders` has them then."""
        if not self._file.cancellations:
            return []
        orders |= await self._shipped.among(orders)
        return list(own_returns(orders.values(), self._file.cancellations))


def _up_to(file: OrderFile, limit: int | None) -> list[Cancellation]:
    """The cancellations before the first order that is not placed."""
    if limit is None or limit >= len(file.orders):
        return file.cancellations
    end = file.orders[limit]
    return [one for one in file.cancellations if (one.at, one.line) < (end.at, end.line)]
