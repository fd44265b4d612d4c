"""Rows to files and back: every text is the same, and none is a formula to a spreadsheet."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.exchange.writing import CannotWrite, whole_file, writer
from holdfast.importing.opening import open_table
from holdfast.importing.tables import FileKind, Record, Shape, TableOptions

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
LIKE_ESCAPED = st.lists(st.sampled_from(["_", "x", "0041", "_x005F_", "_xD83D_"]), max_size=6)
AFTER = st.one_of(
    TEXT,
    st.builds("{}{}".format, st.sampled_from("'=+-@\t\n"), TEXT),
    st.builds("".join, LIKE_ESCAPED),
)


@given(texts=st.lists(AFTER.filter(lambda text: "\ufeff" not in text), min_size=1, max_size=4))
@pytest.mark.parametrize("file_kind", FileKind)
def test_any_text_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, file_kind: FileKind, texts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "texts"
    with whole_file(path) as stream, writer(stream, file_kind, ("product_id", "name")) as out:
        for number, text in enumerate(texts):
            out.row([f"P-{number}", text])

    assert names_in(path) == texts


def test_a_text_that_begins_with_a_carriage_return_gets_no_apostrophe(tmp_path: Path) -> None:
    """It came back as an apostrophe and a line feed, and an export that was imported changed it."""
    path = tmp_path / "file.csv"
    with whole_file(path) as stream, writer(stream, FileKind.CSV, ("product_id", "name")) as out:
        out.row(["LAMP", "\r=1+1"])

    assert names_in(path) == ["\n=1+1"]


def names_in(path: Path) -> list[str]:
    shape = Shape(("product_id", "name"), ("product_id",))
    found = open_table(path, shape, TableOptions()).records()
    return [str(one.cells["name"] or "") for one in found if isinstance(one, Record)]


def test_a_file_appears_when_it_is_whole_and_else_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("as it was")

    with pytest.raises(RuntimeError, match="cut off"):
        write_and_fail(path)

    assert [one.name for one in tmp_path.iterdir()] == ["file.csv"]
    assert path.read_text() == "as it was"


def write_and_fail(path: Path) -> None:
    with whole_file(path) as stream, writer(stream, FileKind.CSV, ("product_id",)) as out:
        out.row(["LAMP"])
        raise RuntimeError("cut off")


def test_what_a_sheet_cannot_hold_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotWrite, match="write CSV or JSON lines"),
        whole_file(tmp_path / "file.xlsx") as stream,
        writer(stream, FileKind.XLSX, ("product_id",)) as out,
    ):
        out.row(["x" * 32_768])
