"""Lines to orders: by what a person sees, and what may be of an order is told as such."""

from decimal import Decimal

import pytest

from holdfast.exchange.grouping import OrderKey, grouped, held_back_by, look_over
from holdfast.exchange.line_index import PIECE_RECORDS, LineIndex
from holdfast.importing.tables import BadRecord, Cell, Record


def record(line: int, request_id: Cell, customer_id: Cell = "ada") -> Record:
    return Record(line, {"request_id": request_id, "customer_id": customer_id})


@pytest.mark.parametrize(
    "cell",
    ["1001", " 1001 ", 1001, "1001\u200b", "\ufeff1001", "'1001", '="1001"', Decimal("1001.0")],
)
def test_what_a_person_sees_is_what_is_told(cell: Cell) -> None:
    assert OrderKey.of(record(2, cell)) == ("1001", "ada")


def test_a_decomposed_letter_is_the_composed_one() -> None:
    assert OrderKey.of(record(2, "1", "Rene\u0301")) == ("1", "Ren\u00e9")


@pytest.mark.parametrize("cell", [None, "", "  ", "\u200b", "\ue000", "x" * 129, "\ud800"])
def test_what_is_no_id_tells_nothing(cell: Cell) -> None:
    assert OrderKey.of(record(2, cell)) == ("", "ada")


def test_zeros_at_the_front_and_letter_case_make_another_order() -> None:
    assert OrderKey.of(record(2, "007")) != OrderKey.of(record(2, "7"))
    assert OrderKey.of(record(2, "a")) != OrderKey.of(record(2, "A"))


def test_lines_go_with_those_before_them_where_they_may_be_of_their_order() -> None:
    lines: list[Record | BadRecord] = [
        record(2, "1"),
        record(3, "1"),
        record(4, "", ""),
        record(5, "1", ""),
        record(6, "2", ""),
        BadRecord(7, "cut off"),
        record(8, "3", ""),
        record(9, "3"),
        record(10, "", "bob"),
    ]

    assert [line.record.line for line in grouped(iter(lines)) if line.is_first] == [2, 6, 8, 9, 10]


def test_a_file_is_looked_over_piece_by_piece() -> None:
    """So that whoever breaks it off need not wait for all of it."""
    lines = (record(line, str(line)) for line in range(2 * PIECE_RECORDS + 1))
    with LineIndex() as index:
        assert list(look_over(lines, index)) == [PIECE_RECORDS, 2 * PIECE_RECORDS]


def test_an_order_in_three_parts_is_told_by_each_with_another_line() -> None:
    lines: list[Record | BadRecord] = [
        record(line, request_id) for line, request_id in enumerate("12131", 2)
    ]
    with LineIndex() as index:
        list(look_over(iter(lines), index))
        notes = [held_back_by(line, None, index) for line in grouped(iter(lines))]

    told = {note.line: note.problem for note in notes if note}
    assert list(told) == [2, 4, 6]
    assert ["line 6" in told[2], "line 2" in told[4], "line 2" in told[6]] == [True] * 3
