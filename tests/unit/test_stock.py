"""The rules of stock levels: never below zero, never promised twice, and every number explained."""

from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.errors import (
    BelowReserved,
    QuantityTooLarge,
    StaleVersion,
)
from holdfast.inventory.domain.locations.location import MAIN_LOCATION, Location
from holdfast.inventory.domain.stock.levels import NO_LOT, HeldStock, Short, Shortage, StockLevel
from holdfast.inventory.domain.stock.movements import Cause, Movement, MovementKind
from holdfast.inventory.domain.stock.refusals import ON_HAND_MAX, refuse_stale
from holdfast.inventory.domain.stock.sourcing import Sourcing, Strategy
from holdfast.inventory.domain.stock.stock import StockBook
from tests.unit.holding import hold

AT = datetime(2026, 11, 5, 12, 30, tzinfo=UTC)
CAUSE = Cause(Caller("anna"), "because", "ref-1", "order-1")
PRODUCTS = ("LAMP", "DESK", "CHAIR")
LOCATIONS = (MAIN_LOCATION, "annex", "shop")

quantities = st.one_of(st.integers(1, 12), st.just(ON_HAND_MAX))
demands = st.dictionaries(st.sampled_from(PRODUCTS), quantities, min_size=1)


def free_units(book: StockBook, product_id: str) -> int:
    return sum(level.available for level in book.levels if level.product_id == product_id)


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
    return Counter({product_id: free_units(book, product_id) for product_id in PRODUCTS})


def totals(levels: list[StockLevel]) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {(x.product_id, x.location_id): (x.on_hand, x.reserved, x.version) for x in levels}


@given(level_lists(), st.lists(demands, max_size=12))
def test_a_demand_is_promised_whole_or_not_at_all_and_never_beyond_what_there_is(
    levels: list[StockLevel], orders: list[dict[str, int]]
) -> None:
    book = book_of(*levels)

    for demand in orders:
        before, moved = available(book), len(book.movements)
        outcome = hold(book, (), demand, CAUSE)
        taken = before - available(book)
        match outcome:
            case tuple(stock):
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
        outcome for demand in orders if isinstance(outcome := hold(book, (), demand, CAUSE), tuple)
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
    new = [
        (product, at)
        for product, at in changed
        if book.version_before(book.level(product, Location(at))) is None
    ]
    assert set(new) == {place for place in changed if place not in totals(before)}


def do_something(book: StockBook, data: st.DataObject) -> None:
    """One change of any kind; a refusal changes nothing."""
    if data.draw(st.booleans()):
        outcome = hold(book, (), data.draw(demands), CAUSE)
        if isinstance(outcome, tuple):
            outcome = hold(book, outcome, data.draw(demands), CAUSE)
        if isinstance(outcome, tuple) and data.draw(st.booleans()):
            book.release(outcome, CAUSE)
        return
    location = Location(data.draw(st.sampled_from(LOCATIONS)))
    level = book.level(data.draw(st.sampled_from(PRODUCTS)), location)
    before = deepcopy(level)
    try:
        book.set_on_hand(level, data.draw(st.integers(-2, ON_HAND_MAX + 2)), CAUSE)
    except (BelowReserved, QuantityTooLarge):
        assert level == before


def test_stock_is_taken_by_priority_and_then_by_name() -> None:
    book = book_of(
        StockLevel("LAMP", "annex", on_hand=2, priority=100),
        StockLevel("LAMP", "shop", on_hand=5, priority=100),
        StockLevel("LAMP", MAIN_LOCATION, on_hand=4, reserved=1),
    )

    outcome = hold(book, (), {"LAMP": 6}, CAUSE)

    assert outcome == (
        HeldStock("LAMP", "annex", NO_LOT, 2),
        HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 3),
        HeldStock("LAMP", "shop", NO_LOT, 1),
    )


