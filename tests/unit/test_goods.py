"""The rules of what leaves and what comes back, without any service."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.inventory.domain.caller import Caller
from holdfast.inventory.domain.stock.facts import Disposition, ReceivedUnits, ShippedUnits
from holdfast.inventory.domain.stock.goods import receive, ship
from holdfast.inventory.domain.stock.levels import HeldStock, Short, StockLevel
from holdfast.inventory.domain.stock.movements import Cause, MovementKind
from holdfast.inventory.domain.stock.stock import StockBook
from holdfast.orders.domain.money import Money
from holdfast.orders.domain.ordering.charges import ADDED, Charge, ChargeKind, charged_total
from holdfast.orders.domain.ordering.cut_down import cut_down
from holdfast.orders.domain.ordering.edits import Contents
from holdfast.orders.domain.ordering.lines import OrderLine
from holdfast.orders.domain.ordering.stock import HeldStock as KnownStock
from holdfast.orders.domain.returns.returned import Disposition as Becomes
from holdfast.orders.domain.returns.returned import Receipt, ReceiptLine, Return, ReturnLine
from holdfast.orders.domain.returns.value import values
from holdfast.orders.domain.shipping.errors import NotHeldThere, NothingToShip, OverShipment
from holdfast.orders.domain.shipping.shipment import (
    AskedItem,
    Shipment,
    ShipmentItem,
    pick,
    shipped_by_line,
    still_held,
)
from tests.unit.counting import Counted
from tests.unit.holding import hold

AT = datetime(2026, 11, 28, tzinfo=UTC)
CAUSE = Cause(Caller("orders"), order_id="o-1")
PLACES = ("main", "shop")
BACK = Becomes.RESTOCK


def shipment(revision: int, *items: ShipmentItem) -> Shipment:
    return Shipment(f"s-{revision}", revision, items, "", "", "", "", AT)


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 5)), min_size=1, max_size=4),
    st.dictionaries(
        st.tuples(st.sampled_from("AB"), st.sampled_from(PLACES)), st.integers(1, 6), max_size=4
    ),
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.sampled_from(["", *PLACES])), max_size=3
    ),
    st.sampled_from(["", *PLACES]),
)
def test_what_is_picked_is_held_there_and_no_more_than_the_line_has(
    lines: list[tuple[str, int]],
    stock: dict[tuple[str, str], int],
    asked: list[tuple[int, int, str]],
    at: str,
) -> None:
    order = [
        OrderLine(product, units, Money("GBP", 1), no)
        for no, (product, units) in enumerate(lines, 1)
    ]
    held = tuple(KnownStock(*key, units) for key, units in stock.items())
    wished = [AskedItem(*one) for one in asked if one[0] <= len(lines)]

    try:
        items = pick("o-1", order, {}, held, wished, at)
    except (OverShipment, NotHeldThere, NothingToShip):
        return

    left = Counter(stock)
    left.subtract(Counter())
    for item in items:
        left[item.product_id, item.location_id] -= item.quantity
        assert item.product_id == lines[item.line_no - 1][0]
        assert item.quantity > 0
    assert min(left.values(), default=0) >= 0
    picked = shipped_by_line([shipment(2, *items)])
    assert all(units <= lines[no - 1][1] for no, units in picked.items())
    if wished:
        wanted = Counter[int]()
        for one in wished:
            wanted[one.line_no] += one.quantity
        assert picked == wanted


def test_what_may_leave_from_anywhere_takes_nothing_that_is_asked_for_by_its_place() -> None:
    lines, held = [OrderLine("A", 4, Money("GBP", 1), 1)], [KnownStock("A", at, 2) for at in PLACES]
    anywhere, there = AskedItem(1, 2, ""), AskedItem(1, 2, "main")
    from_main, from_shop = (ShipmentItem(1, "A", at, 2) for at in PLACES)

    assert pick("o-1", lines, {}, held, [anywhere, there], "") == (from_shop, from_main)
    assert pick("o-1", lines, {}, held, [there, anywhere], "") == (from_main, from_shop)


def test_what_left_since_the_last_answer_is_not_held_any_more() -> None:
    stock = (KnownStock("A", "main", 3), KnownStock("A", "shop", 2))
    told, untold = (
        shipment(2, ShipmentItem(1, "A", "main", 1)),
        shipment(3, ShipmentItem(1, "A", "shop", 2)),
    )

    assert still_held(stock, 2, [told, untold]) == (KnownStock("A", "main", 3),)
    assert still_held((), 0, [told]) == ()
    # Inventory had to find the rest elsewhere, and has not heard of this one.
    assert still_held(stock[:1], 2, [untold]) == stock[:1]


def test_what_leaves_of_many_lines_is_not_sought_among_all_that_is_held_for_each() -> None:
    """A shipment of 2,000 lines from 12 places kept the service from all else for a minute."""
    names = [Counted(f"P-{number}") for number in range(100)]
    lines = [OrderLine(name, 2, Money("GBP", 1), no) for no, name in enumerate(names, 1)]
    held = [KnownStock(name, at, 1) for name in names for at in PLACES]
    each = [AskedItem(line.line_no, 2, "") for line in lines]
    Counted.times = 0

    for asked in (each, []):
        items = pick("o-1", lines, {}, held, asked, "")
        assert sum(item.quantity for item in items) == 200

    assert Counted.times < 20 * len(lines)


def test_what_is_given_back_of_many_products_is_not_sought_among_all_for_each() -> None:
    """One unit less of each of 2,000 products from 11 places kept all others for 40 seconds."""
    names = [Counted(f"P-{number}") for number in range(100)]
    levels = [StockLevel(name, at, 1, version=1) for name in names for at in PLACES]
    book = StockBook(levels, AT)
    held = hold(book, (), dict.fromkeys(names, 2), CAUSE)
    assert not isinstance(held, Short)
    Counted.times = 0

    left = hold(book, held, dict.fromkeys(names, 1), CAUSE)

    assert not isinstance(left, Short)
    assert sum(part.quantity for part in left) == 100
    assert Counted.times < 100 * len(names)


LINES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 100)), min_size=1, max_size=4)


def contents(lines: list[tuple[int, int]], data: st.DataObject) -> Contents:
    """Lines with taxes of their own and two discounts each, and the order with two discounts."""
    order = tuple(
        OrderLine("A", units, Money("GBP", price), no) for no, (units, price) in enumerate(lines, 1)
    )
    off = {
        line.line_no: data.draw(st.integers(0, line.amount_minor), "discount of a line")
        for line in order
    }
    goods = sum(line.amount_minor for line in order) - sum(off.values())
    of_all = data.draw(st.integers(0, goods), "discount of the order")
    charges = [Charge(ChargeKind.SHIPPING, 0, "post", Money("GBP", 5))]
    for line_no, minor in [*off.items(), (0, of_all)]:
        first = data.draw(st.integers(0, minor), "of two discounts")
        charges += [
            Charge(ChargeKind.DISCOUNT, line_no, "", Money("GBP", part))
            for part in (first, minor - first)
        ]
        charges.append(Charge(ChargeKind.TAX, line_no, "VAT", Money("GBP", minor // 3)))
    return Contents(order, tuple(charges), charged_total(order, charges))


@given(LINES, st.data())
def test_cancelling_never_raises_what_is_to_be_paid_nor_takes_it_below_nothing(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    before = contents(lines, data)
    kept = {line.line_no: data.draw(st.integers(0, line.quantity), "kept") for line in before.lines}
    if not any(kept.values()):
        kept[1] = 1

    after = cut_down(before, kept)

    assert {line.line_no: line.quantity for line in after.lines} == {
        no: units for no, units in kept.items() if units
    }
    assert 0 <= after.total.minor <= before.total.minor
    if kept == {line.line_no: line.quantity for line in before.lines}:
        assert after.total == before.total


def returned(units: dict[int, int]) -> Return:
    came = [ReceiptLine(no, "A", quantity, BACK, "main") for no, quantity in units.items()]
    lines = tuple(ReturnLine(no, "A", 9, "") for no in units)
    receipts = (Receipt("q", 2, tuple(came), "", AT),)
    return Return("r", "o-1", "q", "", lines, AT, receipts)


@given(LINES, st.data())
def test_what_came_back_is_worth_as_much_less_as_the_order_would_cost_without_it(
    lines: list[tuple[int, int]], data: st.DataObject
) -> None:
    before = contents(lines, data)
    kept = {line.line_no: line.quantity for line in before.lines}
    returns, costs = [], [before.total.minor]
    for _ in range(3):
        units = {no: data.draw(st.integers(0, left), "came") for no, left in kept.items()}
        if units == kept:  # an order that has no unit is none
            break
        kept = {no: left - units[no] for no, left in kept.items()}
        returns.append(returned(units))
        costs.append(cut_down(before, kept).total.minor)
    rest = returned(kept)

    worth = [value.minor for value in values(before, [*returns, rest])]

    assert worth[:-1] == [cost - less for cost, less in pairwise(costs)]
    of_order = sum(
        one.amount.minor for one in before.charges if one.kind in ADDED and not one.line_no
    )
    assert sum(worth) == before.total.minor - of_order, "shipping, fees and taxes of all stay"


units = st.integers(0, 4)


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 4)), min_size=1, max_size=4),
    st.tuples(units, units),
    st.tuples(units, units),
)
def test_a_parcel_is_booked_whatever_is_held_and_what_others_hold_is_untouched(
    left: list[tuple[str, int]], held: tuple[int, int], others: tuple[int, int]
) -> None:
    levels = [
        StockLevel("A", at, on_hand=mine + theirs + 1, reserved=mine + theirs, version=1)
        for at, mine, theirs in zip(PLACES, held, others, strict=True)
    ]
    book = StockBook(levels, AT)
    mine = tuple(HeldStock("A", at, "", n) for at, n in zip(PLACES, held, strict=True) if n)
    facts = [ShippedUnits(f"s-{n}", "A", at, units) for n, (at, units) in enumerate(left)]

    rest = ship(book, mine, facts, CAUSE)

    still = {part.location_id: part.quantity for part in rest}
    gone = sum(units for _, units in left)
    assert sum(still.values()) == max(sum(held) - gone, 0)
    for level, theirs in zip(levels, others, strict=True):
        assert level.reserved == theirs + still.get(level.location_id, 0)
        assert level.on_hand >= level.reserved
    shipped = -sum(m.on_hand_delta for m in book.movements if m.kind is MovementKind.SHIPMENT)
    assert shipped == gone


@pytest.mark.parametrize(
    ("disposition", "on_hand", "quarantined"),
    [(Disposition.RESTOCK, 7, 0), (Disposition.QUARANTINE, 7, 2), (Disposition.WRITE_OFF, 5, 0)],
)
def test_what_comes_back_ends_up_where_it_is_said_to(
    disposition: Disposition, on_hand: int, quarantined: int
) -> None:
    level = StockLevel("A", "main", on_hand=5, reserved=3, version=1)
    book = StockBook([level], AT)

    receive(book, [ReceivedUnits("p-1", "A", "main", 2, disposition)], CAUSE)
    receive(book, [ReceivedUnits("p-2", "A", "nowhere", 1, Disposition.WRITE_OFF)], CAUSE)

    assert (level.on_hand, level.reserved, level.quarantined) == (on_hand, 3, quarantined)


def test_what_is_told_of_a_product_that_was_never_here_changes_nothing() -> None:
    book = StockBook([], AT)

    assert ship(book, (), [ShippedUnits("s-1", "A", "main", 1)], CAUSE) == ()
    receive(book, [ReceivedUnits("p-1", "A", "main", 1, Disposition.RESTOCK)], CAUSE)

    assert book.movements == []
