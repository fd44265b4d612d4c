"""Amounts and quantities are exact, or refused with what is wrong with them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client import Money
from holdfast.importing.flaws import Unintelligible
from holdfast.importing.numbers import MINOR_MAX, QUANTITY_MAX, minor_units, quantity


def problem_of(what: str, text: str, *, decimal_comma: bool = False, currency: str = "GBP") -> str:
    def read() -> int:
        if what == "quantity":
            return quantity(text, decimal_comma=decimal_comma)
        return minor_units(text, currency, decimal_comma=decimal_comma)

    with pytest.raises(Unintelligible) as refused:
        read()
    return refused.value.problem


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("2.55", 255),
        ("2", 200),
        (" 0.29 ", 29),
        (".75", 75),
        ("5.", 500),
        ("12.5000", 1250),
        ("38970.0", 3_897_000),
        ("1234567890.00", 123_456_789_000),
        ("0", 0),
        ("-4.20", -420),
    ],
)
def test_an_amount_is_read_exactly(text: str, minor: int) -> None:
    assert minor_units(text, "GBP") == minor


@given(minor=st.integers(0, MINOR_MAX), currency=st.sampled_from(["GBP", "JPY", "KWD", "CLF"]))
def test_whatever_amount_is_written_out_comes_back(minor: int, currency: str) -> None:
    amount = Money(currency, minor).amount

    assert minor_units(amount, currency) == minor
    assert minor_units(amount.replace(".", ","), currency, decimal_comma=True) == minor


@pytest.mark.parametrize(
    ("text", "currency", "problem"),
    [
        ("0.005", "GBP", "finer than GBP allows (2 decimals)"),
        ("1.125", "GBP", "finer than GBP allows (2 decimals)"),
        ("4.5", "JPY", "finer than JPY allows (0 decimals)"),
        ("1.2345", "KWD", "finer than KWD allows (3 decimals)"),
        ("4,20", "GBP", "has a decimal comma: write a point, or give --decimal-comma"),
        ("1,250", "GBP", "may mean 1.25 or 1250"),
        ("1.250", "GBP", "may mean 1.25 or 1250"),
        ("1,250.00", "GBP", "',' (U+002C COMMA)"),
        ("1 250.00", "GBP", "' ' (U+0020 SPACE)"),
        ("1'250.00", "GBP", "U+0027 APOSTROPHE"),
        ("£3.50", "GBP", "'£' (U+00A3 POUND SIGN)"),
        ("3.50 €", "EUR", "U+20AC EURO SIGN"),
        ("1E+2", "GBP", "is written with an exponent"),
        ("1e9", "GBP", "is written with an exponent"),
        ("NaN", "GBP", "'N' (U+004E"),
        ("", "GBP", "is empty"),
        (".", "GBP", "U+002E FULL STOP"),
        ("1.2.3", "GBP", "U+002E FULL STOP"),
        ("99999999999999999999", "GBP", "too large"),
        ("999999999999999999", "GBP", "larger than any amount"),
    ],
)
def test_an_amount_that_is_not_exact_is_refused(text: str, currency: str, problem: str) -> None:
    assert problem in problem_of("price", text, currency=currency)


def test_a_decimal_comma_is_read_where_it_was_said_and_a_point_is_not() -> None:
    assert minor_units("39,90", "EUR", decimal_comma=True) == 3990
    assert quantity("6,0", decimal_comma=True) == 6
    assert "has a decimal point" in problem_of("price", "39.90", decimal_comma=True)
    assert "may mean 1 or 1000" in problem_of("quantity", "1,000", decimal_comma=True)


@pytest.mark.parametrize(
    ("text", "units"), [("6", 6), (" 6 ", 6), ("6.0", 6), ("6.0000", 6), ("0", 0), ("-3", -3)]
)
def test_a_quantity_is_whole_also_with_zeros_behind_the_point(text: str, units: int) -> None:
    assert quantity(text) == units


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.5", "is not a whole number"),
        ("4 pcs", "'p' (U+0070"),
        ("1E3", "is written with an exponent"),
        ("1,000", "may mean 1 or 1000"),
        ("1.000", "may mean 1 or 1000"),
        ("1_000", "'_' (U+005F LOW LINE)"),
        ("+4", "'+' (U+002B PLUS SIGN)"),
        ("٣", "U+0663 ARABIC-INDIC DIGIT THREE"),
        ("\u22123", "U+2212 MINUS SIGN"),
        ("", "is empty"),
        ("six", "'s' (U+0073"),
        (str(QUANTITY_MAX + 1), "is beyond 1,000,000,000"),
    ],
)
def test_a_quantity_that_is_no_plain_whole_number_is_refused(text: str, problem: str) -> None:
    assert problem in problem_of("quantity", text)


@given(text=st.text(max_size=12))
def test_no_text_is_a_number_but_a_plain_one(text: str) -> None:
    for read in (quantity, lambda one: minor_units(one, "GBP")):
        with suppress(Unintelligible):
            read(text)
            assert set(text) <= set("-0123456789. ")
