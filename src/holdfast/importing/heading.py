"""The first row of a file: how its columns are separated, and what they are called."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from holdfast.chassis.identifiers import is_unseen, named
from holdfast.importing.flaws import UnreadableText
from holdfast.importing.rows import BadRow, Lines, rows

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NAMES_TOLD_MAX = 30


class Heading(NamedTuple):
    """The names of the columns as they stand there, and where."""

    line: int
    separator: str
    names: tuple[str, ...]

    @property
    def where(self) -> str:
        """The row as it is told to people."""
        return f"line {self.line}, the header"

    @property
    def told(self) -> str:
        """What was found, for people who miss something."""
        some = listed_in_part(self.names) or "none"
        return f"found {some} (separated by {SEPARATORS[self.separator]})"

    def require_names(self) -> None:
        """Of columns that all can be told apart from nothing.

        :raises UnreadableText: one has no name.
        """
        if "" in self.names:
            raise UnreadableText(
                f"{self.where}: column {self.names.index('') + 1} has no name: name it or remove "
                f"it; {self.told}"
            )


def squeezed(name: str) -> str:
    """A name without what counts for nothing in it: letter case, spaces, "_" and "-"."""
    return "".join(name.casefold().split()).replace("_", "").replace("-", "")


def read_heading(lines: Lines, known: Callable[[Sequence[str]], int]) -> Heading:
    """Take the header, and a line such as `sep=;` that Excel may have put before it.

    :param known: how many of these names say something; the separator that finds most is the one.
    :raises UnreadableText: there is no header, or it cannot be taken apart.
    """
    text, declared = _first(lines), None
    text = text.strip('"') if text.casefold().startswith('"sep=') else text
    if text.casefold().startswith("sep=") and len(text) == len("sep=") + 1:
        declared = text[-1]
        if declared not in SEPARATORS:
            raise UnreadableText(
                f"line {lines.number}: it is separated by {named(declared)}, which is not read "
                f"here: separate the columns by {listed(SEPARATORS.values())}"
            )
        text = _first(lines)
    candidates = [declared] if declared else list(SEPARATORS)
    found = [(separator, _names(text, separator)) for separator in candidates]
    separator, names = max(found, key=lambda one: (known(one[1]), len(one[1])))
    if not names or (not known(names) and text.count('"') % 2):
        raise UnreadableText(f"line {lines.number}, the header, has a quote that is not closed")
    heading = Heading(lines.number, separator, tuple(names))
    for index, name in enumerate(names, 1):
        for character in name:
            if is_unseen(character):
                raise UnreadableText(
                    f"{heading.where}: column {index} has {named(character)}: remove it"
                )
    return heading


def listed_in_part(names: Sequence[str]) -> str:
    """Names as they are told to people; of very many the first."""
    more = len(names) - _NAMES_TOLD_MAX
    return listed(names[:_NAMES_TOLD_MAX]) + (f" and {more:,} more" if more > 0 else "")


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _first(lines: Lines) -> str:
    while (text := lines.next()) is not None:
        if text.strip():
            return text
    raise UnreadableText("there is nothing in it but blank lines")


def _names(text: str, separator: str) -> list[str]:
    """The names of the columns, were it the separator; none if the quotes say it is not."""
    (row,) = rows(Lines([text]), separator)
    if isinstance(row, BadRow) and '"' in text:
        return []
    names = [name.strip() for name in row.cells]
    while names and not names[-1]:  # separators at the end, as spreadsheets leave them
        names.pop()
    return names
