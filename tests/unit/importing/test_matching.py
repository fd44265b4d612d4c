"""Cancellations to sales: the latest earlier one first, and every unit is accounted for."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing.matching import Matches, Sale, Unmatched, match
from holdfast.importing.orders import GUEST, Cancellation, CancelledLine, FileLine, FileOrder

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)


def sale(
    number: int, *lines: tuple[str, int], customer: str = "c-1", is_filled: bool = True
) -> Sale:
    """Its number is the minute in which it was placed, and its line in the file."""
    at = FIRST + timedelta(minutes=number)
    bought = [FileLine(product_id, units, 255) for product_id, units in lines]
    order = FileOrder(str(number), customer, at, bought, line=number)
    return Sale(order, is_filled, {n: line.quantity for n, line in enumerate(bought, 1)})


def cancelled(number: int, *lines: tuple[str, int], customer: str = "c-1") -> Cancellation:
    at = FIRST + timedelta(minutes=number)
    taken = [CancelledLine(product_id, units, number) for product_id, units in lines]
    return Cancellation(f"C{number}", customer, at, taken, line=number)


def unmatched(matches: Matches) -> list[tuple[str, str, int, str]]:
    return [
        (one.cancellation.number, one.line.product_id, one.units, one.reason)
        for one in matches.unmatched
    ]


def test_a_cancellation_takes_back_the_latest_earlier_sale_of_that_product() -> None:
    sales = [sale(1, ("LAMP", 5)), sale(2, ("MUG", 9), ("LAMP", 5)), sale(3, ("MUG", 5))]

    matches = match([cancelled(4, ("LAMP", 2))], sales, {})

    assert matches == Matches({"2": {"C4": {2: 2}}}, [])
    assert sales[1].left == {1: 9, 2: 3}


def test_what_the_latest_sale_has_not_comes_from_the_ones_before_it() -> None:
    sales = [sale(1, ("LAMP", 5)), sale(2, ("LAMP", 5)), sale(3, ("LAMP", 5))]

    matches = match([cancelled(4, ("LAMP", 7)), cancelled(5, ("LAMP", 4))], sales, {})

    assert matches.returns == {
        "3": {"C4": {1: 5}},
        "2": {"C4": {1: 2}, "C5": {1: 3}},
        "1": {"C5": {1: 1}},
    }
    assert matches.unmatched == []


def test_within_an_order_the_last_line_gives_first() -> None:
    sales = [sale(1, ("LAMP", 2), ("LAMP", 3))]

    matches = match([cancelled(2, ("LAMP", 4))], sales, {})

    assert matches.returns == {"1": {"C2": {2: 3, 1: 1}}}


def test_lines_of_one_cancellation_come_together() -> None:
    matches = match([cancelled(2, ("LAMP", 1), ("LAMP", 2))], [sale(1, ("LAMP", 5))], {})

    assert matches.returns == {"1": {"C2": {1: 3}}}


def test_a_later_sale_and_one_of_somebody_else_are_none() -> None:
    sales = [sale(1, ("LAMP", 5), customer="c-2"), sale(2, ("MUG", 5)), sale(9, ("LAMP", 5))]

    matches = match([cancelled(3, ("LAMP", 2))], sales, {})

    assert matches.returns == {}
    assert unmatched(matches) == [("C3", "LAMP", 2, "no_earlier_sale")]


def test_within_a_moment_the_order_of_the_file_decides() -> None:
    before, after = sale(1, ("LAMP", 1)), sale(1, ("LAMP", 1))
    before.order.line, before.order.number = 6, "before"
    after.order.line, after.order.number = 8, "after"
    cancellation = cancelled(1, ("LAMP", 2))
    cancellation.line = 7

    matches = match([cancellation], [before, after], {})

    assert list(matches.returns) == ["before"]
    assert unmatched(matches) == [("C1", "LAMP", 1, "more_than_sold")]


def test_every_unit_that_matches_nothing_has_its_reason() -> None:
    sales = [
        sale(1, ("LAMP", 5)),
        sale(2, ("LAMP", 3), is_filled=False),
        sale(3, ("LAMP", 5), customer=GUEST),
        sale(8, ("LAMP", 5), customer="c-3"),
    ]
    cancellations = [
        cancelled(4, ("LAMP", 10), ("MUG", 1)),
        cancelled(5, ("LAMP", 2), customer=GUEST),
        cancelled(6, ("LAMP", 3), customer="c-2"),
        cancelled(7, ("LAMP", 4), customer="c-3"),
    ]

    matches = match(cancellations, sales, {})

    assert matches.returns == {"1": {"C4": {1: 5}}}
    assert unmatched(matches) == [
        ("C4", "LAMP", 3, "order_not_filled"),
        ("C4", "LAMP", 2, "more_than_sold"),
        ("C4", "MUG", 1, "no_earlier_sale"),
        ("C5", "LAMP", 2, "guest"),
        ("C6", "LAMP", 3, "unknown_customer"),
        ("C7", "LAMP", 4, "unknown_customer"),
    ]


def test_what_earlier_runs_took_back_is_not_taken_back_again() -> None:
    rest = sale(1, ("LAMP", 5))
    rest.left = {1: 3}
    cancellations = [cancelled(2, ("LAMP", 1), ("LAMP", 2)), cancelled(3, ("LAMP", 1))]

    matches = match(cancellations, [rest], {("C2", "LAMP"): 2})

    assert matches.returns == {"1": {"C2": {1: 1}, "C3": {1: 1}}}
    assert rest.left == {1: 1}


units = st.integers(1, 6)
lines = st.lists(st.tuples(st.sampled_from(["LAMP", "MUG"]), units), min_size=1, max_size=3)
customers = st.sampled_from(["c-1", "c-2", GUEST])
deeds = st.lists(st.tuples(st.booleans(), customers, st.booleans(), lines), max_size=12)


def played(
    deeds_done: list[tuple[bool, str, bool, list[tuple[str, int]]]],
) -> tuple[list[Sale], list[Cancellation]]:
    sales, cancellations = [], []
    for number, (sells, customer, is_filled, bought) in enumerate(deeds_done):
        if sells:
            sales.append(sale(number, *bought, customer=customer, is_filled=is_filled))
        else:
            cancellations.append(cancelled(number, *bought, customer=customer))
    return sales, cancellations


def units_of(matches: Matches, sales: list[Sale]) -> Counter[tuple[str, str]]:
    """Units taken back by cancellation and product."""
    bought = {one.order.number: one.order.lines for one in sales}
    found: Counter[tuple[str, str]] = Counter()
    for number, of_order in matches.returns.items():
        for cancellation, of_line in of_order.items():
            for line_no, taken in of_line.items():
                found[cancellation, bought[number][line_no - 1].product_id] += taken
    return found


@given(deeds)
def test_every_unit_is_taken_back_or_told_and_never_more_than_was_sold(
    deeds_done: list[tuple[bool, str, bool, list[tuple[str, int]]]],
) -> None:
    sales, cancellations = played(deeds_done)
    matches = match(cancellations, sales, {})

    told = units_of(matches, sales)
    for one in matches.unmatched:
        told[one.cancellation.number, one.line.product_id] += one.units
    wanted: Counter[tuple[str, str]] = Counter()
    for cancellation in cancellations:
        for line in cancellation.lines:
            wanted[cancellation.number, line.product_id] += line.quantity
    assert told == wanted
    assert all(left >= 0 for one in sales for left in one.left.values())
    assert all(one.is_filled for one in sales if one.order.number in matches.returns)
    assert {Unmatched(one.reason) for one in matches.unmatched} <= set(Unmatched)


@given(deeds, st.data())
def test_an_interrupted_run_goes_on_to_the_same_end(
    deeds_done: list[tuple[bool, str, bool, list[tuple[str, int]]]], data: st.DataObject
) -> None:
    sales, cancellations = played(deeds_done)
    whole = match(cancellations, sales, {})
    made = [(number, one) for number, of_order in whole.returns.items() for one in of_order]
    kept = data.draw(st.sets(st.sampled_from(made))) if made else set()
    again, _ = played(deeds_done)
    first = Matches()
    for number, cancellation in kept:
        taken = whole.returns[number][cancellation]
        first.returns.setdefault(number, {})[cancellation] = taken
        for one in again:
            if one.order.number == number:
                for line_no, count in taken.items():
                    one.left[line_no] -= count

    rest = match(cancellations, again, units_of(first, again))

    both = {
        (number, cancellation): taken
        for matches in (first, rest)
        for number, of_order in matches.returns.items()
        for cancellation, taken in of_order.items()
    }
    assert both == {(number, one): whole.returns[number][one] for number, one in made}
    assert rest.unmatched == whole.unmatched
