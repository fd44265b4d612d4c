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
from holdfast.orders.application.shipping.move_goods import GoodsCommand, MovedBefore
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.caller import OrderRef
from holdfast.orders.domain.errors import EditUnderWay, OrderNotFound, StillPending
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.presentation.caller import caller_of, wait_s
from holdfast.orders.presentation.ordering.wire import order_message
from holdfast.orders.presentation.returns.wire import read_opening, read_receipt, return_message
from holdfast.orders.presentation.shipping.wire import read_shipment, read_update


class GoodsMethods(orders_pb2_grpc.OrderServiceServicer):
    """A part of `OrderServicer`."""

    def __init__(
        self,
        use_cases: UseCases,
        watch_order: WatchOrder,
        get_order: Batcher[OrderRef, Order | None],
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
        return order_message(await self._moved_once(command, context))

    async def UpdateShipment(self, request: pb.UpdateShipmentRequest, context: Context) -> pb.Order:
        violations = Violations()
        command = read_update(request, caller_of(context), violations)
        violations.raise_any()
        return order_message(await self._move(command, context))

    async def OpenReturn(self, request: pb.OpenReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        command = read_opening(request, caller_of(context), violations, self._new_id)
        violations.raise_any()
        order = await self._move(command, context)
        (opened,) = (one for one in order.returns if one.request_id == command.request_id)
        if opened.return_id != command.return_id:
            tell_replay(context)
        return return_message(order, opened.return_id)

    async def ReceiveReturn(self, request: pb.ReceiveReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        command = read_receipt(request, caller_of(context), violations, self._new_id)
        violations.raise_any()
        return return_message(await self._moved_once(command, context), command.return_id)

    async def CloseReturn(self, request: pb.CloseReturnRequest, context: Context) -> pb.Return:
        violations = Violations()
        return_id = violations.uuid("return_id", request.return_id)
        violations.raise_any()
        command = CloseReturn("", return_id, caller_of(context))
        return return_message(await self._move(command, context), return_id)

    async def _moved_once(self, command: GoodsCommand, context: Context) -> Order:
        order = await self._move(command, context)
        if isinstance(order, MovedBefore):
            tell_replay(context)
        return order

    async def _move(self, command: GoodsCommand, context: Context) -> Order:
        """Do it, after a wait if what the order holds is not decided."""
        try:
            return await self._use.move_goods(command)
        except (StillPending, EditUnderWay) as undecided:
            ref = command.caller.ref(undecided.order_id)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s(context)):
                    await self._watch_order.until_steady(ref)
            return await self._use.move_goods(command)

    async def _whole(self, ref: OrderRef) -> Order:
        order = await self._get_order.submit(ref)
        if order is None:
            raise OrderNotFound(ref.order_id)
        return order
