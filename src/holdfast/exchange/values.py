"""What the cells of a line say: values by the services' own rules, or problems with their columns.

A column that is not there is None: what is there stays as it is. So is an empty cell, but where
text is asked for: it may be empty.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from holdfast.chassis.identifiers import flaw_in
from holdfast.chassis.validation import ID_CHARACTERS_MAX, Violations
from holdfast.client import Money
from holdfast.importing.dates import DateOrder, moment
from holdfast.importing.flaws import Unintelligible, quoted
from holdfast.importing.identities import lost_in, rewritten
from holdfast.importing.locales import Locale, is_of_few_digits, manner_of, number
from holdfast.importing.numbers import decimals_of, one_or_thousands
from holdfast.importing.tables import Cell, Record

E = TypeVar("E", bound=StrEnum)

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """How the values of a file are written.

    :param locale: of its numbers and dates; None: 1234.56 and 2026-03-31.
    :param dates: what a date begins with; None: what the locale says, or nothing.
    :param currency: of prices that stand beside no column of currencies (ISO 4217).
    """

    locale: Locale | None = None
    dates: DateOrder | None = None
    currency: str = "GBP"


class LineProblem(Exception):
    """A line can't be used: everything that is wrong with it, by column."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{column}: {problem}" for column, problem in problems))
        self.problems = problems


