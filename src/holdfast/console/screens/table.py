"""All screens of those who are signed in."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from holdfast.console.screens import (
    bulk,
    order_actions,
    order_page,
    orders_list,
    stock,
    to_ship,
    today,
)
from holdfast.console.visit import Visit


class Screen(NamedTuple):
    """Where something is shown or done.

    :param scope: needed for it, so that nobody is shown what they would be refused; "": none.
    :param streams: whether the answer goes on; it is asked for by a script, not by a person.
    """

    verb: str
    path: str
    handle: Callable[[Visit], Awaitable[Response]]
    scope: str = ""
    streams: bool = False


_ORDER = "/orders/{order_id}"

ALL = (
    Screen("GET", "/", today.today),
    Screen("GET", "/products", stock.products, "stock:read"),
    Screen("GET", "/stock", stock.stock, "stock:read"),
    Screen("POST", "/stock", stock.adjust, "stock:write"),
    Screen("GET", "/orders", orders_list.orders, "orders:read"),
    Screen("POST", "/orders", orders_list.orders, "orders:read"),
    Screen("GET", "/to-ship", to_ship.to_ship, "orders:read"),
    Screen("POST", "/to-ship", to_ship.to_ship, "orders:read"),
    Screen("POST", "/bulk", bulk.ask, "orders:read"),
    Screen("POST", "/jobs", bulk.begin, "orders:read"),
    Screen("GET", "/jobs/{job_id}", bulk.job, "orders:read"),
    Screen("GET", "/jobs/{job_id}/live", bulk.live, "orders:read", streams=True),
    Screen("GET", _ORDER, order_page.order, "orders:read"),
    Screen("GET", f"{_ORDER}/live", order_page.live, "orders:read", streams=True),
    Screen("POST", f"{_ORDER}/confirm", order_actions.confirm, "orders:write"),
    Screen("POST", f"{_ORDER}/extend", order_actions.extend, "orders:write"),
    Screen("POST", f"{_ORDER}/cancel", order_actions.cancel, "orders:write"),
    Screen("POST", f"{_ORDER}/pay", order_actions.pay, "orders:write"),
    Screen("POST", f"{_ORDER}/ship", order_actions.ship, "orders:ship"),
    Screen("POST", f"{_ORDER}/return", order_actions.open_return, "returns:write"),
    Screen("POST", f"{_ORDER}/receive", order_actions.receive_return, "returns:write"),
    Screen("POST", f"{_ORDER}/close", order_actions.close_return, "returns:write"),
)
