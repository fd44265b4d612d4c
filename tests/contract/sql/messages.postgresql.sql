-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- APPEND_EVENTS
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::text[], $7::bytea[])
;

-- NEXT_EVENTS
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
ORDER BY position
   LIMIT $1
;

-- NEXT_EVENTS_OF_OTHER_TYPES
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
   WHERE type <> ALL($2::text[])
ORDER BY position
   LIMIT $1
;

-- DELETE_EVENTS
DELETE FROM outbox
      WHERE position = ANY($1::bigint[])
;

-- BACKLOG
SELECT coalesce((SELECT max(position) FROM outbox)
              - (SELECT min(position) FROM outbox) + 1, 0)        AS length,
       (SELECT happened_at FROM outbox ORDER BY position LIMIT 1) AS oldest
;

-- REMEMBER_EVENTS
INSERT INTO inbox (event_id, received_at)
     SELECT event_id, $2::timestamptz
       FROM unnest($1::text[]) AS event_id
   ORDER BY event_id          -- one lock order for everyone: no deadlocks
ON CONFLICT DO NOTHING
  RETURNING event_id
;

-- FORGET_EVENTS
DELETE FROM inbox
      WHERE event_id IN (SELECT event_id
                           FROM inbox
                          WHERE received_at < $1
                       ORDER BY received_at
                          LIMIT $2)
;

-- PARK_LETTERS
INSERT INTO dead_letter
            (letter_id, queue, reason, parked_at, body,
             type, subject, sequence, happened_at, traceparent)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[],
              $6::text[], $7::text[], $8::bigint[], $9::timestamptz[], $10::text[])
ON CONFLICT DO NOTHING
;

-- LIST_LETTERS
  SELECT letter_id, queue, reason, parked_at, type, subject
    FROM dead_letter
ORDER BY parked_at, letter_id
;

-- COUNT_LETTERS
  SELECT queue, count(*) AS letters
    FROM (SELECT queue FROM dead_letter LIMIT 10000) AS parked
GROUP BY queue
;

-- TAKE_LETTERS
DELETE FROM dead_letter
      WHERE type IS NOT NULL
        AND ($1::text[] IS NULL OR letter_id = ANY($1::text[]))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
;
