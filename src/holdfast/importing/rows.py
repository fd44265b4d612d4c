"""Text to rows: separators, quotes and line ends as spreadsheets and programs write them.

A quote is one only at the front of a cell. It may go over several lines; one that is never closed
costs its own line, never the rest of the file.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

LINE_CHARS_MAX = 65_536
CELL_LINES_MAX = 100  # so far a closing quote is looked for, if nobody says more

_LINE_END = re.compile("\r\n|\n|\r")
BOM, NUL = "\ufeff", "\0"


class Row(NamedTuple):
    """The cells of one row. `texts`: its lines, where a quoted cell goes over more than one."""

    line: int
    cells: list[str]
    texts: tuple[str, ...] = ()


class BadRow(NamedTuple):
    """A line that is no row, with the cells that could be told before it went wrong."""

    line: int
    cells: list[str]
    problem: str


class Lines:
    """The lines of a text, with their numbers, whatever they end with."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._lines = _lines(pieces)
        self._given_back: deque[str] = deque()
        self.number = 0

    def next(self) -> str | None:
        """The next line, which has `number` from then on; None at the end."""
        text = self._given_back.popleft() if self._given_back else next(self._lines, None)
        self.number += text is not None
        return text

    def give_back(self, texts: Sequence[str]) -> None:
        """Lines that were taken last, to come again."""
        self._given_back.extendleft(reversed(texts))
        self.number -= len(texts)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Every line without its end; of one that is too long the beginning, one character too many."""
    rest = ""
    for piece in pieces:
        text = rest + piece
        ends_in_cr = text.endswith("\r")  # whose "\n" may come in the next piece
        if ends_in_cr:
            text = text[:-1]
        *whole, rest = _LINE_END.split(text) if "\r" in text else text.split("\n")
        for line in whole:
            yield line[: LINE_CHARS_MAX + 1]
        rest = rest[: LINE_CHARS_MAX + 1]
        if ends_in_cr:
            rest += "\r"
    ended = rest.endswith("\r")
    rest = rest.removesuffix("\r")
    if rest or ended:
        yield rest[: LINE_CHARS_MAX + 1]


def rows(
    lines: Lines,
    separator: str,
    is_whole: Callable[[str], bool] = lambda _text: False,
    *,
    cell_lines_max: int = CELL_LINES_MAX,
) -> Iterator[Row | BadRow]:
    """Every row.

    :param is_whole: whether a line within a quoted cell is a row of its own by the look of it, so
        that the quote must be a stray one.
    :param cell_lines_max: so far a closing quote is looked for.
    """
    while (text := lines.next()) is not None:
        number = lines.number
        if len(text) > LINE_CHARS_MAX:
            told = [] if '"' in text else text.split(separator)[:-1]
            yield BadRow(number, told, f"it is longer than {LINE_CHARS_MAX:,} characters")
        elif BOM in text or NUL in text:
            yield _with_oddity(number, text.split(separator))
        elif '"' in text:
            yield _quoted_row(lines, text, separator, is_whole, cell_lines_max)
        else:
            yield Row(number, text.split(separator))


def _with_oddity(number: int, cells: list[str]) -> BadRow:
    for column, cell in enumerate(cells, 1):
        if BOM in cell:
            what = f"a byte order mark (BOM, U+FEFF) stands in column {column}"
            return BadRow(number, cells, f"{what}: remove it; were two files joined?")
        if NUL in cell:
            what = f"a NUL (U+0000) stands in column {column}"
            return BadRow(number, cells, f"{what}: remove it, or save the file anew")
    raise AssertionError("it stands in one of them")


def _quoted_row(
    lines: Lines, text: str, separator: str, is_whole: Callable[[str], bool], lines_max: int
) -> Row | BadRow:
    number, texts = lines.number, [text]
    while True:
        try:
            cells = split("\n".join(texts), separator)
        except _Unclosed as error:
            if _take_up_to_a_quote(lines, texts, lines_max):
                continue
            return _stray(lines, number, texts, error.cells)
        except _Stray as error:
            if len(texts) > 1:
                return _stray(lines, number, texts, error.cells)
            return BadRow(number, error.cells, str(error))
        if len(texts) == 1:
            return Row(number, cells)
        first, *middle, last = map(is_whole, texts)
        if any(middle) or (first and last):  # one of both is, where the last or first cell has it
            return _stray(lines, number, texts, _cells_before_the_open_one(texts[0], separator))
        return Row(number, cells, tuple(texts))


def _take_up_to_a_quote(lines: Lines, texts: list[str], lines_max: int) -> bool:
    """Take lines up to one that may close the quote; False if none does within the bounds."""
    room = LINE_CHARS_MAX - sum(map(len, texts))
    while len(texts) < lines_max and (text := lines.next()) is not None:
        texts.append(text)
        room -= len(text)
        if room < 0 or BOM in text or NUL in text:
            return False
        if '"' in text:
            return True
    return False


def _stray(lines: Lines, number: int, texts: list[str], cells: list[str]) -> BadRow:
    lines.give_back(texts[1:])
    return BadRow(
        number,
        cells,
        f"a quote opens in column {len(cells) + 1} and is not closed: close it, or write it twice "
        'in a quoted cell ("12"" pipe")',
    )


def _cells_before_the_open_one(text: str, separator: str) -> list[str]:
    try:
        return split(text, separator)
    except _Unclosed as error:
        return error.cells


class _Unclosed(Exception):
    def __init__(self, cells: list[str]) -> None:
        super().__init__("a quote is not closed")
        self.cells = cells


class _Stray(Exception):
    def __init__(self, cells: list[str], after: str) -> None:
        super().__init__(
            f"column {len(cells) + 1} goes on with {after!r} after its closing quote: write a "
            'quote within a quoted cell twice ("12"" pipe")'
        )
        self.cells = cells


def split(text: str, separator: str) -> list[str]:
    """The cells of a row that has quotes. Spaces around a quoted cell count for nothing."""
    cells: list[str] = []
    at = 0
    while True:
        opening = _after_spaces(text, at)
        if text.startswith('"', opening):
            value, at = _quoted_cell(text, opening + 1, cells)
            at = _after_spaces(text, at)
            if at < len(text) and text[at] != separator:
                raise _Stray(cells, text[at])
            cells.append(value)
        else:
            end = text.find(separator, at)
            end = len(text) if end < 0 else end
            cells.append(text[at:end])
            at = end
        if at >= len(text):
            return cells
        at += 1


def _quoted_cell(text: str, at: int, cells: list[str]) -> tuple[str, int]:
    parts = []
    while True:
        closing = text.find('"', at)
        if closing < 0:
            raise _Unclosed(cells)
        parts.append(text[at:closing])
        at = closing + 1
        if not text.startswith('"', at):
            return "".join(parts), at
        parts.append('"')
        at += 1


def _after_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at
