-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

BEGIN;

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL, 
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

-- Running upgrade  -> 0001

-- How far a feed is followed. `anew`: from its beginning, because the place was lost.
CREATE TABLE followed (
    feed   text PRIMARY KEY,
    cursor text NOT NULL,
    since  timestamptz NOT NULL,
    anew   boolean NOT NULL
);

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
);

-- A webhook that is being sent what it missed: up to where the feed is followed for all.
CREATE TABLE catch_up (
    webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    feed       text NOT NULL,
    cursor     text NOT NULL,
    since      timestamptz,                      -- NULL: whenever it happened
    PRIMARY KEY (webhook_id, feed)
);

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
);

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

-- Rows of good keys are never deleted: one that is gone must not come back as a new one.
CREATE TABLE credential (
    key_id     text COLLATE "C" PRIMARY KEY,
    name       text NOT NULL,
    digest     bytea NOT NULL,                   -- HMAC-SHA-256 of the secret
    grants     text NOT NULL,                    -- roles and scopes, with blanks between
    networks   text NOT NULL,                    -- likewise; '': anywhere
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,                      -- it stays so
    version    bigint NOT NULL,
    used_at    timestamptz,                      -- about; no change of its version
    user_name  text COLLATE "C" NOT NULL         -- who signed in for it; '': nobody
);

CREATE INDEX credential_of_user ON credential (user_name, created_at) WHERE user_name <> '';

-- Those of users are deleted when they have expired, by which they can't come back. What the sum of
-- all versions misses of them is here.
CREATE TABLE credential_gone (
    one        bigint PRIMARY KEY CHECK (one = 1),
    versions   bigint NOT NULL
);

INSERT INTO alembic_version (version_num) VALUES ('0001') RETURNING alembic_version.version_num;

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
SELECT event_id, order_id, kind, happened_at, 'WAITING', 0, next_at, ''
  FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
       AS new (event_id, order_id, kind, happened_at, next_at)
ON CONFLICT (event_id) DO NOTHING
;

-- DUE_MAILS
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE state = 'WAITING'
   AND next_at <= $1
 ORDER BY next_at, mail_id
 LIMIT $2
;

-- FIND_MAIL
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE event_id = $1
;

-- LIST_MAILS
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE mail_id < $1
   AND ($3 = '' OR state = $3)
 ORDER BY mail_id DESC
 LIMIT $2
;

-- LIST_MAILS_OF_ORDER
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
 WHERE order_id = $4
   AND mail_id < $1
   AND ($3 = '' OR state = $3)
 ORDER BY mail_id DESC
 LIMIT $2
;

-- RECORD_MAILS
UPDATE mail
   SET state = new.state, attempts = new.attempts, next_at = new.next_at,
       attempted_at = new.attempted_at, problem = new.problem
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
              $6::text[])
       AS new (mail_id, state, attempts, next_at, attempted_at, problem)
 WHERE mail.mail_id = new.mail_id
   AND mail.state <> 'SENT'
;

-- RETRY_MAIL
UPDATE mail
   SET state = 'WAITING', attempts = 0, next_at = $2
 WHERE event_id = $1
   AND state <> 'SENT'
;

-- BRING_MAILS_FORWARD
UPDATE mail
   SET next_at = $1
 WHERE state = 'WAITING'
   AND next_at > $2
;

-- FORGET_MAILS
DELETE FROM mail
      WHERE mail_id IN (SELECT mail_id
                          FROM mail
                         WHERE happened_at < $1
                           AND state <> 'WAITING'
                      ORDER BY happened_at
                         LIMIT $2)
;

-- INSERT_DELIVERIES
INSERT INTO delivery
            (webhook_id, event_id, line, state, next_at, attempts, status, problem, excerpt)
SELECT webhook_id, event_id, line, 'QUEUED', next_at, 0, 0, '', ''
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
       AS new (webhook_id, event_id, line, next_at)
ON CONFLICT (webhook_id, event_id) DO NOTHING
;

-- FORGET_DELIVERIES
DELETE FROM delivery
      WHERE webhook_id = $1::uuid
        AND event_id = ANY($2::text[])
        AND ended_at IS NOT NULL
;

