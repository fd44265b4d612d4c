"""What of an order can leave the house now, and from where."""

import asyncio
from collections.abc import Iterable, Sequence

from holdfast.client import HoldfastError, Order, OrderStatus, Unauthenticated
from holdfast.console.visit import Visit

SHIPPABLE = (OrderStatus.CONFIRMED, OrderStatus.PARTIALLY_SHIPPED)
_AT_ONCE = 8  # calls of one page


async def whole(visit: Visit, order_ids: Iterable[str]) -> list[Order | HoldfastError]:
    """Whole orders, with what is held for them, in the order asked for; errors in their place.

    :raises Unauthenticated: the session is over.
    """
    ids = list(order_ids)
    found: list[Order | HoldfastError] = []
    for begin in range(0, len(ids), _AT_ONCE):
        some = [visit.client.orders.get(one) for one in ids[begin : begin + _AT_ONCE]]
        for answer in await asyncio.gather(*some, return_exceptions=True):
            if isinstance(answer, Unauthenticated) or not isinstance(answer, Order | HoldfastError):
                raise answer
            found.append(answer)
    return found


def held(order: Order, location: str = "") -> dict[str, int]:
    """Units by product that are held for an order at a location; "": wherever."""
    found: dict[str, int] = {}
    for one in order.stock:
        if location in ("", one.location_id):
            found[one.product_id] = found.get(one.product_id, 0) + one.quantity
    return found


def ready(order: Order, location: str = "") -> dict[int, int]:
    """Units by line that can leave a location now; "": wherever they are held."""
    stock, found = held(order, location), {}
    for line in order.lines:
        units = min(line.quantity - line.shipped, stock.get(line.product_id, 0))
        found[line.line_no] = units
        stock[line.product_id] = stock.get(line.product_id, 0) - units
    return found


def can_ship(order: Order, location: str = "") -> bool:
    return order.status in SHIPPABLE and any(ready(order, location).values())


def left(orders: Sequence[Order]) -> int:
    """Units of orders that have not left."""
    return sum(line.quantity - line.shipped for one in orders for line in one.lines)