class Values:
    """The values of one line; what is wrong is gathered, and raised in the end."""

    def __init__(self, record: Record, options: ValueOptions) -> None:
        self.line, self._cells, self._options = record.line, record.cells, options
        self._problems = Violations()
        self.warnings: list[tuple[str, str]] = []

    def has(self, column: str) -> bool:
        """Whether the file has this column."""
        return column in self._cells

    def require_sound(self) -> None:
        """Of everything that was read so far.

        :raises LineProblem: something is wrong with it.
        """
        if self._problems:
            raise LineProblem(self._problems.refusal().violations)

    def add(self, column: str, problem: str) -> None:
        """Something is wrong that only who reads the line as a whole can see."""
        self._problems.add(column, problem)

    def warn(self, column: str, problem: str) -> None:
        """Something is read as it stands there, and a person should look at it."""
        self.warnings.append((column, problem))

    def require(self, column: str) -> None:
        """A cell that must say something, and has said nothing; what is wrong stands already."""
        if self._cells.get(column) is None or not as_text(self._cells[column]).strip():
            self.add(column, "is missing")

    def code(self, column: str, *, characters_max: int = ID_CHARACTERS_MAX) -> str:
        """An id that must be there: exactly as typed, but for spaces around it."""
        value = self._code(column)
        return self._problems.id(column, value, characters_max=characters_max)

    def optional_code(self, column: str, *, characters_max: int = ID_CHARACTERS_MAX) -> str | None:
        """An id that may be missing or empty."""
        if not self.has(column):
            return None
        value = self._code(column)
        return self._problems.optional_id(column, value, characters_max=characters_max)

    def text(self, column: str, *, characters_max: int) -> str | None:
        """Free text, which may be empty."""
        value = self._text(column)
        if value is None:
            return None
        return self._problems.text(column, value, characters_max=characters_max)

    def email(self, column: str, *, characters_max: int) -> str | None:
        """An e-mail address, which may be empty."""
        value = self._text(column)
        if value is None:
            return None
        return self._problems.email(column, value, characters_max=characters_max)

    def whole(self, column: str, *, lowest: int, highest: int) -> int | None:
        """A whole number; 6.0 is 6, nothing is rounded, and 1.000 is no 1 where it may be 1000."""
        exact = self._number(column)
        if exact is None:
            return None
        if exact != exact.to_integral_value():
            cure = "write a whole number"
            if self._options.locale is None:
                cure += ", or say by --locale how the file is written if the point marks thousands"
            self.add(column, f"is {quoted(str(self._cells[column]))}, which is not whole: {cure}")
            return None
        if two_meanings := self._two_meanings(column):
            self.add(column, two_meanings)
            return None
        return self._problems.within(column, int(exact), lowest=lowest, highest=highest)

    def money(self, column: str) -> Money | None:
        """An amount of 0 or more in the currency of the line; 12.500 is 12.50 with a warning."""
        exact = self._number(column)
        currency = self.optional_code("currency") or self._options.currency
        if exact is None:
            return None
        try:
            found = Money.parse(f"{exact:f}", currency)
        except ValueError as error:
            self.add(column, f"{error}; nothing is rounded here: write an amount that can be paid")
            return None
        if found.minor < 0:
            self.add(column, f"is {found}; it must be 0 or more")
        elif decimals_of(currency) < 3 and (two_meanings := self._two_meanings(column)):
            self.warn(column, f"{two_meanings}; it is read as {found}")
        return found

    def currency(self) -> str:
        """What the line names as its currency, if it does; it is checked with the amount."""
        return as_text(self._cells.get("currency")).strip(" ")

    def told(self, column: str) -> str:
        """A word that stands there for people to read, in capital letters; empty: none."""
        text = as_text(self._cells.get(column))
        return "_".join(text.replace("-", " ").replace("_", " ").split()).upper()

    def flag(self, column: str) -> bool | None:
        """Yes or no."""
        cell = self._cells.get(column)
        if cell in (None, ""):
            return None
        found = _TRUTH.get(str(cell).strip().casefold())
        if found is None:
            self.add(column, f"is {quoted(str(cell))}: write true or false")
        return found

    def choice(self, column: str, kind: type[E]) -> E | None:
        """One of few words, whatever their letter case."""
        text = as_text(self._cells.get(column)).strip().upper().replace("-", "_")
        if not text:
            return None
        known = [one for one in kind if one != "UNKNOWN"]
        found = next((one for one in known if one == text), None)
        if found is None:
            self.add(column, f"is {quoted(text)}, which is none of {', '.join(known)}")
        return found

    def day(self, column: str) -> date | None:
        """A day; 04/01/2011 only where somebody has said what comes first."""
        cell = self._cells.get(column)
        if isinstance(cell, datetime | date):
            return cell.date() if isinstance(cell, datetime) else cell
        text = as_text(cell).strip()
        if not text:
            return None
        order = self._options.dates or manner_of(self._options.locale).dates
        try:
            found = moment(text, order).date()
        except Unintelligible as error:
            self.add(column, error.problem)
            return None
        typed = _DAY.match(text)
        if typed and typed[0] != found.isoformat():
            told = f"is {quoted(text)}, which in UTC is {found}: write the day alone"
            self.add(column, told)
        return found

    def _text(self, column: str) -> str | None:
        if not self.has(column):
            return None
        cell = self._cells[column]
        value = as_text(cell)
        if value and not isinstance(cell, str):
            self.warn(column, f"{quoted(value)} {_no_text(cell)}: format the column as text")
        elif lost := lost_in(value):
            self.warn(column, f"{quoted(value)} {lost}; it is kept as it stands there")
        return value

    def _code(self, column: str) -> str:
        cell = self._cells.get(column)
        text = as_text(cell).strip(" ")
        if text and not isinstance(cell, str):
            self.warn(column, f"{quoted(text)} {_no_text(cell)}: format the column as text")
        elif text and (flaw := rewritten(text)):
            self.warn(column, f"{quoted(text)} {flaw}; it is kept as it stands there")
        return text

    def _two_meanings(self, column: str) -> str | None:
        """What a number that is text may mean, where nobody has said how it is written."""
        cell = self._cells.get(column)
        if not isinstance(cell, str) or self._options.locale is not None:
            return None
        told = one_or_thousands(cell.strip(" "))
        cure = "or say by --locale how the file is written"
        return told and f"is {quoted(cell)}, which {told}, {cure}"

    def _number(self, column: str) -> Decimal | None:
        cell = self._cells.get(column)
        if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
            exact = Decimal(cell)
            if is_of_few_digits(exact):
                return exact
            self.add(column, "is a number that is too large, or too fine")
            return None
        if cell is None or cell == "" or (isinstance(cell, str) and not cell.strip(" ")):
            return None
        if not isinstance(cell, str):
            self.add(column, f"is {quoted(as_text(cell))}, which is no number")
            return None
        try:
            return Decimal(number(cell, self._options.locale))
        except Unintelligible as error:
            self.add(column, error.problem)
            return None


def _no_text(cell: Cell) -> str:
    """What a cell is that should be text."""
    if isinstance(cell, bool):
        return "is true or false in the file, and no text"
    if isinstance(cell, date | time):
        return "is a day or a time in the file, and may have been something else"
    return "is a number in the file: zeros at its front, or digits, may be lost"


def id_in(cell: Cell) -> str:
    """The id that `Values.code` reads in a cell, composed (NFC); empty: none, or no sound one."""
    text = unicodedata.normalize("NFC", as_text(cell).strip(" "))
    return "" if len(text) > ID_CHARACTERS_MAX or flaw_in(text) else text


def as_text(cell: Cell) -> str:
    """A cell as text, whether it is text or a number in the file."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case date() | time():
            return cell.isoformat()
        case Decimal():
            return f"{cell:f}"
        case _:
            return str(cell)
