"""The rules of reservations: moved to what the newest question wants, and over for good."""

from collections import Counter
from datetime import UTC, datetime

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
from holdfast.inventory.domain.locations.location import MAIN_LOCATION
from holdfast.inventory.domain.reservations.reservation import (
    Reservation,
    ReservationState,
    Wanted,
    hear,
)
from holdfast.inventory.domain.stock.levels import NO_LOT, HeldStock, Shortage, StockLevel
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.stock import StockBook
from tests.unit.test_stock import free_units

AT = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
CAUSE = Cause(Caller("orders"), order_id="o-1")
HELD, SHORT, OVER = ReservationState.HELD, ReservationState.SHORT, ReservationState.OVER


def book_of(on_hand: int) -> StockBook:
    return StockBook([StockLevel("LAMP", MAIN_LOCATION, on_hand)], AT)


def wants(revision: int, lamps: int) -> Wanted:
    """So many lamps; none: the order is over."""
    return Wanted("o-1", revision, {"LAMP": lamps} if lamps else {}, over=not lamps)


def lamps(quantity: int) -> tuple[HeldStock, ...]:
    return (HeldStock("LAMP", MAIN_LOCATION, NO_LOT, quantity),)


def test_what_can_be_met_is_held_and_told_whole() -> None:
    reservation = hear(None, wants(1, 2), book_of(5), CAUSE)

    assert reservation == Reservation("o-1", 1, 1, HELD, lamps(2))
    assert answer(reservation) == StockReserved(reservation)


def test_what_can_t_be_met_is_refused_with_what_is_missing() -> None:
    reservation = hear(None, wants(1, 6), book_of(5), CAUSE)

    assert reservation == Reservation("o-1", 1, 1, SHORT, (), (Shortage("LAMP", 6, 5),))
    assert answer(reservation) == StockRejected(reservation)


def test_the_same_question_changes_nothing_whatever_it_says() -> None:
    book = book_of(5)
    reservation = hear(None, wants(2, 2), book, CAUSE)

    assert hear(reservation, wants(2, 2), book, CAUSE) is reservation
    assert hear(reservation, wants(2, 4), book, CAUSE) is reservation
    assert len(book.movements) == 1


def test_an_older_question_changes_nothing() -> None:
    book = book_of(5)
    reservation = hear(None, wants(3, 2), book, CAUSE)

    assert hear(reservation, wants(1, 5), book, CAUSE) is reservation
    assert hear(reservation, wants(2, 0), book, CAUSE) is reservation


def test_a_newer_question_moves_what_is_held() -> None:
    book = book_of(5)

    more = hear(hear(None, wants(1, 2), book, CAUSE), wants(2, 5), book, CAUSE)
    fewer = hear(more, wants(5, 1), book, CAUSE)

    assert more == Reservation("o-1", 2, 2, HELD, lamps(5))
    assert fewer == Reservation("o-1", 3, 5, HELD, lamps(1))
    assert free_units(book, "LAMP") == 4


def test_an_increase_that_is_short_leaves_what_is_held_and_is_remembered() -> None:
    book = book_of(5)

    refused = hear(hear(None, wants(1, 2), book, CAUSE), wants(2, 6), book, CAUSE)

    assert refused == Reservation("o-1", 2, 2, HELD, lamps(2), (Shortage("LAMP", 6, 5),))
    assert answer(refused) == StockRejected(refused)
    assert hear(refused, wants(2, 3), book, CAUSE) is refused


def test_what_is_over_gives_everything_back_and_is_told() -> None:
    book = book_of(5)

    over = hear(hear(None, wants(1, 2), book, CAUSE), wants(2, 0), book, CAUSE)

    assert over == Reservation("o-1", 2, 2, OVER)
    assert answer(over) == ReservationReleased(over)
    assert free_units(book, "LAMP") == 5


def test_an_order_that_is_over_before_it_was_heard_of_is_never_reserved() -> None:
    book = book_of(5)
    over = hear(None, wants(2, 0), book, CAUSE)

    assert over == Reservation("o-1", 1, 2, OVER)
    assert answer(over) == ReservationReleased(over)
    assert hear(over, wants(1, 2), book, CAUSE) is over
    assert book.movements == []


def test_what_is_over_stays_over_also_for_a_newer_question() -> None:
    book = book_of(5)
    over = hear(None, wants(2, 0), book, CAUSE)

    assert hear(over, wants(3, 2), book, CAUSE) == Reservation("o-1", 2, 3, OVER)
    assert book.movements == []


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 7)), max_size=12))
def test_any_questions_in_any_order_leave_the_newest_one_decided(
    heard: list[tuple[int, int]],
) -> None:
    book = book_of(5)
    reservation: Reservation | None = None
    contents: dict[int, Reservation] = {}

    for revision, units in heard:
        reservation = hear(reservation, wants(revision, units), book, CAUSE)
        known = contents.setdefault(reservation.version, reservation)
        assert known == reservation, "one version never tells two things"
        held = Counter[str]()
        for part in reservation.stock:
            held[part.product_id] += part.quantity
        assert free_units(book, "LAMP") == 5 - held["LAMP"]
        assert (reservation.state is HELD) == bool(reservation.stock)

    if reservation:
        assert reservation.revision == max(revision for revision, _ in heard)


def test_a_changed_level_is_told_as_it_is_now() -> None:
    level = StockLevel("LAMP", "shop", on_hand=9, reserved=4, version=6)

    told = level_changed(level)

    assert (told.product_id, told.location_id, told.sequence) == ("LAMP", "shop", 6)
    assert (told.on_hand, told.reserved) == (9, 4)
