-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

-- How far a feed is followed. `anew`: from its beginning, because the place was lost.
CREATE TABLE followed (
    feed   TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    since  TEXT NOT NULL,
    anew   INTEGER NOT NULL
) WITHOUT ROWID;

-- Whoever gives a webhook something to do, or takes it away, locks its row: so that of each line
-- one delivery is sent next, and none is forgotten behind another.
CREATE TABLE webhook (
    webhook_id    TEXT PRIMARY KEY,
    request_id    TEXT UNIQUE,       -- NULL: it had none
    request_hash  TEXT,                          -- of what that request asked for
    url           TEXT NOT NULL,
    description   TEXT NOT NULL,
    types         TEXT NOT NULL,                 -- full names, with blanks between; '': all
    in_order      INTEGER NOT NULL,
    secret        BLOB NOT NULL,                -- sealed
    old_secret    BLOB,
    old_until     TEXT,
    state         TEXT NOT NULL,
    failing_since TEXT,
    created_at    TEXT NOT NULL,
    whole_since   TEXT NOT NULL,          -- what happened since then, it is sent
    version       INTEGER NOT NULL
) WITHOUT ROWID;

-- A webhook that is being sent what it missed: up to where the feed is followed for all.
CREATE TABLE catch_up (
    webhook_id TEXT NOT NULL REFERENCES webhook ON DELETE CASCADE,
    feed       TEXT NOT NULL,
    cursor     TEXT NOT NULL,
    since      TEXT,                      -- NULL: whenever it happened
    PRIMARY KEY (webhook_id, feed)
) WITHOUT ROWID;

-- What at least one webhook is to get.
CREATE TABLE event (
    event_id    TEXT PRIMARY KEY,
    feed        TEXT NOT NULL,
    cursor      TEXT NOT NULL,
    type        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    kept_at     TEXT NOT NULL,
    body        BLOB NOT NULL
) WITHOUT ROWID;

CREATE INDEX event_by_age ON event (kept_at);

CREATE TABLE delivery (
    delivery_id  INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id   TEXT NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id     TEXT NOT NULL REFERENCES event,
    line         TEXT NOT NULL,      -- those of one line are sent one by one
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    next_at      TEXT NOT NULL,           -- counts while it waits
    attempted_at TEXT,
    status       INTEGER NOT NULL,
    problem      TEXT NOT NULL,
    excerpt      TEXT NOT NULL,
    ended_at     TEXT,                    -- NULL: it is to be sent
    UNIQUE (webhook_id, event_id)
);

CREATE INDEX delivery_due ON delivery (webhook_id, next_at) WHERE state = 'WAITING';

CREATE INDEX delivery_lines ON delivery (webhook_id, line, delivery_id) WHERE ended_at IS NULL;

CREATE INDEX delivery_by_webhook ON delivery (webhook_id, delivery_id);

CREATE INDEX delivery_by_event ON delivery (event_id);

CREATE INDEX delivery_by_end ON delivery (ended_at) WHERE ended_at IS NOT NULL;

-- A mail that tells a customer of an event. No address: it is read when the mail is sent.
CREATE TABLE mail (
    mail_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id     TEXT NOT NULL UNIQUE,
    order_id     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    happened_at  TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL,
    next_at      TEXT NOT NULL,
    attempted_at TEXT,
    problem      TEXT NOT NULL
);

CREATE INDEX mail_due ON mail (next_at) WHERE state = 'WAITING';

CREATE INDEX mail_by_order ON mail (order_id, mail_id);

CREATE INDEX mail_by_time ON mail (happened_at);

-- Rows of good keys are never deleted: one that is gone must not come back as a new one.
CREATE TABLE credential (
    key_id     TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL,                   -- HMAC-SHA-256 of the secret
    grants     TEXT NOT NULL,                    -- roles and scopes, with blanks between
    networks   TEXT NOT NULL,                    -- likewise; '': anywhere
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,                      -- it stays so
    version    INTEGER NOT NULL,
    used_at    TEXT,                      -- about; no change of its version
    user_name  TEXT NOT NULL         -- who signed in for it; '': nobody
) WITHOUT ROWID;

