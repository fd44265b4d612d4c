"""SQL of the Notifier, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine, either
from holdfast.notifier.infrastructure.mail_sql import MailStatements


class FeedStatements:
    """How far feeds are followed, and what is taken from them."""

    FIND_FOLLOWED = """
SELECT cursor, since, anew
  FROM followed
 WHERE feed = $1
"""
    LOCK_FOLLOWED = """
SELECT cursor, since, anew
  FROM followed
 WHERE feed = $1
   FOR UPDATE
"""
    START_FOLLOWING = """
INSERT INTO followed (feed, cursor, since, anew)
     VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
    MOVE_FOLLOWED = """
UPDATE followed
   SET cursor = $2, anew = $3
 WHERE feed = $1
"""
    CATCHING_UP = """
  SELECT webhook_id::text AS webhook_id, feed, cursor, since
    FROM catch_up
ORDER BY webhook_id, feed
"""
    CATCH_UP = """
INSERT INTO catch_up AS mine (webhook_id, feed, cursor, since)
     VALUES ($1, $2, $3, $4)
ON CONFLICT (webhook_id, feed) DO UPDATE
        SET cursor = excluded.cursor, since = excluded.since
"""
    FIND_CATCH_UP = """
SELECT cursor, since
  FROM catch_up
 WHERE webhook_id = $1::uuid AND feed = $2
"""
    MOVE_CATCH_UP = """
UPDATE catch_up
   SET cursor = $3
 WHERE webhook_id = $1::uuid AND feed = $2
"""
    END_CATCH_UP = """
DELETE FROM catch_up
      WHERE webhook_id = $1::uuid AND feed = $2
"""
    END_CATCH_UPS = """
DELETE FROM catch_up
      WHERE webhook_id = $1::uuid
"""
    INSERT_EVENTS = """
INSERT INTO event (event_id, feed, cursor, type, subject, happened_at, kept_at, body)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
              $7::timestamptz[], $8::bytea[])
ON CONFLICT DO NOTHING
"""


class WebhookStatements:
    """Webhooks as they stand."""

    _WEBHOOK = """
SELECT webhook_id::text AS webhook_id, coalesce(request_id, '') AS request_id,
       coalesce(request_hash, '') AS request_hash, url, description, types,
       in_order, secret, old_secret, old_until, state, failing_since, created_at, whole_since,
       version,
       EXISTS (SELECT 1
                 FROM catch_up
                WHERE catch_up.webhook_id = webhook.webhook_id) AS catching_up
  FROM webhook
"""
    FIND_WEBHOOK = (
        _WEBHOOK
        + """
 WHERE webhook_id = $1::uuid
"""
    )
    FIND_REQUESTED_WEBHOOK = (
        _WEBHOOK
        + """
 WHERE request_id = $1
"""
    )
    LIST_WEBHOOKS = (
        _WEBHOOK
        + """
 WHERE webhook_id < $1::uuid
 ORDER BY webhook_id DESC
 LIMIT $2
"""
    )
    # Those that are told of what comes now; who is catching up in this feed gets it there.
    _LISTENING = """
 WHERE state = 'ACTIVE'
   AND NOT EXISTS (SELECT 1
                     FROM catch_up
                    WHERE catch_up.webhook_id = webhook.webhook_id
                      AND catch_up.feed = $1)
"""
    LISTENING_WEBHOOKS = _WEBHOOK + _LISTENING
    # In one order for everyone: no deadlocks.
    LOCK_WEBHOOKS = """
  SELECT webhook_id
    FROM webhook
   WHERE webhook_id = ANY($1::uuid[])
ORDER BY webhook_id
     FOR UPDATE
"""
    FIND_WEBHOOKS = (
        _WEBHOOK
        + """
 WHERE webhook_id = ANY($1::uuid[])
"""
    )
    COUNT_WEBHOOKS = """
SELECT count(*) AS webhooks
  FROM webhook
"""
    INSERT_WEBHOOK = """
INSERT INTO webhook (webhook_id, request_id, url, description, types, in_order, secret, state,
                     created_at, whole_since, version, request_hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
    UPDATE_WEBHOOK = """
UPDATE webhook
   SET url = $2, description = $3, types = $4, secret = $5, old_secret = $6, old_until = $7,
       state = $8, failing_since = $9, version = $10, whole_since = $11
 WHERE webhook_id = $1::uuid
"""
    DELETE_DELIVERIES = """
DELETE FROM delivery
      WHERE webhook_id = $1::uuid
"""
    DELETE_WEBHOOK = """
DELETE FROM webhook
      WHERE webhook_id = $1::uuid
"""


class DeliveryStatements:
    """What is to be sent, and what came of it."""

    INSERT_DELIVERIES = """
INSERT INTO delivery
            (webhook_id, event_id, line, state, next_at, attempts, status, problem, excerpt)
SELECT webhook_id, event_id, line, 'QUEUED', next_at, 0, 0, '', ''
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
       AS new (webhook_id, event_id, line, next_at)
ON CONFLICT (webhook_id, event_id) DO NOTHING
"""
    # What is sent again stands at its new place, not at its old one.
    FORGET_DELIVERIES = """
DELETE FROM delivery
      WHERE webhook_id = $1::uuid
        AND event_id = ANY($2::text[])
        AND ended_at IS NOT NULL
"""
    GIVE_UP_OPEN = """
UPDATE delivery
   SET state = 'FAILED', problem = $2, ended_at = $3
 WHERE webhook_id = $1::uuid
   AND ended_at IS NULL
   AND EXISTS (SELECT 1
                 FROM event
                WHERE event.event_id = delivery.event_id
                  AND feed = ANY($4::text[]))
