"""The first schema of the Notifier: how far the feeds are followed, webhooks, deliveries, mails."""

from alembic import op

from holdfast.chassis.identity.tables import KEY_TABLES_1
from holdfast.chassis.messaging.tables import statements

revision = "0001"
down_revision = None

TABLES = """
-- How far a feed is followed. `anew`: from its beginning, because the place was lost.
CREATE TABLE followed (
    feed   text PRIMARY KEY,
    cursor text NOT NULL,
    since  timestamptz NOT NULL,
    anew   boolean NOT NULL
) WITHOUT ROWID;
-- Whoever gives a webhook something to do, or takes it away, locks its row: so that of each line
-- one delivery is sent next, and none is forgotten behind another.
CREATE TABLE webhook (
    webhook_id    uuid PRIMARY KEY,
    request_id    text COLLATE "C" UNIQUE,       -- NULL: it had none
    request_hash  text,                          -- of what that request asked for
    url           text NOT NULL,
    description   text NOT NULL,
    types         text NOT NULL,                 -- full names, with blanks between; '': all
    in_order      boolean NOT NULL,
    secret        bytea NOT NULL,                -- sealed
    old_secret    bytea,
    old_until     timestamptz,
    state         text NOT NULL,
    failing_since timestamptz,
    created_at    timestamptz NOT NULL,
    whole_since   timestamptz NOT NULL,          -- what happened since then, it is sent
    version       bigint NOT NULL
) WITHOUT ROWID;
-- A webhook that is being sent what it missed: up to where the feed is followed for all.
CREATE TABLE catch_up (
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    feed       text NOT NULL,
    cursor     text NOT NULL,
    since      timestamptz,                      -- NULL: whenever it happened
    PRIMARY KEY (webhook_id, feed)
) WITHOUT ROWID;
-- What at least one webhook is to get.
CREATE TABLE event (
    event_id    text COLLATE "C" PRIMARY KEY,
    feed        text NOT NULL,
    cursor      text NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    happened_at timestamptz NOT NULL,
    kept_at     timestamptz NOT NULL,
    body        bytea NOT NULL
) WITHOUT ROWID;
CREATE INDEX event_by_age ON event (kept_at);
CREATE TABLE delivery (
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id   uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id     text COLLATE "C" NOT NULL REFERENCES event,
    line         text COLLATE "C" NOT NULL,      -- those of one line are sent one by one
    state        text NOT NULL,
    attempts     bigint NOT NULL,
    next_at      timestamptz NOT NULL,           -- counts while it waits
    attempted_at timestamptz,
    status       bigint NOT NULL,
    problem      text NOT NULL,
    excerpt      text NOT NULL,
    ended_at     timestamptz,                    -- NULL: it is to be sent
    UNIQUE (webhook_id, event_id)
) WITH (fillfactor = 80);
CREATE INDEX delivery_due ON delivery (webhook_id, next_at) WHERE state = 'WAITING';
CREATE INDEX delivery_lines ON delivery (webhook_id, line, delivery_id) WHERE ended_at IS NULL;
CREATE INDEX delivery_by_webhook ON delivery (webhook_id, delivery_id);
CREATE INDEX delivery_by_event ON delivery (event_id);
CREATE INDEX delivery_by_end ON delivery (ended_at) WHERE ended_at IS NOT NULL;
-- A mail that tells a customer of an event. No address: it is read when the mail is sent.
CREATE TABLE mail (
    mail_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id     text COLLATE "C" NOT NULL UNIQUE,
    order_id     text COLLATE "C" NOT NULL,
    kind         text NOT NULL,
    happened_at  timestamptz NOT NULL,
    state        text NOT NULL,
    attempts     bigint NOT NULL,
    next_at      timestamptz NOT NULL,
    attempted_at timestamptz,
    problem      text NOT NULL
);
CREATE INDEX mail_due ON mail (next_at) WHERE state = 'WAITING';
CREATE INDEX mail_by_order ON mail (order_id, mail_id);
CREATE INDEX mail_by_time ON mail (happened_at);
"""


def upgrade() -> None:
    for tables in (TABLES, KEY_TABLES_1):
        for statement in statements(tables, op.get_context().dialect.name):
            op.execute(statement)
