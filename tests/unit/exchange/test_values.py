"""Cells to values: by the services' own rules, kept as typed, and never guessed."""

from datetime import date
from decimal import Decimal

import pytest

from holdfast.client import BackorderMode, Money
from holdfast.exchange.values import LineProblem, ValueOptions, Values
from holdfast.importing.dates import DateOrder
from holdfast.importing.locales import Locale
from holdfast.importing.tables import Cell, Record

PLAIN = ValueOptions()


def values(options: ValueOptions = PLAIN, **cells: Cell) -> Values:
    return Values(Record(7, cells), options)


def problems(found: Values) -> list[tuple[str, str]]:
    with pytest.raises(LineProblem) as refused:
        found.require_sound()
    return refused.value.problems


@pytest.mark.parametrize("typed", ["007", "1E+05", "12345.0", "=1+1", "#N/A", "nan", "1,234"])
def test_a_code_is_kept_as_typed(typed: str) -> None:
    found = values(product_id=typed)

    assert found.code("product_id") == typed
    found.require_sound()


@pytest.mark.parametrize("eaten", ["1E+05", "12345.0", "1,234", "#N/A"])
def test_a_code_that_a_spreadsheet_may_have_eaten_is_warned_of(eaten: str) -> None:
    found = values(product_id=eaten)
    found.code("product_id")

    ((column, warning),) = found.warnings
    assert column == "product_id"
    assert repr(eaten) in warning


def test_a_code_that_is_a_number_in_the_file_is_warned_of() -> None:
    found = values(product_id=7)

    assert found.code("product_id") == "7"
    assert "zeros at its front, or digits, may be lost" in found.warnings[0][1]


def test_leading_zeros_alone_are_no_reason_to_warn() -> None:
    found = values(product_id=" 00042 ")

    assert found.code("product_id") == "00042"
    assert found.warnings == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", "is missing"),
        ("x" * 129, "at most 128 are allowed"),
        ("LAMP\u200b", "U+200B ZERO WIDTH SPACE, in place 5: remove it"),
        ("A  B", "two spaces in a row"),
    ],
)
def test_a_code_that_the_services_refuse_is_refused(code: str, told: str) -> None:
    found = values(product_id=code)
    found.code("product_id")

    ((column, problem),) = problems(found)
    assert (column, told in problem) == ("product_id", True)


def test_everything_that_is_wrong_with_a_line_is_told_at_once() -> None:
    found = values(product_id="", unit_price="4.505", active="maybe", on_hand="1.5")
    found.code("product_id")
    found.money("unit_price")
    found.flag("active")
    found.whole("on_hand", lowest=0, highest=10)

    assert [column for column, _ in problems(found)] == [
        *("product_id", "unit_price", "active", "on_hand")
    ]


@pytest.mark.parametrize(
    ("cell", "amount"),
    [("12.50", 1250), ("12", 1200), (12, 1200), (Decimal("12.5"), 1250), ("12.500", 1250)],
)
def test_an_amount_is_exact(cell: Cell, amount: int) -> None:
    assert values(unit_price=cell).money("unit_price") == Money("GBP", amount)


@pytest.mark.parametrize(
    ("cell", "currency", "told"),
    [
        ("12.505", "GBP", "finer than GBP allows"),
        ("12,50", "GBP", "may be read in more than one way"),
        ("-1", "GBP", "it must be 0 or more"),
        ("5", "ZZZ", "is not a currency in use"),
        ("1e5", "GBP", "with an exponent"),
        (Decimal("1E+40"), "GBP", "too large, or too fine"),
        (True, "GBP", "is no number"),
        ("9" * 25, "GBP", "is too large"),
    ],
)
def test_what_is_no_amount_is_told(cell: Cell, currency: str, told: str) -> None:
    found = values(unit_price=cell, currency=currency)
    found.money("unit_price")

    assert told in problems(found)[0][1]


@pytest.mark.parametrize(
    ("cell", "or_else"),
    [("1.000", "1000"), ("-1.000", "-1000"), (" 12.000 ", "12000"), ("999.000", "999000")],
)
def test_a_whole_number_that_may_be_thousands_is_asked_for(cell: str, or_else: str) -> None:
    """As the orders of `replay` have it: a German count of a thousand is no 1."""
    found = values(on_hand=cell)

    assert found.whole("on_hand", lowest=-1, highest=10**6) is None
    ((column, problem),) = problems(found)
    one = or_else.removesuffix("000")
    assert column == "on_hand"
    assert f"may mean {one} or {or_else}, since its mark may be for decimals or" in problem
    assert "by --locale" in problem


@pytest.mark.parametrize("cell", ["1,000", "1.000.000", "1 000", "1'000", "1\u00a0000", "1,000.00"])
def test_thousands_marks_without_a_locale_are_asked_for(cell: str) -> None:
    found = values(on_hand=cell, unit_price=cell)
    found.whole("on_hand", lowest=0, highest=10**6)
    found.money("unit_price")

    told = problems(found)
    assert [column for column, _ in told] == ["on_hand", "unit_price"]
    assert all("--locale" in problem for _, problem in told)


@pytest.mark.parametrize(
    ("cell", "options", "number"),
    [
        ("6.0", PLAIN, 6),
        ("6.00", PLAIN, 6),
        ("1.0000", PLAIN, 1),
        ("1000.000", PLAIN, 1000),
        ("0.000", PLAIN, 0),
        ("01.000", PLAIN, 1),
        (Decimal("1.000"), PLAIN, 1),
        (1000, PLAIN, 1000),
        ("1.000", ValueOptions(locale=Locale.EN_GB), 1),
        ("1.000", ValueOptions(locale=Locale.DE_CH), 1),
        ("1.000", ValueOptions(locale=Locale.DE), 1000),
        ("1,000", ValueOptions(locale=Locale.DE), 1),
    ],
)
def test_a_whole_number_that_means_one_is_read(
    cell: Cell, options: ValueOptions, number: int
) -> None:
    assert values(options, on_hand=cell).whole("on_hand", lowest=0, highest=10**6) == number


