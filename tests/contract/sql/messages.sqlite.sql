-- Written by `.venv/bin/python -m tests.contract.written_sql`, not by hand.

-- APPEND_EVENTS
INSERT INTO outbox (event_id, type, subject, sequence, happened_at, traceparent, data, is_repeat)
     VALUES (?1, ?2, ?3, ?4, ?5,
              ?6, ?7, ?8)
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
   WHERE position > ?3
     AND type NOT IN (SELECT value FROM json_each(?2))
ORDER BY position
   LIMIT ?1
;

-- SUBJECTS_OF_TYPES
SELECT DISTINCT subject
  FROM outbox
 WHERE type IN (SELECT value FROM json_each(?1))
   AND subject IN (SELECT value FROM json_each(?2))
;

-- STAMP_EVENTS
INSERT INTO feed
     SELECT (SELECT last FROM feed_head) + row_number() OVER (ORDER BY position),
            event_id, type, subject, sequence, happened_at, traceparent, data
       FROM outbox
      WHERE position IN (SELECT value FROM json_each(?1))
        AND NOT is_repeat
   ORDER BY position;
UPDATE feed_head
   SET last = coalesce((SELECT max(position) FROM feed), last);
DELETE FROM outbox
      WHERE position IN (SELECT value FROM json_each(?1))
;

-- FEED_HEAD
SELECT feed_id, last, (SELECT min(position) FROM feed) AS oldest
  FROM feed_head
;

-- FEED_EVENTS
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM feed
   WHERE position > ?1
     AND position <= ?2
ORDER BY position
   LIMIT ?3
;

-- FEED_EVENTS_OF_TYPES
  SELECT position, event_id, type, subject, sequence, happened_at, traceparent, data
    FROM feed
   WHERE position > ?1
     AND position <= ?2
     AND type IN (SELECT value FROM json_each(?4))
ORDER BY position
   LIMIT ?3
;

-- FEED_PLACES
SELECT position, event_id
  FROM feed
 WHERE position IN (SELECT value FROM json_each(?1))
;

-- FIRST_KEPT
  SELECT position
    FROM feed
   WHERE position >= ?1
     AND position < ?2
     AND happened_at >= ?3
ORDER BY position
   LIMIT 1
;

-- CUT_FEED
DELETE FROM feed
      WHERE position < ?1
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
      WHERE type IN (SELECT value FROM json_each(?2))
        AND (?1 IS NULL OR letter_id IN (SELECT value FROM json_each(?1)))
  RETURNING letter_id, type, subject, sequence, happened_at, traceparent, body
;
