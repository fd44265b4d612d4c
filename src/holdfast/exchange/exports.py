"""What the services have, as rows: in the very columns that an import takes, and some to read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.chassis import times
from holdfast.client import Holdfast, HoldfastError, Money, Order, OrderStatus, Product
from holdfast.exchange.customers import CUSTOMERS
from holdfast.exchange.orders import ORDERS
from holdfast.exchange.products import PRICES, PRODUCTS
from holdfast.exchange.stock import STOCK
from holdfast.importing.tables import Cell

BATCH_MAX = 1_000
_STOCK = ("product_id", "location_id", "on_hand", *STOCK.told)
COLUMNS: dict[str, tuple[str, ...]] = {
    "products": PRODUCTS.names,
    "prices": PRICES.names,
    "stock": _STOCK,
    "customers": CUSTOMERS.names + CUSTOMERS.told,
    "orders": ORDERS.names + ORDERS.told,
}

Row = list[Cell]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders to export; None: all.

    :param created_from: the first moment that they may be from.
    :param created_before: the first moment after the last.
    """

    created_from: datetime | None = None
    created_before: datetime | None = None
    status: OrderStatus | None = None


def behind(text: str) -> datetime:
    """The first moment behind a time, or behind a day where it is one alone.

    :raises ValueError: it is no time; the message says how one is written.
    """
    is_day = len(text.strip()) == len("2026-03-31")
    try:
        return times.parse(text) + (timedelta(days=1) if is_day else timedelta(microseconds=1))
    except OverflowError as error:
        raise ValueError("there is no moment behind it") from error


def rows(client: Holdfast, kind: str, wanted: Wanted) -> AsyncIterator[Row]:
    """Everything of a kind, page by page, in the columns of `COLUMNS`.

    What changes while it is read is told as it was or as it is.

    :param kind: one of `COLUMNS`.
    :raises HoldfastError: it could not be read to its end.
    """
    match kind:
        case "products":
            return _products(client)
        case "prices":
            return _prices(client)
        case "stock":
            return _stock(client)
        case "customers":
            return _customers(client)
        case "orders":
            return _orders(client, wanted)
        case _:
            raise ValueError(f"{kind!r} is none of {', '.join(COLUMNS)}")


async def _products(client: Holdfast) -> AsyncIterator[Row]:
    async for one in client.inventory.list_products():
        policy = one.backorder
        yield [
            *(one.product_id, one.name, one.description),
            *(one.unit_price.amount, one.unit_price.currency, one.active),
            *(policy.mode.value, policy.units_max, policy.expected_date, one.safety_stock),
        ]


async def _prices(client: Holdfast) -> AsyncIterator[Row]:
    async for one in client.inventory.list_products():
        yield [one.product_id, one.unit_price.amount, one.unit_price.currency]


async def _stock(client: Holdfast) -> AsyncIterator[Row]:
    some: list[Product] = []
    async for one in client.inventory.list_products():
        some.append(one)
        if len(some) == BATCH_MAX:
            for row in await _levels(client, some):
                yield row
            some = []
    for row in await _levels(client, some):
        yield row


async def _levels(client: Holdfast, products: list[Product]) -> list[Row]:
    if not products:
        return []
    found: list[Row] = []
    for info in await client.inventory.get_stock_batch([one.product_id for one in products]):
        if isinstance(info, HoldfastError):
            raise info
        for level in info.levels:
            counts = (level.on_hand, level.reserved, level.quarantined, level.available)
            found.append([info.product.product_id, level.location_id, *counts, level.in_transit])
    return found


async def _customers(client: Holdfast) -> AsyncIterator[Row]:
    async for one in client.customers.list():
        known = one.customer
        yield [
            *(one.customer_id, known.name, known.email, known.phone, known.address),
            *(one.create_time, one.update_time, one.erase_time),
        ]


async def _orders(client: Holdfast, wanted: Wanted) -> AsyncIterator[Row]:
    listed = client.orders.list(
        status=wanted.status,
        created_from=wanted.created_from,
        created_before=wanted.created_before,
    )
    async for order in listed:
        for row in _lines(order):
            yield row


def _lines(order: Order) -> list[Row]:
    known, details = order.customer, order.details
    rest: Row = [details.reference, details.channel, details.note]
    rest += [known.name, known.email, known.phone, known.address]
    told: Row = [order.order_id, order.status.value, order.create_time]
    paid: Row = [order.total.amount, order.payment_status.value]
    found: list[Row] = []
    for line in order.lines:
        price: Row = ["", order.total.currency]
        if isinstance(line.unit_price, Money):
            price = [line.unit_price.amount, line.unit_price.currency]
        start: Row = [order.request_id, order.customer_id, line.product_id, line.quantity]
        found.append([*start, *price, *rest, *told, line.line_no, line.shipped, *paid])
    return found
