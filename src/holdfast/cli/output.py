"""What commands print: tables for people, JSON for programs."""

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_ESCAPED = "backslashreplace"
PIPE_COLUMNS = 240  # rich would cut a table at 80 where there is no terminal to measure


class Output(StrEnum):
    """Who reads it."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table for people, or JSON for programs.")
]


def write_whole() -> None:
    """Have all that is printed written to its end, also with PYTHONUNBUFFERED, and in any encoding:
    a character that it has not is escaped, since by then what is told of has been done.

    Python hands a text to an unbuffered stream in one write, and forgets what that did not take: a
    pipe takes 64 KiB of it when a signal comes in between.
    """
    sys.stdout, sys.stderr = _buffered(sys.stdout), _buffered(sys.stderr)


def nobody_takes_more() -> bool:
    """Write to the end what is printed so far; true: it does not get there, and the rest is dropped
    without a word. The disk is full, or whoever read it has left.
    """
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open to the end
        return True
    return False


def _buffered(stream: TextIO) -> TextIO:
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)
        return stream
    whole = io.BufferedWriter(raw)
    return io.TextIOWrapper(whole, encoding=stream.encoding, errors=_ESCAPED, line_buffering=True)


def print_json(value: object) -> None:
    """Print a value as indented JSON; dataclasses become objects, and times ISO 8601 in UTC."""
    typer.echo(json.dumps(_plain(value), indent=2, default=_moment))


def print_json_line(value: object) -> None:
    """Print a value as JSON on one line, for streams."""
    typer.echo(json.dumps(_plain(value), default=_moment))


def print_line(text: str) -> None:
    """Print a line as it is."""
    typer.echo(text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under headings; numbers stand at the right. Without rows, say so."""
    cells = [list(row) for row in rows]
    if not cells:
        print_line("none")
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, first in zip(columns, cells[0], strict=True):
        table.add_column(
            heading, justify="right" if isinstance(first, int) else "left", overflow="fold"
        )
    for row in cells:
        table.add_row(*(_cell(value) for value in row))
    _console().print(table)


def signed(actor: str, credential_id: str) -> str:
    """Tell who did something, with the credential if there was one."""
    return f"{actor} ({credential_id})" if credential_id else actor


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, one a line, and leave out what is empty."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in ("", None):
            table.add_row(name, _cell(value))
    _console().print(table)


def _console() -> Console:
    console = Console(highlight=False)
    if not sys.stdout.isatty():  # whatever colours are wanted: FORCE_COLOR makes it no terminal
        console.width = PIPE_COLUMNS
    return console


def _cell(value: object) -> Text:
    # A Text, since a customer called "[red]" is no markup.
    return Text("" if value is None else _text(value))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return _instant(value.replace(microsecond=0))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _moment(value: date) -> str:
    return _instant(value) if isinstance(value, datetime) else value.isoformat()


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
