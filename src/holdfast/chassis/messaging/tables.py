"""The tables that every service keeps for its messages; part of its first migration.

Released text is never edited: a change is a new constant and a new migration.
"""

from holdfast.chassis.database.sql import tables_in

MESSAGE_TABLES_1 = """
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
) WITHOUT ROWID;
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
) WITHOUT ROWID;
"""


def statements(tables: str, engine: str) -> list[str]:
    """Split the tables as one engine takes them into statements, each ended by a semicolon at a
    line's end.
    """
    text = tables_in(tables, engine)
    return [statement for statement in text.split(";\n") if statement.strip()]
