"""Ids that look alike are the same id, or one of them is refused; and the refusal says why."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.identifiers import flaw_in, is_unseen

VISIBLE = st.characters(categories=["L", "N", "P", "Sm", "Sc"], codec="utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("LAMP\u200b-RED", "U+200B ZERO WIDTH SPACE, in place 5"),
        ("\ufeffLAMP", "U+FEFF ZERO WIDTH NO-BREAK SPACE, in place 1"),
        ("LAMP\u00a0RED", "U+00A0 NO-BREAK SPACE, in place 5"),
        ("LAMP\u3164", "U+3164 HANGUL FILLER, in place 5"),
        ("LAMP\uffff", "U+FFFF (unassigned), in place 5"),
        ("LAMP\ue000", "U+E000 (private use), in place 5"),
        ("LA\nMP", "U+000A (control), in place 3"),
        ("LA\udc80", "U+DC80 (surrogate), in place 3"),
        ("LAMP\u2011RED", "U+2011 NON-BREAKING HYPHEN in place 5"),
        ("CAFE\u0301-1", "in place 4: write it as one"),
        ("LAMP  RED", "two spaces in a row in place 5"),
        (" LAMP", "start or end with a space"),
    ],
)
def test_a_flaw_names_its_character_and_its_place(text: str, told: str) -> None:
    flaw = flaw_in(text)

    assert flaw is not None
    assert told in flaw


@pytest.mark.parametrize(
    "text", ["LAMP-RED", "Größe 12/灯", "โต๊ะ", "طاولة", "मेज", "стол", "ﾗﾝﾌﾟ", "🛋", "a b", "CAFÉ"]
)
def test_whatever_people_see_and_write_is_no_flaw(text: str) -> None:
    assert flaw_in(text) is None


@given(st.lists(VISIBLE, min_size=1).map("".join).map(lambda s: unicodedata.normalize("NFC", s)))
def test_a_composed_text_of_visible_characters_has_no_flaw_but_unseen_or_look_alike_ones(
    text: str,
) -> None:
    looks_otherwise = any(is_unseen(c) or c in "\u2010\u2011" for c in text)

    assert (flaw_in(text) is None) != looks_otherwise


def test_no_character_that_shows_nothing_is_let_through() -> None:
    for code in range(0x110000):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"):
            assert flaw_in(f"a{character}b") or character == " ", hex(code)


@given(st.text())
def test_every_text_has_a_flaw_or_none_and_is_never_a_failure(text: str) -> None:
    flaw = flaw_in(text)

    assert flaw is None or flaw
    if flaw is None:
        assert unicodedata.is_normalized("NFC", text)
