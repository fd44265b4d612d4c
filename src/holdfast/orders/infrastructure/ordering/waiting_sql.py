"""SQL of the tables of what waits: `unanswered`, questions to Inventory, and `hold`, the clock."""

from holdfast.chassis.database.sql import either
from holdfast.orders.infrastructure.ordering.naming_sql import STATE

_LOCKING = """
  SELECT locked.*
    FROM {leading}
   CROSS JOIN LATERAL (SELECT orders.order_id::text AS order_id,{state}
                         FROM orders
                        WHERE orders.order_id = {leading}.order_id
                          AND {open_}
                          AND NOT EXISTS (SELECT 1
                                            FROM order_history AS told
                                           WHERE told.order_id = orders.order_id
                                             AND told.version > orders.version)
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
"""
_LOCKING_ON_SQLITE = """
  SELECT orders.order_id,{state}
    FROM {leading}
   CROSS JOIN orders USING (order_id)
   WHERE {open_}
     AND NOT EXISTS (SELECT 1
                       FROM order_history AS told
                      WHERE told.order_id = orders.order_id
                        AND told.version > orders.version)
"""


def _locking(leading: str, open_: str, *, on_postgresql: str = "") -> str:
    """Rows of another table lead and each looks its order up, locked; those locked by others are
    left out. PostgreSQL can't turn a LATERAL round, nor SQLite a CROSS JOIN, and walk all orders.

    So are those whose next version is written already, as `verify` tells: its key is taken for
    good, and whatever is done in a batch with it would fail again and again.

    :param open_: asked for under the lock, as what leads may be out of date.
    :param on_postgresql: more to ask for there.
    """
    state = STATE.replace("expires_at", "orders.expires_at")  # which holds have, too
    facts = {"leading": leading, "state": state}
    return either(
        postgresql=_LOCKING.format(open_=open_ + on_postgresql, **facts),
        sqlite=_LOCKING_ON_SQLITE.format(open_=open_, **facts),
    )


class WaitingStatements:
    """What the loops that chase answers and end holds ask of the database, and what fills both."""

    INSERT_UNANSWERED = """
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
"""

    PUT_UNANSWERED = """
INSERT INTO unanswered (order_id, since, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
ON CONFLICT (order_id) DO UPDATE SET since = excluded.since, asked_at = excluded.asked_at
"""

    DELETE_UNANSWERED = either(
        postgresql="""
DELETE FROM unanswered
      WHERE order_id = ANY($1::uuid[])
""",
        sqlite="""
DELETE FROM unanswered
      WHERE order_id = $1
""",
    )

    INSERT_HOLDS = """
INSERT INTO hold (order_id, expires_at)
SELECT order_id, expires_at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, expires_at)
ON CONFLICT (order_id) DO UPDATE SET expires_at = excluded.expires_at
"""

    DELETE_HOLDS = either(
        postgresql="""
DELETE FROM hold
      WHERE order_id = ANY($1::uuid[])
""",
        sqlite="""
DELETE FROM hold
      WHERE order_id = $1
""",
    )

    # SQLite has no clock that a simulation could set: there it is the process's.
    DATABASE_NOW = either(
        postgresql="""
SELECT statement_timestamp() AS now
 WHERE $1::timestamptz IS NOT NULL
""",
        sqlite="""
SELECT $1 AS now
""",
    )
    _ENDED_HOLD = either(
        postgresql="hold.expires_at <= statement_timestamp() AND $1::timestamptz IS NOT NULL",
        sqlite="hold.expires_at <= $1",
    )
    _ANY_HOLD = """
SELECT 1 AS found
  FROM hold
 WHERE """
    ANY_HOLD_ENDED = _ANY_HOLD + _ENDED_HOLD + "\n LIMIT 1\n"

    _LOCK_UNANSWERED = _locking("unanswered", "answered < asked")
    _LOCK_HELD = _locking(
        "hold",
        "status IN ('PENDING', 'RESERVED')",
        on_postgresql="\n                          AND orders.expires_at <= statement_timestamp()",
    )
    _OLDEST_FIRST = """
ORDER BY unanswered.order_id
   LIMIT $2
"""
    # Who waits longer is asked about more seldom. As far ahead as an answer is late, a moment is a
    # wrong clock's: without it the order would wait until then.
    _LATE = either(
        postgresql="""
     AND (asked_at < $1
          AND $3::timestamptz - asked_at >= asked_at - since
          OR asked_at - $3::timestamptz > $3::timestamptz - $1::timestamptz)
""",
        sqlite="""
     AND (asked_at < $1
          AND julianday($3) - julianday(asked_at) >= julianday(asked_at) - julianday(since)
          OR julianday(asked_at) - julianday($3) > julianday($3) - julianday($1))
""",
    )
    CLAIM_LATE = _LOCK_UNANSWERED + _LATE + _OLDEST_FIRST
    CLAIM_EXPIRED = _LOCK_UNANSWERED + "     AND since < $1 AND status = 'PENDING'" + _OLDEST_FIRST

    _SOONEST_FIRST = """
ORDER BY hold.expires_at, hold.order_id
   LIMIT $2
"""
    CLAIM_ENDED_HOLDS = _LOCK_HELD + "     AND " + _ENDED_HOLD + _SOONEST_FIRST

    # By id, which is about the order of time. Counting stops where any figure is trouble enough.
    COUNT_PENDING = """
SELECT count(*) AS waiting, min(since) AS oldest
  FROM (SELECT since
          FROM unanswered
          JOIN orders ON orders.order_id = unanswered.order_id
         WHERE status = 'PENDING'
      ORDER BY unanswered.order_id
         LIMIT 10000) AS waiting
"""

    COUNT_HOLDS = """
SELECT count(*) AS waiting, min(expires_at) AS oldest
  FROM (SELECT expires_at
          FROM hold
      ORDER BY expires_at
         LIMIT 10000) AS running
"""

    MARK_ASKED = """
UPDATE unanswered
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
RETURNING order_id::text AS order_id, since
"""
