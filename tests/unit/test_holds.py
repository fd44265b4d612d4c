"""Holds: confirmed, extended or ended by a transition, never by a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.orders.application.ordering.confirm_order import ConfirmOrder
from holdfast.orders.application.payments.record_payment import RecordPayment
from holdfast.orders.application.ports import KnownPayments
from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import (
    ConfirmedOtherwise,
    HoldExpired,
    IllegalTransition,
    StillPending,
    TooManyChanges,
)
from holdfast.orders.domain.events import HoldExtended, OrderConfirmed, OrderReserved
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.order import UPDATES_MAX, OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer
from holdfast.orders.domain.payments.errors import TooManyPayments
from holdfast.orders.domain.payments.payment import PAYMENTS_MAX, Payment, PaymentKind

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
ENDS = AT + timedelta(minutes=15)
ANNA = Caller("anna")


def held(status: OrderStatus = OrderStatus.RESERVED, by: str | None = None) -> OrderState:
    return OrderState("o-1", status, 2, expires_at=ENDS, confirmed_by=by)


def test_an_order_with_a_hold_waits_for_its_confirmation_once_its_stock_is_held() -> None:
    answer = StockAnswer("o-1", 1, 1, (HeldStock("LAMP", "main", 2),), ())

    change = held(OrderStatus.PENDING).settle(answer, AT, ANNA)

    assert change is not None
    assert (change.status, change.event) == (OrderStatus.RESERVED, OrderReserved(ENDS))
    assert not change.ends_hold


def test_a_confirmation_wins_while_the_order_is_reserved_however_late_it_is() -> None:
    change = held().confirm("pi_1", ENDS + timedelta(days=1), ANNA)

    assert change is not None
    assert (change.status, change.event) == (OrderStatus.CONFIRMED, OrderConfirmed())
    assert (change.confirmed_by, change.ends_hold) == ("pi_1", True)
    assert held().after(change) == held(OrderStatus.CONFIRMED, "pi_1")._replace(version=3)


def test_the_same_reference_confirms_once_and_another_is_told_which_did() -> None:
    confirmed = held(OrderStatus.CONFIRMED, "pi_1")

    assert confirmed.confirm("pi_1", AT, ANNA) is None
    with pytest.raises(ConfirmedOtherwise, match="by payment pi_1") as refused:
        confirmed.confirm("pi_2", AT, ANNA)
    assert refused.value.reference == "pi_1"


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (held(OrderStatus.PENDING), StillPending),
        (held(OrderStatus.EXPIRED), HoldExpired),
        (held(OrderStatus.CANCELLED), IllegalTransition),
        (held(OrderStatus.REJECTED), IllegalTransition),
        (OrderState("o-1", OrderStatus.CONFIRMED, 2), ConfirmedOtherwise),
    ],
)
def test_what_is_not_held_is_not_confirmed(state: OrderState, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        state.confirm("pi_1", AT, ANNA)


def test_a_hold_is_extended_and_never_shortened() -> None:
    later = ENDS + timedelta(minutes=1)

    change = held().extend_hold(later, AT, ANNA)

    assert change is not None
    assert (change.action, change.event) == (Action.HOLD_EXTENDED, HoldExtended(later))
    assert (change.status, change.expires_at) == (held().status, later)
    assert held().extend_hold(ENDS, AT, ANNA) is None
    assert held().extend_hold(AT, AT, ANNA) is None


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (held(OrderStatus.EXPIRED), HoldExpired),
        (held(OrderStatus.CONFIRMED, "pi_1"), IllegalTransition),
        (OrderState("o-1", OrderStatus.PENDING, 1), IllegalTransition),
    ],
)
def test_what_is_not_held_is_not_extended(state: OrderState, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        state.extend_hold(ENDS + timedelta(hours=1), AT, ANNA)


def test_a_hold_that_ends_gives_its_stock_back_under_a_new_revision() -> None:
    change = held().expire(AT, ANNA)

    assert (change.status, change.reason) == (OrderStatus.EXPIRED, "the hold ran out")
    assert change.ends_hold


NOTHING_KNOWN = KnownPayments((), Money("GBP", 100), None)
PAID = Payment(PaymentKind.CAPTURED, "pi_1", Money("GBP", 100))


@pytest.mark.parametrize("version", [UPDATES_MAX - 1, UPDATES_MAX, UPDATES_MAX + 7])
def test_an_order_that_was_changed_as_often_as_may_be_is_confirmed_with_its_payment(
    version: int,
) -> None:
    state = held()._replace(version=version)

    decided = ConfirmOrder("o-1", "pi_1", ANNA, PAID).decide(state, NOTHING_KNOWN, AT)

    assert decided.refusal is None
    assert decided.change
    assert decided.change.status is OrderStatus.CONFIRMED
    assert decided.then
    assert (decided.then.payment, decided.then.version) == (PAID, version + 2)
    with pytest.raises(TooManyChanges):
        RecordPayment("o-1", PAID, ANNA).decide(
            state._replace(version=UPDATES_MAX), NOTHING_KNOWN, AT
        )


@pytest.mark.parametrize("payment", [None, PAID])
def test_a_late_payment_is_kept_however_often_the_order_was_changed(
    payment: Payment | None,
) -> None:
    state = held(OrderStatus.EXPIRED)._replace(version=UPDATES_MAX)

    decided = ConfirmOrder("o-1", "pi_1", ANNA, payment).decide(state, NOTHING_KNOWN, AT)

    assert isinstance(decided.refusal, HoldExpired)
    assert decided.change
    assert decided.change.payment
    assert decided.change.payment.reference == "pi_1"


@pytest.mark.parametrize("payment", [None, PAID])
def test_who_pays_too_late_is_told_so_also_where_there_is_no_room_for_the_reference(
    payment: Payment | None,
) -> None:
    facts = tuple(
        Payment(PaymentKind.CAPTURED, f"{number}", Money("GBP", 1))
        for number in range(PAYMENTS_MAX)
    )
    full = NOTHING_KNOWN._replace(payments=facts)
    confirm = ConfirmOrder("o-1", "pi_1", ANNA, payment)

    late = confirm.decide(held(OrderStatus.EXPIRED), full, AT)
    in_time = confirm.decide(held(), full, AT)

    assert isinstance(late.refusal, HoldExpired)
    assert late.change is None
    assert isinstance(in_time.refusal, TooManyPayments) == (payment is not None)
    assert (in_time.change is None) == (payment is not None)


def test_what_was_never_held_did_not_end_by_its_hold() -> None:
    change = held(OrderStatus.PENDING).expire(AT, ANNA)

    assert (change.status, change.reason) == (OrderStatus.EXPIRED, "no decision in time")
    assert change.ends_hold
