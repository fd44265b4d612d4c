"""SQL written once, as PostgreSQL reads it; what SQLite is given follows from it by a few rules.

A service's statements are a class of texts: see `orders/infrastructure/ordering/sql.py`. Where no
rule leads from one engine's text to the other's, `either` has both. Whatever runs can be read,
statement by statement, in `tests/contract/sql/`, which a test holds to these rules.
"""

import re
from typing import Self, TypeVar

from holdfast.chassis.database.seam import Engine

Texts = TypeVar("Texts")

BEHIND_ALL = "\U0010ffff"  # no id has it, so that it follows all that begin alike


class _Either(str):
    """PostgreSQL's text that brings SQLite's along, also into what it becomes a part of."""

    sqlite: str

    def __new__(cls, postgresql: str, sqlite: str) -> Self:
        text = super().__new__(cls, postgresql)
        text.sqlite = _own(sqlite)
        return text

    def __add__(self, after: str) -> "_Either":
        return _Either(str(self) + str(after), self.sqlite + _own(after))

    def __radd__(self, before: str) -> "_Either":
        return _Either(before + str(self), before + self.sqlite)


def _own(text: str) -> str:
    return text.sqlite if isinstance(text, _Either) else text


def either(*, postgresql: str, sqlite: str) -> str:
    """Write a statement, or a part of one, for each engine by itself. Parts are joined by `+`; the
    rules apply to the whole, so that SQLite's part may have `$1` too.
    """
    return _Either(postgresql, sqlite)


def by_engine(texts: type[Texts]) -> dict[Engine, Texts]:
    """Return the statements of a class as each engine takes them: `SQL[database.engine].NAME`.

    Names that begin with `_` are parts of statements and left as they are.

    :raises AssertionError: a statement has something that no rule takes from PostgreSQL to SQLite.
    """
    spoken: dict[Engine, Texts] = {"postgresql": texts(), "sqlite": texts()}
    for part in reversed(texts.__mro__[:-1]):
        for name, text in vars(part).items():
            if not name.startswith("_"):
                setattr(spoken["postgresql"], name, str(text))
                setattr(spoken["sqlite"], name, in_sqlite(text))
    return spoken


# Applied in this order.
_RULES = (
    (r"\$(\d+)", r"?\1"),
    (r"::[a-z]+(\[\])?", ""),  # SQLite's values have types, not its arguments and columns
    (r"= ANY\((\?\d+)\)", r"IN (SELECT value FROM json_each(\1))"),
    (r"<> ALL\((\?\d+)\)", r"NOT IN (SELECT value FROM json_each(\1))"),
    # One writer at a time: no row locks.
    (r"\s+FOR (NO KEY )?(UPDATE|SHARE)( OF [a-z_]+)?( SKIP LOCKED)?\b", ""),
)
_ROWS = re.compile(r"\s+FROM unnest\((?P<arguments>[^)]*)\)(?:\s+AS new \((?P<names>[^)]*)\))?")
_UNKNOWN_TO_SQLITE = re.compile(
    r"::|\bALL\(|\b(ANY|LATERAL|unnest|json_agg|json_build_\w+|interval|FOR SHARE)\b"
)


def in_sqlite(text: str) -> str:
    """Return a statement as SQLite takes it; one that is SQLite's already stays as it is.

    :raises AssertionError: no rule applies to something that SQLite doesn't know.
    """
    text = _own(text)
    for pattern, replacement in _RULES:
        text = re.sub(pattern, replacement, text)
    text = _rows_as_values(text)
    foreign = _UNKNOWN_TO_SQLITE.search(text)
    assert foreign is None, f"SQLite has no {foreign and foreign[0]}: use `either` for{text}"
    return text


def _rows_as_values(text: str) -> str:
    """PostgreSQL writes many rows from columns, `unnest`; SQLite from VALUES, of which the text has
    one row (`sqlite.py` makes them many), with names that SQLite gives to their columns.
    """
    rows = _ROWS.search(text)
    if rows is None:
        return text
    arguments, before, after = rows["arguments"], text[: rows.start()], text[rows.end() :]
    names = _list(rows["names"] or "")
    into, inserts, selected = before.partition("\nSELECT ")
    if not inserts:
        column_of = {name: f"new.column{number}" for number, name in enumerate(names, 1)}
        text = f"{before}\n  FROM (VALUES ({arguments})) AS new{after}"
        return re.sub(r"\bnew\.(\w+)", lambda found: column_of[found[1]], text)
    argument_of = dict(zip(names, _list(arguments), strict=bool(names)))
    if selected == "*":
        values = arguments
    else:
        values = re.sub(r"(?<!')\b\w+", lambda word: argument_of.get(word[0], word[0]), selected)
    return into + "\n     VALUES (" + values + ")" + after


def _list(text: str) -> list[str]:
    return text.replace(",", " ").split()


_TYPES = {
    "uuid": "TEXT",
    "text": "TEXT",
    'text COLLATE "C"': "TEXT",  # SQLite compares byte by byte anyway
    "timestamptz": "TEXT",
    "json": "TEXT",
    "jsonb": "TEXT",
    "boolean": "INTEGER",
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "bytea": "BLOB",
}
_COLUMN = re.compile(
    r"^(?P<name>    [a-z_]+ +)"
    r'(?P<type>[a-z]+(?: COLLATE "C"| GENERATED ALWAYS AS IDENTITY PRIMARY KEY)?)(?=[ ,\n])',
    re.MULTILINE,
)


def tables_in(text: str, engine: str) -> str:
    """Return declarations of tables as an engine takes them. They have PostgreSQL's types and the
    options of both: `WITH (...)` is PostgreSQL's, `WITHOUT ROWID` SQLite's.

    :raises KeyError: a type has no counterpart on SQLite.
    """
    if engine == "postgresql":
        return text.replace(" WITHOUT ROWID", "")
    text = re.sub(r" WITH \([^)]*\)", "", text)
    return _COLUMN.sub(lambda found: found["name"] + _TYPES[found["type"]], text)
