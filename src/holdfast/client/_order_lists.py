"""Orders as they are listed: by what they are, or by what is known of them."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any

from holdfast.client import _requests
from holdfast.client._calls import Calls
from holdfast.client._pages import PAGE_SIZE, walk
from holdfast.client._types import Order, OrderStatus, PaymentStatus
from holdfast.client._wire import order_from_wire


class OrderLists:
    """Lists of orders, of which `Orders` is made."""

    _calls: Calls
    _stub: Any

    def list(
        self,
        *,
        customer_id: str = "",
        status: OrderStatus | None = None,
        product_id: str = "",
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        request_ids: Sequence[str] = (),
        to_ship: bool = False,
        location_id: str = "",
        by_hold_end: bool = False,
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Order]:
        """Every matching order, newest first, fetched page by page; without their history and
        returns.

        :param request_ids: only orders recorded under one of these, whoever the customer is; at
            most 1,000. (): any. An empty list is refused: whoever has no ids looks for no orders.
        :param to_ship: only orders of which something can leave now.
        :param location_id: only orders for which units are held at this location; "": any.
        :param by_hold_end: only orders with a hold, the one that ends next first; neither with
            another status nor `request_ids`, and not by a token that names a customer.
        :param limit: at most so many orders; None: all.
        :param page_size: orders per call, at most 1,000; fewer come where they are large.
        """
        size, wanted = _requests.page_bounds(page_size, limit)
        request = _requests.list_orders(
            customer_id=customer_id,
            status=status,
            product_id=product_id,
            created_from=created_from,
            created_before=created_before,
            request_ids=request_ids,
            to_ship=to_ship,
            location_id=location_id,
            by_hold_end=by_hold_end,
        )

        return self._walk(self._stub.ListOrders, request, size, wanted)

    def search(
        self,
        *,
        order_id_prefix: str = "",
        reference: str = "",
        email: str = "",
        channel: str = "",
        payment_status: PaymentStatus | None = None,
        customer_id: str = "",
        status: OrderStatus | None = None,
        product_id: str = "",
        created_from: datetime | None = None,
        created_before: datetime | None = None,
        to_ship: bool = False,
        location_id: str = "",
        limit: int | None = None,
        page_size: int = PAGE_SIZE,
    ) -> AsyncGenerator[Order]:
        """Every order that fits all that is given, newest first, page by page, as `list` does.

        :param order_id_prefix: 4 to 36 characters that the order's id begins with.
        :param to_ship, location_id: as in `list`.
        :param limit: at most so many orders; None: all.
        """
        size, wanted = _requests.page_bounds(page_size, limit)
        request = _requests.search_orders(
            status=status,
            payment_status=payment_status,
            created_from=created_from,
            created_before=created_before,
            order_id_prefix=order_id_prefix,
            reference=reference,
            email=email,
            channel=channel,
            customer_id=customer_id,
            product_id=product_id,
            to_ship=to_ship,
            location_id=location_id,
        )

        return self._walk(self._stub.SearchOrders, request, size, wanted)

    def _walk(
        self, method: Any, request: Any, size: int, limit: int | None
    ) -> AsyncGenerator[Order]:
        async def page(size: int, token: str) -> tuple[Sequence[Order], str]:
            request.page_size, request.page_token = size, token
            answer = await self._calls.ask(method, request, repeatable=True)
            return [order_from_wire(order) for order in answer.orders], answer.next_page_token

        return walk(page, page_size=size, limit=limit)
