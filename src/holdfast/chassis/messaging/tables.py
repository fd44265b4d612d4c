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
    data        bytea NOT NULL,
    is_repeat   boolean NOT NULL                 -- told before: not for the feed
);
-- What has left the outbox, in the order of leaving: dense, for whoever follows.
CREATE TABLE feed (
    position    bigint PRIMARY KEY,
    event_id    text COLLATE "C" NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    sequence    bigint NOT NULL,
    happened_at timestamptz NOT NULL,
    traceparent text NOT NULL,
    data        bytea NOT NULL
);
CREATE TABLE feed_head (                         -- one row
    feed_id text NOT NULL,                       -- random: names this feed in every cursor
    last    bigint NOT NULL                      -- the newest position; 0: none yet
) WITH (fillfactor = 10);
INSERT INTO feed_head VALUES (substr(random_id(), 1, 12), 0);
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

_RANDOM_ID = {
    "postgresql": "md5(gen_random_uuid()::text)",
    "sqlite": "lower(hex(randomblob(16)))",
}


def statements(tables: str, engine: str) -> list[str]:
    """Split the tables as one engine takes them into statements, each ended by a semicolon at a
    line's end. What stands there as `random_id()` is another one in every database.
    """
    text = tables_in(tables, engine).replace("random_id()", _RANDOM_ID[engine])
    return [statement for statement in text.split(";\n") if statement.strip()]
