"""Files as tables, whatever they are made of: records with the cells of the columns we know.

What is wrong with a line harms no other; what is wrong with the file is told before any line.
"""

import codecs
import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from holdfast.importing.encodings import ZIP, Encoding, TextOfFile, opened
from holdfast.importing.flaws import UnreadableFile, UnreadableText, quoted
from holdfast.importing.heading import listed, listed_in_part, read_heading, squeezed
from holdfast.importing.rows import BOM, LINE_CHARS_MAX, BadRow, Lines, Row, rows

# A cell of a text file is text; workbooks and JSON also know numbers, days and truth.
Cell = str | int | Decimal | bool | date | time | None

_HEAD_BYTES = 512
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


class FileKind(StrEnum):
    """What a table is written in."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    XLSX = "xlsx"


class Record(NamedTuple):
    """A line of the file, by the names of the columns that are known; all it has, or some."""

    line: int
    cells: Mapping[str, Cell]


class BadRecord(NamedTuple):
    """A line that is none: what is wrong, and what to do."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns that a table may have.

    :param names: in plain snake case, in the order in which they are written.
    :param required: those without which a file says nothing.
    :param told: those that are written for people to read, and mean nothing when read again.
    """

    names: tuple[str, ...]
    required: tuple[str, ...]
    told: tuple[str, ...] = ()

    def named(self, name: str) -> str | None:
        """A column by its name, where letter case, spaces and "-" count for nothing."""
        wanted = squeezed(name)
        return next((one for one in self.names + self.told if squeezed(one) == wanted), None)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How to read a file.

    :param encoding: what its bytes mean; None: UTF-8, or what a byte order mark says.
    :param ignore_unknown: leave columns out that nobody knows, instead of refusing the file.
    """

    encoding: Encoding | None = None
    ignore_unknown: bool = False


class KnownColumns:
    """The columns of a file, each with its name in the shape; None: left out."""

    def __init__(
        self, shape: Shape, names: Sequence[str], options: TableOptions, where: str
    ) -> None:
        """Tell which column is which.

        :raises UnreadableText: one is unknown or there twice, or one that is needed lacks.
        """
        self._where = where
        self._said = [squeezed(name) for name in names]
        self._known = {*self._said, *map(squeezed, shape.names + shape.told)}
        self._required = {squeezed(name) for name in shape.required}
        self.names = [shape.named(name) for name in names]
        self.ignored = [name for name, known in zip(names, self.names, strict=True) if not known]
        if "" in names and not options.ignore_unknown:
            raise UnreadableText(
                f"{where}: column {names.index('') + 1} has no name: name it or remove it; found "
                f"{listed_in_part(names)}"
            )
        if self.ignored and not options.ignore_unknown:
            raise UnreadableText(
                f"{where}: nobody knows {listed_in_part([*map(quoted, self.ignored)])}: rename or "
                f"remove it, or leave it out by --ignore-unknown; known are {listed(shape.names)}"
            )
        seen: dict[str, int] = {}
        for index, name in enumerate(self.names):
            if name is None:
                continue
            if name in seen:
                raise UnreadableText(
                    f"{where}: columns {seen[name] + 1} and {index + 1} are both {name}: rename "
                    "or remove one"
                )
            seen[name] = index
        if missing := [name for name in shape.required if name not in seen]:
            raise UnreadableText(
                f"{where}: it lacks {listed(missing)}; found "
                f"{listed_in_part([*map(quoted, names)])}; known are {listed(shape.names)}"
            )

    def again_in(self, line: int, cells: Sequence[object]) -> BadRecord | None:
        """What a line is that says the names of columns, in whatever spelling; None: none.

        :raises UnreadableText: it has other columns, so what stands behind it means something else.
        """
        first = next((cell for cell in cells if cell not in (None, "")), "")
        if _name(first) not in self._known:
            return None
        said = [_name(cell) for cell in cells]
        while said and not said[-1]:
            said.pop()
        if said == self._said:
            problem = "the header stands here again: remove it"
            if any(BOM in str(cell) for cell in cells):
                problem = "the header stands here again, behind a byte order mark: two files were"
                problem += " joined; remove the line"
            return BadRecord(line, problem)
        if self._required <= set(said) <= self._known:
            raise UnreadableText(
                f"line {line:,} is a header with other columns than {self._where}: two files were "
                "joined; nothing behind it is used: split it"
            )
        return None


def _name(cell: object) -> str:
    """What a cell would be called as a column."""
    return squeezed(str("" if cell is None else cell).replace(BOM, ""))


class Table:
    """The records of a file of text with separators, read by little memory."""

    kind = FileKind.CSV

    def __init__(self, path: Path, shape: Shape, options: TableOptions) -> None:
        self._path, self._shape, self._options = path, shape, options
        self.blank_lines = 0

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record, in the order of the file.

        :raises UnreadableText: nothing of it may be used, or nothing of the rest.
        """
        self.blank_lines = 0
        lines = Lines(TextOfFile(self._path, self._options.encoding).pieces())
        heading = read_heading(lines, self._known)
        columns = KnownColumns(self._shape, heading.names, self._options, heading.where)
        is_any = False
        for row in rows(lines, heading.separator, cell_lines_max=LINE_CHARS_MAX):
            if isinstance(row, Row) and not any(map(str.strip, row.cells)):
                self.blank_lines += 1
                continue
            is_any = True
            yield _record(row, lines, columns)
        if not is_any:
            raise UnreadableText("there is a header in it and no line below")

    def _known(self, names: Sequence[str]) -> int:
        return sum(self._shape.named(name) is not None for name in names)


def _record(row: Row | BadRow, lines: Lines, columns: KnownColumns) -> Record | BadRecord:
    if again := columns.again_in(row.line, row.cells):
        return again
    if isinstance(row, BadRow):
        return BadRecord(row.line, row.problem)
    cells, width = row.cells, len(columns.names)
    if len(cells) > width and not any(map(str.strip, cells[width:])):
        del cells[width:]
    if len(cells) != width:
        if row.texts:  # the quote may be a stray one: what it took in is read line by line
            lines.give_back(row.texts[1:])
        more = "a cell with a separator or a line break in it must stand in quotes"
        fewer = "the line is cut off, or a line break stands in a cell without quotes"
        cause = more if len(cells) > width else fewer
        return BadRecord(row.line, f"it has {len(cells)} columns instead of {width}: {cause}")
    named = zip(columns.names, map(_unescaped, cells), strict=True)
    return Record(row.line, {name: cell for name, cell in named if name is not None})


def _unescaped(cell: str) -> str:
    """A cell as it was before it was made harmless for spreadsheets."""
    return cell[1:] if cell.startswith("'") and _ESCAPED.match(cell) else cell


def kind_of(path: Path) -> FileKind:
    """What a file is by its first bytes, whatever it is called.

    :raises UnreadableFile: it cannot be opened, is damaged, or is a list of JSON.
    """
    with opened(path) as stream:
        head, is_packed = stream.read(_HEAD_BYTES), isinstance(stream, gzip.GzipFile)
    if head.startswith(ZIP) and is_packed:
        told = "it is a workbook or a zip archive, packed once more with gzip: unpack it once"
        raise UnreadableFile(path, told)
    if head.startswith(ZIP):
        return FileKind.XLSX
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        head = head.removeprefix(mark)
    text = head.replace(b"\0", b"").lstrip()  # also of UTF-16
    if text.startswith(b"["):
        raise UnreadableFile(path, "it is one list of JSON: write one object a line (JSON lines)")
    return FileKind.JSON_LINES if text.startswith(b"{") else FileKind.CSV
