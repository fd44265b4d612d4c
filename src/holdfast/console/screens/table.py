"""All screens of those who are signed in."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.responses import Response

from holdfast.console.screens import (
    backorders,
    bulk,
    customers,
    erasing,
    exports,
    figures,
    files,
    finding,
    imports,
    keys,
    locations,
    movements,
    order_actions,
    order_page,
    orders_list,
    own_password,
    papers,
    product_forms,
    products,
    saved_views,
    sending,
    stock,
    stock_actions,
    system,
    to_ship,
    today,
    transfer_page,
    transfers,
    users,
    webhook_actions,
    webhooks,
)
from holdfast.console.visit import Visit


class Screen(NamedTuple):
    """Where something is shown or done.

    :param scope: needed for it, so that nobody is shown what they would be refused; "": none.
    :param streams: whether the answer goes on; it is asked for by a script, not by a person.
    :param alone: what the console itself has is shown or changed, and no service is called that
        would refuse who may nothing any more.
    """

    verb: str
    path: str
    handle: Callable[[Visit], Awaitable[Response]]
    scope: str = ""
    streams: bool = False
    alone: bool = False


_ORDER, _HOOK = "/orders/{order_id}", "/webhooks/{webhook_id}"
_IMPORT = "/imports/{intake_id}"
_TRANSFER = "/transfers/{transfer_id}"

ALL = (
    Screen("GET", "/", today.today),
    Screen("GET", "/find", finding.find),
    Screen("GET", "/products", products.products, "stock:read"),
    Screen("GET", "/products/new", product_forms.new, "products:write"),
    Screen("POST", "/products/new", product_forms.create, "products:write"),
    Screen("GET", "/products/change", product_forms.details, "products:write"),
    Screen("POST", "/products/change", product_forms.change, "products:write"),
    Screen("GET", "/stock", stock.stock, "stock:read"),
    Screen("POST", "/stock/receipt", stock_actions.receive, "stock:write"),
    Screen("POST", "/stock/adjust", stock_actions.adjust, "stock:write"),
    Screen("POST", "/stock/set", stock_actions.set_level, "stock:write"),
    Screen("POST", "/stock/quarantine", stock_actions.quarantine, "stock:write"),
    Screen("POST", "/stock/release", stock_actions.release, "stock:write"),
    Screen("GET", "/locations", locations.locations, "stock:read"),
    Screen("GET", "/locations/new", locations.new, "products:write", alone=True),
    Screen("POST", "/locations/new", locations.create, "products:write"),
    Screen("GET", "/locations/change", locations.details, "products:write"),
    Screen("POST", "/locations/change", locations.change, "products:write"),
    Screen("GET", "/backorders", backorders.backorders, "stock:read"),
    Screen("GET", "/transfers", transfers.transfers, "stock:read"),
    Screen("GET", "/transfers/new", sending.new, "stock:write"),
    Screen("POST", "/transfers/new", sending.create, "stock:write"),
    Screen("GET", _TRANSFER, transfer_page.transfer, "stock:read"),
    Screen("POST", f"{_TRANSFER}/receive", transfer_page.receive, "stock:write"),
    Screen("POST", f"{_TRANSFER}/close", transfer_page.close, "stock:write"),
    Screen("GET", "/movements", movements.movements, "stock:read"),
    Screen("GET", "/customers", customers.customers, "customers:read"),
    Screen("GET", "/customer", customers.customer, "customers:read"),
    Screen("POST", "/customer", customers.update, "customers:write"),
    Screen("GET", "/customer/export", customers.export, "customers:read"),
    Screen("GET", "/customer/erase", erasing.ask, "customers:erase"),
    Screen("POST", "/customer/erase", erasing.erase, "customers:erase"),
    Screen("GET", "/files", files.files, alone=True),
    Screen("POST", "/imports", imports.bring, "imports:write", alone=True),
    Screen("GET", _IMPORT, imports.one, "imports:write", alone=True),
    Screen("GET", f"{_IMPORT}/live", imports.live, "imports:write", streams=True, alone=True),
    Screen("POST", f"{_IMPORT}/take", imports.take, "imports:write", alone=True),
    Screen("POST", f"{_IMPORT}/stop", imports.stop, "imports:write", alone=True),
    Screen("POST", f"{_IMPORT}/remove", imports.remove, "imports:write", alone=True),
    Screen("GET", "/export", exports.export),
    Screen("GET", "/orders", orders_list.orders, "orders:read"),
    Screen("POST", "/orders", orders_list.orders, "orders:read"),
    Screen("GET", "/views", saved_views.views, alone=True),
    Screen("POST", "/views", saved_views.save, alone=True),
    Screen("POST", "/views/{view_id}/change", saved_views.change, alone=True),
    Screen("POST", "/views/{view_id}/delete", saved_views.delete, alone=True),
    Screen("GET", "/figures", figures.figures, "orders:read"),
    Screen("GET", "/to-ship", to_ship.to_ship, "orders:read"),
    Screen("POST", "/to-ship", to_ship.to_ship, "orders:read"),
    Screen("GET", "/pick-list", papers.pick_list, "orders:read"),
    Screen("POST", "/pick-list", papers.pick_list, "orders:read"),
    Screen("POST", "/bulk", bulk.ask, "orders:read"),
    Screen("POST", "/jobs", bulk.begin, "orders:read"),
    Screen("GET", "/jobs/{job_id}", bulk.job, "orders:read", alone=True),
    Screen("GET", "/jobs/{job_id}/live", bulk.live, "orders:read", streams=True, alone=True),
    Screen("GET", _ORDER, order_page.order, "orders:read"),
    Screen("GET", f"{_ORDER}/live", order_page.live, "orders:read", streams=True),
    Screen("GET", f"{_ORDER}/confirmation", papers.confirmation, "orders:read"),
    Screen("GET", f"{_ORDER}/slip", papers.slip, "orders:read"),
    Screen("POST", f"{_ORDER}/confirm", order_actions.confirm, "orders:write"),
    Screen("POST", f"{_ORDER}/extend", order_actions.extend, "orders:write"),
    Screen("POST", f"{_ORDER}/cancel", order_actions.cancel, "orders:write"),
    Screen("POST", f"{_ORDER}/pay", order_actions.pay, "orders:write"),
    Screen("POST", f"{_ORDER}/ship", order_actions.ship, "orders:ship"),
    Screen("POST", f"{_ORDER}/return", order_actions.open_return, "returns:write"),
    Screen("POST", f"{_ORDER}/receive", order_actions.receive_return, "returns:write"),
    Screen("POST", f"{_ORDER}/close", order_actions.close_return, "returns:write"),
    Screen("GET", "/webhooks", webhooks.webhooks, "webhooks:manage"),
    Screen("POST", "/webhooks", webhooks.create, "webhooks:manage"),
    Screen("GET", _HOOK, webhooks.webhook, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/change", webhook_actions.change, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/switch", webhook_actions.switch, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/test", webhook_actions.test, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/rotate", webhook_actions.rotate, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/replay", webhook_actions.replay, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/redeliver", webhook_actions.redeliver, "webhooks:manage"),
    Screen("POST", f"{_HOOK}/delete", webhook_actions.delete, "webhooks:manage"),
    Screen("GET", "/keys", keys.keys, keys.MANAGE),
    Screen("POST", "/keys", keys.create, keys.MANAGE),
    Screen("GET", "/keys/{key_id}", keys.key, keys.MANAGE),
    Screen("POST", "/keys/{key_id}/rotate", keys.rotate, keys.MANAGE),
    Screen("POST", "/keys/{key_id}/revoke", keys.revoke, keys.MANAGE),
    Screen("GET", "/users", users.users, users.MANAGE),
    Screen("POST", "/users", users.create, users.MANAGE),
    Screen("GET", "/user", users.user, users.MANAGE),
    Screen("POST", "/user/rights", users.change_rights, users.MANAGE),
    Screen("POST", "/user/password", users.set_password, users.MANAGE),
    Screen("POST", "/user/lock", users.lock, users.MANAGE),
    Screen("POST", "/user/unlock", users.unlock, users.MANAGE),
    Screen("POST", "/user/delete", users.delete, users.MANAGE),
    Screen("GET", "/password", own_password.ask, alone=True),
    Screen("POST", "/password", own_password.change),
    Screen("GET", "/system", system.system, alone=True),
)
