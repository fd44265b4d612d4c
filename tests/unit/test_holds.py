"""Holds: confirmed, extended or ended by a transition, never by a clock."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.orders.domain.caller import Caller
from holdfast.orders.domain.errors import (
    ConfirmedOtherwise,
    HoldExpired,
    IllegalTransition,
    StillPending,
)
from holdfast.orders.domain.events import HoldExtended, OrderConfirmed, OrderReserved
from holdfast.orders.domain.ordering.order import OrderState
from holdfast.orders.domain.ordering.status import Action, OrderStatus
from holdfast.orders.domain.ordering.stock import HeldStock, StockAnswer

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
