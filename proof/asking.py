"""The client library is asked for what a caller wants, and its answers become plain facts."""

from collections.abc import Sequence
from contextlib import aclosing
from copy import copy

from holdfast.client import (
    Charge,
    ChargeKind,
    Holdfast,
    HoldfastError,
    Money,
    OrderLine,
    OrderRequest,
    PaymentKind,
    Placed,
)
from holdfast.client._orders import Orders
from proof.catalogue_asking import ask_for_catalogue, ask_for_pages
from proof.catalogue_wishes import PAGES
from proof.customer_asking import ask_for_customers
from proof.customer_wishes import CUSTOMERS
from proof.goods_asking import (
    ask_for_goods,
    ask_for_stock,
    backorder_of,
    level_facts,
    order_facts,
    setting_of,
    sourcing_of,
    stock_facts,
    whole_order,
)
from proof.goods_wishes import GOODS
from proof.history import Facts
from proof.places_asking import ask_for_places
from proof.places_wishes import PLACES
from proof.transfer_asking import ask_for_transfers
from proof.transfer_wishes import TRANSFERS
from proof.workload import Wanted

PRICE = Money("GBP", 250)
WATCHED_S = 1.0


async def call(client: Holdfast, wanted: Wanted, price: Money | None = None) -> Facts:
    """Make one call of the history by the client library.

    :raises HoldfastError: it was refused, or nobody knows.
    """
    asked = wanted.request
    match wanted.method:
        case "CreateOrder":
            orders = client.orders
            if wanted.deadline_s is not None:
                orders = hurried(orders, wanted.deadline_s)
            return placed_facts(
                await orders.create(
                    asked["customer_id"],
                    _lines(asked, price),
                    request_id=asked["request_id"],
                    hold_s=asked.get("hold_s"),
                    charges=_charges(asked),
                    sourcing=sourcing_of(asked),
                )
            )
        case "GetOrderDetails":
            order = await client.orders.get(asked["order_id"])
            return whole_order(order)
        case "CancelOrder":
            return order_facts(await client.orders.cancel(asked["order_id"]))
        case "ConfirmOrder" | "ExtendHold" | "RecordPayment":
            return await _hold_or_pay(client, wanted)
        case "EditOrder" | "CancelUnits":
            return await _edit(client, wanted)
        case "CreateProduct":
            product_id = asked["product_id"]
            await client.inventory.create_product(
                product_id,
                name=product_id,
                unit_price=PRICE,
                safety_stock=asked.get("safety_stock", 0),
                backorder=backorder_of(asked),
            )
            return {"product_id": product_id}
        case "UpdateOrder":
            return whole_order(await client.orders.update(**asked))
        case "WatchOrder":
            return await _watched(client, asked["order_id"])
        case _ if wanted.method in GOODS:
            return await ask_for_goods(client, wanted)
        case _ if wanted.method in PLACES:
            return await ask_for_places(client, wanted)
        case _ if wanted.method in TRANSFERS:
            return await ask_for_transfers(client, wanted)
        case _ if wanted.method in CUSTOMERS:
            return await ask_for_customers(client, wanted)
        case _ if wanted.method in PAGES:
            return await ask_for_pages(client, wanted)
        case "UpdateProduct" | "ListProducts":
            return await ask_for_catalogue(client, wanted)
    return await ask_for_stock(client, wanted)


async def _watched(client: Holdfast, order_id: str) -> Facts:
    """What an order came to while somebody looked."""
    async with aclosing(client.orders.watch(order_id, watch_s=WATCHED_S)) as seen:
        told = [whole_order(order) async for order in seen]
    return told[-1]


async def _hold_or_pay(client: Holdfast, wanted: Wanted) -> Facts:
    asked = wanted.request
    match wanted.method:
        case "ConfirmOrder":
            paid = "kind" in asked
            confirmed = await client.orders.confirm(
                asked["order_id"],
                payment=asked["payment_reference"],
                kind=PaymentKind(asked["kind"]) if paid else None,
                amount=Money(PRICE.currency, asked["amount_minor"]) if paid else None,
            )
            return order_facts(confirmed)
        case "ExtendHold":
            held = await client.orders.extend_hold(asked["order_id"], hold_s=asked["hold_s"])
            return order_facts(held)
        case "RecordPayment":
            recorded = await client.orders.record_payment(
                asked["order_id"],
                PaymentKind(asked["kind"]),
                Money(PRICE.currency, asked["amount_minor"]),
                reference=asked["reference"],
            )
            return order_facts(recorded)
    raise AssertionError(f"no caller knows how to call {wanted.method}")


async def _edit(client: Holdfast, wanted: Wanted) -> Facts:
    """What was edited, with its contents: the next edit goes on from them."""
    asked = wanted.request
    order_id, version = asked["order_id"], asked["version"]
    if wanted.method == "CancelUnits":
        return whole_order(
            await client.orders.cancel(order_id, lines=dict(asked["units"]), version=version)
        )
    lines = [
        OrderLine(
            product_id, quantity, None if minor is None else Money(PRICE.currency, minor), line_no
        )
        for line_no, product_id, quantity, minor in asked["lines"]
    ]
    charges = _charges(asked) if "charges" in asked else None
    edited = await client.orders.edit(
        order_id, version=version, lines=lines, charges=charges, sourcing=sourcing_of(asked)
    )
    return whole_order(edited)


async def call_batch(
    client: Holdfast, wishes: Sequence[Wanted], price: Money | None
) -> list[Facts | HoldfastError]:
    """Ask by one call for many orders, for the stock of many products, or to set many levels.

    :raises HoldfastError: the whole call failed.
    """
    match wishes[0].method:
        case "GetStockInfo":
            ids = [one.request["product_id"] for one in wishes]
            infos = await client.inventory.get_stock_batch(ids)
            return [one if isinstance(one, HoldfastError) else stock_facts(one) for one in infos]
        case "SetStock":
            settings = [setting_of(one.request) for one in wishes]
            levels = await client.inventory.set_stock_batch(settings)
            return [one if isinstance(one, HoldfastError) else level_facts(one) for one in levels]
    return await _placed_together(client, wishes, price)


async def _placed_together(
    client: Holdfast, wishes: Sequence[Wanted], price: Money | None
) -> list[Facts | HoldfastError]:
    told = await client.orders.create_batch(
        [
            OrderRequest(
                customer_id=one.request["customer_id"],
                lines=_lines(one.request, price),
                request_id=one.request["request_id"],
                hold_s=one.request.get("hold_s"),
                charges=_charges(one.request),
                sourcing=sourcing_of(one.request),
            )
            for one in wishes
        ]
    )
    return [placed_facts(one) if isinstance(one, Placed) else one for one in told]


def hurried(orders: Orders, deadline_s: float) -> Orders:
    """The same connection with another deadline: the client library has one for all its calls."""
    calls = copy(orders._calls)
    calls._deadline_s = calls._retry_s = deadline_s
    return Orders(calls)


def placed_facts(placed: Placed) -> Facts:
    return {"order_id": placed.order_id, "status": placed.status.value}


def _lines(asked: Facts, price: Money | None) -> list[OrderLine]:
    return [OrderLine(product_id, quantity, price) for product_id, quantity in asked["lines"]]


def _charges(asked: Facts) -> list[Charge]:
    return [
        Charge(ChargeKind(kind), Money(PRICE.currency, minor), line_no)
        for kind, line_no, minor in asked.get("charges", ())
    ]
