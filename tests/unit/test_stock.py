"""The rules of stock levels: never below zero, never promised twice, and every number explained."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import (
    BelowReserved,
    QuantityTooLarge,
    StaleVersion,
    TooManyLocations,
)
from holdfast.inventory.domain.stock import (
    LOCATIONS_MAX,
    MAIN_LOCATION,
    ON_HAND_MAX,
    Cause,
    Movement,
    MovementKind,
    Reserved,
    ReservedStock,
    Short,
    Shortage,
    StockBook,
    StockLevel,
)

AT = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
CAUSE = Cause(Caller("anna"), "because", "ref-1", "order-1")
PRODUCTS = ("LAMP", "DESK", "CHAIR")
LOCATIONS = (MAIN_LOCATION, "annex", "shop")

quantities = st.one_of(st.integers(1, 12), st.just(ON_HAND_MAX))
demands = st.dictionaries(st.sampled_from(PRODUCTS), quantities, min_size=1)


@st.composite
def level_lists(draw: st.DrawFn) -> list[StockLevel]:
    """Levels as a sound database may hold them, in any order."""
    places = draw(st.sets(st.tuples(st.sampled_from(PRODUCTS), st.sampled_from(LOCATIONS))))
    levels = []
    for product_id, location_id in draw(st.permutations(sorted(places))):
        on_hand = draw(st.one_of(st.integers(0, 12), st.just(ON_HAND_MAX)))
        reserved = draw(st.integers(0, on_hand))
        levels.append(StockLevel(product_id, location_id, on_hand, reserved, version=7))
    return levels


def book_of(*levels: StockLevel) -> StockBook:
    return StockBook(levels, AT)


def available(book: StockBook) -> Counter[str]:
    return Counter({product_id: book.available(product_id) for product_id in PRODUCTS})


def totals(levels: list[StockLevel]) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {(x.product_id, x.location_id): (x.on_hand, x.reserved, x.version) for x in levels}


@given(level_lists(), st.lists(demands, max_size=12))
def test_a_demand_is_promised_whole_or_not_at_all_and_never_beyond_what_there_is(
    levels: list[StockLevel], orders: list[dict[str, int]]
) -> None:
    book = book_of(*levels)

    for demand in orders:
        before, moved = available(book), len(book.movements)
        outcome = book.reserve(demand, CAUSE)
        taken = before - available(book)
        match outcome:
            case Reserved(stock):
                promised: Counter[str] = Counter()
                for part in stock:
                    promised[part.product_id] += part.quantity
                assert promised == taken == demand
            case Short(shortages):
                assert not taken
                assert len(book.movements) == moved
                assert set(shortages) == {
                    Shortage(product_id, wanted, before[product_id])
                    for product_id, wanted in demand.items()
                    if wanted > before[product_id]
                }

        assert all(0 <= level.reserved <= level.on_hand for level in levels)


@given(level_lists(), st.lists(demands, max_size=8), st.data())
def test_a_release_gives_back_exactly_what_was_promised(
    levels: list[StockLevel], orders: list[dict[str, int]], data: st.DataObject
) -> None:
    book = book_of(*levels)
    before = {place: level[:2] for place, level in totals(levels).items()}
    promises = [
        outcome.stock
        for demand in orders
        if isinstance(outcome := book.reserve(demand, CAUSE), Reserved)
    ]

    for stock in data.draw(st.permutations(promises)):
        book.release(stock, CAUSE)

    assert {place: level[:2] for place, level in totals(levels).items()} == before


@given(level_lists(), st.data())
def test_every_level_is_the_sum_of_its_movements(
    levels: list[StockLevel], data: st.DataObject
) -> None:
    before = deepcopy(levels)
    book = book_of(*levels)
    for _ in range(data.draw(st.integers(0, 15))):
        do_something(book, data)

    running = totals(before)
    for movement in book.movements:
        place = movement.product_id, movement.location_id
        on_hand, reserved, version = running.get(place, (0, 0, 0))
        after = on_hand + movement.on_hand_delta, reserved + movement.reserved_delta
        assert after == (movement.on_hand_after, movement.reserved_after)
        assert 0 <= after[1] <= after[0] <= ON_HAND_MAX
        running[place] = (*after, version + 1)

    changed = totals(book.changed)
    assert changed.keys() == {(m.product_id, m.location_id) for m in book.movements}
    assert {**totals(before), **changed} == running
    assert list(changed) == sorted(changed)
    assert {place for place in changed if book.is_new(book.level(*place))} == {
        place for place in changed if place not in totals(before)
    }


def do_something(book: StockBook, data: st.DataObject) -> None:
    """One change of any kind; a refusal changes nothing."""
    if data.draw(st.booleans()):
        outcome = book.reserve(data.draw(demands), CAUSE)
        if isinstance(outcome, Reserved) and data.draw(st.booleans()):
            book.release(outcome.stock, CAUSE)
        return
    level = book.level(data.draw(st.sampled_from(PRODUCTS)), data.draw(st.sampled_from(LOCATIONS)))
    before = deepcopy(level)
    try:
        book.set_on_hand(level, data.draw(st.integers(-2, ON_HAND_MAX + 2)), CAUSE)
    except (BelowReserved, QuantityTooLarge):
        assert level == before


def test_stock_is_taken_from_the_main_location_first_and_then_by_name() -> None:
    book = book_of(
        StockLevel("LAMP", "annex", on_hand=2),
        StockLevel("LAMP", "shop", on_hand=5),
        StockLevel("LAMP", MAIN_LOCATION, on_hand=4, reserved=1),
    )

    outcome = book.reserve({"LAMP": 6}, CAUSE)

    assert outcome == Reserved(
        (
            ReservedStock("LAMP", MAIN_LOCATION, 3),
            ReservedStock("LAMP", "annex", 2),
            ReservedStock("LAMP", "shop", 1),
        )
    )


def test_a_shortage_names_every_product_that_is_short_and_only_those() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 3), StockLevel("DESK", MAIN_LOCATION, 3, 2))

    outcome = book.reserve({"LAMP": 3, "DESK": 2, "CHAIR": 1}, CAUSE)

    assert outcome == Short((Shortage("DESK", 2, 1), Shortage("CHAIR", 1, 0)))


def test_the_last_unit_goes_to_whoever_asked_first() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, on_hand=1))

    outcomes = [book.reserve({"LAMP": 1}, CAUSE) for _ in range(2)]

    assert [type(outcome) for outcome in outcomes] == [Reserved, Short]


def test_a_movement_says_what_why_who_and_when() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, on_hand=5))

    book.reserve({"LAMP": 2}, CAUSE)

    assert book.movements == [
        Movement(
            product_id="LAMP",
            location_id=MAIN_LOCATION,
            kind=MovementKind.RESERVATION,
            on_hand_delta=0,
            reserved_delta=2,
            on_hand_after=5,
            reserved_after=2,
            order_id="order-1",
            reason="because",
            reference="ref-1",
            actor="anna",
            at=AT,
        )
    ]


@pytest.mark.parametrize(
    ("quantity", "kind"), [(9, MovementKind.RECEIPT), (3, MovementKind.ADJUSTMENT)]
)
def test_more_on_hand_is_a_receipt_and_less_an_adjustment(
    quantity: int, kind: MovementKind
) -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, on_hand=5, version=3)
    book = book_of(level)

    book.set_on_hand(level, quantity, CAUSE, expected_version=3)

    assert (level.on_hand, level.version) == (quantity, 4)
    assert [movement.kind for movement in book.movements] == [kind]


def test_setting_what_is_there_already_moves_nothing() -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, on_hand=5, version=3)
    book = book_of(level)

    book.set_on_hand(level, 5, CAUSE)

    assert (level.version, book.movements, book.changed) == (3, [], [])


def test_on_hand_never_falls_below_what_orders_were_promised() -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, on_hand=5, reserved=3)
    book = book_of(level)

    with pytest.raises(BelowReserved) as refusal:
        book.set_on_hand(level, 2, CAUSE)

    assert (refusal.value.wanted, refusal.value.reserved) == (2, 3)
    book.set_on_hand(level, 3, CAUSE)
    assert level.available == 0


def test_on_hand_has_a_limit_and_a_level_an_expected_version() -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, on_hand=5, version=3)
    book = book_of(level)

    with pytest.raises(QuantityTooLarge):
        book.set_on_hand(level, ON_HAND_MAX + 1, CAUSE)
    with pytest.raises(StaleVersion) as refusal:
        book.set_on_hand(level, 6, CAUSE, expected_version=2)

    assert (refusal.value.expected, refusal.value.current) == (2, 3)
    assert book.changed == []


def test_a_product_is_kept_at_no_more_locations_than_can_be_told_together() -> None:
    book = StockBook([StockLevel("LAMP", f"place {n}", 1, 0, 1) for n in range(LOCATIONS_MAX)], AT)

    with pytest.raises(TooManyLocations):
        book.level("LAMP", "one more")

    assert book.level("LAMP", "place 9").on_hand == 1
    assert book.level("BULB", "one more").on_hand == 0


@pytest.mark.parametrize(
    ("wanted", "reserved", "words"),
    [
        (0, 1, "as 1 unit is promised to orders"),
        (3, 5_000, "as 5,000 units are promised to orders"),
        (-4, 0, "can't become -4, which is less than nothing"),
    ],
)
def test_why_stock_can_not_fall_so_low_is_told_in_words(
    wanted: int, reserved: int, words: str
) -> None:
    assert words in str(BelowReserved("LAMP", "main", wanted=wanted, reserved=reserved))
