"""What an id may be made of: two ids that look alike are the same id, or one of them is refused.

Refused is what Unicode itself calls invisible or blank (control and format characters, every space
but " ", Default_Ignorable_Code_Point of DerivedCoreProperties.txt), what has no meaning of its own
(surrogates, private use, unassigned, noncharacters), and the few characters that are drawn as a
blank although Unicode counts them among the letters and symbols.

Letters that only look like others (U+0410, the Cyrillic "A") are let through: each is somebody's
alphabet. So are small and capital letters: `UNI-A` and `uni-a` are two products.
"""

import re
import unicodedata
from functools import lru_cache

REMEMBERED_CHARACTERS_MAX = 320  # of the longest that is asked for, an e-mail address

_INVISIBLE = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
_MEANINGLESS = frozenset(("Cs", "Co", "Cn"))
# Default ignorable, yet letters and marks by their category; last, what is drawn as a blank: the
# braille blank, the Khitan filler, blank hieroglyphs, the null notehead.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\u2800\U00016fe4\U00013441\U00013442\U0001d159]"
)
_HYPHENS = "\u2010\u2011"  # HYPHEN and NON-BREAKING HYPHEN: in most typefaces the same stroke
# Unicode has no names for control characters; these are the ones that files and terminals leave.
_KNOWN_AS = {
    "\0": "NULL",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\ufeff": "ZERO WIDTH NO-BREAK SPACE (byte order mark)",
}
_NAMELESS = {"Cc": "(control)", "Cs": "(surrogate)", "Co": "(private use)", "Cn": "(unassigned)"}


def flaw_in(text: str) -> str | None:
    """What is wrong with an id, to be read after its name; None for a good one.

    A good id has no invisible character, no space at either end nor two in a row, and is composed
    (Unicode normalisation form C), so that the same letters are the same id. Places are counted in
    characters (code points), from 1.
    """
    # Who sends what is too long for an id fills no memory.
    return remembered(text) if len(text) <= REMEMBERED_CHARACTERS_MAX else _looked_for(text)


def _looked_for(text: str) -> str | None:
    if text.isascii() and text.isprintable():
        return _flaw_of_spaces(text)
    for place, character in enumerate(text, 1):
        if is_unseen(character):
            return f"has an invisible character, {named(character)}, in place {place}: remove it"
        if unicodedata.category(character) in _MEANINGLESS:
            return f"has {named(character)} in place {place}, which is no letter or sign: remove it"
        if character in _HYPHENS:
            return f'has {named(character)} in place {place}, which looks like "-": write "-"'
    return _flaw_of_form(text) or _flaw_of_spaces(text)


remembered = lru_cache(maxsize=10_000)(_looked_for)  # most ids are met again and again


def is_unseen(character: str) -> bool:
    """Whether a character, other than the plain space, shows nothing or a blank."""
    if character == " ":
        return False
    return unicodedata.category(character) in _INVISIBLE or bool(_UNSEEN.match(character))


def named(character: str) -> str:
    """A character by number and Unicode name, such as U+200B ZERO WIDTH SPACE."""
    name = _KNOWN_AS.get(character) or unicodedata.name(character, "")
    if not name:
        number = ord(character)
        is_none = 0xFDD0 <= number <= 0xFDEF or number & 0xFFFE == 0xFFFE
        name = "(noncharacter)" if is_none else _NAMELESS.get(unicodedata.category(character), "")
    return f"U+{ord(character):04X} {name}".rstrip()


def _flaw_of_form(text: str) -> str | None:
    composed = unicodedata.normalize("NFC", text)
    if composed == text:
        return None
    pairs = enumerate(zip(text, composed, strict=False), 1)
    place, is_, due = next((n, is_, due) for n, (is_, due) in pairs if is_ != due)
    return (
        f"has {named(is_)} in place {place} where Unicode's composed form (NFC) has {named(due)}: "
        "write the id in that form"
    )


def _flaw_of_spaces(text: str) -> str | None:
    if text.strip(" ") != text:
        return "must not start or end with a space"
    if "  " in text:
        return f"has two spaces in a row in place {text.index('  ') + 1}: leave one"
    return None
