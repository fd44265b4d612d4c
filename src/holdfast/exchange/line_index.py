"""Where each thing stands in a file: found by going through the whole file before it is taken in.

It is kept in a private database of SQLite, which goes to a temporary file where the memory for it
ends: a file of any length takes the same.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from types import TracebackType
from typing import NamedTuple, Self

from holdfast.importing.flaws import UnreadableText

PIECE_RECORDS = 2_000  # gone through at a time: whoever is told to stop in between, stops
_CACHE_KIBIBYTES = 16_384
_MAKE = f"""
    PRAGMA journal_mode = OFF;
    PRAGMA cache_size = -{_CACHE_KIBIBYTES};
    CREATE TABLE spans (name TEXT PRIMARY KEY, first INTEGER, last INTEGER) WITHOUT ROWID;
    BEGIN;
"""
_PUT = """
    INSERT INTO spans VALUES (?1, ?2, ?2)
    ON CONFLICT DO UPDATE SET last = excluded.last
"""
_FIND = "SELECT first, last FROM spans WHERE name = ?"


class Span(NamedTuple):
    """The first line where something stands, and the last."""

    first: int
    last: int


class LineIndex:
    """The lines of a file by what they are about; any thread may use it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._alone = Lock()  # an import that is broken off closes it under its reader's hands

    def __enter__(self) -> Self:
        with self._using() as database:
            database.executescript(_MAKE)
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._alone:
            self._database.close()

    def put(self, name: str, line: int) -> None:
        """It stands in this line, which is none before those that were put.

        :raises UnreadableText: there is no room to remember it.
        """
        with self._using() as database:
            database.execute(_PUT, (name, line))

    def find(self, name: str) -> Span | None:
        """Where it stands; None: nowhere.

        :raises UnreadableText: it can't be told any more.
        """
        with self._using() as database:
            found = database.execute(_FIND, (name,)).fetchone()
        return Span(*found) if found else None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._alone:
                yield self._database
        except sqlite3.Error as error:
            raise UnreadableText(
                f"where its lines stand can't be kept ({error}): make room for temporary files, "
                "or say by TMPDIR where there is some"
            ) from error
