"""Rows to files: CSV, JSON lines and workbooks, written as they come and read back as they were."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Protocol

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from holdfast.importing.tables import Cell, FileKind

ROWS_MAX = 1_048_575  # of a sheet, without the header
CELL_CHARS_MAX = 32_767  # of a sheet
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


class CannotWrite(Exception):
    """The file can't hold what is to be written; the message says what to do."""


class Writer(Protocol):
    """Takes rows, one by one."""

    def row(self, cells: list[Cell]) -> None:
        """Write a row.

        :raises CannotWrite: this kind of file can't hold it.
        """


@contextmanager
def writer(stream: BinaryIO, kind: FileKind, columns: tuple[str, ...]) -> Iterator[Writer]:
    """A writer of rows with these columns; the stream is whole when the block has ended."""
    match kind:
        case FileKind.CSV:
            text = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=False)
            yield _Csv(text, columns)
            text.flush()
            text.detach()
        case FileKind.JSON_LINES:
            text = TextIOWrapper(stream, encoding="utf-8", newline="\n")
            yield _JsonLines(text, columns)
            text.flush()
            text.detach()
        case FileKind.XLSX:
            book = Workbook(write_only=True)
            sheet = book.create_sheet()
            assert isinstance(sheet, WriteOnlyWorksheet)
            with closing(sheet):
                yield _Sheet(sheet, columns)
            book.save(stream)


class _Csv:
    def __init__(self, text: TextIOWrapper, columns: tuple[str, ...]) -> None:
        self._writer = csv.writer(text, lineterminator="\r\n")
        self._writer.writerow(columns)

    def row(self, cells: list[Cell]) -> None:
        self._writer.writerow([_harmless(cell) for cell in cells])


def _harmless(cell: Cell) -> str:
    """A cell as text; a spreadsheet takes no text for a formula, and our reader takes it back."""
    if isinstance(cell, str):
        return f"'{cell}" if _FORMULA.match(cell) else cell
    return _text(cell)


class _JsonLines:
    def __init__(self, text: TextIOWrapper, columns: tuple[str, ...]) -> None:
        self._text, self._columns = text, columns

    def row(self, cells: list[Cell]) -> None:
        plain = [cell if isinstance(cell, str | int | None) else _text(cell) for cell in cells]
        named = dict(zip(self._columns, plain, strict=True))
        self._text.write(json.dumps(named, ensure_ascii=False) + "\n")


class _Sheet:
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
        text = _text(cell)
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


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return cell.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case _:
            return str(cell)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there when the block has ended well, and else as it was before."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
