"""Cancellations of the data set as they are read: whole or held back, and apart from orders."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.importing.orders import GUEST, Cancellation, CancelledLine
from holdfast.importing.reading import OrderFile
from tests.unit.importing.files import DATA_SET_HEADER, RETAIL, line, numbers, read, the_flaw

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def retail(folder: Path, *lines: str) -> OrderFile:
    return read(folder, *lines, header=DATA_SET_HEADER, options=RETAIL)


def test_a_number_with_a_c_before_it_is_a_cancellation_of_the_data_set(tmp_path: Path) -> None:
    file = retail(
        tmp_path,
        line("1", "LAMP", "Lamp"),
        line("C3", "MUG", quantity="-2", at="2026-03-03 09:00", customer=""),
        line("C2", "LAMP", "Damaged", quantity="-1", price="0"),
        line("C2", "POST", quantity="-1"),
        line("c2", "LAMP", "Damaged", quantity="-4", at="2026-03-02 09:01"),
    )

    assert (file.flaws, file.skipped_lines, file.skipped_orders) == ([], {"not_stock": 1}, {})
    assert numbers(file) == ["1"]
    assert file.cancellations == [
        Cancellation("C2", "c-1", NINE, [CancelledLine("LAMP", 1, 4)], line=4),
        Cancellation(
            "c2", "c-1", NINE + timedelta(minutes=1), [CancelledLine("LAMP", 4, 6)], line=6
        ),
        Cancellation("C3", GUEST, NINE + timedelta(days=1), [CancelledLine("MUG", 2, 3)], line=3),
    ]
    assert file.catalogue["LAMP"].name == "Lamp", "what came back says nothing of its name"
    assert list(file.catalogue) == ["LAMP"]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (line("C2", quantity="few"), "is no plain number"),
        (line("C2", quantity="3"), "the quantity '3' of a cancellation is not below 0"),
        (line("C2", quantity="0"), "the quantity '0' of a cancellation is not below 0"),
        (line("C2", quantity="-1", at="yesterday"), "the date 'yesterday' cannot be read"),
        (line("C2", "1E5", quantity="-1"), "is a number with an exponent"),
        (line("C2", quantity="-1", customer="c-2"), "its customer is 'c-2', and in line 3"),
        (line("C2", quantity="-1", at="2026-04-02 09:00"), "its date is 2026-04-02, and in line 3"),
        ("C2,LAMP", "it has 2 columns instead of 8"),
    ],
)
def test_a_broken_line_of_a_cancellation_holds_it_back_and_no_order(
    tmp_path: Path, broken: str, problem: str
) -> None:
    sound = line("C2", quantity="-1")
    file = retail(tmp_path, line("1"), sound, broken, line("C3", quantity="-1"))

    flaw = the_flaw(file)
    assert (flaw.line, flaw.order) == (4, "C2")
    assert problem in flaw.problem
    assert (numbers(file), file.held_back) == (["1"], 0)
    assert ([one.number for one in file.cancellations], file.cancellations_held_back) == (["C3"], 1)
