"""What the service has of a file's orders already: one order of the file is one order for ever.

Request ids are unique by customer on the server, so a customer's cell that was filled in since
would make a second order of the same number. Therefore they are looked for by number alone, first.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

from holdfast.client import Holdfast, Money, Order, OrderLine, OrderRequest, OrderStatus, Sourcing
from holdfast.exchange.patience import chunks, in_parallel, patiently
from holdfast.importing.orders import FileOrder

ASKED_MAX = 1_000  # request ids in one call
_SHIPPED = (OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED)
_PAGE_LINES_MAX = 100_000  # lines in one page of orders


def order_request(
    order: FileOrder, currency: str, sourcing: Sourcing | None = None
) -> OrderRequest:
    """The order to place; its request id is the order's number, so there is one for ever."""
    return OrderRequest(
        customer_id=order.customer_id,
        lines=[
            OrderLine(
                line.product_id, line.quantity, Money(currency, line.unit_price_minor), number
            )
            for number, line in enumerate(order.lines, 1)
        ],
        request_id=request_id_of(order),
        sourcing=sourcing,
    )


def request_id_of(order: FileOrder) -> str:
    return f"invoice-{order.number}"


async def recorded(
    client: Holdfast, orders: Sequence[FileOrder], patience_s: float
) -> dict[str, list[Order]]:
    """What is recorded under the numbers of these orders, by request id, for any customer."""
    found: dict[str, list[Order]] = {}
    for some in chunks(orders, ASKED_MAX):
        for order in await patiently(patience_s, partial(_listed, client, some)):
            found.setdefault(order.request_id, []).append(order)
    return found


async def _listed(client: Holdfast, orders: Sequence[FileOrder]) -> list[Order]:
    longest = max(len(order.lines) for order in orders)
    listed = client.orders.list(
        request_ids=[request_id_of(order) for order in orders],
        page_size=max(1, min(ASKED_MAX, _PAGE_LINES_MAX // longest)),
    )
    async with aclosing(listed) as found:
        return [order async for order in found]


class ShippedOrders:
    """Orders that something has left of, with their returns: lists leave those out."""

    def __init__(self, client: Holdfast, concurrency: int, patience_s: float) -> None:
        self._client, self._concurrency, self._patience_s = client, concurrency, patience_s
        self._read: dict[str, Order] = {}

    async def among(self, orders: Mapping[str, Order]) -> dict[str, Order]:
        """Those of these listed orders, by id; each is read once, as long as it does not change."""
        shipped = [order for order in orders.values() if order.status in _SHIPPED]
        stale = [order for order in shipped if not self._is_read(order)]
        await in_parallel(self._concurrency, stale, self._read_whole)
        return {order.order_id: self._read[order.order_id] for order in shipped}

    def _is_read(self, order: Order) -> bool:
        read = self._read.get(order.order_id)
        return read is not None and read.version == order.version

    async def _read_whole(self, order: Order) -> None:
        get = partial(self._client.orders.get, order.order_id)
        self._read[order.order_id] = await patiently(self._patience_s, get)


def difference(order: FileOrder, currency: str, there: Order) -> str:
    """In what a recorded order differs from that of the file; empty if in nothing."""
    lines = order_request(order, currency).lines
    if there.customer_id != order.customer_id:
        return f"the customer is {order.customer_id!r} here"
    if len(there.lines) != len(lines):
        return f"it has {len(lines):,} lines here and {len(there.lines):,} there"
    for mine, theirs in zip(lines, there.lines, strict=True):
        if mine != _as_asked(theirs):
            return f"it has {_told(mine)} here and {_told(theirs)} there"
    return ""


def _as_asked(line: OrderLine) -> OrderLine:
    """A recorded line without what became of it since."""
    return replace(line, shipped=0) if line.shipped else line


def _told(line: OrderLine) -> str:
    return f"{line.quantity:,} x {line.product_id} at {line.unit_price}"
