"""Workbooks to records: numbers as numbers, text as text, days as days; no sheet but the one."""

import random
import tracemalloc
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook as Book

from holdfast.importing import workbooks
from holdfast.importing.flaws import UnreadableFile, UnreadableText
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
        [7, None, 12.5, None],
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


def test_a_character_that_the_workbook_writes_as_its_number_is_read_as_itself(
    tmp_path: Path,
) -> None:
    """Excel does so with the carriage returns of texts that come from elsewhere."""
    found = records(
        tmp_path,
        ["product_id", "name"],
        ["A", "Lamp_x000D_\nred"],
        ["B", "_x005F_x0041_"],
        ["C", "_xD83D_"],
    )

    names = [one.cells["name"] for one in found if isinstance(one, Record)]
    assert names == ["Lamp\r\nred", "_x0041_", "_xD83D_"]


def test_a_header_that_stands_there_again_is_no_row(tmp_path: Path) -> None:
    found = records(tmp_path, ["product_id", "name"], ["A", "a"], ["Product ID", "Name"], ["B"])

    assert [type(one) for one in found] == [Record, BadRecord, Record]


def test_a_workbook_of_the_strict_form_is_told_as_such(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "book", "w") as archive:
        names = '"http://purl.oclc.org/ooxml/spreadsheetml/main"'
        archive.writestr("xl/workbook.xml", f"<workbook xmlns={names}/>")

    with pytest.raises(UnreadableText, match='save it as "Excel Workbook"'):
        list(open_table(tmp_path / "book", SHAPE, TableOptions()).records())


def test_a_row_with_more_cells_than_the_header_is_told(tmp_path: Path) -> None:
    found = records(tmp_path, ["product_id"], ["LAMP", 5], ["MUG"])

    assert [type(one) for one in found] == [BadRecord, Record]


def test_an_archive_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr("stock.csv", "product_id\nLAMP\n")

    with pytest.raises(UnreadableText, match="a zip archive and no workbook"):
        list(open_table(tmp_path / "archive", SHAPE, TableOptions()).records())


def rewritten(folder: Path, part: str, old: str, new: str) -> list[Record | BadRecord]:
    """The records of the workbook of this folder with something else in one of its parts."""
    with zipfile.ZipFile(folder / "book.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part].decode(), parts[part]
    parts[part] = parts[part].decode().replace(old, new).encode()
    with zipfile.ZipFile(folder / "other.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return list(open_table(folder / "other.xlsx", SHAPE, TableOptions()).records())


SHEET, BOOK = "xl/worksheets/sheet1.xml", "xl/workbook.xml"


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("12.299999999999999", Decimal("12.3")),  # 3 * 4.1, an amount that can't be paid
        ("110.00000000000001", 110),
        ("0.30000000000000004", Decimal("0.3")),
        ("4.3499999999999996", Decimal("4.35")),
        ("1.000000000000001E15", 10**15 + 1),
    ],
)
def test_what_was_computed_is_what_the_spreadsheet_shows(
    kept: str, shown: Decimal | int, tmp_path: Path
) -> None:
    records(tmp_path, ["product_id", "on_hand"], ["LAMP", 77])

    (found,) = rewritten(tmp_path, SHEET, "<v>77</v>", f"<v>{kept}</v>")

    assert found == Record(2, {"product_id": "LAMP", "on_hand": shown})


def test_a_formula_that_nobody_has_computed_is_told_and_is_no_empty_cell(tmp_path: Path) -> None:
    """A program wrote it: a count would have gone to `main`, and a name been emptied."""
    found = records(tmp_path, ["product_id", "on_hand"], ["LAMP", "=3+4"], ["MUG", 5])

    told = "column 2 (on_hand) has a formula whose result is not in the file: open it in a"
    assert isinstance(found[0], BadRecord)
    assert (found[0].line, told in found[0].problem) == (2, True)
    assert found[1] == Record(3, {"product_id": "MUG", "on_hand": 5})


def test_a_result_that_is_to_be_computed_anew_is_none_and_one_that_stands_there_is(
    tmp_path: Path,
) -> None:
    """Programs write 0 beside each formula, and that whoever opens the workbook computes it."""
    records(tmp_path, ["product_id", "on_hand"], ["LAMP", "=3+4"])
    bare, known = "<f>3+4</f><v />", "<f>3+4</f><v>0</v>"

    (left_open,) = rewritten(tmp_path, SHEET, bare, known)
    assert isinstance(left_open, BadRecord)

    (tmp_path / "other.xlsx").rename(tmp_path / "book.xlsx")
    (computed,) = rewritten(tmp_path, BOOK, 'fullCalcOnLoad="1"', "")
    assert computed == Record(2, {"product_id": "LAMP", "on_hand": 0})


