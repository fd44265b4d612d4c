"""What every kind of import has: columns, lines read as items, and what is to be done with them."""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

from holdfast.client import HoldfastError, InvalidRequest, NotFound, Resource, ShortOfStock
from holdfast.exchange.line_index import LineIndex
from holdfast.exchange.patience import in_parallel
from holdfast.exchange.values import LineProblem, ValueOptions, Values
from holdfast.importing.tables import BadRecord, Record, Shape

CALLERS = 32  # for what has no call for many
_OF_A_PART = re.compile(r"^(product|customer|lines\[\d+\])\.")  # that has columns of its own

Item = TypeVar("Item")
Records = Iterator[Record | BadRecord]


@dataclass(frozen=True, slots=True, order=True)
class LineNote:
    """Something that a person has to look at: where, and what to do; no column: the line."""

    line: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class Entry(Generic[Item]):
    """What some lines of a file say, mostly one: an item, or None and what is wrong with it.

    :param last_line: the last of its lines; `line` is the first.
    :param is_superseded: a later line says it anew: there is no item, and nothing is wrong.
    """

    line: int
    last_line: int
    item: Item | None
    problems: Sequence[LineNote] = ()
    warnings: Sequence[LineNote] = ()
    lines: int = 1
    is_superseded: bool = False


class Outcome(StrEnum):
    """What becomes of an item, or would."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class DoneBefore:
    """An earlier request with the same id did it, and it may have changed since."""


Problem = HoldfastError | LineProblem


@dataclass(frozen=True, slots=True)
class Plan(Generic[Item]):
    """What is to be done with an item, in sight of what is there; or why nothing can be."""

    item: Item
    outcome: Outcome = Outcome.UNCHANGED
    problem: Problem | None = None
    there: object = field(default=None, repr=False)


class Kind(Protocol[Item]):
    """One kind of thing to import. What it does may be repeated, as often as it takes."""

    name: ClassVar[str]
    shape: ClassVar[Shape]
    columns: ClassVar[Mapping[str, str]]  # by the services' fields, where they have other names

    def look_over(self, records: Records, index: LineIndex) -> Iterator[int]:
        """Go through the whole file before anything is done, for what only all its lines tell.

        :return: how many lines it has gone through, now and then.
        """

    def entries(
        self, records: Records, options: ValueOptions, index: LineIndex
    ) -> Iterator[Entry[Item]]:
        """What the lines say; nothing is asked of a service.

        :param index: what was found when all of them were looked over.
        """

    def key(self, item: Item) -> Hashable:
        """What it is about: items of one key are taken in one after the other."""

    async def plan(self, items: Sequence[Item]) -> Sequence[Plan[Item]]:
        """What is to be done with each, in their order; nothing is changed.

        :raises HoldfastError: what is there could not be read.
        """

    async def carry_out(self, plans: Sequence[Plan[Item]]) -> Sequence[Problem | DoneBefore | None]:
        """Do it; for each an error or nothing, in their order.

        :raises HoldfastError: it failed as a whole; whether some were done is unknown.
        """


def one_by_one(
    records: Records, options: ValueOptions, read: Callable[[Values], Item]
) -> Iterator[Entry[Item]]:
    """Entries of files in which every line stands for itself."""
    for record in records:
        if isinstance(record, BadRecord):
            note = LineNote(record.line, "", record.problem)
            yield Entry(record.line, record.line, None, [note])
            continue
        values = Values(record, options)
        item, problems = read_soundly(values, read)
        warnings = [LineNote(record.line, *warning) for warning in values.warnings]
        yield Entry(record.line, record.line, item, problems, warnings)


def read_soundly(
    values: Values, read: Callable[[Values], Item]
) -> tuple[Item | None, list[LineNote]]:
    """What a line says, if nothing is wrong with any of its values."""
    item = read(values)
    try:
        values.require_sound()
    except LineProblem as error:
        return None, notes_of(error, values.line)
    return item, []


def notes_of(
    problem: Problem, line: int, columns: Mapping[str, str] | None = None
) -> list[LineNote]:
    """A problem as it is told to people.

    :param columns: names of columns by fields of the services, where they differ.
    """
    match problem:
        case LineProblem():
            return [LineNote(line, column, told) for column, told in problem.problems]
        case InvalidRequest(violations=[_, *_]):
            return [
                LineNote(line, _column(one.field, columns or {}), one.description)
                for one in problem.violations
            ]
        case ShortOfStock(shortages=[_, *_]):
            return [
                LineNote(
                    line,
                    "quantity",
                    f"short of {one.product_id}: wanted {one.wanted:,}, "
                    f"available {one.available:,}",
                )
                for one in problem.shortages
            ]
        case NotFound(resources=[Resource(type="product"), *_]):
            cure = "import or make the product first"
            return [LineNote(line, "product_id", f"{problem.message}: {cure}")]
        case NotFound(resources=[Resource(type="location"), *_]):
            cure = "see holdfast location list"
            return [LineNote(line, "location_id", f"{problem.message}: {cure}")]
        case _:
            return [LineNote(line, "", str(problem))]


def _column(field_name: str, columns: Mapping[str, str]) -> str:
    bare = _OF_A_PART.sub("", field_name)
    return columns.get(field_name, columns.get(bare, bare))


def alike(said: object, there: object) -> bool:
    """Whether two values are the same, but for how their lines end: files can't keep that."""
    if isinstance(said, str) and isinstance(there, str):
        return said == there or _folded(said) == _folded(there)
    return said == there


def _folded(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


async def each_alone(
    plans: Sequence[Plan[Item]], work: Callable[[Plan[Item]], Awaitable[None]]
) -> list[Problem | DoneBefore | None]:
    """Carry out each plan by a call of its own, some at a time; their errors in their order."""
    found: list[Problem | DoneBefore | None] = [None] * len(plans)

    async def one(numbered: tuple[int, Plan[Item]]) -> None:
        number, plan = numbered
        try:
            await work(plan)
        except HoldfastError as error:
            found[number] = error

    await in_parallel(CALLERS, enumerate(plans), one)
    return found
