"""OrderService over gRPC: each method reads a request, asks one use case or reader, and answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from google.type.money_pb2 import Money as WireMoney

from holdfast.chassis.batcher import Batcher
from holdfast.chassis.failpoints import failpoint
from holdfast.chassis.grpc import pages, statuses
from holdfast.chassis.grpc.feeds import FeedMethods
from holdfast.chassis.grpc.rpc_boundary import Context, RpcBoundary, tell_replay
from holdfast.chassis.grpc.sizes import Room
from holdfast.chassis.messaging.feed import Feed
from holdfast.chassis.validation import Violations
from holdfast.contracts.orders.v1 import orders_pb2 as pb
from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.ordering.edit_orders import CancelRest, EditCommand
from holdfast.orders.application.ordering.place_orders import PlaceOrder, RecordedBefore
from holdfast.orders.application.ordering.watch_order import WatchOrder
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.application.ports import CustomerReader, OrderReader
from holdfast.orders.application.use_cases import UseCases
from holdfast.orders.domain.caller import Caller, OrderRef
from holdfast.orders.domain.errors import (
    IllegalTransition,
    StaleVersion,
    StillPending,
)
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.shipping.errors import ShippedInPart
from holdfast.orders.presentation.caller import caller_of, wait_s
from holdfast.orders.presentation.customers.servicer import CustomerMethods
from holdfast.orders.presentation.feed_events import TYPES
from holdfast.orders.presentation.figures.servicer import FiguresMethods
from holdfast.orders.presentation.ordering import lists_wire, wire
from holdfast.orders.presentation.ordering.details_wire import DETAILS
from holdfast.orders.presentation.ordering.edits_wire import (
    EDITED,
    amounts_in,
    read_cancelled_units,
    read_edit,
    refuse_edit_fields,
)
from holdfast.orders.presentation.shipping.servicer import GoodsMethods

Answer = TypeVar("Answer")


class OrderServicer(FeedMethods, CustomerMethods, GoodsMethods, FiguresMethods):
    """The methods of `holdfast.orders.v1.OrderService`; the proto documents them."""

    def __init__(
        self,
        *,
        place_orders: Batcher[PlaceOrder, OrderState],
        use_cases: UseCases,
        watch_order: WatchOrder,
        get_order: Batcher[OrderRef, Order | None],
        reader: OrderReader,
        customers: CustomerReader,
        feed: Feed,
        boundary: RpcBoundary,
        new_id: Callable[[], str],
    ) -> None:
        CustomerMethods.__init__(self, use_cases, customers)
        FiguresMethods.__init__(self, use_cases)
        FeedMethods.__init__(self, feed, TYPES)
        GoodsMethods.__init__(self, use_cases, watch_order, get_order, reader, new_id)
        self._place_orders = place_orders
        self._boundary = boundary

    async def CreateOrder(
        self, request: pb.CreateOrderRequest, context: Context
    ) -> pb.CreateOrderResponse:
        violations = Violations()
        command = wire.read_order(request, caller_of(context), violations, self._new_id)
        wait_s = violations.wait_s(request.wait, longest_s=wire.WAIT_S_MAX)
        violations.raise_any()
        await failpoint("order validated")
        state = await self._place_orders.submit(command)
        await failpoint("order placed")
        if isinstance(state, RecordedBefore):
            tell_replay(context)
        if state.status is OrderStatus.PENDING and not wait_s:
            return wire.state_message(state)
        return await self._outcome(command.caller.ref(state.order_id), state, wait_s)

    async def _outcome(
        self, ref: OrderRef, state: OrderState, wait_s: float
    ) -> pb.CreateOrderResponse:
        undecided = state.status is OrderStatus.PENDING
        try:
            async with asyncio.timeout(wait_s if undecided else None):
                order = await self._watch_order.until_settled(ref)
        except TimeoutError:
            return wire.state_message(state)
        return wire.outcome_message(order)

    async def BatchCreateOrders(
        self, request: pb.BatchCreateOrdersRequest, context: Context
    ) -> pb.BatchCreateOrdersResponse:
        violations = Violations()
        caller = caller_of(context)
        read = wire.read_orders(request, caller, violations, self._new_id)
        violations.raise_any()
        commands = [one for one in read if isinstance(one, PlaceOrder)]
        await failpoint("order validated")
        outcomes = iter(await self._place_orders.submit_all(commands) if commands else ())
        await failpoint("order placed")
        results: list[pb.BatchCreateOrdersResult] = []
        room = Room(len(read), short_bytes=statuses.SHORT_BYTES)
        for one in read:
            outcome = next(outcomes) if isinstance(one, PlaceOrder) else one.refusal()
            result = await self._result(outcome, caller)
            results.append(result if room.takes(result) else wire.result_in_short(result))
        return pb.BatchCreateOrdersResponse(results=results)

    async def _result(
        self, outcome: OrderState | Exception, caller: Caller
    ) -> pb.BatchCreateOrdersResult:
        if isinstance(outcome, Exception):
            return pb.BatchCreateOrdersResult(error=self._boundary.status_of(outcome))
        if outcome.status is OrderStatus.REJECTED:  # a repeat, which tells again what was short
            told = await self._outcome(caller.ref(outcome.order_id), outcome, 0.0)
            return pb.BatchCreateOrdersResult(order=told)
        return pb.BatchCreateOrdersResult(order=wire.state_message(outcome))

    async def GetOrderDetails(
        self, request: pb.GetOrderDetailsRequest, context: Context
    ) -> pb.Order:
        return await self._order(_ref(request.order_id, context))

    async def _order(self, ref: OrderRef) -> pb.Order:
        return wire.order_message(await self._whole(ref))

    async def ListOrders(
        self, request: pb.ListOrdersRequest, context: Context
    ) -> pb.ListOrdersResponse:
        violations = Violations()
        asked = lists_wire.read_page(request, caller_of(context), violations)
        violations.raise_any()
        page, token = await self._page(asked)
        return pb.ListOrdersResponse(orders=page, next_page_token=token)

    async def SearchOrders(
        self, request: pb.SearchOrdersRequest, context: Context
    ) -> pb.SearchOrdersResponse:
        violations = Violations()
        asked = lists_wire.read_search(request, caller_of(context), violations)
        violations.raise_any()
        page, token = await self._page(asked)
        return pb.SearchOrdersResponse(orders=page, next_page_token=token)

    async def _page(self, asked: lists_wire.OrderPage) -> tuple[Sequence[pb.Order], str]:
        """Return the orders of a page, and the token for the next one."""
        looked_to = ""

        async def read(before: str, limit: int) -> list[Order]:
            nonlocal looked_to
            orders, looked_to = await self._reader.orders(asked.wanted, before=before, limit=limit)
            return orders

        page = await pages.fill(
            asked.size, read, wire.order_message, asked.wanted.place_of, start=asked.before
        )
        return page.messages, pages.make_token(page.cursor or looked_to, asked.filter_text)

    async def UpdateOrder(self, request: pb.UpdateOrderRequest, context: Context) -> pb.Order:
        violations = Violations()
        order_id = violations.uuid("order_id", request.order_id)
        if not set(EDITED).isdisjoint(request.update_mask.paths):
            return await self._edit(order_id, request, context, violations)
        refuse_edit_fields(request, violations)
        contact = wire.read_customer_details(
            request, violations, beside=(*DETAILS, *EDITED), version_lowest=1
        )
        about = wire.read_new_details(request, violations)
        violations.raise_any()
        caller = caller_of(context)
        await self._use.update_order(order_id, request.version, contact, about, caller)
        return await self._order(caller.ref(order_id))

    async def _edit(
        self,
        order_id: str,
        request: pb.UpdateOrderRequest,
        context: Context,
        violations: Violations,
    ) -> pb.Order:
        caller = caller_of(context)
        await self._fill_currency(caller.ref(order_id), amounts_in(request), violations)
        command = read_edit(request, order_id, caller, violations)
        wait_s = violations.wait_s(request.wait, longest_s=wire.WAIT_S_MAX)
        violations.raise_any()
        if request.validate_only:
            seen, _ = await self._once_settled(self._use.preview_edit, command, context)
            return wire.order_message(seen)
        return await self._edited(command, wait_s, context)

    async def _edited(self, command: EditCommand, wait_s: float, context: Context) -> pb.Order:
        ref = command.caller.ref(command.order_id)
        _, version = await self._once_settled(self._use.edit_order, command, context)
        if wait_s:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    order = await self._watch_order.until_edited(ref, version + 1)
                    return wire.order_message(order)
        return await self._order(ref)

    async def _once_settled(
        self,
        use_case: Callable[[EditCommand], Awaitable[Answer]],
        command: EditCommand,
        context: Context,
    ) -> tuple[Answer, int]:
        """Do it, after a wait if the order's stock is not decided; return the answer, and the
        version of the order that it was done to.
        """
        try:
            return await use_case(command), command.version
        except StillPending:
            # What is waited for is the one change that the caller has not seen.
            ref = command.caller.ref(command.order_id)
            is_settled = await self._wait_until_settled(ref, context)
        version = command.version + is_settled
        return await use_case(command._replace(version=version)), version

    async def _wait_until_settled(self, ref: OrderRef, context: Context) -> bool:
        """Wait for so long as there is; tell whether the order's stock is decided."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s(context)):
                order = await self._watch_order.until_settled(ref)
                return order.state.status is not OrderStatus.PENDING
        return False

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Context) -> pb.Order:
        violations = Violations()
        order_id = violations.uuid("order_id", request.order_id)
        reason = violations.text(
            "reason", request.reason, characters_max=wire.REASON_CHARACTERS_MAX
        )
        caller = caller_of(context)
        if request.lines:
            command = read_cancelled_units(request, order_id, reason, caller, violations)
            wait_s = violations.wait_s(request.wait, longest_s=wire.WAIT_S_MAX)
            violations.raise_any()
            return await self._edited(command, wait_s, context)
        violations.raise_any()
        try:
            await self._cancel_whole(order_id, reason, caller)
        except IllegalTransition:
            if not (order := await self._whole(caller.ref(order_id))).rest_is_cancelled:
                raise
            return wire.order_message(order)
        return await self._order(caller.ref(order_id))

    async def _cancel_whole(self, order_id: str, reason: str, caller: Caller) -> None:
        """Cancel an order or, once a part has left, the rest, whatever else happens meanwhile.

        :raises IllegalTransition: nothing is left to be cancelled.
        """
        try:
            await self._use.cancel_order(order_id, reason, caller)
        except ShippedInPart as partly:
            version = partly.version
            while True:
                rest = CancelRest(order_id, version, caller, reason)
                try:
                    await self._use.edit_order(rest)
                except StaleVersion as stale:
                    version = stale.current
                else:
                    return

    async def ConfirmOrder(self, request: pb.ConfirmOrderRequest, context: Context) -> pb.Order:
        violations = Violations()
        order_id = violations.uuid("order_id", request.order_id)
        reference = violations.id("payment_reference", request.payment_reference)
        caller = caller_of(context)
        await self._fill_currency(caller.ref(order_id), _amount_in(request), violations)
        payment = wire.read_confirming_payment(request, violations)
        violations.raise_any()
        confirm = ConfirmOrder(order_id, reference, caller, payment)
        try:
            await self._use.change_order(confirm)
        except StillPending:
            await self._wait_until_settled(caller.ref(order_id), context)
            await self._use.change_order(confirm)
        return await self._order(caller.ref(order_id))

    async def ExtendHold(self, request: pb.ExtendHoldRequest, context: Context) -> pb.Order:
        violations = Violations()
        order_id = violations.uuid("order_id", request.order_id)
        hold = wire.read_hold(request.hold, violations)
        violations.raise_any()
        caller = caller_of(context)
        await self._use.extend_hold(order_id, hold, caller)
        return await self._order(caller.ref(order_id))

    async def RecordPayment(self, request: pb.RecordPaymentRequest, context: Context) -> pb.Order:
        violations = Violations()
        order_id = violations.uuid("order_id", request.order_id)
        caller = caller_of(context)
        await self._fill_currency(caller.ref(order_id), _amount_in(request), violations)
        payment = wire.read_payment(request, violations)
        violations.raise_any()
        await self._use.change_order(RecordPayment(order_id, payment, caller))
        return await self._order(caller.ref(order_id))

    async def _fill_currency(
        self, ref: OrderRef, amounts: Iterable[WireMoney], violations: Violations
    ) -> None:
        """An amount without a currency is in the order's, which is read if all is well so far."""
        unnamed = [amount for amount in amounts if not amount.currency_code]
        if unnamed and not violations:
            currency = (await self._order(ref)).total.currency_code
            for amount in unnamed:
                amount.currency_code = currency

    async def WatchOrder(
        self, request: pb.WatchOrderRequest, context: Context
    ) -> AsyncIterator[pb.Order]:
        async for order in self._watch_order(_ref(request.order_id, context)):
            yield wire.order_message(order)


def _amount_in(request: pb.ConfirmOrderRequest | pb.RecordPaymentRequest) -> list[WireMoney]:
    return [request.amount] if request.HasField("amount") else []


def _ref(text: str, context: Context) -> OrderRef:
    violations = Violations()
    order_id = violations.uuid("order_id", text)
    violations.raise_any()
    return caller_of(context).ref(order_id)