-- GIVE_UP_OPEN
UPDATE delivery
   SET state = 'FAILED', problem = $2, ended_at = $3
 WHERE webhook_id = $1::uuid
   AND ended_at IS NULL
   AND EXISTS (SELECT 1
                 FROM event
                WHERE event.event_id = delivery.event_id
                  AND feed = ANY($4::text[]))
;

-- REOPEN_FAILED
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = $2, ended_at = NULL
 WHERE webhook_id = $1::uuid
   AND state = 'FAILED'
;

-- REOPEN
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = $3, ended_at = NULL
 WHERE webhook_id = $1::uuid
   AND event_id = $2
   AND ended_at IS NOT NULL
RETURNING line
;

-- QUEUE_ALL
UPDATE delivery
   SET state = 'QUEUED'
 WHERE webhook_id = $1::uuid
   AND ended_at IS NULL
   AND state = 'WAITING'
;

-- QUEUE_LINE
UPDATE delivery
   SET state = 'QUEUED'
 WHERE webhook_id = $1::uuid
   AND ended_at IS NULL
   AND state = 'WAITING'
   AND line = $2
;

-- FIRST_OF_LINE
UPDATE delivery
   SET state = 'WAITING'
 WHERE delivery_id = (SELECT min(delivery_id)
                        FROM delivery
                       WHERE webhook_id = $1::uuid
                         AND line = $2
                         AND ended_at IS NULL)
;

-- FIRST_OF_ALL_LINES
UPDATE delivery
   SET state = 'WAITING'
 WHERE state = 'QUEUED'
   AND delivery_id IN (SELECT min(delivery_id)
                         FROM delivery
                        WHERE webhook_id = $1::uuid
                          AND ended_at IS NULL
                     GROUP BY line)
;

-- NEXT_OF_LINES
UPDATE delivery
   SET state = 'WAITING', next_at = new.now
  FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS new (webhook_id, line, now)
 WHERE delivery.state = 'QUEUED'
   AND delivery.delivery_id = (SELECT min(first.delivery_id)
                                 FROM delivery AS first
                                WHERE first.webhook_id = new.webhook_id
                                  AND first.line = new.line
                                  AND first.ended_at IS NULL)
;

-- DUE
SELECT delivery_id, webhook_id::text AS webhook_id, event_id, line, attempts, body
  FROM (SELECT webhook_id AS owner
          FROM webhook
         WHERE state = 'ACTIVE'
           AND webhook_id <> ALL($2::uuid[])
           AND EXISTS (SELECT 1
                         FROM delivery
                        WHERE delivery.webhook_id = webhook.webhook_id
                          AND state = 'WAITING'
                          AND next_at <= $1)
         ORDER BY webhook_id = ANY($6::uuid[]) DESC
         LIMIT $5) AS due
       CROSS JOIN LATERAL (
           SELECT delivery_id, webhook_id, event_id, line, attempts
             FROM delivery
            WHERE webhook_id = owner
              AND state = 'WAITING'
              AND next_at <= $1
              AND delivery_id <> ALL($3::bigint[])
         ORDER BY next_at, delivery_id
            LIMIT CASE WHEN owner = ANY($6::uuid[]) THEN $4 ELSE 1 END) AS of_one
       JOIN event USING (event_id)
      LIMIT $7
;

-- RECORD_ATTEMPTS
UPDATE delivery
   SET state = new.state, attempts = new.attempts, next_at = new.next_at,
       attempted_at = new.attempted_at, status = new.status, problem = new.problem,
       excerpt = new.excerpt, ended_at = new.ended_at
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
              $6::bigint[], $7::text[], $8::text[], $9::timestamptz[])
       AS new (delivery_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
               ended_at)
 WHERE delivery.delivery_id = new.delivery_id
   AND delivery.ended_at IS NULL
   AND (delivery.state = 'WAITING' AND delivery.attempts = new.attempts - 1
        OR new.state = 'DELIVERED')
;

-- FIND_DELIVERY
SELECT delivery_id, event_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
       feed, cursor, type, subject
  FROM delivery
  JOIN event USING (event_id)
 WHERE webhook_id = $1::uuid
   AND event_id = $2
;

-- LIST_DELIVERIES
SELECT delivery_id, event_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
       feed, cursor, type, subject
  FROM delivery
  JOIN event USING (event_id)
 WHERE webhook_id = $1::uuid
   AND delivery_id < $2
   AND ($4 = '' OR state = $4)
 ORDER BY delivery_id DESC
 LIMIT $3
