"""What becomes of an order when units of it leave."""

from datetime import datetime

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import EditUnderWay, IllegalTransition, StillPending
from holdfast.orders.domain.events import OrderShipped, ShipmentUpdated
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import SHIPPABLE, Action, OrderStatus
from holdfast.orders.domain.shipping.goods import Goods
from holdfast.orders.domain.shipping.shipment import Shipment


def refuse_shipment(state: OrderState) -> None:
    """Let pass what units may leave for.

    :raises StillPending: its stock is not decided.
    :raises IllegalTransition: it is not confirmed, or over.
    :raises EditUnderWay: what it holds may be changing.
    :raises TooManyChanges: it has reached version UPDATES_MAX.
    """
    if state.status is OrderStatus.PENDING:
        raise StillPending(state.order_id, wanted="shipped")
    if state.status not in SHIPPABLE:
        raise IllegalTransition(state.order_id, now=state.status, wanted="shipped")
    if state.editions.revision is not None:
        raise EditUnderWay(state.order_id)
    state.refuse_more()


def ship(
    state: OrderState, order: Order, shipment: Shipment, at: datetime, caller: Caller
) -> OrderChange:
    """Units have left: `refuse_shipment` and `pick` have let it pass.

    :param order: as it is without the shipment.
    """
    assert shipment.revision == state.asked + 1, "the next question tells of it"
    contents = order.contents
    goods = Goods((*order.shipments, shipment), order.returns)
    wanted = state.wants(state.asked + 1, contents.demand, contents.sourcing, goods)
    event = OrderShipped(wanted, shipment)
    reason = f"shipment {shipment.shipment_id}"
    if wanted.over:
        change = state.become(OrderStatus.SHIPPED, at, caller, reason, event)
    elif state.status is OrderStatus.PARTIALLY_SHIPPED:
        change = state.next_change(at, caller, reason, event, action=Action.SHIPPED)
    else:
        change = state.become(OrderStatus.PARTIALLY_SHIPPED, at, caller, reason, event)
    return change._replace(shipment=shipment)


def update_shipment(
    state: OrderState, shipment: Shipment, at: datetime, caller: Caller
) -> OrderChange:
    """More is known of how a shipment travels.

    :raises TooManyChanges: the order has reached version UPDATES_MAX.
    """
    reason = f"shipment {shipment.shipment_id} updated"
    event = ShipmentUpdated(shipment)
    change = state.change_beside(Action.SHIPMENT_UPDATED, reason, event, at, caller)
    return change._replace(shipment=shipment)
