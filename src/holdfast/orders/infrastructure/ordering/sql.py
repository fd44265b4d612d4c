"""SQL of Orders, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

import re

from holdfast.chassis.database.sql import by_engine, either
from holdfast.orders.domain.ordering.order import OrderStatus

# An end is final, so the history tells it for good. The index `order_history_of_ends` has the same
# words: a new final status needs a migration that makes the index anew.
ENDED = "status IN ('REJECTED', 'CANCELLED', 'EXPIRED')"

assert set(re.findall(r"'(\w+)'", ENDED)) == {
    status for status in OrderStatus if status.is_final
}, (
    "ListOrders finds what has ended through the index order_history_of_ends: name every final "
    "status in a new migration of it, and here"
)


class Statements:
    """What `store.py` and `reader.py` ask of the database and write to it."""

    INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version, edition,
             asked, answered, stock_sequence, stock_revision, stock,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at)
SELECT order_id, customer_id, request_id, request_hash, 'PENDING', 1, 1,
       1, 0, 0, 0, '[]',
       currency, total_minor, name, email, phone, address,
       '[]', at, at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],
              $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::timestamptz[])
       AS new (order_id, customer_id, request_id, request_hash,
               currency, total_minor, name, email, phone, address,
               at)
ON CONFLICT (request_id, customer_id) DO NOTHING
"""

    INSERT_LINES = """
INSERT INTO order_line (order_id, edition, line_no, product_id, quantity, unit_price_minor)
SELECT order_id, 1, line_no, product_id, quantity, unit_price_minor
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[])
       AS new (order_id, line_no, product_id, quantity, unit_price_minor)
"""

    INSERT_UNANSWERED = """
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

    INSERT_HISTORY = """
INSERT INTO order_history (order_id, version, status, changed_at, reason, actor)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[])
"""

    INSERT_NOTIFICATIONS = """
INSERT INTO notification (order_id, version, status, recorded_at)
SELECT *
  FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[])
"""

    _REQUESTS = """
SELECT customer_id, request_id, request_hash, order_id::text AS order_id, status, version
  FROM orders
"""
    # SQLite pairs two lists by looking into the second: joined, it would be read anew for every
    # item.
    FIND_REQUESTS = _REQUESTS + either(
        postgresql="""
  JOIN unnest($1::text[], $2::text[]) AS asked (customer_id, request_id)
       USING (customer_id, request_id)
""",
        sqlite="""
 WHERE (customer_id, request_id) IN (SELECT value, json_extract($2, '$[' || key || ']')
                                       FROM json_each($1))
""",
    )

    LOCK_STATES = """
  SELECT order_id::text AS order_id, status, version, asked, answered, stock_sequence
    FROM orders
   WHERE orders.order_id = ANY($1::uuid[])
ORDER BY orders.order_id          -- one lock order for everyone: no deadlocks
     FOR NO KEY UPDATE
"""

    CUSTOMER_OF_ORDER = """
SELECT name, email, phone, address
  FROM orders
 WHERE order_id = $1::uuid
"""

    # The version guards what the lock already holds: a change never applies twice. NULL leaves what
    # is asked and known as it is.
    UPDATE_STATES = """
UPDATE orders
   SET status = new.status, version = new.version, shortages = new.shortages, updated_at = new.at,
       asked = coalesce(new.asked, orders.asked),
       answered = coalesce(new.answered, orders.answered),
       stock_sequence = coalesce(new.sequence, orders.stock_sequence),
       stock_revision = coalesce(new.revision, orders.stock_revision),
       stock = coalesce(new.stock, orders.stock)
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::jsonb[], $5::timestamptz[],
              $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::jsonb[])
       AS new (order_id, status, version, shortages, at,
               asked, answered, sequence, revision, stock)
 WHERE orders.order_id = new.order_id
   AND orders.version = new.version - 1
"""

    # What is known of the stock is replaced by what is newer only.
    UPDATE_STOCK = """
UPDATE orders
   SET answered = new.answered, stock_sequence = new.sequence, stock_revision = new.revision,
       stock = new.stock
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])
       AS new (order_id, answered, sequence, revision, stock)
 WHERE orders.order_id = new.order_id
   AND orders.stock_sequence < new.sequence
"""

    UPDATE_CUSTOMERS = """
UPDATE orders
   SET name = new.name, email = new.email, phone = new.phone, address = new.address
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, name, email, phone, address)
 WHERE orders.order_id = new.order_id
"""

    # Who waits leads and looks its order up: PostgreSQL can't turn a LATERAL round, nor SQLite a
    # CROSS JOIN, and walk all orders. What it waits for is asked for under the lock: an order that
    # has its answer meanwhile, or in this transaction, may still stand among those who wait.
    _LOCK_UNANSWERED = either(
        postgresql="""
  SELECT locked.order_id::text AS order_id, status, version, asked, answered, stock_sequence
    FROM unanswered
   CROSS JOIN LATERAL (SELECT order_id, status, version, asked, answered, stock_sequence
                         FROM orders
                        WHERE orders.order_id = unanswered.order_id
                          AND answered < asked
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
   WHERE true
""",
        sqlite="""
  SELECT orders.order_id, status, version, asked, answered, stock_sequence
    FROM unanswered
   CROSS JOIN orders USING (order_id)
   WHERE answered < asked
""",
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

    MARK_ASKED = """
UPDATE unanswered
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
"""

    _FIELDS = """
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at,
"""
    _COLUMNS = _FIELDS + either(
        postgresql="""
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor) ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id
           AND order_line.edition = orders.edition) AS lines
