"""Any file to a table: the reader is chosen by what the file is, not by what it is called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from holdfast.importing.json_lines import JsonLines
from holdfast.importing.tables import (
    BadRecord,
    FileKind,
    Record,
    Shape,
    Table,
    TableOptions,
    kind_of,
)


class AnyTable(Protocol):
    """Records, whatever they were written in."""

    kind: FileKind
    blank_lines: int

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record, in the order of the file; once more, and it is read anew.

        :raises UnreadableText: nothing of it may be used, or nothing of the rest.
        :raises UnreadableFile: it cannot be opened.
        """


def open_table(path: Path, shape: Shape, options: TableOptions) -> AnyTable:
    """A file as a table of that shape.

    :raises UnreadableFile: it cannot be opened, or is a list of JSON.
    """
    match kind_of(path):
        case FileKind.XLSX:
            # What workbooks need is large, and no other file needs it.
            from holdfast.importing.workbooks import Workbook

            return Workbook(path, shape, options)
        case FileKind.JSON_LINES:
            return JsonLines(path, shape, options)
        case FileKind.CSV:
            return Table(path, shape, options)
