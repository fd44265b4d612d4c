"""Text to rows: every way in which programs and spreadsheets write them is read back."""

import csv
import io
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing.rows import CELL_LINES_MAX, LINE_CHARS_MAX, BadRow, Lines, Row, rows
from tests.unit.importing.files import HEADER, line, numbers, read, read_bytes, the_flaw


def cells(text: str, separator: str = ",") -> list[list[str]]:
    return [row.cells for row in rows(Lines([text]), separator)]


def bad_lines(text: str) -> list[int]:
    return [row.line for row in rows(Lines([text]), ",") if isinstance(row, BadRow)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read_and_the_last_one_may_lack(tmp_path: Path, end: str) -> None:
    for last in ("", end):
        file = read_bytes(tmp_path, (end.join([HEADER, line("1"), line("2")]) + last).encode())

        assert numbers(file) == ["1", "2"]


def test_line_ends_are_found_wherever_the_pieces_end() -> None:
    text = "a,b\r\nc,d\re,f\n\r\ng"

    whole = list(rows(Lines([text]), ","))

    assert [row.line for row in whole] == [1, 2, 3, 4, 5]
    for at in range(len(text) + 1):
        assert list(rows(Lines([text[:at], text[at:]]), ",")) == whole
    assert list(rows(Lines(text), ",")) == whole


def test_other_characters_that_some_take_for_line_ends_are_none() -> None:
    assert cells("a\u2028b\x0bc\x0cd\x85e") == [["a\u2028b\x0bc\x0cd\x85e"]]


def test_a_line_break_within_quotes_belongs_to_the_cell(tmp_path: Path) -> None:
    file = read(tmp_path, line(description='"Lamp, red\nwith cable"'), line(product="BULB"))

    assert file.flaws == []
    assert file.catalogue["LAMP"].name == "Lamp, red with cable"
    assert [one.product_id for one in file.orders[0].lines] == ["LAMP", "BULB"]


def test_a_quote_within_a_cell_is_a_character() -> None:
    assert cells('Pipe 12" long,"Pipe 12"" long, steel",x') == [
        ['Pipe 12" long', 'Pipe 12" long, steel', "x"]
    ]


def test_spaces_around_a_quoted_cell_count_for_nothing() -> None:
    assert cells('a, "b, c" ,d') == [["a", "b, c", "d"]]


@pytest.mark.parametrize("lines_below", [0, 1, CELL_LINES_MAX + 50])
def test_a_quote_never_closed_costs_its_own_line_and_order(
    tmp_path: Path, lines_below: int
) -> None:
    others = [line(f"2{n}") for n in range(lines_below)]

    file = read(tmp_path, line("1"), line("7", description='"Lamp'), *others)

    assert (the_flaw(file).line, the_flaw(file).order) == (3, "7")
    assert "column 3 and is not closed" in the_flaw(file).problem
    assert numbers(file) == ["1", *(f"2{n}" for n in range(lines_below))]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("order,product,quantity,date,price,customer,description", '7,"A",6,2026-03-02,1,c,"a\nb"'),
        ("description,order,product,quantity,date,price,customer", '"a\nb",7,"A",6,2026-03-02,1,c'),
        ("order,product,quantity,description,date,price,customer", '7,"A",6,"a\nb",2026-03-02,1,c'),
    ],
)
def test_a_line_break_in_quotes_is_read_in_whatever_column(
    tmp_path: Path, header: str, row: str
) -> None:
    file = read(tmp_path, row, row.replace("7", "8"), header=header)

    assert (file.flaws, numbers(file)) == ([], ["7", "8"])


def test_two_stray_quotes_do_not_make_one_row_of_two(tmp_path: Path) -> None:
    header = "order,product,quantity,date,price,customer,description"
    rows = ['7,"A",6,2026-03-02,1,c,"Lamp', '8,A,6,2026-03-02,1,c,12"']

    file = read(tmp_path, *rows, header=header)

    assert (the_flaw(file).line, the_flaw(file).order) == (2, "7")
    assert "column 7 and is not closed" in the_flaw(file).problem
    assert numbers(file) == ["8"]


def test_a_stray_quote_does_not_take_in_the_lines_of_others(tmp_path: Path) -> None:
    """The quote of line 2 would close in line 4, and all columns would be there."""
    file = read(tmp_path, line("7", description='"Lamp'), line("8"), line("9", description='Big"'))

    assert (the_flaw(file).line, the_flaw(file).order) == (2, "7")
    assert numbers(file) == ["8", "9"]


def test_text_behind_a_closing_quote_is_told(tmp_path: Path) -> None:
    file = read(tmp_path, line("7", description='"BIG" LAMP'), line("8"))

    assert "goes on with 'L' after its closing quote" in the_flaw(file).problem
    assert numbers(file) == ["8"]


def test_a_line_without_end_is_told_and_not_kept(tmp_path: Path) -> None:
    assert bad_lines("a\n" + "b" * (LINE_CHARS_MAX + 1) + "\nc") == [2]
    endless = Lines(["x" * 100_000] * 50)
    assert len(endless.next() or "") == LINE_CHARS_MAX + 1


@pytest.mark.parametrize(("character", "name"), [("\ufeff", "BOM, U+FEFF"), ("\0", "NUL (U+0000")])
def test_a_bom_or_nul_further_down_is_told_with_its_column(
    tmp_path: Path, character: str, name: str
) -> None:
    file = read(tmp_path, line("1"), line("7", product=f"{character}LAMP"), line("8"))

    assert (the_flaw(file).line, the_flaw(file).order) == (3, "7")
    assert name in the_flaw(file).problem
    assert "column 2" in the_flaw(file).problem
    assert numbers(file) == ["1", "8"]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\r"), max_size=12)


@given(
    table=st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=6),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    piece=st.integers(min_value=1, max_value=30),
)
def test_what_a_csv_writer_writes_is_read_back(
    table: list[list[str]],
    separator: str,
    end: str,
    quoting: Literal[0, 1, 2],
    piece: int,
) -> None:
    if "\n" not in end:  # Python's writer leaves such cells without quotes
        table = [[cell.replace("\n", " ") for cell in row] for row in table]
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator=end, quoting=quoting).writerows(table)
    text = written.getvalue()
    pieces = [text[at : at + piece] for at in range(0, len(text), piece)]

    found = list(rows(Lines(pieces), separator))

    assert all(isinstance(row, Row) for row in found)
    assert [row.cells for row in found] == table


@given(text=st.text(st.sampled_from('a1," \n\r;'), max_size=60))
def test_no_text_is_too_odd_and_no_line_is_lost(text: str) -> None:
    found = list(rows(Lines([text]), ","))

    taken = [len(row.texts) or 1 if isinstance(row, Row) else 1 for row in found]
    lines = Lines([text])
    while lines.next() is not None:
        pass
    assert sum(taken) == lines.number
