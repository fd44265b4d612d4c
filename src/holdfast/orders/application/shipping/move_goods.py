"""Move goods: record what left and what came back, a whole batch in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime

from holdfast.orders.application.ordering.stock_advice import refuse_locations
from holdfast.orders.application.ports import Begin, Clock, OrderReader, StockCheck
from holdfast.orders.application.returns.return_goods import (
    CloseReturn,
    ReceiveReturn,
    ReturnCommand,
)
from holdfast.orders.application.shipping.ship_order import ShipOrder, UpdateShipment
from holdfast.orders.domain.errors import InventoryUnavailable, OrderNotFound, OrdersError
from holdfast.orders.domain.ordering.change import OrderChange
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.returns.errors import ReturnNotFound
from holdfast.orders.domain.shipping.paid_first import NOTHING_FIRST, PaidFirst

GoodsCommand = ShipOrder | UpdateShipment | ReturnCommand
Locations = Mapping[str, bool] | InventoryUnavailable  # those that exist, and whether active


class MovedBefore(Order):
    """An order whose goods an earlier request moved as was asked."""

    __slots__ = ()


class MoveGoods:
    """Decide commands in their order, each under its order's lock; return what the order of each is
    then (MovedBefore, if nothing was left to do), or the refusal. What is returned is durable, or
    was done before. Inventory hears of it.

    Locations that goods come to are asked for first; that is advice: Inventory books what came.

    :raises Conflict, DatabaseUnavailable: nothing is certain; call again with the same commands.
    """

    def __init__(
        self,
        begin: Begin,
        reader: OrderReader,
        stock_check: StockCheck,
        clock: Clock,
        paid_first: PaidFirst = NOTHING_FIRST,
    ) -> None:
        self._begin = begin
        self._reader = reader
        self._stock_check = stock_check
        self._clock = clock
        self._paid_first = paid_first

    async def __call__(self, commands: Sequence[GoodsCommand]) -> Sequence[Order | OrdersError]:
        commands = await self._addressed(commands)
        locations = await self._locations(commands)
        outcomes: list[Order | OrdersError] = []
        changes: list[OrderChange] = []
        async with self._begin() as work:
            named = [command.caller.ref(command.order_id) for command in commands]
            found = await work.lock_named({ref for ref in named if ref.order_id})
            states = {ref.order_id: state for ref, state in found.items()}
            orders = await work.whole_orders(states)
            at = self._clock.now()
            for command, ref in zip(commands, named, strict=True):
                order_id = command.order_id
                try:
                    state = states[order_id] if ref in found else None
                    change = _decide(command, state, orders, locations, at)
                    if change:
                        if isinstance(command, ShipOrder):
                            self._paid_first.refuse_unpaid(orders[order_id])
                        after = _after(orders[order_id], change)
                        after.goods.refuse_much(order_id)
                        states[order_id] = states[order_id].after(change)
                        orders[order_id] = after
                        changes.append(change)
                except OrdersError as error:
                    outcomes.append(error)
                else:
                    order = orders[order_id]
                    outcomes.append(order if change else _moved_before(order))
            await work.record(changes)
        return outcomes

    async def _addressed(self, commands: Sequence[GoodsCommand]) -> Sequence[GoodsCommand]:
        """Give those that name only a return its order; "": the caller has no such return."""
        named = {
            (command.return_id, command.caller.customer_id)
            for command in commands
            if isinstance(command, ReceiveReturn | CloseReturn)
        }
        if not named:
            return commands
        found = await self._reader.orders_of_returns(named)
        return [
            command._replace(
                order_id=found.get((command.return_id, command.caller.customer_id), "")
            )
            if isinstance(command, ReceiveReturn | CloseReturn)
            else command
            for command in commands
        ]

    async def _locations(self, commands: Sequence[GoodsCommand]) -> Locations:
        named = {
            line.location_id
            for command in commands
            if isinstance(command, ReceiveReturn)
            for line in command.lines
        }
        try:
            return (await self._stock_check.ask((), named)).locations if named else {}
        except InventoryUnavailable as error:
            return error


def _decide(
    command: GoodsCommand,
    state: OrderState | None,
    orders: Mapping[str, Order],
    locations: Locations,
    at: datetime,
) -> OrderChange | None:
    """None: it is done already.

    :raises OrdersError: see the command; for units that come to a location, see `refuse_locations`.
    """
    if isinstance(command, ReceiveReturn | CloseReturn) and not command.order_id:
        raise ReturnNotFound(command.return_id)
    if state is None:
        raise OrderNotFound(command.order_id)
    order = orders[command.order_id]
    if isinstance(command, ReceiveReturn) and not command.is_recorded(order):
        if isinstance(locations, InventoryUnavailable):
            raise locations
        refuse_locations({line.location_id for line in command.lines}, locations)
    return command.decide(state, order, at)


def _moved_before(order: Order) -> MovedBefore:
    return MovedBefore(**{field.name: getattr(order, field.name) for field in fields(order)})


def _after(order: Order, change: OrderChange) -> Order:
    """The order as it is once the change is made, as a reader finds it."""
    shipments = {one.shipment_id: one for one in order.shipments}
    returns = {one.return_id: one for one in order.returns}
    if change.shipment:
        shipments[change.shipment.shipment_id] = change.shipment
    if change.goods_return:
        returns[change.goods_return.return_id] = change.goods_return
    return replace(
        order,
        state=order.state.after(change),
        updated_at=change.at,
        history=(*order.history, change),
        shipments=tuple(shipments.values()),
        returns=tuple(returns.values()),
    )
