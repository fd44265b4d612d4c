"""Files as they really are to records: dialects, encodings, headers, lines that are none."""

import csv
import gzip
import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing.encodings import Encoding
from holdfast.importing.flaws import UnreadableFile, UnreadableText
from holdfast.importing.opening import AnyTable, open_table
from holdfast.importing.tables import BadRecord, Record, Shape, TableOptions

SHAPE = Shape(("product_id", "name", "on_hand"), ("product_id", "on_hand"), ("reserved",))
CSV = "product_id,name,on_hand\nLAMP,Red lamp,5\nMUG,Mug,7\n"
PLAIN = TableOptions()


def table(folder: Path, content: str | bytes, options: TableOptions = PLAIN) -> AnyTable:
    path = folder / "file"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_table(path, SHAPE, options)


def records(
    folder: Path, content: str | bytes, options: TableOptions = PLAIN
) -> list[Record | BadRecord]:
    return list(table(folder, content, options).records())


def cells(
    folder: Path, content: str | bytes, options: TableOptions = PLAIN
) -> list[tuple[object, ...]]:
    """The cells of a file in which every line is sound."""
    found = records(folder, content, options)
    assert all(isinstance(one, Record) for one in found), found
    return [tuple(one.cells.values()) for one in found if isinstance(one, Record)]


def the_problem(folder: Path, content: str | bytes) -> tuple[int, str]:
    (bad,) = (one for one in records(folder, content) if isinstance(one, BadRecord))
    return bad.line, bad.problem


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_recognised(tmp_path: Path, separator: str, end: str) -> None:
    text = CSV.replace(",", separator).replace("\n", end)

    assert cells(tmp_path, text) == [("LAMP", "Red lamp", "5"), ("MUG", "Mug", "7")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are_are_recognised(tmp_path: Path, encoding: str) -> None:
    text = CSV.replace("Red lamp", "Grüne Lampe 電灯")

    assert cells(tmp_path, text.encode(encoding))[0] == ("LAMP", "Grüne Lampe 電灯", "5")


def test_windows_1252_is_said_and_read_when_named(tmp_path: Path) -> None:
    content = CSV.replace("Red lamp", "Grüne €-Lampe").encode("windows-1252")

    with pytest.raises(UnreadableText, match="--encoding windows-1252 if it comes from Excel"):
        records(tmp_path, content)
    named = TableOptions(Encoding.WINDOWS_1252)
    assert cells(tmp_path, content, named)[0] == ("LAMP", "Grüne €-Lampe", "5")


def test_a_packed_file_is_read_as_its_contents(tmp_path: Path) -> None:
    assert cells(tmp_path, gzip.compress(CSV.encode())) == cells(tmp_path, CSV)


def test_a_line_break_in_quotes_belongs_to_its_cell_and_lines_keep_their_numbers(
    tmp_path: Path,
) -> None:
    found = records(tmp_path, 'product_id,name,on_hand\nLAMP,"Red\r\nlamp",5\r\nMUG,x,7\n')

    assert found == [
        Record(2, {"product_id": "LAMP", "name": "Red\nlamp", "on_hand": "5"}),
        Record(4, {"product_id": "MUG", "name": "x", "on_hand": "7"}),
    ]


def test_columns_may_stand_in_any_order_and_letter_case_and_be_left_out(tmp_path: Path) -> None:
    found = records(tmp_path, "On Hand;PRODUCT-ID\n5;LAMP\n")

    assert found == [Record(2, {"on_hand": "5", "product_id": "LAMP"})]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "there is nothing in it: 0 bytes"),
        ("\n \n", "there is nothing in it but blank lines"),
        ("product_id,on_hand\n", "there is a header in it and no line below"),
        ("product_id,on_hand\n\n,,\n", "there is a header in it and no line below"),
        ("LAMP,5\n", "nobody knows 'LAMP', '5'"),
        ("product_id,name\nLAMP,x\n", "it lacks on_hand; found 'product_id', 'name'"),
        ("product_id,on_hand,ON HAND\nx,1,1\n", "columns 2 and 3 are both on_hand"),
        ("product_id,on_hand,colour\nx,1,red\n", "nobody knows 'colour'"),
        ("product_id,,on_hand\nx,,1\n", "column 2 has no name"),
        ('product_id,"on_hand\nx,1\n', "a quote that is not closed"),
        ("product_id,on_hand\nx,\xe9".encode("latin-1"), "the byte 0xE9 is not UTF-8"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 50, "a workbook of an old Excel (xls)"),
        (b"PK\x03\x04" + b"\0" * 50, "the workbook is damaged, or none"),
        ("<html>", "it is a web page or XML"),
    ],
)
def test_a_file_of_no_use_is_told_as_a_whole(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    with pytest.raises(UnreadableText) as refused:
        records(tmp_path, content)

    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(b"PK\x03\x04", mtime=0), "packed once more with gzip: unpack it once"),
        (gzip.compress(b"PK\x03\x04", mtime=0) + b"garbage", "it is damaged"),
    ],
)
def test_an_archive_of_no_use_is_there_and_told(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(UnreadableFile, match=problem) as refused:
        records(tmp_path, content)

    assert refused.value.is_there


def test_a_column_may_be_called_as_an_archive_begins(tmp_path: Path) -> None:
    options = TableOptions(ignore_unknown=True)

    assert cells(tmp_path, "PK,product_id,on_hand\n1,LAMP,5\n", options) == [("LAMP", "5")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_lines_are_known_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    """PowerShell writes UTF-16."""
    text = '{"product_id": "L\u00c4MP", "on_hand": 5}\n'

    assert records(tmp_path, text.encode(encoding)) == [
        Record(1, {"product_id": "L\u00c4MP", "on_hand": 5})
    ]


@pytest.mark.parametrize(
    "number", ["1e999999999", "1e99999999999999999999", "-1e-99999999999999999999", "9" * 5000]
)
def test_a_number_of_a_few_signs_that_means_endless_digits_is_told(
    tmp_path: Path, number: str
) -> None:
    """Written out, one of these took a gigabyte."""
    line = f'{{"product_id": {number}, "on_hand": 1}}'

    number_of_line, problem = the_problem(tmp_path, line)

    assert (number_of_line, "product_id is a number that is too large" in problem) == (1, True)


def test_a_list_of_json_and_a_missing_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="write one object a line"):
        table(tmp_path, '[{"product_id": "LAMP"}]')
    with pytest.raises(UnreadableFile, match="no such file"):
        open_table(tmp_path / "none", SHAPE, PLAIN)


def test_of_very_many_columns_that_nobody_knows_the_first_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableText) as refused:
        records(tmp_path, "product_id,on_hand" + ",colour" * 3_000 + "\nLAMP,5\n")

    assert "and 2,970 more" in refused.value.problem


