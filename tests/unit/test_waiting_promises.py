"""Promises that have to wait for stock, as one decision makes and moves them."""

from datetime import UTC, datetime, timedelta

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.reservations.reservation import Wanted, hear
from holdfast.inventory.domain.stock.levels import (
    NO_LOT,
    HeldStock,
    QueuedUnits,
    Short,
    Shortage,
    StockLevel,
)
from holdfast.inventory.domain.stock.movements import Cause
from holdfast.inventory.domain.stock.queues import UNLIMITED
from holdfast.inventory.domain.stock.sourcing import Sourcing, Strategy
from holdfast.inventory.domain.stock.stock import Promise, StockBook

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
CAUSE = Cause(Caller("orders"), order_id="o")
NEAREST = Sourcing(Strategy.NEAREST, ("shop",))


def lamps(on_hand: int, reserved: int = 0, queued: int = 0, most: int = UNLIMITED) -> StockLevel:
    return StockLevel("LAMP", "main", on_hand, reserved, queued=queued, queued_max=most)


def held(units: int, product_id: str = "LAMP", at: str = "main") -> HeldStock:
    return HeldStock(product_id, at, NO_LOT, units)


def waits(units: int, since: datetime = AT) -> QueuedUnits:
    return QueuedUnits("LAMP", units, since)


def test_what_is_there_is_held_and_the_rest_waits() -> None:
    book = StockBook([lamps(2)], LATER)

    assert book.hold((), {"LAMP": 5}, CAUSE, since=AT) == Promise((held(2),), (waits(3),))
    assert book.queued == {"LAMP": 3}


def test_what_the_queue_is_owed_is_promised_to_nobody_else() -> None:
    book = StockBook([lamps(4, queued=3)], LATER)

    assert book.hold((), {"LAMP": 2}, CAUSE, since=LATER) == Promise((held(1),), (waits(1, LATER),))


def test_no_more_may_wait_than_the_policy_says_and_those_who_wait_count() -> None:
    book = StockBook([lamps(1, queued=2, most=4)], AT)

    assert book.hold((), {"LAMP": 3}, CAUSE) == Short((Shortage("LAMP", 3, 2),))
    assert book.hold((), {"LAMP": 2}, CAUSE) == Promise((), (waits(2),))


def test_an_order_that_must_not_be_split_or_wait_is_refused() -> None:
    for sourcing in (Sourcing(may_split=False), Sourcing(in_stock_only=True)):
        book = StockBook([lamps(1)], AT)
        assert book.hold((), {"LAMP": 2}, CAUSE, sourcing) == Short((Shortage("LAMP", 2, 1),))
        assert (book.movements, book.queued) == ([], {})


def test_less_is_taken_from_what_waits_first_the_youngest_before_the_others() -> None:
    book = StockBook([lamps(2, reserved=2, queued=5)], LATER)
    queued = (waits(3), waits(2, LATER))

    less = book.hold((held(2),), {"LAMP": 4}, CAUSE, queued=queued)
    least = book.hold((held(2),), {"LAMP": 1}, CAUSE, queued=(waits(2),))

    assert less == Promise((held(2),), (waits(2),))
    assert least == Promise((held(1),))
    assert book.queued == {"LAMP": 0}


def test_an_edit_that_adds_waits_since_the_edit() -> None:
    book = StockBook([lamps(2, reserved=2, queued=1)], LATER)

    more = book.hold((held(2),), {"LAMP": 6}, CAUSE, queued=(waits(1),), since=LATER)

    assert more == Promise((held(2),), (waits(1), waits(3, LATER)))


def test_what_is_wanted_no_more_is_given_back_although_the_rest_only_waits() -> None:
    desks = StockLevel("DESK", "main", 2, 2)
    book = StockBook([desks, lamps(0, queued=3)], LATER)

    rest = book.hold((held(2, "DESK"),), {"LAMP": 3}, CAUSE, queued=(waits(3),))

    assert rest == Promise((), (waits(3),))
    assert desks.reserved == 0


def test_what_an_order_holds_moves_whoever_waits() -> None:
    shop = StockLevel("LAMP", "shop", 2, priority=100)
    book = StockBook([lamps(2, reserved=2, queued=9), shop], LATER)

    moved = book.hold((held(2),), {"LAMP": 2}, CAUSE, NEAREST, moves=True)

    assert isinstance(moved, Promise)
    assert [part[:4] for part in moved.stock] == [("LAMP", "shop", NO_LOT, 2)]
    assert book.queued == {}


def test_who_gave_way_and_must_not_be_split_waits_whatever_leaves() -> None:
    book = StockBook([lamps(1, reserved=1, queued=2)], LATER)

    rest = book.hold((held(1),), {"LAMP": 3}, CAUSE, Sourcing(may_split=False), queued=(waits(2),))

    assert rest == Promise((held(1),), (waits(2),))


def test_a_refused_edit_leaves_what_is_held_and_what_waits_as_it_was() -> None:
    book = StockBook([lamps(2, reserved=2, queued=3, most=4)], LATER)

    refused = book.hold((held(2),), {"LAMP": 9}, CAUSE, queued=(waits(3),))

    assert refused == Short((Shortage("LAMP", 9, 6),))
    assert (book.movements, book.queued) == ([], {})


def test_nobody_waits_before_who_was_placed_earlier_though_a_clock_is_behind() -> None:
    wanted = Wanted("o", 1, {"LAMP": 1}, over=False, asked_at=LATER)
    placed = hear(None, wanted, StockBook([lamps(1)], LATER), CAUSE)
    edited = wanted._replace(revision=2, products={"LAMP": 3}, asked_at=AT)

    assert hear(placed, edited, StockBook([lamps(1, 1)], LATER), CAUSE).queued == (waits(2, LATER),)
