"""The commands in our documents: found, and run as a reader would type them.

Every block fenced as `sh` or `python` is run, in the order of the document. What cannot be is said
in a comment on the line before the block, where every reader of the source sees it:

    <!-- not run: WHY -->             it is left out
    <!-- runs in the background -->   it goes on until the document ends, and serves before the next
    <!-- exits with N -->             it ends with that exit code
    <!-- runs against ... -->         a remark for readers
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LANGUAGES = ("sh", "python")

_BLOCK = re.compile(
    r"(?:^<!--(?P<remark>[^\n]*)-->\n)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_KNOWN = re.compile(
    r"not run: (?P<reason>\S.+)|runs in the background|exits with (?P<code>\d+)|runs against .+"
)


@dataclass(frozen=True)
class Block:
    """Commands to type, or a program to run."""

    where: str  # document:line
    language: str
    text: str
    is_background: bool
    exit_code: int


def blocks_of(document: str, text: str) -> Iterator[Block]:
    """All blocks that are to be run, in their order."""
    for found in _BLOCK.finditer(text):
        where = f"{document}:{text.count(chr(10), 0, found.start('text'))}"
        remark = (found["remark"] or "").strip()
        if found["language"] not in LANGUAGES:
            assert found["language"] != "bash", f"{where}: fence it as sh, so that it is run"
            continue
        known = _KNOWN.fullmatch(remark)
        assert known or not remark, f"{where}: nobody knows what this means: {remark}"
        if known and known["reason"]:
            continue
        yield Block(
            where,
            found["language"],
            found["text"],
            is_background=remark == "runs in the background",
            exit_code=int(known["code"]) if known and known["code"] else 0,
        )