"""
    REOPEN_FAILED = """
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = $2, ended_at = NULL
 WHERE webhook_id = $1::uuid
   AND state = 'FAILED'
"""
    REOPEN = """
UPDATE delivery
   SET state = 'QUEUED', attempts = 0, next_at = $3, ended_at = NULL
 WHERE webhook_id = $1::uuid
   AND event_id = $2
   AND ended_at IS NOT NULL
RETURNING line
"""
    # What was reopened stands before what waits behind it; who is first is then said anew.
    QUEUE_ALL = """
UPDATE delivery
   SET state = 'QUEUED'
 WHERE webhook_id = $1::uuid
   AND ended_at IS NULL
   AND state = 'WAITING'
"""
    QUEUE_LINE = (
        QUEUE_ALL
        + """
   AND line = $2
"""
    )
    FIRST_OF_LINE = """
UPDATE delivery
   SET state = 'WAITING'
 WHERE delivery_id = (SELECT min(delivery_id)
                        FROM delivery
                       WHERE webhook_id = $1::uuid
                         AND line = $2
                         AND ended_at IS NULL)
"""
    FIRST_OF_ALL_LINES = """
UPDATE delivery
   SET state = 'WAITING'
 WHERE state = 'QUEUED'
   AND delivery_id IN (SELECT min(delivery_id)
                         FROM delivery
                        WHERE webhook_id = $1::uuid
                          AND ended_at IS NULL
                     GROUP BY line)
"""
    # Who comes first of lines that have something new, or whose first has ended.
    NEXT_OF_LINES = """
UPDATE delivery
   SET state = 'WAITING', next_at = new.now
  FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS new (webhook_id, line, now)
 WHERE delivery.state = 'QUEUED'
   AND delivery.delivery_id = (SELECT min(first.delivery_id)
                                 FROM delivery AS first
                                WHERE first.webhook_id = new.webhook_id
                                  AND first.line = new.line
                                  AND first.ended_at IS NULL)
"""
    # Of each webhook that has something due: as many as it has room for. Those that have answered
    # well come first: however many others are due, there is a place for them.
    _DUE = """
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
         LIMIT $5) AS due"""
    _DUE_OF_ONE = """
           SELECT delivery_id, webhook_id, event_id, line, attempts
             FROM delivery
            WHERE webhook_id = owner
              AND state = 'WAITING'
              AND next_at <= $1
              AND delivery_id <> ALL($3::bigint[])
         ORDER BY next_at, delivery_id
            LIMIT """
    # One of a webhook that has room for one: bodies that nobody takes are not worth their way. In
    # SQLite, where they have none, a LIMIT can't tell one webhook from another.
    _EACH = "CASE WHEN owner = ANY($6::uuid[]) THEN $4 ELSE 1 END"
    _JOIN_IN_SQLITE = """
       JOIN delivery ON delivery_id IN (SELECT delivery_id FROM ("""
    _END_IN_SQLITE = """$4))
       JOIN event USING (event_id)
      LIMIT $7
"""
    DUE = either(
        postgresql=_DUE
        + """
       CROSS JOIN LATERAL ("""
        + _DUE_OF_ONE
        + _EACH
        + """) AS of_one
       JOIN event USING (event_id)
      LIMIT $7
""",
        sqlite=_DUE + _JOIN_IN_SQLITE + _DUE_OF_ONE + _END_IN_SQLITE,
    )
    RECORD_ATTEMPTS = """
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
"""
    _DELIVERY = """
SELECT delivery_id, event_id, state, attempts, next_at, attempted_at, status, problem, excerpt,
       feed, cursor, type, subject
  FROM delivery
  JOIN event USING (event_id)
 WHERE webhook_id = $1::uuid
"""
    FIND_DELIVERY = (
        _DELIVERY
        + """
   AND event_id = $2
"""
    )
    LIST_DELIVERIES = (
        _DELIVERY
        + """
   AND delivery_id < $2
   AND ($4 = '' OR state = $4)
 ORDER BY delivery_id DESC
 LIMIT $3
"""
    )
    # By webhook, as the index of what is due goes: what waits as it should is not looked at.
    BRING_DELIVERIES_FORWARD = """
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
"""
    FORGET_ENDED = """
DELETE FROM delivery
      WHERE delivery_id IN (SELECT delivery_id
                              FROM delivery
                             WHERE ended_at < $1
                          ORDER BY ended_at
                             LIMIT $2)
"""
    FORGET_EVENTS = """
DELETE FROM event
      WHERE event_id IN (SELECT event_id
                           FROM event
                          WHERE kept_at < $1
                            AND NOT EXISTS (SELECT 1
                                              FROM delivery
                                             WHERE delivery.event_id = event.event_id)
                       ORDER BY kept_at
                          LIMIT $2)
"""


class MeasuredStatements:
    """What is told of the Notifier."""

    MEASURED = """
SELECT (SELECT count(*) FROM (SELECT 1 FROM delivery WHERE ended_at IS NULL LIMIT 10000) AS few)
           AS deliveries,
       (SELECT count(*) FROM webhook WHERE state = 'DISABLED') AS disabled,
       (SELECT count(*) FROM (SELECT 1 FROM mail WHERE state = 'WAITING' LIMIT 10000) AS few)
           AS mails
"""


class Statements(
    FeedStatements, WebhookStatements, DeliveryStatements, MailStatements, MeasuredStatements
):
    """All that the Notifier asks of its database and writes to it."""


SQL = by_engine(Statements)
