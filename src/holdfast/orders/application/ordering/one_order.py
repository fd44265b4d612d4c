"""One order, locked: where every verb about a single order begins."""

from holdfast.orders.application.ports import Work
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.errors import OrderNotFound
from holdfast.orders.domain.ordering.order import OrderState


async def lock_order(work: Work, ref: OrderRef) -> OrderState:
    """Return where an order stands, locked until the end of the transaction.

    :raises OrderNotFound: there is none of this id, or it is not theirs.
    """
    states = await work.lock_named([ref])
    if ref not in states:
        raise OrderNotFound(ref.order_id)
    return states[ref]