@pytest.mark.parametrize(
    ("cell", "currency", "minor", "or_else"),
    [
        ("12.500", "GBP", 1250, "12500"),
        ("1.000", "EUR", 100, "1000"),
        ("1.000", "JPY", 1, "1000"),
    ],
)
def test_an_amount_that_may_be_thousands_is_read_with_a_warning(
    cell: str, currency: str, minor: int, or_else: str
) -> None:
    found = values(unit_price=cell, currency=currency)

    assert found.money("unit_price") == Money(currency, minor)
    found.require_sound()
    ((column, warning),) = found.warnings
    assert column == "unit_price"
    assert f"or {or_else}" in warning
    assert "--locale" in warning


@pytest.mark.parametrize(
    ("cell", "currency", "options"),
    [
        ("1.000", "KWD", PLAIN),
        ("12.5000", "GBP", PLAIN),
        ("1250.000", "GBP", PLAIN),
        ("0.500", "GBP", PLAIN),
        (Decimal("12.500"), "GBP", PLAIN),
        ("12.500", "GBP", ValueOptions(locale=Locale.EN_GB)),
    ],
)
def test_an_amount_that_means_one_is_not_warned_of(
    cell: Cell, currency: str, options: ValueOptions
) -> None:
    found = values(options, unit_price=cell, currency=currency)

    assert found.money("unit_price") is not None
    assert found.warnings == []


def test_numbers_are_read_by_the_stated_locale_and_numbers_of_the_file_are_not() -> None:
    german = ValueOptions(locale=Locale.DE, currency="EUR")
    found = values(german, unit_price="1.234,50", on_hand=Decimal("12"), safety_stock="1.000")

    assert found.money("unit_price") == Money("EUR", 123450)
    assert found.whole("on_hand", lowest=0, highest=100) == 12
    assert found.whole("safety_stock", lowest=0, highest=1_000) == 1_000


def test_a_date_that_may_be_two_is_asked_for() -> None:
    found = values(day="04/01/2011")
    found.day("day")

    ((_, problem),) = problems(found)
    assert "give --dates dmy if the day comes first, --dates mdy if the month does" in problem


@pytest.mark.parametrize(
    ("options", "cell", "day"),
    [
        (PLAIN, "2011-01-04", date(2011, 1, 4)),
        (PLAIN, date(2011, 1, 4), date(2011, 1, 4)),
        (ValueOptions(locale=Locale.EN_GB), "04/01/2011", date(2011, 1, 4)),
        (ValueOptions(locale=Locale.EN_US), "04/01/2011", date(2011, 4, 1)),
        (ValueOptions(locale=Locale.DE), "4.1.2011", date(2011, 1, 4)),
        (ValueOptions(locale=Locale.DE, dates=DateOrder.MDY), "4/1/2011", date(2011, 4, 1)),
    ],
)
def test_a_date_means_what_was_said(options: ValueOptions, cell: Cell, day: date) -> None:
    assert values(options, day=cell).day("day") == day


@pytest.mark.parametrize(
    ("cell", "in_utc"),
    [("2027-01-31T00:00:00+02:00", "2027-01-30"), ("2026-12-31 23:30-05:00", "2027-01-01")],
)
def test_a_day_is_none_of_two_because_of_an_offset(cell: str, in_utc: str) -> None:
    """Shops export midnight in their own zone: taken in UTC it is the day before."""
    found = values(day=cell)
    found.day("day")

    ((_, problem),) = problems(found)
    assert problem == f"is {cell!r}, which in UTC is {in_utc}: write the day alone"
    assert values(day="2027-01-31T00:30:00+00:00").day("day") == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (301234567, "is a number in the file"),
        (True, "is true or false in the file"),
        (date(2026, 3, 1), "is a day or a time in the file"),
        ("#NAME?", "what a spreadsheet writes where it failed"),
        ("M\ufffdller", "U+FFFD, in place of a letter that some program could not read"),
    ],
)
def test_a_text_that_may_have_been_another_is_kept_with_a_warning(cell: Cell, told: str) -> None:
    """A phone number loses its zero, and the product MAR1 becomes the first of March."""
    found = values(name=cell)

    assert found.text("name", characters_max=100)
    found.require_sound()
    ((column, warning),) = found.warnings
    assert (column, told in warning) == ("name", True)


def test_half_a_character_is_told_before_anything_is_done() -> None:
    """JSON can hold one: a dry run said that the line would be taken in."""
    found = values(name="a\ud800")
    found.text("name", characters_max=100)

    assert problems(found) == [("name", "has half a character, U+D800, in place 2")]


def test_words_are_known_whatever_their_letter_case() -> None:
    found = values(active="Yes", backorder_mode="limited")

    assert found.flag("active") is True
    assert found.choice("backorder_mode", BackorderMode) is BackorderMode.LIMITED
    assert values(active=False).flag("active") is False


def test_unknown_is_told_by_services_and_no_word_to_write() -> None:
    found = values(backorder_mode="UNKNOWN")
    found.choice("backorder_mode", BackorderMode)

    assert "none of NONE, LIMITED, UNLIMITED" in problems(found)[0][1]
