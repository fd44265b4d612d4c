"""One field that finds whatever a scanner reads, or somebody types: an order, goods, a customer."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from holdfast.client import InvalidRequest, NotFound, Order, PermissionDenied
from holdfast.console.screens.beside import beside
from holdfast.console.visit import Visit, to

ROWS_MAX = 20
QUERY_MAX = 300  # characters; no id is so long
_WHOLE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BEGINNING = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")


class Found(NamedTuple):
    """Something that was looked for.

    :param kind: what it is, for the texts.
    :param path: where it is shown.
    """

    kind: str
    name: str
    path: str


async def find(visit: Visit) -> Response:
    """Lead to the one thing of this name; of several, or none, tell."""
    asked = visit.asked("q")[:QUERY_MAX].strip()
    if not asked:
        return to("")
    groups = await asyncio.gather(*(beside(look, None) for look in _looks(visit, asked)))
    found = list(dict.fromkeys(one for group in groups if group for one in group))
    if len(found) == 1:
        return to(found[0].path)
    is_all, status = None not in groups, 200
    if not (found or is_all):
        status = 503
    return visit.show("found.html", status, sought=asked, found=found[:ROWS_MAX], is_all=is_all)


def _looks(visit: Visit, asked: str) -> list[Awaitable[list[Found]]]:
    client, lower = visit.client, asked.lower()
    looks: list[Awaitable[list[Found]]] = []
    if visit.may("orders:read"):
        if _WHOLE_ID.fullmatch(lower):
            looks.append(_one(client.orders.get(lower), _as_order(lower)))
        elif _BEGINNING.fullmatch(lower):
            looks.append(_orders(client.orders.search(order_id_prefix=lower, limit=ROWS_MAX)))
        looks.append(_orders(client.orders.search(reference=asked, limit=ROWS_MAX)))
        if "@" in asked:
            looks.append(_orders(client.orders.search(email=asked, limit=ROWS_MAX)))
    if visit.may("stock:read"):
        stock = Found("product", asked, f"/stock?{urlencode({'id': asked})}")
        looks.append(_one(client.inventory.get_stock(asked), stock))
        if _WHOLE_ID.fullmatch(lower):
            transfer = Found("transfer", lower, f"/transfers/{lower}")
            looks.append(_one(client.inventory.transfer(lower), transfer))
    if visit.may("customers:read"):
        customer = Found("customer", asked, f"/customer?{urlencode({'id': asked})}")
        looks.append(_one(client.customers.get(asked), customer))
    return looks


def _as_order(order_id: str) -> Found:
    return Found("order", order_id, f"/orders/{order_id}")


async def _one(call: Awaitable[object], found: Found) -> list[Found]:
    """What a call finds; a name that can't be one of its kind names nothing."""
    try:
        await call
    except (NotFound, InvalidRequest, PermissionDenied):
        return []
    return [found]


async def _orders(walk: AsyncGenerator[Order]) -> list[Found]:
    try:
        async with aclosing(walk):
            return [_as_order(order.order_id) async for order in walk]
    except InvalidRequest:
        return []
