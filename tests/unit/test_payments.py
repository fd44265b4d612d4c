"""Payments: each fact once, none beyond another, and the status that follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.orders.domain.errors import OrdersError
from holdfast.orders.domain.money import MINOR_MAX, Money
from holdfast.orders.domain.payments.errors import (
    PaymentExceeds,
    PaymentReused,
    PaymentsTooLarge,
    TooManyPayments,
    WrongPaymentCurrency,
)
from holdfast.orders.domain.payments.payment import (
    PAYMENTS_MAX,
    Payment,
    PaymentKind,
    PaymentStatus,
    is_news,
    status_of,
)

TOTAL = Money("EUR", 100)
AUTHORIZED, CAPTURED = PaymentKind.AUTHORIZED, PaymentKind.CAPTURED
REFUNDED, VOIDED = PaymentKind.REFUNDED, PaymentKind.VOIDED


def fact(kind: PaymentKind, minor: int, reference: str = "") -> Payment:
    return Payment(kind, reference or f"{kind}-{minor}", Money("EUR", minor))


def news(known: list[Payment], new: Payment) -> bool:
    return is_news(known, new, "EUR", "o-1")


def test_a_fact_is_recorded_once_under_its_kind_and_reference() -> None:
    known = [fact(CAPTURED, 60, "r")]

    assert not news(known, fact(CAPTURED, 60, "r"))
    assert news(known, fact(CAPTURED, 60, "other"))
    with pytest.raises(PaymentReused):
        news(known, fact(CAPTURED, 61, "r"))


def test_another_currency_is_refused() -> None:
    with pytest.raises(WrongPaymentCurrency):
        is_news([], fact(CAPTURED, 1), "USD", "o-1")


@pytest.mark.parametrize(
    ("known", "new", "left"),
    [
        ([fact(AUTHORIZED, 100)], fact(CAPTURED, 101), 100),
        ([fact(AUTHORIZED, 100), fact(CAPTURED, 60)], fact(CAPTURED, 41), 40),
        ([fact(AUTHORIZED, 100), fact(VOIDED, 30)], fact(CAPTURED, 71), 70),
        ([fact(AUTHORIZED, 100), fact(CAPTURED, 60)], fact(VOIDED, 41), 40),
        ([], fact(VOIDED, 1), 0),
        ([fact(CAPTURED, 60)], fact(VOIDED, 1), 0),
        ([fact(CAPTURED, 60), fact(AUTHORIZED, 40)], fact(CAPTURED, 41), 40),
        ([fact(CAPTURED, 60), fact(AUTHORIZED, 40)], fact(VOIDED, 41), 40),
        ([fact(CAPTURED, 60), fact(AUTHORIZED, 40), fact(CAPTURED, 30)], fact(VOIDED, 11), 10),
        ([fact(CAPTURED, 60)], fact(REFUNDED, 61), 60),
        ([fact(CAPTURED, 60), fact(REFUNDED, 50)], fact(REFUNDED, 11), 10),
        ([], fact(REFUNDED, 1), 0),
    ],
)
def test_nothing_exceeds_what_it_is_taken_of(known: list[Payment], new: Payment, left: int) -> None:
    with pytest.raises(PaymentExceeds) as refused:
        news(known, new)

    assert refused.value.allowed_minor == left
    assert left == 0 or news(known, fact(new.kind, left, "just as much"))


def test_what_was_taken_before_a_promise_is_not_taken_of_it() -> None:
    gift, promise = fact(CAPTURED, 60, "gift"), fact(AUTHORIZED, 40, "card")

    assert news([gift, promise], fact(CAPTURED, 40, "card"))
    assert news([gift, promise], fact(VOIDED, 40, "card"))


def test_without_an_authorisation_any_amount_is_captured() -> None:
    assert news([], fact(CAPTURED, 10_000))


@pytest.mark.parametrize("kind", [AUTHORIZED, CAPTURED])
def test_what_is_known_of_a_kind_is_never_more_than_an_amount_can_be(kind: PaymentKind) -> None:
    known = [fact(kind, MINOR_MAX - 5, "most")]

    assert news(known, fact(kind, 5, "just so"))
    with pytest.raises(PaymentsTooLarge):
        news(known, fact(kind, 6, "too much"))


def test_an_order_has_only_so_many_payments() -> None:
    known = [fact(CAPTURED, 1, f"{number}") for number in range(PAYMENTS_MAX)]

    with pytest.raises(TooManyPayments):
        news(known, fact(CAPTURED, 1, "one more"))


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([], "NONE"),
        ([fact(PaymentKind.NAMED, 0)], "NONE"),
        ([fact(AUTHORIZED, 100)], "AUTHORIZED"),
        ([fact(AUTHORIZED, 100), fact(VOIDED, 100)], "NONE"),
        ([fact(AUTHORIZED, 100), fact(CAPTURED, 40)], "PARTIALLY_PAID"),
        ([fact(CAPTURED, 100)], "PAID"),
        ([fact(CAPTURED, 101)], "OVERPAID"),
        ([fact(CAPTURED, 100), fact(REFUNDED, 1)], "PARTIALLY_REFUNDED"),
        ([fact(CAPTURED, 100), fact(REFUNDED, 100)], "REFUNDED"),
    ],
)
def test_the_status_follows_from_the_facts(facts: list[Payment], status: str) -> None:
    assert status_of(facts, TOTAL) is PaymentStatus(status)


@given(
    st.lists(
        st.builds(
            fact, st.sampled_from([AUTHORIZED, CAPTURED, REFUNDED, VOIDED]), st.integers(1, 9)
        )
    )
)
def test_whatever_is_tried_never_more_is_given_back_than_was_taken(tried: list[Payment]) -> None:
    known: list[Payment] = []
    allowed = [0]
    for one in tried:
        try:
            if news(known, one):
                known.append(one)
        except PaymentExceeds as refused:
            allowed.append(refused.allowed_minor)
        except OrdersError:
            continue
    sums = {kind: sum(p.amount.minor for p in known if p.kind is kind) for kind in PaymentKind}

    assert min(allowed) == 0
    assert sums[REFUNDED] <= sums[CAPTURED]
    assert sums[VOIDED] <= sums[AUTHORIZED]
