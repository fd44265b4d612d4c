"""Workbooks to records: numbers as numbers, text as text, days as days; no sheet but the one."""

import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook as Book

from holdfast.importing.flaws import UnreadableText
from holdfast.importing.opening import open_table
from holdfast.importing.tables import BadRecord, Record, Shape, TableOptions

SHAPE = Shape(("product_id", "name", "on_hand", "day"), ("product_id",))


def records(folder: Path, *rows: list[object], sheets: int = 1) -> list[Record | BadRecord]:
    book = Book()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for _ in range(sheets - 1):
        book.create_sheet()
    book.save(folder / "book.xlsx")
    return list(open_table(folder / "book.xlsx", SHAPE, TableOptions()).records())


def test_values_are_what_the_sheet_means(tmp_path: Path) -> None:
    found = records(
        tmp_path,
        ["product_id", "name", "on_hand", "day"],
        ["007", "Lamp\nred", 5.0, date(2026, 3, 31)],
        [7, "=1+1", 12.5, None],
        [None, None, None, None],
        ["MUG"],
    )

    assert found == [
        Record(
            2, {"product_id": "007", "name": "Lamp\nred", "on_hand": 5, "day": date(2026, 3, 31)}
        ),
        Record(3, {"product_id": 7, "name": None, "on_hand": Decimal("12.5"), "day": None}),
        Record(5, {"product_id": "MUG", "name": None, "on_hand": None, "day": None}),
    ]


@pytest.mark.parametrize(
    ("rows", "sheets", "problem"),
    [
        ([], 1, "nothing in it but blank lines"),
        ([["product_id"]], 1, "a header in it and no line below"),
        ([["colour"], ["red"]], 1, "row 1, the header: nobody knows 'colour'"),
        ([["product_id"], ["LAMP"]], 2, "more than one sheet"),
    ],
)
def test_a_workbook_of_no_use_is_told_as_a_whole(
    tmp_path: Path, rows: list[list[object]], sheets: int, problem: str
) -> None:
    with pytest.raises(UnreadableText, match=problem):
        records(tmp_path, *rows, sheets=sheets)


def test_a_row_with_more_cells_than_the_header_is_told(tmp_path: Path) -> None:
    found = records(tmp_path, ["product_id"], ["LAMP", 5], ["MUG"])

    assert [type(one) for one in found] == [BadRecord, Record]


def test_an_archive_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("stock.csv", "product_id\nLAMP\n")

    with pytest.raises(UnreadableText, match="a zip archive and no workbook"):
        list(open_table(tmp_path / "archive", SHAPE, TableOptions()).records())
