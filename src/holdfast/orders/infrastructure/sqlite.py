"""SQL of Orders for SQLite; names as in `postgres.py`. One writer at a time: no row locks."""

INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at, asked_at)
     VALUES (?1, ?2, ?3, ?4, 'PENDING', 1,
             ?5, ?6, ?7, ?8, ?9, ?10,
             '[]', ?11, ?11, ?11)
ON CONFLICT (customer_id, request_id) DO NOTHING
"""

INSERT_LINES = """
INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price_minor)
     VALUES (?1, ?2, ?3, ?4, ?5)
"""

INSERT_HISTORY = """
INSERT INTO order_history (order_id, version, status, changed_at, reason, actor)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
"""

INSERT_NOTIFICATIONS = """
INSERT INTO notification (order_id, version, status, recorded_at)
     VALUES (?1, ?2, ?3, ?4)
"""

FIND_REQUESTS = """
SELECT customer_id, request_id, request_hash, order_id, status, version
  FROM orders
 WHERE (customer_id, request_id) IN (SELECT c.value, r.value
                                       FROM json_each(?1) AS c
                                       JOIN json_each(?2) AS r ON c.key = r.key)
"""

LOCK_STATES = """
  SELECT order_id, status, version
    FROM orders
   WHERE orders.order_id IN (SELECT value FROM json_each(?1))
ORDER BY orders.order_id
"""

CUSTOMER_OF_ORDER = """
SELECT name, email, phone, address
  FROM orders
 WHERE order_id = ?1
"""

# The version guards what the lock already holds: a change never applies twice.
UPDATE_STATES = """
UPDATE orders
   SET status = ?2, version = ?3, shortages = ?4, updated_at = ?5
 WHERE order_id = ?1
   AND version = ?3 - 1
"""

UPDATE_CUSTOMERS = """
UPDATE orders
   SET name = ?2, email = ?3, phone = ?4, address = ?5
 WHERE order_id = ?1
"""

CLAIM_LATE = """
  SELECT order_id, status, version
    FROM orders
   WHERE status = 'PENDING' AND status <> 'CONFIRMED' AND asked_at < ?1
     AND julianday(?3) - julianday(asked_at) >= julianday(asked_at) - julianday(placed_at)
ORDER BY orders.order_id
   LIMIT ?2
"""

CLAIM_EXPIRED = """
  SELECT order_id, status, version
    FROM orders
   WHERE status = 'PENDING' AND status <> 'CONFIRMED' AND placed_at < ?1
ORDER BY orders.order_id
   LIMIT ?2
"""

MARK_ASKED = """
UPDATE orders
   SET asked_at = ?2
 WHERE order_id IN (SELECT value FROM json_each(?1))
"""

ORDER_COLUMNS = """
SELECT order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at
  FROM orders
"""

_OF_IDS = """
 WHERE orders.order_id IN (SELECT value FROM json_each(?1))
"""
FIND_ORDERS = ORDER_COLUMNS + _OF_IDS

FIND_LINES = """
  SELECT order_id, product_id, quantity, unit_price_minor
    FROM order_line
   WHERE order_line.order_id IN (SELECT value FROM json_each(?1))
ORDER BY order_line.order_id, line_no
"""

FIND_HISTORY = """
  SELECT order_id, version, status, changed_at, reason, actor
    FROM order_history
   WHERE order_history.order_id IN (SELECT value FROM json_each(?1))
ORDER BY order_history.order_id, version
"""

_PAGE = """
 WHERE orders.order_id < ?1
   AND orders.order_id >= ?3
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
   AND (?8 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE product_id = ?8
                              AND order_line.order_id = orders.order_id))
"""
_WITH_PRODUCT = """
   AND order_id IN (SELECT order_id
                      FROM order_line
                     WHERE product_id = ?8
                       AND order_id < ?1)
"""
_NEWEST_FIRST = """
ORDER BY orders.order_id DESC
   LIMIT ?2
"""

# One text for each filter that has an index of its own; the other filters are checked row by row.
LIST_ORDERS = ORDER_COLUMNS + _PAGE + _NEWEST_FIRST
LIST_ORDERS_OF_CUSTOMER = ORDER_COLUMNS + _PAGE + "   AND customer_id = ?6" + _NEWEST_FIRST
LIST_UNUSUAL_ORDERS = (
    ORDER_COLUMNS + _PAGE + "   AND status = ?7 AND status <> 'CONFIRMED'" + _NEWEST_FIRST
)
LIST_ORDERS_WITH_PRODUCT = ORDER_COLUMNS + _PAGE + _WITH_PRODUCT + _NEWEST_FIRST

UNSENT_NOTIFICATIONS = """
  SELECT notification.order_id, notification.version, notification.status,
         customer_id, name, email, phone, address
    FROM notification
    JOIN orders USING (order_id)
   WHERE sent_at IS NULL
ORDER BY recorded_at, notification.order_id
   LIMIT ?1
"""

MARK_SENT = """
UPDATE notification
   SET sent_at = ?3
 WHERE order_id = ?1
   AND version = ?2
"""
