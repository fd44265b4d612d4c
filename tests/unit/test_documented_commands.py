"""Every `holdfast` that our documents show can be typed, also in blocks that no test can run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from holdfast.cli.main import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# From the start of a line, behind variables that are set for it, or within $(...).
_COMMAND = re.compile(r"(?:^(?:env )?(?:\w+=\S* )*|\$\()holdfast ([^;|&>)\n]+)", re.MULTILINE)
_QUOTED = re.compile(r'"\$\([^)]*\)"')  # such as "$(date -u)"


def commands_of(text: str) -> Iterator[str]:
    for block in _BLOCK.findall(text):
        plain = _QUOTED.sub("2026-03-02", block.replace("\\\n", " "))
        yield from (one.strip() for one in _COMMAND.findall(plain))


PROGRAM = get_command(app)
COMMANDS = sorted({one for path in DOCUMENTS for one in commands_of(path.read_text())})


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_our_documents_is_one(command: str) -> None:
    found, typed = PROGRAM, shlex.split(command, comments=True)
    while isinstance(found, TyperGroup):
        found, typed = found.commands[typed[0]], typed[1:]

    assert found.make_context(command, typed)


def test_blocks_that_are_not_run_are_looked_at_too() -> None:
    text = "<!-- not run: a -->\n```sh\nX=1 holdfast a b \\\n  --c > d\ne=$(holdfast f)\n```\n"

    assert list(commands_of(text)) == ["a b    --c", "f"]
    assert len(COMMANDS) > 100
