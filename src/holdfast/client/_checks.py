"""Check what callers pass before it becomes a message, so that no error of protobuf's comes out.

The words are those of the services, which check again: callers need not use this library.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import index
from typing import TypeVar

from google.type.money_pb2 import Money as WireMoney

from holdfast.client._enums import UNKNOWN, E
from holdfast.client._errors import Failure, HoldfastError, InvalidRequest, Violation
from holdfast.client._money import Money, is_currency
from holdfast.client._money_wire import money_to_wire, price_to_wire
from holdfast.client._pages import PAGE_SIZE_MAX

INT64_MAX = 2**63 - 1
QUANTITY_MAX = 1_000_000_000  # units on one line
LINE_NO_MAX = 2**31 - 1
STOCK_MAX = 1_000_000_000_000  # units at one location
WAIT_S_MAX = 60.0
HOLD_S_MAX = 86_400.0
SECONDS_MAX = 31_536_000.0  # a year: what a deadline may be
_SHOWN_MAX = 10**20
_VIOLATIONS_IN_MESSAGE = 5

Message = TypeVar("Message")


def attempt(build: Callable[[object], Message], value: object) -> Message | HoldfastError:
    """One request of a batch as a message, or what is wrong with it, which harms no other."""
    try:
        return build(value)
    except HoldfastError as error:
        return error


class Checks:
    """Gathers what is wrong with one request; each check returns a value that protobuf takes."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        self._found.append(Violation(field, description))

    def raise_any(self) -> None:
        """Raise InvalidRequest, with all that was found, if anything was."""
        if self._found:
            told = [f"{v.field}: {v.description}" for v in self._found[:_VIOLATIONS_IN_MESSAGE]]
            more = ["and more"] if len(self._found) > len(told) else []
            raise InvalidRequest(
                Failure("INVALID_ARGUMENT", "; ".join(told + more), violations=tuple(self._found))
            )

    def text(self, field: str, value: object) -> str:
        if not isinstance(value, str):
            self.add(field, f"must be text, not {_kind(value)}")
            return ""
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                half = f"U+{ord(value[error.start]):04X}"
                self.add(
                    field,
                    f"is no text that UTF-8 can hold: {half} in place {error.start + 1} is half a "
                    "character; take the text from its source again",
                )
                return ""
        return value

    def request_id(self, value: object, field: str = "request_id") -> str:
        """A request id that must be there: an empty one would protect against nothing."""
        if value == "":
            self.add(field, "must not be empty: leave it out to have one made")
        return self.text(field, value)

    def page(self, token: object, size: object) -> tuple[str, int]:
        """Which page of a list, and how much of it: at most as much as a page can have."""
        most = min(self.number("page_size", size, lowest=1), PAGE_SIZE_MAX)
        return self.text("page_token", token), most

    def number(self, field: str, value: object, *, lowest: int, highest: int = INT64_MAX) -> int:
        try:
            number = index(value)  # type: ignore[arg-type] # whatever it is, it is looked at here
        except TypeError:
            number = lowest
            self.add(field, f"must be a whole number, not {_shown(value)}")
        else:
            if isinstance(value, bool):
                self.add(field, f"must be a whole number, not {value}")
            elif not lowest <= number <= highest:
                self.add(field, f"is {_shown(number)}; it must be {_range(lowest, highest)}")
                number = lowest
        return number

    def flag(self, field: str, value: object) -> bool:
        if not isinstance(value, bool):
            self.add(field, f"must be True or False, not {_shown(value)}")
        return bool(value)

    def line_price(self, field: str, value: object) -> WireMoney:
        """Money, or a Decimal in the product's currency, whatever that is."""
        if not isinstance(value, Decimal):
            return money_to_wire(self.price(field, value))
        if value.is_finite() and value < 0:
            self.add(field, "must be 0 or more")
            return WireMoney()
        try:
            return price_to_wire(value)
        except ValueError:
            self.add(field, "must be a number of at most 18 digits and 9 decimals")
        return WireMoney()

    def price(self, field: str, value: object) -> Money:
        if not isinstance(value, Money):
            self.add(
                field, f'must be Money, such as Money.parse("4.50", "GBP"), not {_kind(value)}'
            )
        elif not isinstance(value.currency, str) or not is_currency(value.currency):
            self.add(f"{field}.currency_code", f"{value.currency!r} is no ISO 4217 currency in use")
        elif isinstance(value.minor, bool) or not isinstance(value.minor, int):
            self.add(field, f"must be a whole number of minor units, not {_shown(value.minor)}")
        elif value.minor < 0:
            self.add(field, f"is {value}; it must be 0 or more")
        elif value.minor > INT64_MAX:
            self.add(field, f"must be at most {INT64_MAX:,} minor units")
        else:
            return value
        return Money("GBP", 0)

    def instant(self, field: str, value: object) -> datetime | None:
        """A moment or None; a time without a zone is refused rather than guessed."""
        if value is None:
            return None
        if not isinstance(value, datetime):
            self.add(field, f"must be a datetime, not {_kind(value)}")
        elif value.utcoffset() is None:
            self.add(field, f"{value} has no time zone: give one, such as datetime.UTC")
        else:
            try:
                return value.astimezone(UTC)
            except OverflowError:
                self.add(field, "must be a time between the years 1 and 9999")
        return None

    def day(self, field: str, value: object) -> date:
        """A day; a moment is none, as it lies on two of them."""
        if not isinstance(value, date) or isinstance(value, datetime):
            self.add(field, f"must be a date, such as date(2027, 1, 15), not {_kind(value)}")
            return date.min
        return value

    def seconds(self, field: str, value: object, *, highest: float, zero: bool = True) -> float:
        """So many seconds, of which there may be none only if `zero`."""
        allowed = (
            f"between 0 and {highest:,.0f}" if zero else f"more than 0, at most {highest:,.0f}"
        )
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(field, f"must be a number of seconds {allowed}, not {_shown(value)}")
        elif not 0 <= value <= highest or (value == 0 and not zero):  # nor is NaN
            self.add(field, f"is {_shown(value)}; it must be {allowed} seconds")
        else:
            return float(value)
        return highest

    def texts(self, field: str, value: object) -> list[str]:
        """A list or tuple of texts, also an empty one."""
        given = self.items(field, value, least=0)
        return [self.text(f"{field}[{number}]", one) for number, one in enumerate(given)]

    def items(self, field: str, value: object, *, least: int = 1) -> Sequence[object]:
        """A list or tuple of such items, at least one: it is read again for every try."""
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            self.add(field, f"must be a list, not {_kind(value)}")
            return ()
        if len(value) < least:
            self.add(field, "is empty; it must have at least 1 item")
        return value

    def known(self, field: str, value: object, kind: type[E]) -> E | None:
        """A member of an enum; not UNKNOWN, which is only told."""
        if isinstance(value, kind) and value != UNKNOWN:
            return value
        self.add(field, f"must be {_article(kind.__name__)} that is known")
        return None

    def is_a(self, field: str, value: object, kind: type) -> bool:
        if not isinstance(value, kind):
            self.add(field, f"must be {_article(kind.__name__)}, not {_kind(value)}")
        return isinstance(value, kind)


def _range(lowest: int, highest: int) -> str:
    if highest == INT64_MAX:
        return f"{lowest:,} or more, and fit into 64 bits"
    return f"between {lowest:,} and {highest:,}"


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


def _shown(value: object) -> str:
    if isinstance(value, int) and not -_SHOWN_MAX < value < _SHOWN_MAX:
        return "far too large" if value > 0 else "far too small"
    if value is None or isinstance(value, int | float):
        return str(value)
    return _kind(value)
