"""All screens of those who are signed in."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from holdfast.console.screens import (
    exports,
    files,
    imports,
    order_actions,
    order_page,
    orders_list,
    stock,
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
_IMPORT = "/imports/{intake_id}"

ALL = (
    Screen("GET", "/", today.today),
    Screen("GET", "/products", stock.products, "stock:read"),
    Screen("GET", "/stock", stock.stock, "stock:read"),
    Screen("POST", "/stock", stock.adjust, "stock:write"),
    Screen("GET", "/files", files.files),
    Screen("POST", "/imports", imports.bring, "imports:write"),
    Screen("GET", _IMPORT, imports.one, "imports:write"),
    Screen("GET", f"{_IMPORT}/live", imports.live, "imports:write", streams=True),
    Screen("POST", f"{_IMPORT}/take", imports.take, "imports:write"),
    Screen("POST", f"{_IMPORT}/stop", imports.stop, "imports:write"),
    Screen("POST", f"{_IMPORT}/remove", imports.remove, "imports:write"),
    Screen("GET", "/export", exports.export),
    Screen("GET", "/orders", orders_list.orders, "orders:read"),
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
