"""SQL of Orders for PostgreSQL; `sqlite.py` has the same names."""

INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, asked_at)
SELECT order_id, customer_id, request_id, request_hash, 'PENDING', 1,
       currency, total_minor, name, email, phone, address,
       '[]', at, at, at
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[],
              $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
              $11::timestamptz[])
       AS new (order_id, customer_id, request_id, request_hash,
               currency, total_minor, name, email, phone, address,
               at)
ON CONFLICT (customer_id, request_id) DO NOTHING
"""

INSERT_LINES = """
INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price_minor)
SELECT *
  FROM unnest($1::uuid[], $2::integer[], $3::text[], $4::bigint[], $5::bigint[])
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

CLAIM_LATE = """
  SELECT order_id::text AS order_id, status, version
    FROM orders
   WHERE status = 'PENDING' AND status <> 'CONFIRMED' AND asked_at < $1
     AND $3::timestamptz - asked_at >= asked_at - placed_at      -- ask less and less often
ORDER BY orders.order_id
   LIMIT $2
     FOR NO KEY UPDATE SKIP LOCKED
"""

CLAIM_EXPIRED = """
  SELECT order_id::text AS order_id, status, version
    FROM orders
   WHERE status = 'PENDING' AND status <> 'CONFIRMED' AND placed_at < $1
ORDER BY orders.order_id
   LIMIT $2
     FOR NO KEY UPDATE SKIP LOCKED
"""

MARK_ASKED = """
UPDATE orders
   SET asked_at = $2
 WHERE order_id = ANY($1::uuid[])
"""

ORDER_COLUMNS = """
SELECT order_id::text AS order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at
  FROM orders
"""

_OF_IDS = """
 WHERE orders.order_id = ANY($1::uuid[])
"""
FIND_ORDERS = ORDER_COLUMNS + _OF_IDS

FIND_LINES = """
  SELECT order_id::text AS order_id, product_id, quantity, unit_price_minor
    FROM order_line
   WHERE order_line.order_id = ANY($1::uuid[])
ORDER BY order_line.order_id, line_no
"""

FIND_HISTORY = """
  SELECT order_id::text AS order_id, version, status, changed_at, reason, actor
    FROM order_history
   WHERE order_history.order_id = ANY($1::uuid[])
ORDER BY order_history.order_id, version
"""

_PAGE = """
 WHERE orders.order_id < $1::uuid
   AND orders.order_id >= $3::uuid
   AND placed_at >= $4
   AND placed_at < $5
   AND ($6 = '' OR customer_id = $6)
   AND ($7 = '' OR status = $7)
   AND ($8 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE product_id = $8
                              AND order_line.order_id = orders.order_id))
"""
_WITH_PRODUCT = """
   AND order_id IN (SELECT order_id
                      FROM order_line
                     WHERE product_id = $8
                       AND order_id < $1::uuid)
"""
_NEWEST_FIRST = """
ORDER BY orders.order_id DESC
   LIMIT $2
"""

# One text for each filter that has an index of its own; the other filters are checked row by row.
LIST_ORDERS = ORDER_COLUMNS + _PAGE + _NEWEST_FIRST
LIST_ORDERS_OF_CUSTOMER = ORDER_COLUMNS + _PAGE + "   AND customer_id = $6" + _NEWEST_FIRST
LIST_UNUSUAL_ORDERS = (
    ORDER_COLUMNS + _PAGE + "   AND status = $7 AND status <> 'CONFIRMED'" + _NEWEST_FIRST
)
LIST_ORDERS_WITH_PRODUCT = ORDER_COLUMNS + _PAGE + _WITH_PRODUCT + _NEWEST_FIRST

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
   SET sent_at = sent.at
  FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) AS sent (order_id, version, at)
 WHERE notification.order_id = sent.order_id
   AND notification.version = sent.version
"""
