"""SQL of Orders for PostgreSQL; `sqlite.py` has the same names."""

INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at)
SELECT order_id, customer_id, request_id, request_hash, 'PENDING', 1,
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
INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[])
"""

INSERT_PENDING = """
INSERT INTO pending_order (order_id, placed_at, asked_at)
SELECT order_id, at, at
  FROM unnest($1::uuid[], $2::timestamptz[]) AS new (order_id, at)
"""

DELETE_PENDING = """
DELETE FROM pending_order
      WHERE order_id = ANY($1::uuid[])
"""

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

FIND_REQUESTS = """
SELECT customer_id, request_id, request_hash, order_id::text AS order_id, status, version
  FROM orders
  JOIN unnest($1::text[], $2::text[]) AS asked (customer_id, request_id)
       USING (customer_id, request_id)
"""

LOCK_STATES = """
  SELECT order_id::text AS order_id, status, version
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

# The version guards what the lock already holds: a change never applies twice.
UPDATE_STATES = """
UPDATE orders
   SET status = new.status, version = new.version, shortages = new.shortages, updated_at = new.at
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::jsonb[], $5::timestamptz[])
       AS new (order_id, status, version, shortages, at)
 WHERE orders.order_id = new.order_id
   AND orders.version = new.version - 1
"""

UPDATE_CUSTOMERS = """
UPDATE orders
   SET name = new.name, email = new.email, phone = new.phone, address = new.address
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
       AS new (order_id, name, email, phone, address)
 WHERE orders.order_id = new.order_id
"""

# Pending orders lead and each looks its order up: the planner can't turn a LATERAL round and walk
# all orders. The status is asked for under the lock: an order that is settled meanwhile, or in this
# transaction, may still stand in pending_order.
_LOCK_PENDING = """
  SELECT locked.order_id::text AS order_id, status, version
    FROM pending_order
   CROSS JOIN LATERAL (SELECT order_id, status, version
                         FROM orders
                        WHERE orders.order_id = pending_order.order_id
                          AND status = 'PENDING'
                          FOR NO KEY UPDATE SKIP LOCKED) AS locked
"""
_OLDEST_FIRST = """
ORDER BY pending_order.order_id
   LIMIT $2
"""
# As far ahead as an answer is late, a moment is a wrong clock's: without it the order would wait
# until then.
_LATE = """
   WHERE (asked_at < $1
          AND $3::timestamptz - asked_at >= asked_at - placed_at     -- ask ever more seldom
          OR asked_at - $3::timestamptz > $3::timestamptz - $1::timestamptz)
"""
CLAIM_LATE = _LOCK_PENDING + _LATE + _OLDEST_FIRST
CLAIM_EXPIRED = _LOCK_PENDING + "   WHERE placed_at < $1" + _OLDEST_FIRST

MARK_ASKED = """
UPDATE pending_order
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
"""

_COLUMNS = """
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at,
       (SELECT json_agg(json_build_array(product_id, quantity, unit_price_minor) ORDER BY line_no)
          FROM order_line
         WHERE order_line.order_id = orders.order_id) AS lines
"""
_HISTORY = """
     , (SELECT json_agg(json_build_array(version, status, changed_at, reason, actor)
                        ORDER BY version)
          FROM order_history
         WHERE order_history.order_id = orders.order_id) AS history
"""
_OF_IDS = """
  FROM orders
 WHERE orders.order_id = ANY($1::uuid[])
"""
FIND_ORDERS = _COLUMNS + _OF_IDS
FIND_DETAILS = _COLUMNS + _HISTORY + _OF_IDS

_ORDERS = _COLUMNS + "  FROM orders"

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

# One text for each filter that has an index of its own; the other filters are checked row by row.
LIST_ORDERS = _ORDERS + " WHERE true" + _IN_PAGE + _FILTERED + _NEWEST_FIRST
LIST_ORDERS_OF_CUSTOMER = _ORDERS + " WHERE customer_id = $6" + _IN_PAGE + _FILTERED + _NEWEST_FIRST

# Where another table has the index, its rows lead and each looks its order up, as above.
_LED_BY = """
SELECT whole.*
  FROM ("""
_LOOKED_UP = (
    """
        ORDER BY order_id DESC) AS found
 CROSS JOIN LATERAL ("""
    + _ORDERS
    + " WHERE orders.order_id = found.order_id"
    + _FILTERED
    + """
 LIMIT 1) AS whole
ORDER BY found.order_id DESC
   LIMIT $2
"""
)
_PENDING = """
SELECT order_id
  FROM pending_order
 WHERE true
"""
# An end is final, so the history tells it for good.
_ENDED = """
SELECT order_id
  FROM order_history
 WHERE status = $7
   AND status IN ('REJECTED', 'CANCELLED', 'EXPIRED')
"""
_WITH_PRODUCT = """
SELECT DISTINCT order_id
  FROM order_line
 WHERE product_id = $8
"""
LIST_PENDING_ORDERS = _LED_BY + _PENDING + _IN_PAGE + _LOOKED_UP
LIST_ENDED_ORDERS = _LED_BY + _ENDED + _IN_PAGE + _LOOKED_UP
LIST_ORDERS_WITH_PRODUCT = _LED_BY + _WITH_PRODUCT + _IN_PAGE + _LOOKED_UP

# Planned by itself (MATERIALIZED), so that the page's order can't tempt the planner into walking
# all orders from the newest.
_OF_REQUESTS = """
  WITH asked AS MATERIALIZED (SELECT order_id
                                FROM orders
                               WHERE request_id = ANY($8::text[]))
SELECT order_id
  FROM asked
 WHERE ($9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = asked.order_id
                              AND product_id = $9))
"""
LIST_ORDERS_OF_REQUESTS = _LED_BY + _OF_REQUESTS + _IN_PAGE + _LOOKED_UP

UNSENT_NOTIFICATIONS = """
  SELECT notification.order_id::text AS order_id, notification.version, notification.status,
         customer_id, name, email, phone, address
    FROM notification
    JOIN orders USING (order_id)
   WHERE sent_at IS NULL
ORDER BY recorded_at, notification.order_id
   LIMIT $1
"""

MARK_SENT = """
UPDATE notification
   SET sent_at = $3
  FROM unnest($1::uuid[], $2::bigint[]) AS sent (order_id, version)
 WHERE notification.order_id = sent.order_id
   AND notification.version = sent.version
"""
