"""The promise of searches: all filters must fit, whichever of them have an index to be found by."""

from collections.abc import Callable
from dataclasses import fields, replace
from itertools import combinations
from random import Random

import pytest

from holdfast.orders.application.ports import OrderFilter
from holdfast.orders.domain.customers.customer import Customer
from holdfast.orders.domain.errors import Shortage
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.details import Details
from holdfast.orders.domain.ordering.document import Order
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import OrderStatus
from holdfast.orders.domain.payments.payment import Payment, PaymentKind, PaymentStatus
from holdfast.orders.infrastructure.ordering import reader
from tests.contract import order_desk
from tests.contract.order_desk import ANNA, DESK, LAMP, Desk, settle

desk = order_desk.desk

ORDERS = 80
REFERENCES = "REF-1", "REF-2"
CHANNELS = "web", "app"
EMAILS = "ada@example.org", "bob@example.org"
STATUSES = tuple(OrderStatus)
PAYMENTS = PaymentStatus.NONE, PaymentStatus.AUTHORIZED, PaymentStatus.PAID
KINDS = {
    PaymentStatus.AUTHORIZED: PaymentKind.AUTHORIZED,
    PaymentStatus.PAID: PaymentKind.CAPTURED,
}
VALUES: dict[str, tuple[object, ...]] = {
    "customer_id": ("c-1", "c-2"),
    "status": STATUSES,
    "product_id": ("LAMP", "DESK"),
    "reference": REFERENCES,
    "email": EMAILS,
    "channel": CHANNELS,
    "payment_status": PAYMENTS,
}


async def place_any(desk: Desk, number: int, dice: Random) -> None:
    """Place an order and let anything become of it."""
    status = dice.choice(STATUSES)
    lines = dice.choice(((LAMP,), (DESK,), (LAMP, DESK, LAMP)))
    order = desk.make(f"r-{number}", *lines, customer_id=dice.choice(("c-1", "c-2", "c-3")))
    order = order._replace(
        customer=Customer(email=dice.choice(("", *EMAILS))),
        details=Details(dice.choice(("", *REFERENCES)), dice.choice(("", *CHANNELS))),
        expires_at=order.placed.at if status is OrderStatus.RESERVED else None,
    )
    await desk.store.record_orders([order])
    state = OrderState(order.order_id, OrderStatus.PENDING, 1, expires_at=order.expires_at)
    if payment := KINDS.get(dice.choice(PAYMENTS)):
        fact = Payment(payment, "p", order.total)
        paid = next(known for known, kind in KINDS.items() if kind is payment)
        change = state.record_payment(fact, paid, order.placed.at, ANNA)
        await desk.record(change)
        state = state.after(change)
    at = desk.clock.now()
    if status in (OrderStatus.CONFIRMED, OrderStatus.RESERVED):
        await desk.record(settle(state, at))
    elif status is OrderStatus.REJECTED:
        await desk.record(settle(state, at, Shortage("LAMP", 2, 1)))
    elif status is OrderStatus.CANCELLED:
        await desk.record(state.cancel("", at, ANNA))
    elif status is OrderStatus.EXPIRED:
        await desk.record(state.expire(at, ANNA))


def paid_of(order: Order) -> PaymentStatus:
    kinds = {known.payment.kind: known.payment.amount for known in order.payments}
    assert all(amount == Money("GBP", order.total.minor) for amount in kinds.values())
    return next((status for status, kind in KINDS.items() if kind in kinds), PaymentStatus.NONE)


FACTS: dict[str, Callable[[Order, object], bool]] = {
    "customer_id": lambda order, value: order.customer_id == value,
    "status": lambda order, value: order.state.status == value,
    "product_id": lambda order, value: any(line.product_id == value for line in order.lines),
    "reference": lambda order, value: order.details.reference == value,
    "email": lambda order, value: order.customer.email == value,
    "channel": lambda order, value: order.details.channel == value,
    "payment_status": lambda order, value: paid_of(order) == value,
    "created_from": lambda order, value: order.placed_at >= value,  # type: ignore[operator]
    "created_before": lambda order, value: order.placed_at < value,  # type: ignore[operator]
}


def fits(order: Order, wanted: OrderFilter) -> bool:
    known = {one.name: getattr(wanted, one.name) for one in fields(wanted)}
    return all(FACTS[name](order, value) for name, value in known.items() if value)


@pytest.mark.parametrize("stretch", [2, reader.STRETCH])
async def test_a_search_finds_what_fits_all_filters_newest_first_page_by_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    monkeypatch.setattr(reader, "STRETCH", stretch)
    dice = Random(stretch)
    for number in range(ORDERS):
        await place_any(desk, number, dice)
    everything = (await desk.reader.orders(OrderFilter(), before="", limit=2 * ORDERS)).orders
    assert len(everything) == ORDERS
    period = {"created_from": everything[60].placed_at, "created_before": everything[5].placed_at}

    missed: list[tuple[OrderFilter, list[str], list[str]]] = []
    for size in (1, 2, 3, len(VALUES)):
        for names in combinations(VALUES, size):
            wanted = OrderFilter(**{name: dice.choice(VALUES[name]) for name in names})  # type: ignore[arg-type] # values by their names
            if dice.random() < 0.3:
                wanted = replace(wanted, **period)  # type: ignore[arg-type] # likewise
            found: list[str] = []
            async for page in desk.pages(wanted, 3):
                found += [order.order_id for order in page]
            fitting = [order.order_id for order in everything if fits(order, wanted)]
            if found != fitting:
                missed.append((wanted, found, fitting))

    assert missed == []
