"""The rules of reservations: decided once under the order's id, released at most once."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.events import (
    ReservationReleased,
    StockRejected,
    StockReserved,
    answer,
    level_changed,
)
from holdfast.inventory.domain.reservation import Reservation, ReservationState
from holdfast.inventory.domain.stock import (
    MAIN_LOCATION,
    Cause,
    ReservedStock,
    Shortage,
    StockBook,
    StockLevel,
)

AT = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
CAUSE = Cause(Caller("orders"), order_id="o-1")


def book_of(on_hand: int) -> StockBook:
    return StockBook([StockLevel("LAMP", MAIN_LOCATION, on_hand)], AT)


def test_a_demand_that_can_be_met_is_reserved() -> None:
    reservation = Reservation.decide("o-1", {"LAMP": 2}, book_of(5), CAUSE)

    stock = (ReservedStock("LAMP", MAIN_LOCATION, 2),)
    assert reservation == Reservation("o-1", ReservationState.RESERVED, stock=stock)
    assert answer(reservation) == StockReserved("o-1", 1, stock)


def test_a_demand_that_cannot_be_met_is_refused_with_what_is_missing() -> None:
    reservation = Reservation.decide("o-1", {"LAMP": 6}, book_of(5), CAUSE)

    missing = (Shortage("LAMP", 6, 5),)
    assert reservation == Reservation("o-1", ReservationState.REFUSED, shortages=missing)
    assert answer(reservation) == StockRejected("o-1", 1, missing)


@given(st.integers(1, 9), st.integers(0, 3))
def test_a_reservation_is_released_once_however_often_it_is_asked_for(
    wanted: int, repeats: int
) -> None:
    book = book_of(5)
    reservation = Reservation.decide("o-1", {"LAMP": wanted}, book, CAUSE)

    released = reservation.release(book, CAUSE)
    again = released
    for _ in range(repeats):
        again = again.release(book, CAUSE)

    assert again is released
    assert book.available("LAMP") == 5
    assert len(book.movements) in (0, 2)


def test_a_release_is_the_second_version_and_is_told() -> None:
    book = book_of(5)
    reservation = Reservation.decide("o-1", {"LAMP": 2}, book, CAUSE)

    released = reservation.release(book, CAUSE)

    assert (released.state, released.version) == (ReservationState.RELEASED, 2)
    assert answer(released) == ReservationReleased("o-1", 2, reservation.stock)


@pytest.mark.parametrize("state", [ReservationState.REFUSED, ReservationState.TOMBSTONE])
def test_what_holds_no_stock_has_nothing_to_release(state: ReservationState) -> None:
    book, reservation = book_of(5), Reservation("o-1", state)

    assert reservation.release(book, CAUSE) is reservation
    assert book.movements == []


def test_nobody_is_told_of_a_tombstone() -> None:
    assert answer(Reservation.tombstone("o-1")) is None


def test_a_changed_level_is_told_as_it_is_now() -> None:
    level = StockLevel("LAMP", "shop", on_hand=9, reserved=4, version=6)

    told = level_changed(level)

    assert (told.product_id, told.location_id, told.sequence) == ("LAMP", "shop", 6)
    assert (told.on_hand, told.reserved) == (9, 4)
