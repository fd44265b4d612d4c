"""Rows to a workbook (XLSX), none of them kept in memory."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from holdfast.exchange.writing import CannotWrite, Writer, as_text
from holdfast.importing.tables import Cell
from holdfast.importing.workbooks import escaped

ROWS_MAX = 1_048_575  # of a sheet, without the header
CELL_CHARS_MAX = 32_767  # of a sheet
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


@contextmanager
def sheet(stream: BinaryIO, columns: tuple[str, ...]) -> Iterator[Writer]:
    """A writer of the only sheet of a workbook, which is in the stream when the block has ended."""
    book = Workbook(write_only=True)
    rows = book.create_sheet()
    assert isinstance(rows, WriteOnlyWorksheet)
    with closing(rows):
        yield _Rows(rows, columns)
    book.save(stream)


class _Rows:
    """Text is text there, whatever it begins with; amounts too, since a sheet's numbers are not
    exact.
    """

    def __init__(self, sheet: WriteOnlyWorksheet, columns: tuple[str, ...]) -> None:
        self._sheet, self._rows, self._columns = sheet, 0, columns
        sheet.append(list(columns))

    def row(self, cells: list[Cell]) -> None:
        self._rows += 1
        if self._rows > ROWS_MAX:
            raise CannotWrite(f"a sheet has at most {ROWS_MAX:,} rows: write CSV or JSON lines")
        self._sheet.append(
            [self._cell(name, cell) for name, cell in zip(self._columns, cells, strict=True)]
        )

    def _cell(self, column: str, cell: Cell) -> object:
        if isinstance(cell, bool) or (isinstance(cell, int) and abs(cell) < 10**15):
            return cell
        text = escaped(as_text(cell))
        if not text:
            return None
        if len(text) > CELL_CHARS_MAX or _UNWRITABLE.search(text):
            raise CannotWrite(
                f"{column}: a cell of a sheet has at most {CELL_CHARS_MAX:,} characters, and none "
                "that controls: write CSV or JSON lines"
            )
        found = WriteOnlyCell(self._sheet, value=text)
        found.data_type = "s"
        return found
