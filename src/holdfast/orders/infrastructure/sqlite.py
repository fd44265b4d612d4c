"""SQL of Orders for SQLite; names as in `postgres.py`. One writer at a time: no row locks."""

INSERT_ORDERS = """
INSERT INTO orders
            (order_id, customer_id, request_id, request_hash, status, version,
             currency, total_minor, name, email, phone, address,
             shortages, placed_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, 'PENDING', 1,
             ?5, ?6, ?7, ?8, ?9, ?10,
             '[]', ?11, ?11)
ON CONFLICT (request_id, customer_id) DO NOTHING
"""

INSERT_LINES = """
INSERT INTO order_line (order_id, line_no, product_id, quantity, unit_price_minor)
     VALUES (?1, ?2, ?3, ?4, ?5)
"""

INSERT_PENDING = """
INSERT INTO pending_order (order_id, placed_at, asked_at)
     VALUES (?1, ?2, ?2)
"""

DELETE_PENDING = """
DELETE FROM pending_order
      WHERE order_id = ?1
"""

INSERT_HISTORY = """
INSERT INTO order_history (order_id, version, status, changed_at, reason, actor)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
"""

INSERT_NOTIFICATIONS = """
INSERT INTO notification (order_id, version, status, recorded_at)
     VALUES (?1, ?2, ?3, ?4)
"""

# Two lists are paired by looking into the second: joined, it would be read anew for every item.
FIND_REQUESTS = """
SELECT customer_id, request_id, request_hash, order_id, status, version
  FROM orders
 WHERE (customer_id, request_id) IN (SELECT value, json_extract(?2, '$[' || key || ']')
                                       FROM json_each(?1))
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

# An order that this transaction has settled still stands in pending_order.
CLAIM_LATE = """
  SELECT orders.order_id, status, version
    FROM pending_order
   CROSS JOIN orders USING (order_id)
   WHERE status = 'PENDING'
     AND (asked_at < ?1
          AND julianday(?3) - julianday(asked_at)
              >= julianday(asked_at) - julianday(pending_order.placed_at)
          OR julianday(asked_at) - julianday(?3) > julianday(?3) - julianday(?1))
ORDER BY pending_order.order_id
   LIMIT ?2
"""

CLAIM_EXPIRED = """
  SELECT orders.order_id, status, version
    FROM pending_order
   CROSS JOIN orders USING (order_id)
   WHERE status = 'PENDING'
     AND pending_order.placed_at < ?1
ORDER BY pending_order.order_id
   LIMIT ?2
"""

MARK_ASKED = """
UPDATE pending_order
   SET asked_at = ?2
 WHERE order_id IN (SELECT value FROM json_each(?1))
"""

_COLUMNS = """
SELECT order_id, customer_id, request_id, status, version, currency, total_minor,
       name, email, phone, address, shortages, placed_at, updated_at,
       (SELECT json_group_array(json_array(product_id, quantity, unit_price_minor))
          FROM (SELECT product_id, quantity, unit_price_minor
                  FROM order_line
                 WHERE order_line.order_id = orders.order_id
              ORDER BY line_no)) AS lines
"""
_HISTORY = """
     , (SELECT json_group_array(json_array(version, status, changed_at, reason, actor))
          FROM (SELECT version, status, changed_at, reason, actor
                  FROM order_history
                 WHERE order_history.order_id = orders.order_id
              ORDER BY version)) AS history
"""
_OF_IDS = """
  FROM orders
 WHERE order_id IN (SELECT value FROM json_each(?1))
"""
FIND_ORDERS = _COLUMNS + _OF_IDS
FIND_DETAILS = _COLUMNS + _HISTORY + _OF_IDS

_FILTERED = """
   AND found.order_id < ?1
   AND found.order_id >= ?3
   AND placed_at >= ?4
   AND placed_at < ?5
   AND (?6 = '' OR customer_id = ?6)
   AND (?7 = '' OR status = ?7)
"""
_NEWEST_FIRST = """
ORDER BY found.order_id DESC
   LIMIT ?2
"""
# The table that has the index leads, and each of its rows looks its order up: SQLite never turns a
# CROSS JOIN round.
_ALL = """
  FROM (SELECT order_id FROM orders) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
"""
_OF_CUSTOMER = """
  FROM (SELECT order_id, customer_id AS theirs FROM orders) AS found
 CROSS JOIN orders USING (order_id)
 WHERE theirs = ?6
"""
_PENDING = """
  FROM (SELECT order_id FROM pending_order) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
"""
# An end is final, so the history tells it for good.
_ENDED = """
  FROM (SELECT order_id
          FROM order_history
         WHERE status = ?7
           AND status IN ('REJECTED', 'CANCELLED', 'EXPIRED')) AS found
 CROSS JOIN orders USING (order_id)
 WHERE true
"""
_WITH_PRODUCT = """
  FROM (SELECT order_id, product_id FROM order_line) AS found
 CROSS JOIN orders USING (order_id)
 WHERE product_id = ?8
"""
_ONCE = " GROUP BY found.order_id"
_OF_REQUESTS = """
  FROM (SELECT order_id, request_id AS asked FROM orders) AS found
 CROSS JOIN orders USING (order_id)
 WHERE asked IN (SELECT value FROM json_each(?8))
   AND (?9 = '' OR EXISTS (SELECT 1
                             FROM order_line
                            WHERE order_line.order_id = orders.order_id
                              AND product_id = ?9))
"""

# One text for each filter that has an index of its own; the other filters are checked row by row.
LIST_ORDERS = _COLUMNS + _ALL + _FILTERED + _NEWEST_FIRST
LIST_ORDERS_OF_CUSTOMER = _COLUMNS + _OF_CUSTOMER + _FILTERED + _NEWEST_FIRST
LIST_PENDING_ORDERS = _COLUMNS + _PENDING + _FILTERED + _NEWEST_FIRST
LIST_ENDED_ORDERS = _COLUMNS + _ENDED + _FILTERED + _NEWEST_FIRST
LIST_ORDERS_WITH_PRODUCT = _COLUMNS + _WITH_PRODUCT + _FILTERED + _ONCE + _NEWEST_FIRST
LIST_ORDERS_OF_REQUESTS = _COLUMNS + _OF_REQUESTS + _FILTERED + _NEWEST_FIRST

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
 WHERE (order_id, version) IN (SELECT value, json_extract(?2, '$[' || key || ']')
                                 FROM json_each(?1))
"""
