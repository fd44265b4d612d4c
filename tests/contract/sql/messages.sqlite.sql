-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- APPEND_EVENTS
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data)
     VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7)
;

-- NEXT_EVENTS
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
ORDER BY position
   LIMIT ?1
;

-- NEXT_EVENTS_OF_OTHER_TYPES
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM outbox
   WHERE type NOT IN (SELECT value FROM json_each(?2))
ORDER BY position
   LIMIT ?1
;

-- DELETE_EVENTS
DELETE FROM outbox
      WHERE position IN (SELECT value FROM json_each(?1))
;

-- BACKLOG
SELECT coalesce((SELECT max(position) FROM outbox)
              - (SELECT min(position) FROM outbox) + 1, 0)        AS length,
       (SELECT happened_at FROM outbox ORDER BY position LIMIT 1) AS oldest
;

-- REMEMBER_EVENTS
INSERT INTO inbox (event_id, received_at)
     SELECT value, ?2
       FROM json_each(?1)
      WHERE true
ON CONFLICT DO NOTHING
  RETURNING event_id
;

-- FORGET_EVENTS
DELETE FROM inbox
      WHERE event_id IN (SELECT event_id
                           FROM inbox
                          WHERE received_at < ?1
                       ORDER BY received_at
                          LIMIT ?2)
;

-- PARK_LETTERS
INSERT INTO dead_letter
            (letter_id, queue, reason, parked_at, body,
             type, subject, sequence, happened_at, traceparent)
     VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7, ?8, ?9, ?10)
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
        AND (?1 IS NULL OR letter_id IN (SELECT value FROM json_each(?1)))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
;
