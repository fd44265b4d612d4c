"""The methods of OrderService that are about goods: what leaves, and what comes back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.grpc.rpc_boundary import Context, tell_replay
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.contracts.orders.v1 import orders_pb2_grpc
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.application.ports import OrderReader
from holdfast.orders.application.returns.return_goods import CloseReturn
from holdfast.orders.application.returns.return_goods import ReceiveReturn as ReceiveGoods
from holdfast.orders.application.shipping.move_goods import GoodsCommand
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.errors import EditUnderWay, OrderNotFound, StillPending
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.returns.errors import ReturnNotFound
from holdfast.orders.domain.returns.returned import Return
from holdfast.orders.presentation.caller import caller_of, wait_s
from holdfast.orders.presentation.ordering.wire import order_message
from holdfast.orders.presentation.returns.wire import read_opening, read_receipt, write_return
from holdfast.orders.presentation.shipping.wire import read_shipment, read_update


class GoodsMethods(orders_pb2_grpc.OrderServiceServicer):
    """A part of `OrderServicer`."""

    def __init__(
        self,
        use_cases: UseCases,
        watch_order: WatchOrder,
        get_order: Batcher[str, Order | None],
        reader: OrderReader,
        new_id: Callable[[], str],
    ) -> None:
        self._use = use_cases
        self._watch_order = watch_order
        self._get_order = get_order
        self._reader = reader
        self._new_id = new_id

    async def ShipOrder(self, request: pb.ShipOrderRequest, context: Context) -> pb.Order:
        violations = Violations()
        command = read_shipment(request, caller_of(context), violations, self._new_id)
        violations.raise_any()
        await self._move(command, context)
        return order_message(await self._whole(command.order_id))

    async def UpdateShipment(self, request: pb.UpdateShipmentRequest, context: Context) -> pb.Order:
        violations = Violations()
        command = read_update(request, caller_of(context), violations)
        violations.raise_any()
        await self._move(command, context)
        return order_message(await self._whole(command.order_id))

    async def OpenReturn(self, request: pb.OpenReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        command = read_opening(request, caller_of(context), violations, self._new_id)
        violations.raise_any()
        await self._move(command, context)
        order = await self._whole(command.order_id)
        (opened,) = (one for one in order.returns if one.request_id == command.request_id)
        if opened.return_id != command.return_id:
            tell_replay(context)
        return _message(opened)

    async def ReceiveReturn(self, request: pb.ReceiveReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        asked = read_receipt(request, caller_of(context), violations, self._new_id)
        violations.raise_any()
        before = await self._return(asked.return_id)
        command = asked._replace(order_id=before.order_id)
        await self._check_locations(command, before)
        await self._move(command, context)
        return _message(await self._return(command.return_id))

    async def _check_locations(self, command: ReceiveGoods, before: Return) -> None:
        """Wherever goods are said to be must be there, but for what is recorded already."""
        if all(receipt.request_id != command.request_id for receipt in before.receipts):
            products = {line.product_id for line in before.lines}
            await self._use.check_locations(products, {line.location_id for line in command.lines})

    async def CloseReturn(self, request: pb.CloseReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        return_id = violations.uuid("return_id", request.return_id)
        violations.raise_any()
        before = await self._return(return_id)
        await self._move(CloseReturn(before.order_id, return_id, caller_of(context)), context)
        return _message(await self._return(return_id))

    async def _move(self, command: GoodsCommand, context: Context) -> None:
        """Do it, after a wait if what the order holds is not decided."""
        try:
            await self._use.move_goods(command)
        except (StillPending, EditUnderWay):
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s(context)):
                    await self._watch_order.until_steady(command.order_id)
            await self._use.move_goods(command)

    async def _return(self, return_id: str) -> Return:
        order_id = await self._reader.order_of_return(return_id)
        if order_id is None:
            raise ReturnNotFound(return_id)
        order = await self._whole(order_id)
        (found,) = (one for one in order.returns if one.return_id == return_id)
        return found

    async def _whole(self, order_id: str) -> Order:
        order = await self._get_order.submit(order_id)
        if order is None:
            raise OrderNotFound(order_id)
        return order


def _message(one: Return) -> pb.Return:
    message = pb.Return()
    write_return(message, one)
    return message
