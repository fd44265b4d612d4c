"""Codes, order numbers and customers are the exact text, or refused with the reason."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.identifiers import flaw_in
from holdfast.importing.flaws import Unintelligible
from holdfast.importing.identities import CHARACTERS_MAX, identity, seen


@pytest.mark.parametrize(
    "text",
    ["0042", "007", "90.750", "501234567890", "C-2001", "M", "uni-a", "ÄÖ 灯", "5.2", "1E", "E5"],
)
def test_the_exact_text_is_kept_leading_zeros_included(text: str) -> None:
    assert identity("product", f"  {text} ") == text


def test_a_decomposed_code_is_the_composed_one() -> None:
    assert identity("product", "RENE\u0301") == identity("product", "REN\xc9") == "REN\xc9"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("8311.0", "a number with decimals"),
        ("8311,00", "a number with decimals"),
        ("5.01235E+11", "a number with an exponent"),
        ("1E5", "a number with an exponent"),
        ("1e-05", "a number with an exponent"),
        ("8,311", "a number with thousands marks"),
        ('="00QUO"', "a spreadsheet's mark for text or a formula, '='"),
        ("'QUO-E", "a spreadsheet's mark for text"),
        ("#N/A", "where it failed"),
        ("#REF!", "where it failed"),
        ("R\ufffdSE", "has U+FFFD, in place of a letter that some program could not read"),
        ("nan", "for an empty cell"),
        ("NULL", "for an empty cell"),
        ("UNI-A\u00a0", "U+00A0 NO-BREAK SPACE, in place 6"),
        ("UNI\u200b-A", "U+200B ZERO WIDTH SPACE, in place 4"),
        ("\ufeffA", "a byte order mark (BOM, U+FEFF"),
        ("A\tB", "U+0009 TAB"),
        ("A  B", "two spaces in a row"),
        ("A\u2010B", "U+2010 HYPHEN"),
        ("", "is empty"),
        ("A" * (CHARACTERS_MAX + 1), "at most 128 are allowed"),
    ],
)
def test_what_is_no_code_or_lost_digits_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Unintelligible) as refused:
        identity("product", text)

    assert problem in refused.value.problem
    assert refused.value.problem.startswith("the product ")


@pytest.mark.parametrize(
    ("text", "visible"),
    [('="8806"', "8806"), ("'8805", "8805"), ("\ufeff7005", "7005"), ("8412\u00a0", "8412")],
)
def test_what_a_person_sees_of_an_id_is_known(text: str, visible: str) -> None:
    assert seen(text) == visible


@given(text=st.text(max_size=40))
def test_whatever_is_taken_for_an_id_is_a_good_one_and_what_was_written(text: str) -> None:
    try:
        found = identity("product", text)
    except Unintelligible:
        return
    assert flaw_in(found) is None
    assert found == unicodedata.normalize("NFC", text.strip(" "))
