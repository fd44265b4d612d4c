"""Workbooks (XLSX) as tables: the first sheet, row by row, never the whole of it in memory."""

import lzma
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._reader import DATA_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.functions import iterparse

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

# Texts and styles are kept beside the rows, and a row is read as a whole: a bomb in one of them
# would fill the memory.
PART_BYTES_MAX = 256 * 1024 * 1024
ROW_BYTES_MAX = 4 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_ROW = re.compile(rb"</?(?:[A-Za-z0-9]+:)?row\b")
_BOOK_BYTES_MAX = 4 * 1024 * 1024
_SHEETS, _BOOK = "xl/worksheets/", "xl/workbook.xml"
# openpyxl takes it for true where nothing is said of it.
_COMPUTES_ON_LOAD = re.compile(rb"""\bfullCalcOnLoad\s*=\s*["'](1|true)["']""")
_STRICT = b"http://purl.oclc.org/ooxml/"  # the names of ISO's strict form, which openpyxl ignores
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, InvalidFileException),
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError),
)
# How a workbook writes characters that its XML can't, or would change, such as _x000D_ (ISO 29500).
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_LIKE_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# What a spreadsheet shows and compares: of 3 * 4.1 it keeps 12.299999999999999, and means 12.3.
_DIGITS = 15
_NOT_COMPUTED = "a formula whose result is not in the file: open it in a spreadsheet and save it"

# What openpyxl leaves out or finds odd is told by line here, or means nothing.
warnings.filterwarnings("ignore", module="openpyxl")


class _Spoilt(NamedTuple):
    """What stands in place of a value that nobody can know, to be told behind the column."""

    problem: str


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
        on_load = _computes_on_load(self._path)
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
            yield from self._rows(_rows_of(book, sheet, computes_on_load=on_load))

    def _rows(self, rows: Iterator[tuple[int, list[object]]]) -> Iterator[Record | BadRecord]:
        columns: KnownColumns | None = None
        is_any, before = False, 0
        for line, values in rows:
            if columns is not None:
                self.blank_lines += max(line - before - 1, 0)  # rows that are left out in the file
            before = line
            while values and values[-1] in (None, ""):
                values.pop()
            if not values:
                self.blank_lines += columns is not None
            elif columns is None:
                names = [_name(value) for value in values]
                columns = KnownColumns(self._shape, names, self._options, f"row {line}, the header")
            else:
                is_any = True
                yield _record(line, values, columns, self._shape.told)
        if columns is None:
            raise UnreadableText("there is nothing in it but blank lines")
        if not is_any:
            raise UnreadableText("there is a header in it and no line below")


class _Parser(WorkSheetParser):
    """Cells with their values, but for those whose value nobody can know."""

    # Who wrote the workbook has computed nothing, and left it to whoever opens it.
    computes_on_load = False

    def parse(self) -> Generator[Any, None, None]:
        """The rows and nothing else of the sheet, none of which is kept."""
        sheet: Any = None
        for event, element in iterparse(self.source, ("start", "end")):
            if event == "start":
                sheet = element if element.tag == DATA_TAG else sheet
            elif element.tag == ROW_TAG and sheet is not None:
                yield self.parse_row(element)
                sheet.clear()
                self.row_dimensions.clear()
            elif element is sheet:
                return

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """A cell as openpyxl knows it."""
        cell: dict[str, Any] = super().parse_cell(element)
        is_text = element.get("t") == "str"  # of which a result may be empty
        has_result = cell["value"] is not None or is_text
        if cell["data_type"] == "e":
            cell["value"] = _Spoilt(f"{cell['value']}, what a spreadsheet writes where it failed")
        elif element.find(FORMULA_TAG) is not None and (self.computes_on_load or not has_result):
            cell["value"] = _Spoilt(_NOT_COMPUTED)
        return cell