CREATE INDEX credential_of_user ON credential (user_name, created_at) WHERE user_name <> '';

-- Those of users are deleted when they have expired, by which they can't come back. What the sum of
-- all versions misses of them is here.
CREATE TABLE credential_gone (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    versions   INTEGER NOT NULL
);

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING version_num;

COMMIT;


-- MEASURED
SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE ended_at IS NULL LIMIT 10000) AS few)
           AS deliveries,
       (SELECT count(*) FROM webhook WHERE state = 'DISABLED') AS disabled,
       (SELECT count(*) FROM (SELECT 1 FROM mail WHERE state = 'WAITING' LIMIT 10000) AS few)
           AS mails
;

-- INSERT_MAILS
INSERT INTO mail (event_id, order_id, kind, happened_at, state, attempts, next_at, problem)
     VALUES (?1, ?2, ?3, ?4, 'WAITING', 0, ?5, '')
ON CONFLICT (event_id) DO NOTHING
;

-- DUE_MAILS
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE state = 'WAITING'
   AND next_at <= ?1
 ORDER BY next_at, mail_id
 LIMIT ?2
;

-- FIND_MAIL
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE event_id = ?1
;

-- LIST_MAILS
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE mail_id < ?1
   AND (?3 = '' OR state = ?3)
 ORDER BY mail_id DESC
 LIMIT ?2
;

-- LIST_MAILS_OF_ORDER
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE order_id = ?4
   AND mail_id < ?1
   AND (?3 = '' OR state = ?3)
 ORDER BY mail_id DESC
 LIMIT ?2
;

-- RECORD_MAILS
UPDATE mail
   SET state = new.column2, attempts = new.column3, next_at = new.column4,
       attempted_at = new.column5, problem = new.column6
  FROM (VALUES (?1, ?2, ?3, ?4, ?5,
              ?6)) AS new
 WHERE mail.mail_id = new.column1
   AND mail.state <> 'SENT'
;

-- RETRY_MAIL
UPDATE mail
   SET state = 'WAITING', attempts = 0, next_at = ?2
 WHERE event_id = ?1
   AND state <> 'SENT'
;

-- BRING_MAILS_FORWARD
UPDATE mail
   SET next_at = ?1
 WHERE state = 'WAITING'
   AND next_at > ?2
;

-- FORGET_MAILS
DELETE FROM mail
      WHERE mail_id IN (SELECT mail_id
                          FROM mail
                         WHERE happened_at < ?1
                           AND state <> 'WAITING'
                      ORDER BY happened_at
                         LIMIT ?2)
;

-- INSERT_DELIVERIES
INSERT INTO delivery
            (webhook_id, event_id, line, state, next_at, attempts, status, problem, excerpt)
     VALUES (?1, ?2, ?3, 'QUEUED', ?4, 0, 0, '', '')
ON CONFLICT (webhook_id, event_id) DO NOTHING
;

-- FORGET_DELIVERIES
DELETE FROM delivery
      WHERE webhook_id = ?1
        AND event_id IN (SELECT value FROM json_each(?2))
        AND ended_at IS NOT NULL
;

-- GIVE_UP_OPEN
UPDATE delivery
   SET state = 'FAILED', problem = ?2, ended_at = ?3
 WHERE webhook_id = ?1
   AND ended_at IS NULL
   AND EXISTS (SELECT 1
                 FROM event
                WHERE event.event_id = delivery.event_id
                  AND feed IN (SELECT value FROM json_each(?4)))
;

-- REOPEN_FAILED
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = ?2, ended_at = NULL
 WHERE webhook_id = ?1
   AND state = 'FAILED'
;

-- REOPEN
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = ?3, ended_at = NULL
 WHERE webhook_id = ?1
   AND event_id = ?2
   AND ended_at IS NOT NULL
RETURNING line
;

-- QUEUE_ALL
UPDATE delivery
   SET state = 'QUEUED'
 WHERE webhook_id = ?1
   AND ended_at IS NULL
   AND state = 'WAITING'
