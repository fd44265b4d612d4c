"""What becomes of an order when units of it come back, or may."""

from datetime import datetime

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import EditUnderWay
from holdfast.orders.domain.events import ReturnClosed, ReturnOpened, ReturnReceived
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import Action
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.domain.shipping.goods import Goods


def open_return(state: OrderState, opened: Return, at: datetime, caller: Caller) -> OrderChange:
    """Units may come back; `may_come` has let it pass.

    :raises TooManyChanges: the order has reached version UPDATES_MAX.
    """
    reason, event = f"return {opened.return_id}", ReturnOpened(opened)
    change = state.change_beside(Action.RETURN_OPENED, reason, event, at, caller)
    return change._replace(goods_return=opened)


def receive_return(
    state: OrderState, order: Order, received: Return, at: datetime, caller: Caller
) -> OrderChange:
    """Units came back; `came` has let it pass.

    :param order: as it is without them.
    :param received: the return with them.
    :raises EditUnderWay: the question that tells of them would take the place of the edit's.
    :raises TooManyChanges: the order has reached version UPDATES_MAX.
    """
    if state.editions.revision is not None:
        raise EditUnderWay(state.order_id)
    contents = order.contents
    returns = {one.return_id: one for one in order.returns} | {received.return_id: received}
    goods = Goods(order.shipments, tuple(returns.values()))
    wanted = state.wants(state.asked + 1, contents.demand, contents.sourcing, goods)
    reason, event = f"return {received.return_id}", ReturnReceived(wanted, received)
    change = state.change_beside(Action.RETURN_RECEIVED, reason, event, at, caller)
    return change._replace(goods_return=received)


def close_return(state: OrderState, closed: Return, at: datetime, caller: Caller) -> OrderChange:
    """Nothing more comes by it.

    :raises TooManyChanges: the order has reached version UPDATES_MAX.
    """
    reason, event = f"return {closed.return_id}", ReturnClosed(closed)
    change = state.change_beside(Action.RETURN_CLOSED, reason, event, at, caller)
    return change._replace(goods_return=closed)