def test_a_formula_may_come_to_nothing(tmp_path: Path) -> None:
    records(tmp_path, ["product_id", "name"], ["LAMP", '="" '])
    with zipfile.ZipFile(tmp_path / "book.xlsx") as archive:
        cell = archive.read(SHEET).decode().partition('<c r="B2"')[2].partition("</c>")[0]
    (tmp_path / "plain").mkdir()
    rewritten(tmp_path, BOOK, 'fullCalcOnLoad="1"', "")
    (tmp_path / "other.xlsx").rename(tmp_path / "book.xlsx")

    (found,) = rewritten(tmp_path, SHEET, f'<c r="B2"{cell}', f'<c r="B2" t="str"{cell}')

    assert found == Record(2, {"product_id": "LAMP", "name": None})


def test_a_cell_where_the_spreadsheet_failed_is_told_and_is_no_text(tmp_path: Path) -> None:
    book = Book()
    sheet = book.worksheets[0]
    sheet.append(["product_id", "name"])
    sheet.append(["LAMP", "#N/A"])
    assert sheet["B2"].data_type == "e"
    book.save(tmp_path / "book.xlsx")

    (found,) = open_table(tmp_path / "book.xlsx", SHAPE, TableOptions()).records()

    assert isinstance(found, BadRecord)
    assert "column 2 (name) has #N/A, what a spreadsheet writes where it failed" in found.problem


def test_what_is_spoilt_in_a_column_that_nobody_reads_harms_no_line(tmp_path: Path) -> None:
    book = Book()
    book.worksheets[0].append(["product_id", "colour"])
    book.worksheets[0].append(["LAMP", "=1+1"])
    book.save(tmp_path / "book.xlsx")

    table = open_table(tmp_path / "book.xlsx", SHAPE, TableOptions(ignore_unknown=True))

    assert list(table.records()) == [Record(2, {"product_id": "LAMP"})]


def test_a_workbook_with_a_bit_turned_is_read_or_told_as_damaged(tmp_path: Path) -> None:
    sound = records(tmp_path, ["product_id", "on_hand"], ["LAMP", 7])
    content, chance = (tmp_path / "book.xlsx").read_bytes(), random.Random(1)
    for _ in range(60):
        spoilt = bytearray(content)
        spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
        (tmp_path / "spoilt.xlsx").write_bytes(spoilt)
        try:
            found = list(open_table(tmp_path / "spoilt.xlsx", SHAPE, TableOptions()).records())
        except (UnreadableText, UnreadableFile):
            continue
        assert found == sound


def test_a_sheet_that_is_a_chart_is_told_and_no_error_of_ours(tmp_path: Path) -> None:
    book = Book()
    book.worksheets[0].append(["product_id"])
    book.create_chartsheet()
    book.save(tmp_path / "book.xlsx")

    with pytest.raises(UnreadableText, match="the workbook is damaged, or none"):
        list(open_table(tmp_path / "book.xlsx", SHAPE, TableOptions()).records())


def test_a_row_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of six million cells fits into 180 kB, and took 2.7 GB."""
    monkeypatch.setattr(workbooks, "ROW_BYTES_MAX", 100_000)
    records(tmp_path, ["product_id", "on_hand"], ["LAMP", 7], ["MUG", 5])
    cells = '<c r="A2"><v>1</v></c>' * 10_000

    with pytest.raises(UnreadableText, match="one of its rows takes more than the 100,000 bytes"):
        rewritten(tmp_path, SHEET, '</row><row r="3"', f'{cells}</row><row r="3"')
    behind = f"</sheetData><hyperlinks>{'<hyperlink/>' * 10_000}</hyperlinks>"
    assert len(rewritten(tmp_path, SHEET, "</sheetData>", behind)) == 2
    lines: list[list[object]] = [["LAMP"] for _ in range(5_000)]
    assert len(records(tmp_path, ["product_id"], *lines)) == 5_000


def test_a_part_that_is_kept_and_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbooks, "PART_BYTES_MAX", 20_000)
    records(tmp_path, ["product_id"], ["LAMP"])

    with pytest.raises(UnreadableText, match=r"its part xl/styles\.xml takes"):
        rewritten(tmp_path, "xl/styles.xml", "<styleSheet ", "<styleSheet " + " " * 20_000)


def test_no_row_is_kept_however_many_there_are(tmp_path: Path) -> None:
    """Of each that had a height openpyxl kept 500 bytes: of a full sheet 500 MB."""
    records(tmp_path, ["product_id", "on_hand"], ["LAMP", 7])
    row = '<row ht="15"><c t="inlineStr"><is><t>LAMP</t></is></c></row>'
    rewritten(tmp_path, SHEET, "</sheetData>", f"{row * 10_000}</sheetData>")
    tracemalloc.start()
    try:
        table = open_table(tmp_path / "other.xlsx", SHAPE, TableOptions())
        count = sum(1 for _ in table.records())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 10_001
    assert most < 2_500_000