;

-- QUEUE_LINE
UPDATE delivery
   SET state = 'QUEUED'
 WHERE webhook_id = ?1
   AND ended_at IS NULL
   AND state = 'WAITING'
   AND line = ?2
;

-- FIRST_OF_LINE
UPDATE delivery
   SET state = 'WAITING'
 WHERE delivery_id = (SELECT min(delivery_id)
                        FROM delivery
                       WHERE webhook_id = ?1
                         AND line = ?2
                         AND ended_at IS NULL)
;

-- FIRST_OF_ALL_LINES
UPDATE delivery
   SET state = 'WAITING'
 WHERE state = 'QUEUED'
   AND delivery_id IN (SELECT min(delivery_id)
                         FROM delivery
                        WHERE webhook_id = ?1
                          AND ended_at IS NULL
                     GROUP BY line)
;

-- NEXT_OF_LINES
UPDATE delivery
   SET state = 'WAITING', next_at = new.column3
  FROM (VALUES (?1, ?2, ?3)) AS new
 WHERE delivery.state = 'QUEUED'
   AND delivery.delivery_id = (SELECT min(first.delivery_id)
                                 FROM delivery AS first
                                WHERE first.webhook_id = new.column1
                                  AND first.line = new.column2
                                  AND first.ended_at IS NULL)
;

-- DUE
SELECT delivery_id, webhook_id AS webhook_id, event_id, line, attempts, body
  FROM (SELECT webhook_id AS owner
          FROM webhook
         WHERE state = 'ACTIVE'
           AND webhook_id NOT IN (SELECT value FROM json_each(?2))
           AND EXISTS (SELECT 1
                         FROM delivery
                        WHERE delivery.webhook_id = webhook.webhook_id
                          AND state = 'WAITING'
                          AND next_at <= ?1)
         ORDER BY webhook_id IN (SELECT value FROM json_each(?6)) DESC
         LIMIT ?5) AS due
       JOIN delivery ON delivery_id IN (SELECT delivery_id FROM (
           SELECT delivery_id, webhook_id, event_id, line, attempts
             FROM delivery
            WHERE webhook_id = owner
              AND state = 'WAITING'
              AND next_at <= ?1
              AND delivery_id NOT IN (SELECT value FROM json_each(?3))
         ORDER BY next_at, delivery_id
            LIMIT ?4))
       JOIN event USING (event_id)
      LIMIT ?7
;

-- RECORD_ATTEMPTS
UPDATE delivery
   SET state = new.column2, attempts = new.column3, next_at = new.column4,
       attempted_at = new.column5, status = new.column6, problem = new.column7,
       excerpt = new.column8, ended_at = new.column9
  FROM (VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7, ?8, ?9)) AS new
 WHERE delivery.delivery_id = new.column1
   AND delivery.ended_at IS NULL
   AND (delivery.state = 'WAITING' AND delivery.attempts = new.column3 - 1
        OR new.column2 = 'DELIVERED')
;

-- FIND_DELIVERY
SELECT delivery_id, event_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
       feed, cursor, type, subject
  FROM delivery
  JOIN event USING (event_id)
 WHERE webhook_id = ?1
   AND event_id = ?2
;

-- LIST_DELIVERIES
SELECT delivery_id, event_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
       feed, cursor, type, subject
  FROM delivery
  JOIN event USING (event_id)
 WHERE webhook_id = ?1
   AND delivery_id < ?2
   AND (?4 = '' OR state = ?4)
 ORDER BY delivery_id DESC
 LIMIT ?3
;

-- BRING_DELIVERIES_FORWARD
UPDATE delivery
   SET next_at = ?1
 WHERE delivery_id IN (SELECT far.delivery_id
                         FROM webhook
                   CROSS JOIN delivery AS far
                        WHERE far.webhook_id = webhook.webhook_id
                          AND far.state = 'WAITING'
                          AND far.next_at > ?2)
   AND state = 'WAITING'
   AND next_at > ?2
;

