"""What can be wrong with a file of orders: a line, or the file as a whole."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """Something that a person has to look at, by line; `order` is empty if it can't be told."""

    line: int
    order: str
    problem: str


class Unintelligible(Exception):
    """A cell or a line says nothing that can be used; the problem is a sentence about it."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class UnreadableText(Exception):
    """Nothing of a file may be used; the problem is a sentence that also says what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class UnreadableFile(Exception):
    """The file as a whole is of no use.

    :param is_there: False if it could not even be opened.
    """

    def __init__(self, path: Path, problem: str, *, is_there: bool = True) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem, self.is_there = path, problem, is_there


def why(error: OSError) -> str:
    """What the system says of a file that it does not open, read or write, without a number."""
    return (error.strerror or str(error)).lower()


def quoted(text: str) -> str:
    """A cell as it is told to people: what is invisible is written out, what is long is cut."""
    return repr(text if len(text) <= 40 else text[:37] + "...")
