"""Order numbers, product codes and customer ids: the exact text, or refused with the reason."""

import re
import unicodedata
from functools import lru_cache

from holdfast.chassis.identifiers import flaw_in, is_unseen
from holdfast.importing.flaws import Unintelligible, quoted
from holdfast.importing.rows import BOM

CHARACTERS_MAX = 128

_AS_TEXT = "format the column as text in the spreadsheet, or read it as text in the program"
_EXPONENT = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+", re.ASCII)
_ZERO_DECIMALS = re.compile(r"[+-]?[0-9]+[.,]0+", re.ASCII)
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", re.ASCII)
_EMPTY_WORDS = frozenset(("nan", "null", "none", "nat", "<na>", "undefined", "inf", "-inf"))
_SPREADSHEET_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "###")


@lru_cache(maxsize=65_536)
def identity(what: str, text: str, *, characters_max: int = CHARACTERS_MAX) -> str:
    """The exact text, composed (NFC) and without spaces around it; leading zeros stay.

    :param what: what it names, for the message.
    :raises Unintelligible: it is empty, too long, has an invisible character, or stands in a form
        that a spreadsheet or a program makes of something else.
    """
    stripped = unicodedata.normalize("NFC", text.strip(" "))
    if not stripped:
        raise Unintelligible(f"the {what} is empty")
    if BOM in stripped:
        raise Unintelligible(
            f"the {what} {quoted(stripped)} has a byte order mark (BOM, U+FEFF): remove it"
        )
    flaw = rewritten(stripped) or flaw_in(stripped)
    if flaw:
        raise Unintelligible(f"the {what} {quoted(stripped)} {flaw}")
    if len(stripped) > characters_max:
        raise Unintelligible(
            f"the {what} {quoted(stripped)} has {len(stripped)} characters; "
            f"at most {characters_max} are allowed"
        )
    return stripped


@lru_cache(maxsize=65_536)
def seen(text: str) -> str:
    """What a person sees of an id: without what is invisible, and a spreadsheet's text mark."""
    visible = "".join(c for c in text if not is_unseen(c)).strip(" ")
    unmarked = visible.removeprefix("'")
    if unmarked.startswith('="') and unmarked.endswith('"'):
        unmarked = unmarked[2:-1]
    return " ".join(unmarked.split())


def lost_in(text: str) -> str | None:
    """What was lost before the file was written, so that a sign stands there in its place."""
    if text.startswith(_SPREADSHEET_ERRORS):
        return "is what a spreadsheet writes where it failed: mend the cell"
    if "\ufffd" in text:
        return "has U+FFFD, in place of a letter that some program could not read: write the letter"
    return None


def rewritten(text: str) -> str | None:
    """What a spreadsheet or a program made of it, and what to do; None if nothing can be seen."""
    if _EXPONENT.fullmatch(text):
        return f"is a number with an exponent, so digits may be lost: {_AS_TEXT}"
    if _ZERO_DECIMALS.fullmatch(text):
        return (
            "is a number with decimals, as a spreadsheet or a program writes what it took for a "
            f"number, so zeros at its front may be lost: {_AS_TEXT}"
        )
    if _THOUSANDS.fullmatch(text):
        return f"is a number with thousands marks: {_AS_TEXT}"
    if text[0] in "='":
        return f"begins with a spreadsheet's mark for text or a formula, {text[0]!r}: remove it"
    if lost := lost_in(text):
        return lost
    if text.casefold() in _EMPTY_WORDS:
        return "is what a program writes for an empty cell: write the value, or leave it empty"
    return None
