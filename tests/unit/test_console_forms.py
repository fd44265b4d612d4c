"""What people type into the console's forms is read as their language writes it, or not at all."""

from decimal import Decimal

import pytest

from holdfast.client import InvalidRequest, Money, Violation
from holdfast.client._errors import Failure
from holdfast.console.forms import Form
from holdfast.console.words import languages


def form(language: str, typed: str) -> Form:
    return Form(languages()[language], "pay", {"amount": typed})


@pytest.mark.parametrize(
    ("language", "typed", "meant"),
    [("en", "12.50", "12.50"), ("en", "1500", "1500"), ("de", "12,50", "12.50"), ("de", "7", "7")],
)
def test_an_amount_is_read_as_its_language_writes_it(language: str, typed: str, meant: str) -> None:
    sent = form(language, typed)

    assert sent.amount("amount") == Decimal(meant)
    assert sent.errors == {}


@pytest.mark.parametrize(
    ("language", "typed"), [("de", "1.500"), ("de", "12.50"), ("de", "1.500,00"), ("en", "1,500")]
)
def test_an_amount_that_may_be_two_is_not_guessed(language: str, typed: str) -> None:
    sent = form(language, typed)

    assert sent.amount("amount") is None
    assert sent.errors.keys() == {"amount"}


@pytest.mark.parametrize("language", ["en", "de"])
def test_an_amount_that_a_form_suggests_is_read_as_itself(language: str) -> None:
    suggested = languages()[language].typed(Money("EUR", 123_450))

    assert form(language, suggested).amount("amount") == Decimal("1234.50")


@pytest.mark.parametrize("field", ["amount", "amount.nanos", "amount.units"])
def test_what_is_wrong_with_an_amount_is_told_where_it_was_typed(field: str) -> None:
    paying = form("en", "1.005")
    found = Failure("INVALID_ARGUMENT", "no", violations=(Violation(field, "is too fine"),))

    paying.refuse(InvalidRequest(found), {})

    assert paying.errors == {"amount": "is too fine"}
