"""What verify says of holds and payments: each rule finds what it is there for."""

from datetime import timedelta

import pytest

from holdfast.orders.application.ordering.change_orders import ChangeOrders
from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.payments.errors import PaymentExceeds, PaymentsTooLarge
from holdfast.orders.domain.payments.payment import Payment, PaymentKind
from holdfast.verification import verify
from tests.contract import conftest as contract
from tests.integration import two_services
from tests.integration.damages import Damage, is_told
from tests.integration.test_verification import live
from tests.integration.two_services import ANNA, TwoServices, asks

engine, clock = contract.engine, contract.clock
new_database = contract.new_database
shop, urls = two_services.shop, two_services.urls

# A damage to holds and payments, and how it is named.
HELD_AND_PAID = {
    "a hold that nobody ends": ("DELETE FROM hold", "stands 0 times among the holds"),
    "a hold with another end": (
        "UPDATE hold SET expires_at = '2999-01-01T00:00:00+00:00'",
        ", and its hold ends at 2999-01-01",
    ),
    "a hold of nobody": (
        "UPDATE hold SET order_id = '01a21e6a-0000-7000-8000-000000000000'",
        "which is no order",
    ),
    "held without an end": (
        "UPDATE orders SET expires_at = NULL WHERE status = 'RESERVED'",
        "is RESERVED, held until None",
    ),
    "confirmed by nothing": (
        "UPDATE orders SET confirmed_by = NULL WHERE status = 'CONFIRMED'",
        "is CONFIRMED, held until",
    ),
    "a payment that was forgotten": (
        "DELETE FROM payment WHERE kind = 'CAPTURED'",
        "had a payment recorded 1 times at version 4, and has 0 facts",
    ),
    "more given back than taken": (
        "UPDATE payment SET amount_minor = 9 WHERE kind = 'REFUNDED'",
        "5 captured and 9 refunded",
    ),
    "sought by what the facts don't make it": (
        "UPDATE payment_state SET status = 'PAID'",
        "has payments that make it PARTIALLY_REFUNDED, it is sought by PAID",
    ),
    "a payment beside the books": (
        "UPDATE order_history SET action = 'HOLD_EXTENDED' WHERE action = 'PAYMENT_RECORDED'"
        " AND version = 4",
        "went from CONFIRMED to CONFIRMED HOLD_EXTENDED",
    ),
}


@pytest.mark.parametrize("damage", HELD_AND_PAID)
async def test_holds_and_payments_are_recomputed_from_their_records(
    shop: TwoServices, damage: str
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    hold = timedelta(minutes=15)
    held, paid = await shop.place(
        *(asks(name, LAMP=2)._replace(hold=hold) for name in ("held", "paid"))
    )
    await shop.deliver()
    change = ChangeOrders(shop.begin, shop.clock)
    await change([ConfirmOrder(paid.order_id, "pi_1", ANNA)])
    for kind, minor in ((PaymentKind.CAPTURED, 5), (PaymentKind.REFUNDED, 2)):
        amount = Money((await shop.order(paid.order_id)).total.currency, minor)
        await change([RecordPayment(paid.order_id, Payment(kind, "pi_1", amount), ANNA)])
    sound = await verify(*shop.urls)

    sql, named = HELD_AND_PAID[damage]
    assert await shop.orders.execute(sql) == 1
    report = await verify(*shop.urls)

    assert (await shop.order(held.order_id)).state.status == "RESERVED"
    assert sound.contradictions == []
    assert any(named in one for one in report.contradictions), report.contradictions


# What is recorded of the payments of some orders, in its order; all of it sound.
AUTHORIZED, CAPTURED = PaymentKind.AUTHORIZED, PaymentKind.CAPTURED
REFUNDED, VOIDED = PaymentKind.REFUNDED, PaymentKind.VOIDED
PAID = {
    "taken last": ((AUTHORIZED, "a-1", 10), (VOIDED, "v-1", 2), (CAPTURED, "c-1", 8)),
    "taken first": ((AUTHORIZED, "a-2", 10), (CAPTURED, "c-2", 8), (VOIDED, "v-2", 2)),
    "given up": ((AUTHORIZED, "a-3", 10), (VOIDED, "v-3", 10)),
    "given back": ((CAPTURED, "c-4", 5), (REFUNDED, "r-4", 5), (CAPTURED, "d-4", 5)),
    "directly": ((CAPTURED, "c-5", 5), (AUTHORIZED, "a-5", 3)),
    "directly and by a promise": (
        (CAPTURED, "c-6", 60),
        (AUTHORIZED, "a-6", 40),
        (CAPTURED, "d-6", 30),
        (VOIDED, "v-6", 10),
    ),
}


def to(minor: int, reference: str, named: str) -> Damage:
    """One fact's amount is another one."""
    sql = f"UPDATE payment SET amount_minor = {minor} WHERE reference = '{reference}'"
    return Damage((named,), orders=(sql,))


AMOUNTS = {
    "more taken than was promised": to(
        9, "c-1", "has 10 authorised, 2 voided, 9 captured and 0 refunded with CAPTURED c-1"
    ),
    "more given up than was left of a promise": to(
        3, "v-2", "has 10 authorised, 3 voided, 8 captured and 0 refunded with VOIDED v-2"
    ),
    "given up what was never promised": to(
        0, "a-3", "has 0 authorised, 10 voided, 0 captured and 0 refunded with VOIDED v-3"
    ),
    "more taken than was promised after a direct payment": to(
        31, "d-6", "has 40 authorised, 10 voided, 91 captured and 0 refunded with VOIDED v-6"
    ),
    "given back before it was taken": to(
        8, "r-4", "has 0 authorised, 0 voided, 5 captured and 8 refunded with REFUNDED r-4"
    ),
}


@pytest.mark.parametrize("damage", AMOUNTS.values(), ids=AMOUNTS)
async def test_no_fact_about_payments_exceeds_what_was_known_by_then(
    shop: TwoServices, damage: Damage
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    change = ChangeOrders(shop.begin, shop.clock)
    for name, facts in PAID.items():
        order = await shop.confirmed(asks(name, LAMP=2))
        for kind, reference, minor in facts:
            payment = Payment(kind, reference, Money(order.total.currency, minor))
            await change([RecordPayment(order.state.order_id, payment, ANNA)])
    await shop.deliver()
    assert (await verify(*shop.urls)).contradictions == []
    await is_told(shop, damage, {})


async def test_payments_beyond_any_amount_are_refused_and_the_books_stay_readable(
    shop: TwoServices,
) -> None:
    live(shop)
    await shop.supply(LAMP=50)
    order = await shop.confirmed(asks("r-1", LAMP=2))
    change = ChangeOrders(shop.begin, shop.clock)
    facts = [
        Payment(kind, reference, Money(order.total.currency, MINOR_MAX))
        for kind in (AUTHORIZED, CAPTURED)
        for reference in ("a", "b")
    ]

    refused = [
        type((await change([RecordPayment(order.order_id, fact, ANNA)]))[0]) for fact in facts
    ]

    too_large, exceeds = PaymentsTooLarge, PaymentExceeds
    assert refused == [type(None), too_large, type(None), exceeds]
    assert (await verify(*shop.urls)).contradictions == []