;

-- BRING_DELIVERIES_FORWARD
UPDATE delivery
   SET next_at = $1
 WHERE delivery_id IN (SELECT far.delivery_id
                         FROM webhook
                   CROSS JOIN delivery AS far
                        WHERE far.webhook_id = webhook.webhook_id
                          AND far.state = 'WAITING'
                          AND far.next_at > $2)
   AND state = 'WAITING'
   AND next_at > $2
;

-- FORGET_ENDED
DELETE FROM delivery
      WHERE delivery_id IN (SELECT delivery_id
                              FROM delivery
                             WHERE ended_at < $1
                          ORDER BY ended_at
                             LIMIT $2)
;

-- FORGET_EVENTS
DELETE FROM event
      WHERE event_id IN (SELECT event_id
                           FROM event
                          WHERE kept_at < $1
                            AND NOT EXISTS (SELECT 1
                                              FROM delivery
                                             WHERE delivery.event_id = event.event_id)
                       ORDER BY kept_at
                          LIMIT $2)
;

-- FIND_WEBHOOK
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id = $1::uuid
;

-- FIND_REQUESTED_WEBHOOK
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE request_id = $1
;

-- LIST_WEBHOOKS
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id < $1::uuid
 ORDER BY webhook_id DESC
 LIMIT $2
;

-- LISTENING_WEBHOOKS
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
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
                      AND catch_up.feed = $1)
;

-- LOCK_WEBHOOKS
  SELECT webhook_id
    FROM webhook
   WHERE webhook_id = ANY($1::uuid[])
ORDER BY webhook_id
     FOR UPDATE
;

-- FIND_WEBHOOKS
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
 WHERE webhook_id = ANY($1::uuid[])
;

-- COUNT_WEBHOOKS
SELECT count(*) AS webhooks
  FROM webhook
;

-- INSERT_WEBHOOK
INSERT INTO webhook (webhook_id, request_id, url, description, types, in_order, secret, state,
                     created_at, whole_since, version, request_hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
;

-- UPDATE_WEBHOOK
UPDATE webhook
   SET url = $2, description = $3, types = $4, secret = $5, old_secret = $6, old_until = $7,
       state = $8, failing_since = $9, version = $10, whole_since = $11
 WHERE webhook_id = $1::uuid
;

-- DELETE_DELIVERIES
DELETE FROM delivery
      WHERE webhook_id = $1::uuid
;

-- DELETE_WEBHOOK
DELETE FROM webhook
      WHERE webhook_id = $1::uuid
;

-- FIND_FOLLOWED
SELECT cursor, since, anew
  FROM followed
 WHERE feed = $1
;

-- LOCK_FOLLOWED
SELECT cursor, since, anew
  FROM followed
 WHERE feed = $1
   FOR UPDATE
;

-- START_FOLLOWING
INSERT INTO followed (feed, cursor, since, anew)
     VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
;

-- MOVE_FOLLOWED
UPDATE followed
   SET cursor = $2, anew = $3
 WHERE feed = $1
;

-- CATCHING_UP
  SELECT webhook_id::text AS webhook_id, feed, cursor, since
    FROM catch_up
ORDER BY webhook_id, feed
;

-- CATCH_UP
INSERT INTO catch_up AS mine (webhook_id, feed, cursor, since)
     VALUES ($1, $2, $3, $4)
ON CONFLICT (webhook_id, feed) DO UPDATE
        SET cursor = excluded.cursor, since = excluded.since
;

-- FIND_CATCH_UP
SELECT cursor, since
  FROM catch_up
 WHERE webhook_id = $1::uuid AND feed = $2
;

-- MOVE_CATCH_UP
UPDATE catch_up
   SET cursor = $3
 WHERE webhook_id = $1::uuid AND feed = $2
;

-- END_CATCH_UP
DELETE FROM catch_up
      WHERE webhook_id = $1::uuid AND feed = $2
;

-- END_CATCH_UPS
DELETE FROM catch_up
      WHERE webhook_id = $1::uuid
;

-- INSERT_EVENTS
INSERT INTO event (event_id, feed, cursor, type, subject, happened_at, kept_at, body)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
              $7::timestamptz[], $8::bytea[])
ON CONFLICT DO NOTHING
;