""",
        sqlite="""
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor))
          FROM (SELECT product_id, quantity, unit_price_minor
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
                   AND order_line.edition = orders.edition
              ORDER BY line_no)) AS lines
""",
    )
    _HISTORY = either(
        postgresql="""
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor)
                        ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
""",
        sqlite="""
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor))
          FROM (SELECT version, status, changed_at, reason, actor
                  FROM order_history
                 WHERE order_history.order_id = orders.order_id
              ORDER BY version)) AS history
""",
    )
    _OF_IDS = """
  FROM orders
 WHERE orders.order_id = ANY($1::uuid[])
"""
    FIND_ORDERS = _COLUMNS + _OF_IDS
    FIND_DETAILS = _COLUMNS + _HISTORY + _OF_IDS

    _IN_PAGE = """
   AND order_id < $1::uuid
   AND order_id >= $3::uuid
"""
    _FILTERED = """
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
"""
    _NEWEST_FIRST = """
ORDER BY orders.order_id DESC
   LIMIT $2
"""

    # One text for each filter that has an index of its own; the other filters are checked row by
    # row.
    _LISTED = _IN_PAGE + _FILTERED + _NEWEST_FIRST
    LIST_ORDERS = _COLUMNS + "  FROM orders\n WHERE true" + _LISTED
    LIST_ORDERS_OF_CUSTOMER = _COLUMNS + "  FROM orders\n WHERE customer_id = $6" + _LISTED

    # Where another table has the index, its rows lead and each looks its order up, as above.
    _LED_BY = either(postgresql="\nSELECT whole.*\n  FROM (", sqlite=_COLUMNS + "  FROM (")
    _OF_FOUND = "  FROM orders\n WHERE orders.order_id = found.order_id"
    _LOOKED_UP = either(
        postgresql="        ORDER BY order_id DESC) AS found\n CROSS JOIN LATERAL ("
        + (_COLUMNS + _OF_FOUND + _FILTERED + " LIMIT 1) AS whole"),
        sqlite=") AS found\n CROSS JOIN orders USING (order_id)\n WHERE true" + _FILTERED,
    )
    _NEWEST_FOUND_FIRST = """
ORDER BY found.order_id DESC
   LIMIT $2
"""
    _PENDING = """
SELECT order_id
  FROM unanswered          -- all that is PENDING is among them
 WHERE true
"""
    _ENDED = "\nSELECT order_id\n  FROM order_history\n WHERE status = $7\n   AND " + ENDED
    _WITH_PRODUCT = """
  FROM order_line
 WHERE product_id = $8
"""
    # SQLite would sort all of a DISTINCT before it gives the newest.
    _ONCE = either(postgresql="SELECT DISTINCT order_id", sqlite="SELECT order_id")
    _GROUPED = either(postgresql="", sqlite=" GROUP BY found.order_id")
    LIST_PENDING_ORDERS = _LED_BY + _PENDING + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    LIST_ENDED_ORDERS = _LED_BY + _ENDED + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    LIST_ORDERS_WITH_PRODUCT = (
        _LED_BY + _ONCE + _WITH_PRODUCT + _IN_PAGE + _LOOKED_UP + _GROUPED + _NEWEST_FOUND_FIRST
    )

    # On PostgreSQL planned by itself (MATERIALIZED), so that the page's order can't tempt the
    # planner into walking all orders from the newest.
    _OF_REQUESTS = either(
        postgresql="""
  WITH asked AS MATERIALIZED (SELECT order_id
                                FROM orders
                               WHERE request_id = ANY($8::text[]))
SELECT order_id
  FROM asked
 WHERE""",
        sqlite="""
SELECT order_id
  FROM orders AS asked
 WHERE request_id IN (SELECT value FROM json_each($8))
   AND""",
    )
    _WITH_PRODUCT_TOO = """ ($9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND product_id = $9))
"""
    LIST_ORDERS_OF_REQUESTS = (
        _LED_BY + _OF_REQUESTS + _WITH_PRODUCT_TOO + _IN_PAGE + _LOOKED_UP + _NEWEST_FOUND_FIRST
    )

    UNSENT_NOTIFICATIONS = """
  SELECT notification.order_id::text AS order_id, notification.version, notification.status,
         customer_id, name, email, phone, address
    FROM notification
    JOIN orders USING (order_id)
   WHERE sent_at IS NULL
ORDER BY recorded_at, notification.order_id
   LIMIT $1
"""

    _SENT = """
UPDATE notification
   SET sent_at = $3
"""
    MARK_SENT = _SENT + either(
        postgresql="""
  FROM unnest($1::uuid[], $2::bigint[]) AS sent (order_id, version)
 WHERE notification.order_id = sent.order_id
   AND notification.version = sent.version
""",
        sqlite="""
 WHERE (order_id, version) IN (SELECT value, json_extract($2, '$[' || key || ']')
                                 FROM json_each($1))
""",
    )


SQL = by_engine(Statements)
