"""SQL of outbox, inbox and dead letters, as PostgreSQL reads it; `sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine, either


class Statements:
    """What is asked of the tables of messages and written to them."""

    APPEND_EVENTS = """
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::text[], $7::bytea[])
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
   WHERE type <> ALL($2::text[])
ORDER BY position
   LIMIT $1
"""

    DELETE_EVENTS = """
DELETE FROM outbox
      WHERE position = ANY($1::bigint[])
"""

    # An upper bound of the length from both ends of the index: counting would read every row.
    BACKLOG = """
SELECT coalesce((SELECT max(position) FROM outbox)
              - (SELECT min(position) FROM outbox) + 1, 0)        AS length,
       (SELECT happened_at FROM outbox ORDER BY position LIMIT 1) AS oldest
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
      WHERE type IS NOT NULL
        AND ($1::text[] IS NULL OR letter_id = ANY($1::text[]))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
"""


SQL = by_engine(Statements)
