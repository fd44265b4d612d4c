"""SQL of mails, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""


class MailStatements:
    """Mails that are to be sent, and what came of them."""

    INSERT_MAILS = """
INSERT INTO mail (event_id, order_id, kind, happened_at, state, attempts, next_at, problem)
SELECT event_id, order_id, kind, happened_at, 'WAITING', 0, next_at, ''
  FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])
       AS new (event_id, order_id, kind, happened_at, next_at)
ON CONFLICT (event_id) DO NOTHING
"""
    _MAIL = """
SELECT mail_id, event_id, order_id, kind, happened_at, state, attempts, next_at, attempted_at,
       problem
  FROM mail
"""
    DUE_MAILS = (
        _MAIL
        + """
 WHERE state = 'WAITING'
   AND next_at <= $1
 ORDER BY next_at, mail_id
 LIMIT $2
"""
    )
    FIND_MAIL = (
        _MAIL
        + """
 WHERE event_id = $1
"""
    )
    LIST_MAILS = (
        _MAIL
        + """
 WHERE mail_id < $1
   AND ($3 = '' OR state = $3)
 ORDER BY mail_id DESC
 LIMIT $2
"""
    )
    LIST_MAILS_OF_ORDER = (
        _MAIL
        + """
 WHERE order_id = $4
   AND mail_id < $1
   AND ($3 = '' OR state = $3)
 ORDER BY mail_id DESC
 LIMIT $2
"""
    )
    RECORD_MAILS = """
UPDATE mail
   SET state = new.state, attempts = new.attempts, next_at = new.next_at,
       attempted_at = new.attempted_at, problem = new.problem
  FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
              $6::text[])
       AS new (mail_id, state, attempts, next_at, attempted_at, problem)
 WHERE mail.mail_id = new.mail_id
   AND mail.state <> 'SENT'
"""
    RETRY_MAIL = """
UPDATE mail
   SET state = 'WAITING', attempts = 0, next_at = $2
 WHERE event_id = $1
   AND state <> 'SENT'
"""
    BRING_MAILS_FORWARD = """
UPDATE mail
   SET next_at = $1
 WHERE state = 'WAITING'
   AND next_at > $2
"""
    FORGET_MAILS = """
DELETE FROM mail
      WHERE mail_id IN (SELECT mail_id
                          FROM mail
                         WHERE happened_at < $1
                           AND state <> 'WAITING'
                      ORDER BY happened_at
                         LIMIT $2)
"""
