"""What has left for an order and what has come back: the facts that every question tells of."""

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.orders.domain.ordering.stock import ReceivedUnits, ShippedUnits
from holdfast.orders.domain.returns.returned import Return, unanswered_receipts
from holdfast.orders.domain.shipping.shipment import Shipment, shipped_by_product, unanswered


class Goods(NamedTuple):
    """Shipments and returns, each in the order of recording."""

    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()

    def shipped(self) -> Mapping[str, int]:
        """Units that have left, by product."""
        return shipped_by_product(self.shipments)

    def unanswered(
        self, answered: int
    ) -> tuple[tuple[ShippedUnits, ...], tuple[ReceivedUnits, ...]]:
        """What has left and what came that Inventory has not answered for.

        :param answered: the newest revision that it has.
        """
        return unanswered(self.shipments, answered), unanswered_receipts(self.returns, answered)


NO_GOODS = Goods()
