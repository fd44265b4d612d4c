"""Orders as callers use it: place orders, read them, change them, watch them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from google.protobuf.field_mask_pb2 import FieldMask

from holdfast.client._calls import Calls
from holdfast.client._errors import HoldfastError
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._status import error_from_status
from holdfast.client._types import (
    Customer,
    Order,
    OrderLine,
    OrderRequest,
    OrderStatus,
    Placed,
    new_request_id,
)
from holdfast.client._wire import (
    order_from_wire,
    order_request_to_wire,
    placed_from_wire,
    status_to_wire,
    time_to_wire,
)
from holdfast.contracts.orders.v1 import orders_pb2, orders_pb2_grpc

WATCH_S = 60.0


class Orders:
    """The verbs of Orders. Every method may raise any `HoldfastError`; the likely are named."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._stub = orders_pb2_grpc.OrderServiceStub(calls.channel)

    async def create(
        self,
        customer_id: str,
        lines: Sequence[OrderLine],
        *,
        customer: Customer | None = None,
        request_id: str | None = None,
        wait_s: float = 0.0,
    ) -> Placed:
        """Record an order durably; its stock is reserved shortly after.

        Repeating with the same request id and contents returns the recorded order. Without one the
        client makes one, which covers its own repeats; give your own to be able to repeat yourself.

        :param lines: 1 to 2,000; prices of one currency, or none to take the products' own.
        :param wait_s: seconds to wait for the outcome, at most 60; it may still be PENDING after.
        :raises ShortOfStock: it plainly cannot be filled and was not recorded.
        :raises NotFound: a product does not exist.
        :raises RequestIdReused: the request id was used for another order of this customer.
        """
        request = OrderRequest(customer_id, lines, customer, request_id or new_request_id())
        answer = await self._calls.ask(
            self._stub.CreateOrder,
            order_request_to_wire(request, wait_s),
            repeatable=True,
            wait_s=wait_s,
        )
        return placed_from_wire(answer)

    async def create_batch(
        self, requests: Sequence[OrderRequest]
    ) -> Sequence[Placed | HoldfastError]:
        """Record up to 1,000 orders at the price of one; each succeeds or fails alone.

        The results are in the order of the requests; errors are returned, not raised, unless the
        whole call failed. Repeating with the same values changes nothing: they keep their ids.
        """
        answer = await self._calls.ask(
            self._stub.BatchCreateOrders,
            orders_pb2.BatchCreateOrdersRequest(
                requests=[order_request_to_wire(request) for request in requests]
            ),
            repeatable=True,
        )
        return [
            error_from_status(result.error)
            if result.HasField("error")
            else placed_from_wire(result.order)
            for result in answer.results
        ]

    async def get(self, order_id: str) -> Order:
        """The whole order with its history.

        :raises NotFound: no such order, or somebody else's.
        """
        answer = await self._calls.ask(
            self._stub.GetOrderDetails,
            orders_pb2.GetOrderDetailsRequest(order_id=order_id),
            repeatable=True,
        )
        return order_from_wire(answer)

    def list(
        self,
        *,
        customer_id: str = "",
        status: OrderStatus | None = None,
        product_id: str = "",
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        request_ids: Sequence[str] = (),
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Order]:
        """Every matching order, newest first, fetched page by page; without their history.

        :param request_ids: only orders recorded under one of these, whoever the customer is; at
            most 1,000. Empty: any.
        :param limit: at most so many orders; None: all.
        :param page_size: orders per call, at most 1,000.
        """
        request = orders_pb2.ListOrdersRequest(
            customer_id=customer_id,
            status=status_to_wire(status),
            product_id=product_id,
            created_from=time_to_wire(created_from),
            created_before=time_to_wire(created_before),
            request_ids=request_ids,
        )

        async def page(size: int, token: str) -> tuple[Sequence[Order], str]:
            request.page_size, request.page_token = size, token
            answer = await self._calls.ask(self._stub.ListOrders, request, repeatable=True)
            return [order_from_wire(order) for order in answer.orders], answer.next_page_token

        return walk(page, page_size=page_size, limit=limit)

    async def update(
        self,
        order_id: str,
        *,
        version: int,
        name: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        address: str | None = None,
    ) -> Order:
        """Change the customer information of an order that is not final; None leaves a field as is.

        Never repeated after an unknown outcome: read the order to see whether the change is there.

        :param version: the order's version as last read.
        :raises StaleVersion: the order changed since.
        :raises IllegalTransition: the order is final.
        """
        fields = {"name": name, "email": email, "phone": phone, "address": address}
        changes = {field: value for field, value in fields.items() if value is not None}
        answer = await self._calls.ask(
            self._stub.UpdateOrder,
            orders_pb2.UpdateOrderRequest(
                order_id=order_id,
                version=version,
                customer=orders_pb2.Customer(**changes),
                update_mask=FieldMask(paths=[f"customer.{field}" for field in changes]),
            ),
            repeatable=False,
        )
        return order_from_wire(answer)

    async def cancel(self, order_id: str, *, reason: str = "") -> Order:
        """Cancel a pending or confirmed order; its stock comes back shortly after.

        Repeating changes nothing.

        :raises IllegalTransition: the order was rejected or has expired.
        """
        answer = await self._calls.ask(
            self._stub.CancelOrder,
            orders_pb2.CancelOrderRequest(order_id=order_id, reason=reason),
            repeatable=True,
        )
        return order_from_wire(answer)

    async def watch(self, order_id: str, *, watch_s: float = WATCH_S) -> AsyncGenerator[Order]:
        """The order as it is now, then after every change, until it is final or the time is over.

        A lost connection is made again and goes on with the order as it is then; its `history`
        names the changes in between. No version comes twice.

        :param watch_s: seconds to watch; the end of them is no error.
        :raises DeadlineExceeded: not even the first answer came in that time.
        """
        seen = 0
        request = orders_pb2.WatchOrderRequest(order_id=order_id)
        heard = self._calls.listen(self._stub.WatchOrder, request, listen_s=watch_s)
        async with aclosing(heard):  # who leaves the watch ends the call now, not some day
            async for message in heard:
                if message.version > seen:
                    seen = message.version
                    yield order_from_wire(message)
