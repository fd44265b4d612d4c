"""Workbooks (XLSX) as tables: the first sheet, row by row, never the whole of it in memory."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from holdfast.importing.flaws import UnreadableText
from holdfast.importing.heading import listed
from holdfast.importing.tables import (
    BadRecord,
    Cell,
    FileKind,
    KnownColumns,
    Record,
    Shape,
    TableOptions,
)

# Texts of a workbook are kept beside its rows and read as a whole; a bomb would fill the memory.
TEXTS_BYTES_MAX = 256 * 1024 * 1024
_TEXTS = "xl/sharedStrings.xml"
_DAMAGED = (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, EOFError, SyntaxError)


class Workbook:
    """The records of the first sheet of a workbook; of a formula its last result is read."""

    kind = FileKind.XLSX

    def __init__(self, path: Path, shape: Shape, options: TableOptions) -> None:
        self._path, self._shape, self._options = path, shape, options
        self.blank_lines = 0

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record, in the order of the sheet; its line is the row's number.

        :raises UnreadableText: nothing of it may be used, or nothing of the rest.
        """
        self.blank_lines = 0
        try:
            yield from self._records()
        except _DAMAGED as error:
            raise UnreadableText(
                f"the workbook is damaged, or none ({type(error).__name__}: {error}): open it in a "
                "spreadsheet and save it again"
            ) from error

    def _records(self) -> Iterator[Record | BadRecord]:
        _require_bounds(self._path)
        with (
            self._path.open("rb") as stream,  # by its name openpyxl would look at what it ends in
            closing(load_workbook(stream, read_only=True, data_only=True)) as book,
        ):
            if not book.worksheets:
                raise UnreadableText("there is no sheet in it")
            sheet = book.worksheets[0]
            if len(book.worksheets) > 1:
                names = listed(repr(one.title) for one in book.worksheets)
                raise UnreadableText(
                    f"it has more than one sheet ({names}): keep the one to read, and save it"
                )
            sheet.reset_dimensions()  # some programs write wrong ones
            yield from self._rows(sheet.iter_rows(values_only=True))

    def _rows(self, rows: Iterator[Sequence[object]]) -> Iterator[Record | BadRecord]:
        columns: KnownColumns | None = None
        is_any = False
        for line, row in enumerate(rows, 1):
            values = list(row)
            while values and values[-1] in (None, ""):
                values.pop()
            if not values:
                self.blank_lines += columns is not None
            elif columns is None:
                names = ["" if value is None else str(value).strip() for value in values]
                columns = KnownColumns(self._shape, names, self._options, f"row {line}, the header")
            else:
                is_any = True
                yield _record(line, values, columns)
        if columns is None:
            raise UnreadableText("there is nothing in it but blank lines")
        if not is_any:
            raise UnreadableText("there is a header in it and no line below")


def _record(line: int, values: list[object], columns: KnownColumns) -> Record | BadRecord:
    width = len(columns.names)
    if len(values) > width:
        return BadRecord(
            line, f"it has {len(values)} columns instead of {width}: name the column or empty it"
        )
    values += [None] * (width - len(values))
    cells = zip(columns.names, map(_cell, values), strict=True)
    return Record(line, {name: cell for name, cell in cells if name is not None})


def _cell(value: object) -> Cell:
    """A value as the sheet means it: a whole number is one, whatever its format."""
    match value:
        case float():
            exact = Decimal(repr(value))
            return int(exact) if exact == exact.to_integral_value() else exact
        case datetime() if value.time() == time(0):
            return value.date()
        case None | str() | int() | date() | time():
            return value
        case _:
            return str(value)


def _require_bounds(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist()}
    if not any(name.startswith("xl/") for name in sizes):
        raise UnreadableText(
            "it is a zip archive and no workbook (xlsx): unpack it, or save the sheet as CSV"
        )
    if sizes.get(_TEXTS, 0) > TEXTS_BYTES_MAX:
        raise UnreadableText(
            f"its texts take {sizes[_TEXTS]:,} bytes, more than the {TEXTS_BYTES_MAX:,} that are "
            "read: save it as CSV"
        )
