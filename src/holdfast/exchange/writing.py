"""Rows to files, written as they come and read back as they were; the file whole or not at all."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Protocol

from holdfast.importing.flaws import why
from holdfast.importing.tables import Cell, FileKind

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


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
            with _as_text_stream(stream) as text:
                yield _Csv(text, columns)
        case FileKind.JSON_LINES:
            with _as_text_stream(stream) as text:
                yield _JsonLines(text, columns)
        case FileKind.XLSX:
            # What workbooks need is large, and no other file needs it.
            from holdfast.exchange.sheets import sheet

            with sheet(stream, columns) as out:
                yield out


@contextmanager
def _as_text_stream(stream: BinaryIO) -> Iterator[TextIOWrapper]:
    text = TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()  # who has opened the stream closes it


class _Csv:
    def __init__(self, text: TextIOWrapper, columns: tuple[str, ...]) -> None:
        self._writer = csv.writer(text, lineterminator="\r\n")
        self._writer.writerow(columns)

    def row(self, cells: list[Cell]) -> None:
        self._writer.writerow([_harmless(cell) for cell in cells])


def _harmless(cell: Cell) -> str:
    """A cell as text; a spreadsheet takes no text for a formula, and our reader takes it back."""
    if isinstance(cell, str):
        text = cell.replace("\r\n", "\n").replace("\r", "\n")  # as it is read, whoever reads it
        return f"'{text}" if _FORMULA.match(text) else text
    return as_text(cell)


class _JsonLines:
    def __init__(self, text: TextIOWrapper, columns: tuple[str, ...]) -> None:
        self._text, self._columns = text, columns

    def row(self, cells: list[Cell]) -> None:
        plain = [cell if isinstance(cell, str | int | None) else as_text(cell) for cell in cells]
        named = dict(zip(self._columns, plain, strict=True))
        self._text.write(json.dumps(named, ensure_ascii=False) + "\n")


def as_text(cell: Cell) -> str:
    """A cell as files of text have it: times in UTC, numbers without an exponent."""
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
    """A file that is there when the block has ended well, and else as it was before.

    :raises CannotWrite: nothing can be written there.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        raise CannotWrite(f"{path}: {why(error)}") from error
    finally:
        part.unlink(missing_ok=True)
