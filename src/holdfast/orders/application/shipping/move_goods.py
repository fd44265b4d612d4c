"""Move goods: record what left and what came back, a whole batch in one transaction."""

from collections.abc import Sequence
from dataclasses import replace

from holdfast.orders.application.ports import Begin, Clock
from holdfast.orders.application.returns.return_goods import ReturnCommand
from holdfast.orders.application.shipping.ship_order import ShipOrder, UpdateShipment
from holdfast.orders.domain.errors import OrderNotFound, OrdersError
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order

GoodsCommand = ShipOrder | UpdateShipment | ReturnCommand


class MoveGoods:
    """Decide commands in their order, each under its order's lock; return the refusal of each, or
    None: it is done and durable, or was done before. Inventory hears of it.

    :raises Conflict, DatabaseUnavailable: nothing is certain; call again with the same commands.
    """

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock

    async def __call__(self, commands: Sequence[GoodsCommand]) -> Sequence[OrdersError | None]:
        refusals: list[OrdersError | None] = []
        async with self._begin() as work:
            order_ids = {command.order_id for command in commands}
            states = await work.lock_states(order_ids)
            orders = await work.whole_orders(order_ids)
            at = self._clock.now()
            changes: list[OrderChange] = []
            for command in commands:
                order_id = command.order_id
                try:
                    if order_id not in states:
                        raise OrderNotFound(order_id)
                    change = command.decide(states[order_id], orders[order_id], at)
                    if change:
                        after = _after(orders[order_id], change)
                        after.goods.refuse_much(order_id)
                        changes.append(change)
                        states[order_id] = states[order_id].after(change)
                        orders[order_id] = after
                except OrdersError as error:
                    refusals.append(error)
                else:
                    refusals.append(None)
            await work.record(changes)
        return refusals


def _after(order: Order, change: OrderChange) -> Order:
    """The order with what is new, or changed, of its goods."""
    shipments = {one.shipment_id: one for one in order.shipments}
    returns = {one.return_id: one for one in order.returns}
    if change.shipment:
        shipments[change.shipment.shipment_id] = change.shipment
    if change.goods_return:
        returns[change.goods_return.return_id] = change.goods_return
    return replace(order, shipments=tuple(shipments.values()), returns=tuple(returns.values()))
