"""Money is exact: no conversion loses, gains or invents a minor unit."""

import pytest
from google.type.money_pb2 import Money
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.money import DIGITS, MINOR_MAX, to_minor, write
from holdfast.chassis.validation import Violations
from holdfast.orders.domain import money as orders_money

UNITS_MIN, UNITS_MAX = -(2**63), 2**63 - 1
NANOS_MIN, NANOS_MAX = -(2**31), 2**31 - 1
NANOS = 10**9

currencies = st.sampled_from(sorted(DIGITS))


@given(currencies, st.integers(0, MINOR_MAX))
def test_an_amount_that_went_out_comes_back_the_same(currency: str, minor: int) -> None:
    violations = Violations()

    there = Money()
    write(there, currency, minor)
    back = to_minor(violations, "price", there)

    assert back == (currency, minor)
    assert not violations


@given(currencies, st.integers(UNITS_MIN, UNITS_MAX), st.integers(NANOS_MIN, NANOS_MAX))
def test_an_amount_is_taken_exactly_or_refused(currency: str, units: int, nanos: int) -> None:
    violations = Violations()

    _, minor = to_minor(
        violations, "price", Money(currency_code=currency, units=units, nanos=nanos)
    )

    exact = minor * NANOS == (units * NANOS + nanos) * 10 ** DIGITS[currency]
    is_proper = units >= 0 and 0 <= nanos < NANOS and minor <= MINOR_MAX
    assert (exact and is_proper) == (not violations)


@pytest.mark.parametrize(
    ("money", "minor"),
    [
        (Money(currency_code="GBP"), 0),
        (Money(currency_code="GBP", units=3, nanos=500_000_000), 350),
        (Money(currency_code="GBP", nanos=10_000_000), 1),
        (Money(currency_code="JPY", units=350), 350),
        (Money(currency_code="KWD", units=1, nanos=1_000_000), 1_001),
        (Money(currency_code="UYW", nanos=100_000), 1),
        (Money(currency_code="JPY", units=MINOR_MAX), MINOR_MAX),
    ],
)
def test_a_currency_has_as_many_digits_as_iso_4217_gives_it(money: Money, minor: int) -> None:
    violations, written = Violations(), Money()
    write(written, money.currency_code, minor)

    assert to_minor(violations, "price", money) == (money.currency_code, minor)
    assert written == money
    assert not violations


@pytest.mark.parametrize(
    ("money", "field"),
    [
        (Money(units=1), "price.currency_code"),
        (Money(currency_code="gbp", units=1), "price.currency_code"),
        (Money(currency_code="DEM", units=1), "price.currency_code"),
        (Money(currency_code="GBP", units=-1), "price"),
        (Money(currency_code="GBP", nanos=-10_000_000), "price"),
        (Money(currency_code="GBP", nanos=1_000_000_000), "price"),
        (Money(currency_code="GBP", nanos=1), "price.nanos"),
        (Money(currency_code="JPY", nanos=500_000_000), "price.nanos"),
        (Money(currency_code="GBP", units=MINOR_MAX // 100 + 1), "price"),
    ],
)
def test_an_amount_that_its_currency_cannot_express_is_refused_by_its_field(
    money: Money, field: str
) -> None:
    violations = Violations()

    to_minor(violations, "price", money)

    assert [found for found, _ in violations.refusal().violations] == [field]


def test_the_limits_of_the_edge_and_of_the_domain_are_one() -> None:
    assert MINOR_MAX == orders_money.MINOR_MAX
