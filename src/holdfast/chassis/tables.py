"""The tables that every service keeps for its messages, by engine; part of its first migration.

Released text is never edited: a change is a new constant and a new migration.
"""

from collections.abc import Mapping

from holdfast.chassis.database import Engine

MESSAGE_TABLES_1: dict[Engine, str] = {
    "postgresql": """
CREATE TABLE outbox (
    position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    traceparent text NOT NULL,
    data        bytea NOT NULL
);
CREATE TABLE inbox (
    event_id    text COLLATE "C" PRIMARY KEY,
    received_at timestamptz NOT NULL
);
CREATE INDEX inbox_by_age ON inbox (received_at);
CREATE TABLE dead_letter (
    letter_id   text PRIMARY KEY,
    queue       text NOT NULL,
    reason      text NOT NULL,
    parked_at   timestamptz NOT NULL,
    body        bytea NOT NULL,
    type        text,           -- this and the rest: NULL when the body is no event
    subject     text,
    sequence    bigint,
    happened_at timestamptz,
    traceparent text
);
""",
    "sqlite": """
CREATE TABLE outbox (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id    TEXT NOT NULL,
    type        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    happened_at TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    data        BLOB NOT NULL
);
CREATE TABLE inbox (
    event_id    TEXT PRIMARY KEY,
    received_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbox_by_age ON inbox (received_at);
CREATE TABLE dead_letter (
    letter_id   TEXT PRIMARY KEY,
    queue       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    parked_at   TEXT NOT NULL,
    body        BLOB NOT NULL,
    type        TEXT,           -- this and the rest: NULL when the body is no event
    subject     TEXT,
    sequence    INTEGER,
    happened_at TEXT,
    traceparent TEXT
) WITHOUT ROWID;
""",
}


def statements(tables: Mapping[Engine, str], engine: str) -> list[str]:
    """Split one engine's text into statements, each ended by a semicolon at a line's end."""
    text = next(text for name, text in tables.items() if name == engine)
    return [statement for statement in text.split(";\n") if statement.strip()]