-- FORGET_ENDED
DELETE FROM delivery
      WHERE delivery_id IN (SELECT delivery_id
                              FROM delivery
                             WHERE ended_at < ?1
                          ORDER BY ended_at
                             LIMIT ?2)
;

-- FORGET_EVENTS
DELETE FROM event
      WHERE event_id IN (SELECT event_id
                           FROM event
                          WHERE kept_at < ?1
                            AND NOT EXISTS (SELECT 1
                                              FROM delivery
                                             WHERE delivery.event_id = event.event_id)
                       ORDER BY kept_at
                          LIMIT ?2)
;

-- FIND_WEBHOOK
SELECT webhook_id AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id = ?1
;

-- FIND_REQUESTED_WEBHOOK
SELECT webhook_id AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE request_id = ?1
;

-- LIST_WEBHOOKS
SELECT webhook_id AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id < ?1
 ORDER BY webhook_id DESC
 LIMIT ?2
;

-- LISTENING_WEBHOOKS
SELECT webhook_id AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE state = 'ACTIVE'
   AND NOT EXISTS (SELECT 1
                     FROM catch_up
                    WHERE catch_up.webhook_id = webhook.webhook_id
                      AND catch_up.feed = ?1)
;

-- LOCK_WEBHOOKS
  SELECT webhook_id
    FROM webhook
   WHERE webhook_id IN (SELECT value FROM json_each(?1))
ORDER BY webhook_id
;

-- FIND_WEBHOOKS
SELECT webhook_id AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id IN (SELECT value FROM json_each(?1))
;

-- COUNT_WEBHOOKS
SELECT count(*) AS webhooks
  FROM webhook
;

-- INSERT_WEBHOOK
INSERT INTO webhook (webhook_id, request_id, url, description, types, in_order, secret, state,
                     created_at, whole_since, version, request_hash)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
;

-- UPDATE_WEBHOOK
UPDATE webhook
   SET url = ?2, description = ?3, types = ?4, secret = ?5, old_secret = ?6, old_until = ?7,
       state = ?8, failing_since = ?9, version = ?10, whole_since = ?11
 WHERE webhook_id = ?1
;

-- DELETE_DELIVERIES
DELETE FROM delivery
      WHERE webhook_id = ?1
;

-- DELETE_WEBHOOK
DELETE FROM webhook
      WHERE webhook_id = ?1
;

-- FIND_FOLLOWED
SELECT cursor, since, anew
  FROM followed
 WHERE feed = ?1
;

-- LOCK_FOLLOWED
SELECT cursor, since, anew
  FROM followed
 WHERE feed = ?1
;

-- START_FOLLOWING
INSERT INTO followed (feed, cursor, since, anew)
     VALUES (?1, ?2, ?3, ?4)
ON CONFLICT DO NOTHING
;

-- MOVE_FOLLOWED
UPDATE followed
   SET cursor = ?2, anew = ?3
 WHERE feed = ?1
;

-- CATCHING_UP
  SELECT webhook_id AS webhook_id, feed, cursor, since
    FROM catch_up
ORDER BY webhook_id, feed
;

-- CATCH_UP
INSERT INTO catch_up AS mine (webhook_id, feed, cursor, since)
     VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (webhook_id, feed) DO UPDATE
        SET cursor = excluded.cursor, since = excluded.since
;

-- FIND_CATCH_UP
SELECT cursor, since
  FROM catch_up
 WHERE webhook_id = ?1 AND feed = ?2
;

-- MOVE_CATCH_UP
UPDATE catch_up
   SET cursor = ?3
 WHERE webhook_id = ?1 AND feed = ?2
;

-- END_CATCH_UP
DELETE FROM catch_up
      WHERE webhook_id = ?1 AND feed = ?2
;

-- END_CATCH_UPS
DELETE FROM catch_up
      WHERE webhook_id = ?1
;

-- INSERT_EVENTS
INSERT INTO event (event_id, feed, cursor, type, subject, happened_at, kept_at, body)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6,
              ?7, ?8)
ON CONFLICT DO NOTHING
;
