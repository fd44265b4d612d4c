"""One order, locked: where every verb about a single order begins."""

from holdfast.orders.application.ports import Work
from holdfast.orders.domain.errors import OrderNotFound
from holdfast.orders.domain.ordering.order import OrderState


async def lock_order(work: Work, order_id: str) -> OrderState:
    """Return where an order stands, locked until the end of the transaction.

    :raises OrderNotFound: there is none of this id.
    """
    states = await work.lock_states([order_id])
    if order_id not in states:
        raise OrderNotFound(order_id)
    return states[order_id]