class _OfShortRows:
    """The text of a sheet, as far as none of its rows is too long to be kept."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._bytes = source, 0

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self._bytes = 0 if _ROW.search(piece) else self._bytes + len(piece)
        if self._bytes > ROW_BYTES_MAX:
            raise UnreadableText(
                f"one of its rows takes more than the {ROW_BYTES_MAX:,} bytes that are read: save "
                "it as CSV"
            )
        return piece

    def pass_over_the_rest(self) -> None:
        """Read on to the end, where its checksum is compared; behind the rows nothing is wanted."""
        while self._source.read(_PIECE_BYTES):
            pass


def _rows_of(
    book: Any, sheet: Any, *, computes_on_load: bool
) -> Iterator[tuple[int, list[object]]]:
    """The rows that the sheet has, with their numbers."""
    with sheet._get_source() as source:  # noqa: SLF001  # openpyxl's own reader hides formulas
        text = _OfShortRows(source)
        parser = _Parser(
            text,
            sheet._shared_strings,  # noqa: SLF001
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,  # noqa: SLF001
            timedelta_formats=book._timedelta_formats,  # noqa: SLF001
        )
        parser.computes_on_load = computes_on_load
        for line, cells in parser.parse():
            values: list[object] = []
            for cell in cells:
                values += [None] * (cell["column"] - len(values))
                values[cell["column"] - 1] = cell["value"]
            yield line, values
        text.pass_over_the_rest()


def _name(value: object) -> str:
    if isinstance(value, _Spoilt):
        return value.problem
    return "" if value is None else unescaped(str(value)).strip()


def _record(
    line: int, values: list[object], columns: KnownColumns, told: Sequence[str]
) -> Record | BadRecord:
    if again := columns.again_in(line, values):
        return again
    width = len(columns.names)
    if len(values) > width:
        return BadRecord(
            line, f"it has {len(values)} columns instead of {width}: name the column or empty it"
        )
    for number, (name, value) in enumerate(zip(columns.names, values, strict=False), 1):
        if isinstance(value, _Spoilt) and name is not None and name not in told:
            return BadRecord(line, f"column {number} ({name}) has {value.problem}")
    values += [None] * (width - len(values))
    cells = zip(columns.names, map(_cell, values), strict=True)
    return Record(line, {name: cell for name, cell in cells if name is not None})


def _cell(value: object) -> Cell:
    """A value as the sheet means it: a whole number is one, whatever its format."""
    match value:
        case float():
            exact = Decimal(repr(value))
            if not _is_whole(exact):
                exact = Decimal(f"{value:.{_DIGITS}g}")
            return int(exact) if _is_whole(exact) else exact
        case datetime() if value.time() == time(0):
            return value.date()
        case str():
            return unescaped(value)
        case None | int() | date() | time():
            return value
        case _:
            return str(value)


def _is_whole(exact: Decimal) -> bool:
    return exact.is_finite() and exact == exact.to_integral_value()


def unescaped(text: str) -> str:
    """The text that the cell of a workbook stands for."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def escaped(text: str) -> str:
    """A text as a workbook has it, so that it is read as it was."""
    return _LIKE_ESCAPED.sub("_x005F_", text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code < 0xE000 else chr(code)  # half of one is none


def _computes_on_load(path: Path) -> bool:
    """Whether the results of its formulas are none yet, and to be computed by who opens it.

    :raises UnreadableText: it is no workbook, one of another form, or too large to be read.
    """
    with zipfile.ZipFile(path) as archive:
        _require_bounds({one.filename: one.file_size for one in archive.infolist()})
        with archive.open(_BOOK) as stream:
            book = stream.read(_BOOK_BYTES_MAX)
    if _STRICT in book:
        raise UnreadableText(
            'it is a "Strict Open XML Spreadsheet", which is not read here: save it as "Excel '
            'Workbook" (xlsx)'
        )
    return bool(_COMPUTES_ON_LOAD.search(book))


def _require_bounds(sizes: Mapping[str, int]) -> None:
    if not any(name.startswith("xl/") for name in sizes):
        raise UnreadableText(
            "it is a zip archive and no workbook (xlsx): unpack it, or save the sheet as CSV"
        )
    for name, size in sizes.items():
        is_kept = name.endswith((".xml", ".rels")) and not name.startswith(_SHEETS)
        if is_kept and size > PART_BYTES_MAX:
            raise UnreadableText(
                f"its part {name} takes {size:,} bytes, more than the {PART_BYTES_MAX:,} that are "
                "read: save it as CSV"
            )