def test_unknown_columns_are_left_out_when_that_is_asked_for(tmp_path: Path) -> None:
    options = TableOptions(ignore_unknown=True)

    found = cells(tmp_path, "product_id,colour,on_hand\nLAMP,red,5\n", options)

    assert found == [("LAMP", "5")]


@pytest.mark.parametrize(
    "content", [CSV, '{"product_id": "LAMP", "on_hand": 5}\n\n{"product_id": "MUG"}\n']
)
def test_a_table_that_is_read_once_more_says_the_same(tmp_path: Path, content: str) -> None:
    read = table(tmp_path, content + "\n")

    first, blank_lines = list(read.records()), read.blank_lines

    assert list(read.records()) == first
    assert read.blank_lines == blank_lines >= 1


def test_blank_lines_and_separators_at_the_end_are_no_trouble(tmp_path: Path) -> None:
    read = table(tmp_path, "product_id,on_hand,,\n\nLAMP,5,,\n , ,\nMUG,7\n")

    assert [one.line for one in read.records() if isinstance(one, Record)] == [3, 5]
    assert read.blank_lines == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("LAMP,Red,lamp,5", "it has 4 columns instead of 3: a cell with a separator"),
        ("LAMP", "it has 1 columns instead of 3: the line is cut off"),
        ('LAMP,"Red,5', "a quote opens in column 2 and is not closed"),
        ('LAMP,"Red" lamp,5', "goes on with 'l' after its closing quote"),
        ("LAMP,R\0d,5", "a NUL (U+0000) stands in column 2"),
        ("product_id,name,on_hand", "the header stands here again"),
        ('"Product ID", NAME ,On-hand', "the header stands here again"),
        ("\ufeffproduct_id,name,on_hand", "again, behind a byte order mark: two files were joined"),
    ],
)
def test_a_line_that_is_none_is_told_and_costs_no_other(
    tmp_path: Path, line: str, problem: str
) -> None:
    content = f"product_id,name,on_hand\nA,a,1\n{line}\nB,b,2\n"

    number, told = the_problem(tmp_path, content)

    assert number == 3
    assert problem in told
    sound = [one for one in records(tmp_path, content) if isinstance(one, Record)]
    assert [one.cells["product_id"] for one in sound] == ["A", "B"]


