"""Files of JSON lines as tables: an object a line, its members the cells."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from holdfast.importing.encodings import TextOfFile
from holdfast.importing.flaws import quoted
from holdfast.importing.heading import listed
from holdfast.importing.locales import DIGITS_MAX, is_of_few_digits
from holdfast.importing.rows import LINE_CHARS_MAX, Lines
from holdfast.importing.tables import (
    BadRecord,
    Cell,
    FileKind,
    Record,
    Shape,
    TableOptions,
)


class JsonLines:
    """The records of a file of JSON lines; a member that is null says nothing."""

    kind = FileKind.JSON_LINES

    def __init__(self, path: Path, shape: Shape, options: TableOptions) -> None:
        self._path, self._shape, self._options = path, shape, options
        self.blank_lines = 0

    def records(self) -> Iterator[Record | BadRecord]:
        """Every record, in the order of the file.

        :raises UnreadableText: nothing of the rest may be used.
        """
        self.blank_lines = 0
        lines = Lines(TextOfFile(self._path, self._options.encoding, is_json=True).pieces())
        while (text := lines.next()) is not None:
            if not text.strip():
                self.blank_lines += 1
            elif len(text) > LINE_CHARS_MAX:
                problem = f"it is longer than {LINE_CHARS_MAX:,} characters"
                yield BadRecord(lines.number, problem)
            else:
                yield self._record(lines.number, text)

    def _record(self, line: int, text: str) -> Record | BadRecord:
        try:
            found = json.loads(
                text,
                parse_float=_number,
                parse_int=_number,
                parse_constant=_refuse,
                object_pairs_hook=_members,
            )
        except (ValueError, RecursionError) as error:
            return BadRecord(line, f"it is no JSON ({error}): write an object a line")
        if not isinstance(found, dict):
            return BadRecord(line, "it is no object: write one a line, such as {...}")
        cells: dict[str, Cell] = {}
        for name, value in found.items():
            known = self._shape.named(name)
            if known is None and not self._options.ignore_unknown:
                return BadRecord(
                    line,
                    f"nobody knows {quoted(name)}: rename or remove it, or leave it out by "
                    f"--ignore-unknown; known are {listed(self._shape.names)}",
                )
            if known in cells:
                return BadRecord(line, f"{known} stands there twice: remove one")
            if isinstance(value, dict | list):
                return BadRecord(line, f"{name} is no plain value: write text or a number")
            if isinstance(value, Decimal) and not is_of_few_digits(value):
                told = "is a number that is too large, or too fine: write text if it is a code"
                return BadRecord(line, f"{name} {told}")
            if known is not None:
                cells[known] = value
        missing = [name for name in self._shape.required if name not in cells]
        if missing:
            return BadRecord(line, f"it lacks {listed(missing)}")
        return Record(line, cells)


def _members(pairs: list[tuple[str, Cell]]) -> dict[str, Cell]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands there twice")
    return members


def _number(text: str) -> int | Decimal:
    """A number; one of a few signs may mean a million digits, and it stays short."""
    if len(text) <= DIGITS_MAX and text.lstrip("-").isdecimal():
        return int(text)
    try:
        return Decimal(text)
    except InvalidOperation:  # not even its exponent is one
        return Decimal("Infinity")


def _refuse(constant: str) -> Cell:
    raise ValueError(f"{constant} is no value")
