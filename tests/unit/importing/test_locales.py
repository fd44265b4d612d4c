"""Numbers as people write them: by the manner that was stated, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.importing.flaws import Unintelligible
from holdfast.importing.locales import Locale, manner_of, number


@pytest.mark.parametrize(
    ("text", "locale", "meaning"),
    [
        ("12.50", None, "12.50"),
        ("-3", None, "-3"),
        (" 007 ", None, "007"),
        ("1.234,56", Locale.DE, "1234.56"),
        ("1234,5", Locale.DE, "1234.5"),
        ("1.234", Locale.DE, "1234"),
        ("1,234.56", Locale.EN_GB, "1234.56"),
        ("1,234", Locale.EN_US, "1234"),
        ("1'234.50", Locale.DE_CH, "1234.50"),
        ("1\u2019234", Locale.DE_CH, "1234"),
        ("1\u202f234\u202f567,5", Locale.FR, "1234567.5"),
        ("1\u00a0234", Locale.SV, "1234"),
    ],
)
def test_a_number_means_what_the_locale_says(
    text: str, locale: Locale | None, meaning: str
) -> None:
    assert number(text, locale) == meaning


@pytest.mark.parametrize(
    ("text", "locale", "told"),
    [
        ("12,50", None, "may be read in more than one way"),
        ("1,234", None, "may be read in more than one way"),
        ("1.234.567", None, "may be read in more than one way"),
        ("12.50", Locale.DE, "is no number as --locale de writes them: 1.234,56"),
        ("1.23.456", Locale.DE, "is no number as --locale de"),
        ("1.234 567", Locale.ES, "is no number as --locale es"),
        ("12,5", Locale.EN_GB, "is no number as --locale en-GB writes them: 1,234.56"),
        ("0.500", Locale.DE, "is no number as --locale de"),  # half a unit, and no five hundred
        ("0,005", Locale.EN_GB, "is no number as --locale en-GB"),
        ("012.345", Locale.IT, "is no number as --locale it"),
        ("1E+05", None, "an exponent, which may have lost digits"),
        ("5 pcs", None, "because of 'p' (U+0070 LATIN SMALL LETTER P)"),
        ("£5", None, "because of '£' (U+00A3 POUND SIGN)"),
        ("\u0661", None, "ARABIC-INDIC DIGIT ONE"),
        ("-", None, "is no number: write digits only"),
        ("5-", None, "is no number: write digits only"),
        ("9" * 31, None, "too long for a number"),
    ],
)
def test_what_means_no_one_number_is_refused_with_what_to_do(
    text: str, locale: Locale | None, told: str
) -> None:
    with pytest.raises(Unintelligible) as refused:
        number(text, locale)

    assert told in refused.value.problem


@given(
    whole=st.integers(min_value=-(10**12), max_value=10**12),
    decimals=st.integers(min_value=0, max_value=99),
    locale=st.sampled_from(Locale),
)
def test_what_is_written_in_a_locale_is_read_as_it_was(
    whole: int, decimals: int, locale: Locale
) -> None:
    manner = manner_of(locale)
    grouped = f"{whole:,}".replace(",", manner.thousands[0])

    assert number(f"{grouped}{manner.decimal}{decimals:02}", locale) == f"{whole}.{decimals:02}"