@pytest.mark.parametrize("header", ["product_id,on_hand,name", "\ufeffon_hand,reserved,Product ID"])
def test_behind_a_header_with_other_columns_nothing_is_read_by_the_first(
    tmp_path: Path, header: str
) -> None:
    content = f"product_id,name,on_hand\nA,a,1\n{header}\nB,2,3\n"

    with pytest.raises(UnreadableText, match="line 3 is a header with other columns than line 1"):
        records(tmp_path, content)


def test_json_lines_are_read_with_their_own_numbers(tmp_path: Path) -> None:
    lines = [
        '{"product_id": "007", "on_hand": 5}',
        "",
        '{"name":null,"product_id":"M","on_hand":1}',
    ]

    found = records(tmp_path, "\n".join(lines))

    assert found == [
        Record(1, {"product_id": "007", "on_hand": 5}),
        Record(3, {"name": None, "product_id": "M", "on_hand": 1}),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"product_id": "LAMP"', "it is no JSON"),
        ('{"product_id": "LAMP", "on_hand": NaN}', "NaN is no value"),
        ('{"product_id": "LAMP", "product_id": "MUG", "on_hand": 1}', "stands there twice"),
        ('{"product_id": "LAMP", "PRODUCT_ID": "MUG", "on_hand": 1}', "product_id stands there tw"),
        ('{"product_id": "LAMP"}', "it lacks on_hand"),
        ('{"product_id": "LAMP", "on_hand": {"a": 1}}', "on_hand is no plain value"),
        ('{"product_id": "LAMP", "on_hand": 1, "colour": "red"}', "nobody knows 'colour'"),
        ("5", "it is no object"),
        ("[" * 9_000, "it is no JSON"),
    ],
)
def test_a_line_of_json_that_says_nothing_is_told(tmp_path: Path, line: str, problem: str) -> None:
    good = '{"product_id": "A", "on_hand": 1}'

    number, told = the_problem(tmp_path, f"{good}\n{line}\n{good}\n")

    assert number == 2
    assert problem in told


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\r"), max_size=12)


@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], separator: str, encoding: str
) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=separator, lineterminator="\r\n")
    writer.writerow(["product_id", "name", "on_hand"])
    for number, name in enumerate(names):
        text = f"'{name}" if name.lstrip("'")[:1] in ("=", "+", "-", "@", "\t", "\r") else name
        writer.writerow([f"P-{number}", text, number])
    if encoding == "utf-16":  # of which every text file has a mark
        assert written.getvalue().encode(encoding)[:2] in (b"\xff\xfe", b"\xfe\xff")

    found = cells(tmp_path_factory.getbasetemp(), written.getvalue().encode(encoding))

    assert [name for _, name, _ in found] == names


@given(names=st.lists(st.text(max_size=12), min_size=1, max_size=5))
def test_what_is_written_as_json_lines_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    text = "".join(json.dumps({"product_id": "A", "on_hand": 1, "name": n}) + "\n" for n in names)

    found = records(tmp_path_factory.getbasetemp(), text)

    assert [one.cells["name"] for one in found if isinstance(one, Record)] == names


@pytest.mark.parametrize(
    "content",
    [b"\x1f\x8b", gzip.compress(CSV.encode())[:-12]],
    ids=["its mark alone", "without its end"],
)
def test_an_archive_that_is_cut_off_is_told_as_damaged(tmp_path: Path, content: bytes) -> None:
    with pytest.raises((UnreadableText, UnreadableFile), match="damaged"):
        records(tmp_path, content)


@given(content=st.binary(max_size=200))
def test_no_bytes_are_too_odd(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    header = b"product_id,on_hand\n"
    for whole in (content, header + content):
        with suppress(UnreadableText, UnreadableFile):
            records(tmp_path_factory.getbasetemp(), whole)
