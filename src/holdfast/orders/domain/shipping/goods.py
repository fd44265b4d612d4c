"""What has left for an order and what has come back: the facts that every question tells of."""

from collections.abc import Mapping
from typing import NamedTuple

from holdfast.orders.domain.ordering.stock import ReceivedUnits, ShippedUnits
from holdfast.orders.domain.returns.returned import Return, unanswered_receipts
from holdfast.orders.domain.shipping.errors import TooMuchGoods
from holdfast.orders.domain.shipping.shipment import Shipment, shipped_by_product, unanswered

# Of one order: all of it is told with the order, and what is not answered with every question, and
# both must fit into one message beside the lines.
GOODS_BYTES_MAX = 1024 * 1024
ROW_BYTES = 24  # of a row's numbers


class Goods(NamedTuple):
    """Shipments and returns, each in the order of recording."""

    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()

    def shipped(self) -> Mapping[str, int]:
        """Units that have left, by product."""
        return shipped_by_product(self.shipments)

    def refuse_much(self, order_id: str) -> None:
        """Let pass what can be told in one message.

        :raises TooMuchGoods: it can't.
        """
        size = sum(map(_size_of_shipment, self.shipments)) + sum(map(_size_of_return, self.returns))
        if size > GOODS_BYTES_MAX:
            raise TooMuchGoods(order_id, GOODS_BYTES_MAX)

    def unanswered(
        self, answered: int
    ) -> tuple[tuple[ShippedUnits, ...], tuple[ReceivedUnits, ...]]:
        """What has left and what came that Inventory has not answered for.

        :param answered: the newest revision that it has.
        """
        return unanswered(self.shipments, answered), unanswered_receipts(self.returns, answered)


NO_GOODS = Goods()


def _size_of_shipment(one: Shipment) -> int:
    travels = _size(one.carrier, one.tracking_number, one.tracking_url)
    return travels + sum(
        _size(one.shipment_id, item.product_id, item.location_id) for item in one.items
    )


def _size_of_return(one: Return) -> int:
    asked = sum(_size(line.product_id, line.reason) for line in one.lines)
    return asked + sum(
        _size(receipt.request_id, line.product_id, line.location_id)
        for receipt in one.receipts
        for line in receipt.lines
    )


def _size(*texts: str) -> int:
    """About how many bytes a row with these texts takes."""
    return ROW_BYTES + sum(len(text.encode()) for text in texts)
