"""What an id may be made of: nothing unseen, one form of each letter, and a refusal that names."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.chassis.identifiers import (
    REMEMBERED_CHARACTERS_MAX,
    flaw_in,
    is_unseen,
    named,
    remembered,
)

# Default_Ignorable_Code_Point of DerivedCoreProperties.txt, Unicode 14 to 16.
DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
EVERYTHING = [chr(number) for number in range(sys.maxunicode + 1)]

# The forms of public bug reports, each with the number that the refusal must name.
INVISIBLE = {
    "LAMP\u200b-RED": "U+200B ZERO WIDTH SPACE",
    "LAMP\u200d-RED": "U+200D ZERO WIDTH JOINER",
    "\ufeffLAMP-RED": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "LAMP\u2060-RED": "U+2060 WORD JOINER",
    "LAMP\u00ad-RED": "U+00AD SOFT HYPHEN",
    "LAMP\u00a0RED": "U+00A0 NO-BREAK SPACE",
    "LAMP\u3000RED": "U+3000 IDEOGRAPHIC SPACE",
    "LAMP\u2028RED": "U+2028 LINE SEPARATOR",
    "LAMP\u3164-RED": "U+3164 HANGUL FILLER",
    "LAMP\ufe0f-RED": "U+FE0F VARIATION SELECTOR-16",
    "LAMP\U000e0041-RED": "U+E0041 TAG LATIN CAPITAL LETTER A",
    "LAMP\u2800RED": "U+2800 BRAILLE PATTERN BLANK",
    "LAMP\uffff": "U+FFFF (noncharacter)",
    "LAMP\u061c-RED": "U+061C ARABIC LETTER MARK",
    "LAMP\u202e-RED": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "LAMP\u2011RED": "U+2011 NON-BREAKING HYPHEN",
    "LAMP\u2009RED": "U+2009 THIN SPACE",
    "LAMP\u180eRED": "U+180E MONGOLIAN VOWEL SEPARATOR",
    "LAMP\U000e0100RED": "U+E0100 VARIATION SELECTOR-17",
    "LAMP\ue000": "U+E000 (private use)",
    "LAMP\u0378": "U+0378 (unassigned)",
    "LAMP\udc80": "U+DC80 (surrogate)",
    "LAMP\tRED": "U+0009 TAB",
    "LAMP\x85RED": "U+0085 NEXT LINE",
    "LAMP\x01RED": "U+0001 (control)",
    "\u200b": "U+200B ZERO WIDTH SPACE",
}

WORDS = (
    "LAMP-RED",
    "Größe 12/灯",
    "CAFÉ-1",
    "โต๊ะไม้",  # Thai: vowels and tones are marks
    "طاولة-١٢",  # Arabic
    "עֵץ",  # Hebrew with a vowel point
    "क्षत्रिय-१",  # Devanagari: conjuncts by virama alone
    "தமிழ்",
    "ကျောက်",
    "ᠮᠣᠩᠭᠣᠯ",
    "한국어",
    "テーブル",
    "ﷺ",
    "Ж",
    "\uff2c\uff21\uff2d\uff30",  # full-width LAMP
    "🛒",
    "🇫🇷",
    "👋🏽",
    "❤",
    "'; DROP TABLE orders; --",
    "%_\\",
)


@pytest.mark.parametrize(("text", "name"), INVISIBLE.items(), ids=ascii)
def test_a_character_that_cannot_be_seen_is_refused_by_its_name_and_place(
    text: str, name: str
) -> None:
    flaw = flaw_in(text)

    assert flaw
    assert name in flaw
    (place,) = (n for n, character in enumerate(text, 1) if named(character).startswith(name))
    assert f"in place {place}" in flaw


def test_all_that_unicode_calls_ignorable_blank_or_control_is_refused_where_it_stands() -> None:
    ignorable = [chr(n) for first, last in DEFAULT_IGNORABLE for n in range(first, last + 1)]
    unseen = ("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")
    by_category = [c for c in EVERYTHING if c != " " and unicodedata.category(c) in unseen]

    let_through = [
        named(character)
        for character in {*ignorable, *by_category}
        if None in (flaw_in(f"a{character}b"), flaw_in(character), flaw_in(f"灯{character}"))
    ]

    assert let_through == []
    assert len(by_category) > 900_000


def test_what_is_drawn_as_a_blank_is_refused_although_unicode_counts_it_among_the_symbols() -> None:
    assert all(map(is_unseen, "\u2800\U00016fe4\U0001d159"))


def test_every_letter_digit_mark_and_sign_of_the_worlds_scripts_may_stand_in_an_id() -> None:
    """In composed form; but for the two hyphens that look like "-"."""
    refused = [
        named(character)
        for character in EVERYTHING
        if unicodedata.category(character)[0] in "LNMPS"
        and unicodedata.is_normalized("NFC", f"x{character}")
        and not is_unseen(character)
        and flaw_in(f"x{character}") is not None
    ]

    assert refused == ["U+2010 HYPHEN", "U+2011 NON-BREAKING HYPHEN"]


@pytest.mark.parametrize("word", WORDS, ids=ascii)
def test_words_of_every_script_are_ids_as_they_are_usually_written(word: str) -> None:
    assert flaw_in(unicodedata.normalize("NFC", word)) is None


@pytest.mark.parametrize(
    "word",
    ["می\u200cروم", "क्\u200dष", "\U0001f469\u200d\U0001f680", "❤\ufe0f"],
    ids=["Persian with ZWNJ", "half form with ZWJ", "emoji of two", "emoji with a selector"],
)
def test_joiners_and_selectors_are_refused_even_where_a_script_or_an_emoji_uses_them(
    word: str,
) -> None:
    """Without them most people see the same word: two ids would look alike."""
    flaw = flaw_in(word)

    assert flaw is not None
    assert "invisible" in flaw


@pytest.mark.parametrize(
    ("text", "place"),
    [("CAFE\u0301", 4), ("\u212aELVIN", 1), ("\u0958", 1), ("x\u0307\u0323", 1)],
    ids=["accent apart", "Kelvin sign", "excluded from composition", "marks out of order"],
)
def test_the_same_letters_in_another_form_are_refused_with_the_form_that_is_right(
    text: str, place: int
) -> None:
    flaw = flaw_in(text)

    assert flaw is not None
    assert f"in place {place} " in flaw
    assert "NFC" in flaw
    assert flaw_in(unicodedata.normalize("NFC", text)) is None


def test_what_is_too_long_for_an_id_is_not_remembered() -> None:
    before = remembered.cache_info().currsize

    assert [flaw_in("x" * REMEMBERED_CHARACTERS_MAX + end) for end in "ab"] == [None, None]

    assert remembered.cache_info().currsize == before


@pytest.mark.parametrize("text", [" a", "a ", " ", "  ", "灯 ", " 灯"])
def test_no_id_starts_or_ends_with_a_space(text: str) -> None:
    assert flaw_in(text) == "must not start or end with a space"


@pytest.mark.parametrize(("text", "place"), [("a  b", 2), ("灯 x  y", 4), ("a b c   d", 6)])
def test_two_spaces_in_a_row_look_like_one(text: str, place: int) -> None:
    assert flaw_in(text) == f"has two spaces in a row in place {place}: leave one"


@given(st.text())
def test_two_ids_that_are_let_through_differ_in_something_that_can_be_seen(text: str) -> None:
    seen = "".join(c for c in text if c == " " or not is_unseen(c))
    seen = " ".join(unicodedata.normalize("NFC", seen).split(" "))

    if flaw_in(text) is None:
        assert seen == text
        assert text == text.strip()


@given(st.text(st.characters(categories=("Lu", "Ll", "Lo", "N", "Mn", "Mc", "Po", "Sm", "So"))))
def test_composed_text_of_what_can_be_seen_is_never_refused(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)

    assert any(map(is_unseen, composed)) or flaw_in(composed) is None
