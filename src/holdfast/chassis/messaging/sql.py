"""SQL of outbox, feed, inbox and dead letters, as PostgreSQL reads it; see `database/sql.py`."""

from holdfast.chassis.database.sql import by_engine, either


class Statements:
    """What is asked of the tables of messages and written to them."""

    APPEND_EVENTS = """
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data, is_repeat)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::text[], $7::bytea[], $8::boolean[])
"""

    # By position, never after a remembered one: a slow transaction commits lower positions later.
    NEXT_EVENTS = """
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
ORDER BY position
   LIMIT $1
"""

    NEXT_EVENTS_OF_OTHER_TYPES = """
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
   WHERE position > $3
     AND type <> ALL($2::text[])
ORDER BY position
   LIMIT $1
"""

    SUBJECTS_OF_TYPES = """
SELECT DISTINCT subject
  FROM outbox
 WHERE type = ANY($1::text[])
   AND subject = ANY($2::text[])
"""

    # Moves what is published from the outbox to the end of the feed, all or nothing; repeats only
    # leave. The head's lock lets one at a time: a second relay, which may be one that does not know
    # yet that it has lost the right, waits for it and then finds nothing left to move.
    STAMP_EVENTS = either(
        postgresql="""
WITH head AS MATERIALIZED (
         SELECT last
           FROM feed_head
            FOR UPDATE),
     taken AS (
         DELETE FROM outbox
               WHERE position = ANY($1::bigint[])
                 AND (SELECT last FROM head) IS NOT NULL      -- the lock comes first
           RETURNING *),
     placed AS (
         INSERT INTO feed
              SELECT (SELECT last FROM head) + row_number() OVER (ORDER BY position),
                     event_id, type, subject, sequence, happened_at, traceparent, data
                FROM taken
               WHERE NOT is_repeat
            ORDER BY position
           RETURNING position)
UPDATE feed_head
   SET last = last + (SELECT count(*) FROM placed)
""",
        sqlite="""
INSERT INTO feed
     SELECT (SELECT last FROM feed_head) + row_number() OVER (ORDER BY position),
            event_id, type, subject, sequence, happened_at, traceparent, data
       FROM outbox
      WHERE position IN (SELECT value FROM json_each($1))
        AND NOT is_repeat
   ORDER BY position;
UPDATE feed_head
   SET last = coalesce((SELECT max(position) FROM feed), last);
DELETE FROM outbox
      WHERE position IN (SELECT value FROM json_each($1))
""",
    )

    FEED_HEAD = """
SELECT feed_id, last, (SELECT min(position) FROM feed) AS oldest
  FROM feed_head
"""

    _FEED_EVENTS = """
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM feed
   WHERE position > $1
     AND position <= $2"""
    FEED_EVENTS = (
        _FEED_EVENTS
        + """
ORDER BY position
   LIMIT $3
"""
    )
    FEED_EVENTS_OF_TYPES = (
        _FEED_EVENTS
        + """
     AND type = ANY($4::text[])
ORDER BY position
   LIMIT $3
"""
    )

    FEED_PLACES = """
SELECT position, event_id
  FROM feed
 WHERE position = ANY($1::bigint[])
"""

    FIRST_KEPT = """
  SELECT position
    FROM feed
   WHERE position >= $1
     AND position < $2
     AND happened_at >= $3
ORDER BY position
   LIMIT 1
"""

    CUT_FEED = """
DELETE FROM feed
      WHERE position < $1
"""

    # An upper bound of the length from both ends of the index: counting would read every row. A
    # repeat tells when it happened, and dead letters that are sent back did so long ago: how long
    # the broker has taken nothing is told by the news.
    BACKLOG = """
SELECT coalesce((SELECT max(position) FROM outbox)
              - (SELECT min(position) FROM outbox) + 1, 0)                             AS length,
       (SELECT happened_at FROM outbox WHERE NOT is_repeat ORDER BY position LIMIT 1) AS oldest,
       (SELECT position FROM outbox WHERE NOT is_repeat ORDER BY position LIMIT 1)    AS first,
       (SELECT max(position) FROM outbox)                                             AS last
"""

    REMEMBER_EVENTS = either(
        postgresql="""
INSERT INTO inbox (event_id, received_at)
     SELECT event_id, $2::timestamptz
       FROM unnest($1::text[]) AS event_id
   ORDER BY event_id          -- one lock order for everyone: no deadlocks
ON CONFLICT DO NOTHING
  RETURNING event_id
""",
        sqlite="""
INSERT INTO inbox (event_id, received_at)
     SELECT value, $2
       FROM json_each($1)
      WHERE true
ON CONFLICT DO NOTHING
  RETURNING event_id
""",
    )

    FORGET_EVENTS = """
DELETE FROM inbox
      WHERE event_id IN (SELECT event_id
                           FROM inbox
                          WHERE received_at < $1
                       ORDER BY received_at
                          LIMIT $2)
"""

    PARK_LETTERS = """
INSERT INTO dead_letter
            (letter_id, queue, reason, parked_at, body,
             type, subject, sequence, happened_at, traceparent)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[],
              $6::text[], $7::text[], $8::bigint[], $9::timestamptz[], $10::text[])
ON CONFLICT DO NOTHING
"""

    LIST_LETTERS = """
  SELECT letter_id, queue, reason, parked_at, type, subject
    FROM dead_letter
ORDER BY parked_at, letter_id
"""

    # As many as a person can do anything about: a count of all would read all.
    COUNT_LETTERS = """
  SELECT queue, count(*) AS letters
    FROM (SELECT queue FROM dead_letter LIMIT 10000) AS parked
GROUP BY queue
"""

    TAKE_LETTERS = """
DELETE FROM dead_letter
      WHERE type = ANY($2::text[])
        AND ($1::text[] IS NULL OR letter_id = ANY($1::text[]))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
"""


SQL = by_engine(Statements)