def test_a_shortage_names_every_product_that_is_short_and_only_those() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 3), StockLevel("DESK", MAIN_LOCATION, 3, 2))

    outcome = hold(book, (), {"LAMP": 3, "DESK": 2, "CHAIR": 1}, CAUSE)

    assert outcome == Short((Shortage("DESK", 2, 1), Shortage("CHAIR", 1, 0)))


def test_the_last_unit_goes_to_whoever_asked_first() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, on_hand=1))

    outcomes = [hold(book, (), {"LAMP": 1}, CAUSE) for _ in range(2)]

    assert [type(outcome) for outcome in outcomes] == [tuple, Short]


def test_a_movement_says_what_why_who_and_when() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, on_hand=5))

    hold(book, (), {"LAMP": 2}, CAUSE)

    assert book.movements == [
        Movement(
            product_id="LAMP",
            location_id=MAIN_LOCATION,
            lot_id=NO_LOT,
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


@given(level_lists(), st.lists(demands, min_size=1, max_size=6))
def test_a_promise_is_moved_to_what_is_wanted_whole_or_not_at_all(
    levels: list[StockLevel], wishes: list[dict[str, int]]
) -> None:
    book = book_of(*levels)
    others = Counter({x.product_id: 0 for x in levels})
    for level in levels:
        others[level.product_id] += level.reserved
    held: tuple[HeldStock, ...] = ()

    for wanted in wishes:
        free = available(book)
        outcome = hold(book, held, wanted, CAUSE)
        have = Counter[str]()
        for part in held:
            have[part.product_id] += part.quantity
        assert isinstance(outcome, Short) == any(n > free[p] + have[p] for p, n in wanted.items())
        if not isinstance(outcome, Short):
            held, have = outcome, Counter(wanted)
        assert list(held) == sorted(held)
        assert all(part.quantity > 0 for part in held)
        reserved = Counter(dict.fromkeys(others, 0))
        for level in levels:
            reserved[level.product_id] += level.reserved
        assert reserved == others + have


def test_moving_a_promise_moves_the_difference_only() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 9), StockLevel("DESK", MAIN_LOCATION, 9))
    held = hold(book, (), {"LAMP": 3, "DESK": 1}, CAUSE)
    assert isinstance(held, tuple)
    before = len(book.movements)

    same = hold(book, held, {"DESK": 1, "LAMP": 3}, CAUSE)
    assert (same, len(book.movements)) == (held, before)
    moved = hold(book, held, {"LAMP": 5}, CAUSE)

    assert moved == (HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 5),)
    assert [(m.product_id, m.kind, m.reserved_delta) for m in book.movements[before:]] == [
        ("DESK", MovementKind.RELEASE, -1),
        ("LAMP", MovementKind.RESERVATION, 2),
    ]


def test_what_was_taken_last_is_given_back_first() -> None:
    book = book_of(
        StockLevel("LAMP", MAIN_LOCATION, 2),
        StockLevel("LAMP", "annex", 2, priority=100),
        StockLevel("LAMP", "z", 2, priority=100),
    )
    held = hold(book, (), {"LAMP": 6}, CAUSE)
    assert isinstance(held, tuple)

    assert hold(book, held, {"LAMP": 3}, CAUSE) == (
        HeldStock("LAMP", "annex", NO_LOT, 1),
        HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 2),
    )


@pytest.mark.parametrize("strategy", [Strategy.NEAREST, Strategy.PINNED])
def test_what_is_nearest_is_given_back_last_whatever_its_priority(strategy: Strategy) -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 2), StockLevel("LAMP", "z", 2, priority=100))
    near = Sourcing(strategy, ("z", MAIN_LOCATION))
    held = hold(book, (), {"LAMP": 4}, CAUSE, near)
    assert isinstance(held, tuple)

    left = hold(book, held, {"LAMP": 1}, CAUSE, near)

    assert isinstance(left, tuple)
    assert [(part.location_id, part.quantity) for part in left] == [("z", 1)]


