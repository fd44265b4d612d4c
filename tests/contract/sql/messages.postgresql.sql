-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- APPEND_EVENTS
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data, is_repeat)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[],
              $6::text[], $7::bytea[], $8::boolean[])
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
   WHERE position > $3
     AND type <> ALL($2::text[])
ORDER BY position
   LIMIT $1
;

-- SUBJECTS_OF_TYPES
SELECT DISTINCT subject
  FROM outbox
 WHERE type = ANY($1::text[])
   AND subject = ANY($2::text[])
;

-- STAMP_EVENTS
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
;

-- FEED_HEAD
SELECT feed_id, last, (SELECT min(position) FROM feed) AS oldest
  FROM feed_head
;

-- FEED_EVENTS
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM feed
   WHERE position > $1
     AND position <= $2
ORDER BY position
   LIMIT $3
;

-- FEED_EVENTS_OF_TYPES
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM feed
   WHERE position > $1
     AND position <= $2
     AND type = ANY($4::text[])
ORDER BY position
   LIMIT $3
;

-- FEED_PLACES
SELECT position, event_id
  FROM feed
 WHERE position = ANY($1::bigint[])
;

-- FIRST_KEPT
  SELECT position
    FROM feed
   WHERE position >= $1
     AND position < $2
     AND happened_at >= $3
ORDER BY position
   LIMIT 1
;

-- CUT_FEED
DELETE FROM feed
      WHERE position < $1
;

-- BACKLOG
SELECT coalesce((SELECT max(position) FROM outbox)
              - (SELECT min(position) FROM outbox) + 1, 0)                             AS length,
       (SELECT happened_at FROM outbox WHERE NOT is_repeat ORDER BY position LIMIT 1) AS oldest,
       (SELECT position FROM outbox WHERE NOT is_repeat ORDER BY position LIMIT 1)    AS first,
       (SELECT max(position) FROM outbox)                                             AS last
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
      WHERE type = ANY($2::text[])
        AND ($1::text[] IS NULL OR letter_id = ANY($1::text[]))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
;
