"""Ship an order: what has left is recorded, and how it travels."""

from datetime import datetime
from typing import NamedTuple

from holdfast.orders.application.digests import digest_of
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.shipping.errors import (
    ShipmentNotFound,
    ShipmentReused,
    TooManyShipments,
)
from holdfast.orders.domain.shipping.shipment import (
    SHIPMENTS_MAX,
    AskedItem,
    Shipment,
    pick,
    shipped_by_line,
)
from holdfast.orders.domain.shipping.transitions import refuse_shipment, ship, update_shipment


class ShipOrder(NamedTuple):
    """Record that units of an order have left.

    :param items: empty: all that is held.
    :param location_id: only from there; "": from wherever they are held.
    """

    order_id: str
    shipment_id: str
    items: tuple[AskedItem, ...]
    location_id: str
    carrier: str
    tracking_number: str
    tracking_url: str
    caller: Caller

    def decide(self, state: OrderState, order: Order, at: datetime) -> OrderChange | None:
        """None: it is recorded already.

        :raises OrdersError: see `refuse_shipment`, `pick`; ShipmentReused,
            TooManyShipments.
        """
        digest = digest_of(self[2:7])
        for one in order.shipments:
            if one.shipment_id == self.shipment_id:
                if one.request_hash != digest:
                    raise ShipmentReused(self.order_id, self.shipment_id)
                return None
        refuse_shipment(state)
        if len(order.shipments) >= SHIPMENTS_MAX:
            raise TooManyShipments(self.order_id, SHIPMENTS_MAX)
        shipped = shipped_by_line(order.shipments)
        items = pick(
            self.order_id,
            order.lines,
            shipped,
            order.to_ship,
            self.items,
            self.location_id,
            dict(order.awaited),
        )
        travels = self.carrier, self.tracking_number, self.tracking_url
        shipment = Shipment(self.shipment_id, state.asked + 1, items, *travels, digest, at)
        return ship(state, order, shipment, at, self.caller)


class UpdateShipment(NamedTuple):
    """Change what is known of how a shipment travels; None leaves it as it is.

    :param takes_back_delivery: it has not arrived after all.
    """

    order_id: str
    shipment_id: str
    carrier: str | None
    tracking_number: str | None
    tracking_url: str | None
    delivered_at: datetime | None
    caller: Caller
    takes_back_delivery: bool = False

    def decide(self, state: OrderState, order: Order, at: datetime) -> OrderChange | None:
        """None: it is so already.

        :raises ShipmentNotFound: the order has no such shipment.
        :raises WrongDelivery: it arrives in the future, or before the order was placed.
        :raises TooManyChanges: see `update_shipment`.
        """
        for before in order.shipments:
            if before.shipment_id == self.shipment_id:
                break
        else:
            raise ShipmentNotFound(self.order_id, self.shipment_id)
        after = before._replace(
            carrier=before.carrier if self.carrier is None else self.carrier,
            tracking_number=(
                before.tracking_number if self.tracking_number is None else self.tracking_number
            ),
            tracking_url=before.tracking_url if self.tracking_url is None else self.tracking_url,
            delivered_at=(
                None if self.takes_back_delivery else self.delivered_at or before.delivered_at
            ),
        )
        if after.delivered_at != before.delivered_at:
            after.refuse_delivery(order.placed_at, at)
        return update_shipment(state, after, at, self.caller) if after != before else None