def test_what_comes_to_a_new_place_is_taken_by_its_priority() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 2, priority=50))
    book.set_on_hand(book.level("LAMP", Location("lyon", priority=1)), 1, CAUSE)

    assert hold(book, (), {"LAMP": 2}, CAUSE) == (
        HeldStock("LAMP", "lyon", NO_LOT, 1),
        HeldStock("LAMP", MAIN_LOCATION, NO_LOT, 1),
    )


def test_what_an_order_holds_itself_never_stands_in_its_way() -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 2))
    held = hold(book, (), {"LAMP": 2}, CAUSE)
    assert isinstance(held, tuple)

    assert hold(book, held, {"LAMP": 2}, CAUSE) == held
    assert hold(book, held, {"LAMP": 3}, CAUSE) == Short((Shortage("LAMP", 3, 2),))


@pytest.mark.parametrize("kind", MovementKind)
def test_a_movement_of_another_shape_than_its_kind_s_is_never_made(kind: MovementKind) -> None:
    book = book_of(StockLevel("LAMP", MAIN_LOCATION, 9, 5, quarantined=1))
    legal = {
        MovementKind.RECEIPT: {(1, 0, 0)},
        MovementKind.ADJUSTMENT: {(1, 0, 0), (-1, 0, 0)},
        MovementKind.RESERVATION: {(0, 1, 0)},
        MovementKind.RELEASE: {(0, -1, 0)},
        MovementKind.SHIPMENT: {(-1, -1, 0), (-1, 0, 0)},
        MovementKind.RETURN: {(1, 0, 0), (1, 0, 1)},
        MovementKind.WRITE_OFF: {(-1, 0, 0), (-1, 0, -1)},
        MovementKind.QUARANTINE: {(0, 0, 1)},
        MovementKind.UNQUARANTINE: {(0, 0, -1)},
        MovementKind.TRANSFER_OUT: {(-1, 0, 0)},
        MovementKind.TRANSFER_IN: {(1, 0, 0)},
        MovementKind.TRANSFER_LOSS: {(-1, 0, 0)},
    }[kind]

    for shape in product((-1, 0, 1), repeat=3):
        if shape in legal:
            continue
        with pytest.raises(AssertionError, match="shape"):
            book.move(
                ("LAMP", MAIN_LOCATION, NO_LOT),
                kind,
                CAUSE,
                on_hand_delta=shape[0],
                reserved_delta=shape[1],
                quarantined_delta=shape[2],
            )


@pytest.mark.parametrize(
    ("quantity", "kind"), [(9, MovementKind.RECEIPT), (3, MovementKind.ADJUSTMENT)]
)
def test_more_on_hand_is_a_receipt_and_less_an_adjustment(
    quantity: int, kind: MovementKind
) -> None:
    level = StockLevel("LAMP", MAIN_LOCATION, on_hand=5, version=3)
    book = book_of(level)

    refuse_stale(level, 3)
    book.set_on_hand(level, quantity, CAUSE)

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
        refuse_stale(level, 2)

    assert (refusal.value.expected, refusal.value.current) == (2, 3)
    assert book.changed == []


@pytest.mark.parametrize(
    ("wanted", "reserved", "quarantined", "words"),
    [
        (0, 1, 0, "as 1 unit is promised"),
        (3, 5_000, 2, "as 5,000 units are promised to orders, and 2 in quarantine"),
        (1, 2, 2, "as 2 in quarantine are not gone"),
        (-4, 0, 0, "can't become -4, which is less than nothing"),
        (-4, 2, 2, "can't become -4, which is less than nothing"),
    ],
)
def test_why_stock_can_not_fall_so_low_is_told_in_words(
    wanted: int, reserved: int, quarantined: int, words: str
) -> None:
    given = {"wanted": wanted, "reserved": reserved, "quarantined": quarantined}
    told = str(BelowReserved("LAMP", "main", **given))
    assert words in told
    assert ("displace" in told) == (wanted >= quarantined)
