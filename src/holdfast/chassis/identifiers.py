"""What an id may be made of: two ids that look alike are the same id, or one of them is refused.

Invisible characters are those that Unicode itself calls so (control, format, surrogate, private,
unassigned; every space but " "; Default_Ignorable_Code_Point of DerivedCoreProperties.txt, as far
as its characters have another category) and U+2800, which is drawn as a blank.
"""

import re
import unicodedata

_UNSEEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"))
# Default ignorable, yet letters and marks by their category; last, the braille blank.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\u2800]"
)
_NAMELESS = {"Cc": "(control)", "Cs": "(surrogate)", "Co": "(private use)", "Cn": "(unassigned)"}
_HYPHENS = "\u2010\u2011"  # HYPHEN and NON-BREAKING HYPHEN: in most typefaces the same stroke


def flaw_in(text: str) -> str | None:
    """What is wrong with an id, to be read after its name; None for a good one.

    A good id has no invisible character, no space at either end nor two in a row, and is composed
    (Unicode normalisation form C), so that the same letters are the same id.
    """
    if text.isascii() and text.isprintable():
        return _flaw_of_spaces(text)
    for place, character in enumerate(text, 1):
        if is_unseen(character):
            return f"has an invisible character, {named(character)}, in place {place}: remove it"
        if character in _HYPHENS:
            return f'has {named(character)} in place {place}, which looks like "-": write "-"'
    if not unicodedata.is_normalized("NFC", text):
        pairs = zip(text, unicodedata.normalize("NFC", text), strict=False)
        place = next((n for n, (is_, due) in enumerate(pairs, 1) if is_ != due), len(text))
        return f"has a letter in two parts in place {place}: write it as one (Unicode form NFC)"
    return _flaw_of_spaces(text)


def is_unseen(character: str) -> bool:
    """Whether a character, other than the plain space, shows nothing or a blank."""
    if character == " ":
        return False
    return unicodedata.category(character) in _UNSEEN_CATEGORIES or bool(_UNSEEN.match(character))


def named(character: str) -> str:
    """A character by number and Unicode name, such as U+200B ZERO WIDTH SPACE."""
    name = unicodedata.name(character, "") or _NAMELESS.get(unicodedata.category(character), "")
    return f"U+{ord(character):04X} {name}".rstrip()


def _flaw_of_spaces(text: str) -> str | None:
    if text.strip(" ") != text:
        return "must not start or end with a space"
    if "  " in text:
        return f"has two spaces in a row in place {text.index('  ') + 1}: leave one"
    return None
