"""SQL of Inventory for SQLite; names as in `postgres.py`. One writer at a time: no row locks."""

FIND_RESERVATIONS = """
  SELECT order_id, state, version, shortages
    FROM reservation
   WHERE order_id IN (SELECT value FROM json_each(?1))
ORDER BY order_id
"""

FIND_RESERVED_STOCK = """
  SELECT order_id, product_id, location_id, reserved_delta AS quantity
    FROM stock_movement
   WHERE order_id IN (SELECT value FROM json_each(?1))
     AND kind = 'RESERVATION'
ORDER BY order_id, product_id, location_id
"""

INSERT_RESERVATIONS = """
INSERT INTO reservation (order_id, state, version, shortages, decided_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?5)
"""

UPDATE_RESERVATIONS = """
UPDATE reservation
   SET state = ?2, version = ?3, updated_at = ?4
 WHERE order_id = ?1
"""

LOCK_LEVELS = """
  SELECT product_id, location_id, on_hand, reserved, version
    FROM stock_level
   WHERE product_id IN (SELECT value FROM json_each(?1))
ORDER BY product_id, location_id
"""

INSERT_LEVELS = """
INSERT INTO stock_level (product_id, location_id, on_hand, reserved, version)
     VALUES (?1, ?2, ?3, ?4, ?5)
"""

UPDATE_LEVELS = """
UPDATE stock_level
   SET on_hand = ?3, reserved = ?4, version = ?5
 WHERE product_id = ?1
   AND location_id = ?2
"""

INSERT_MOVEMENTS = """
INSERT INTO stock_movement
            (product_id, location_id, kind,
             on_hand_delta, reserved_delta, on_hand_after, reserved_after,
             order_id, reason, reference, actor, moved_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
"""

FIND_LOCATIONS = """
SELECT location_id, folded
  FROM location
 WHERE folded IN (SELECT value FROM json_each(?1))
"""

# Another spelling of one that is there breaks the key of `folded`, and that is meant to fail.
INSERT_LOCATIONS = """
INSERT INTO location (location_id, folded)
     VALUES (?1, ?2)
ON CONFLICT (location_id) DO NOTHING
"""

EXISTING_PRODUCTS = """
SELECT product_id
  FROM product
 WHERE product_id IN (SELECT value FROM json_each(?1))
"""

LOCK_PRODUCT = """
SELECT product_id, name, description, currency, price_minor, active, version
  FROM product
 WHERE product_id = ?1
"""

INSERT_PRODUCT = """
INSERT INTO product
            (product_id, name, description, currency, price_minor, active, version,
             created_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
ON CONFLICT DO NOTHING
"""

UPDATE_PRODUCT = """
UPDATE product
   SET name = ?2, description = ?3, currency = ?4, price_minor = ?5, active = ?6,
       version = ?7, updated_at = ?8
 WHERE product_id = ?1
"""

FIND_CHANGES = """
SELECT request_id, request_hash, product_id, location_id, on_hand, reserved, version
  FROM stock_request
 WHERE request_id IN (SELECT value FROM json_each(?1))
"""

INSERT_CHANGES = """
INSERT INTO stock_request
            (request_id, request_hash, product_id, location_id, on_hand, reserved, version, done_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
"""

STOCK_INFO = """
   SELECT product_id, name, description, currency, price_minor, active,
          product.version AS product_version,
          location_id, on_hand, reserved, stock_level.version AS level_version
     FROM product
LEFT JOIN stock_level USING (product_id)
    WHERE product_id IN (SELECT value FROM json_each(?1))
 ORDER BY product_id, location_id
"""

STOCK_SUMMARIES = """
   SELECT product.product_id, currency, price_minor, active, product.version,
          COALESCE(SUM(on_hand), 0) AS on_hand,
          COALESCE(SUM(reserved), 0) AS reserved
     FROM product
LEFT JOIN stock_level ON stock_level.product_id = product.product_id
    WHERE product.product_id IN (SELECT value FROM json_each(?1))
 GROUP BY product.product_id
"""

LIST_PRODUCTS = """
  SELECT product_id, name, description, currency, price_minor, active, version
    FROM product
   WHERE product_id > ?1
ORDER BY product_id
   LIMIT ?2
"""

_MOVEMENT = """
  SELECT movement_id, product_id, location_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id, reason, reference, actor, moved_at
    FROM stock_movement
   WHERE movement_id < ?1
     AND (?3 = '' OR location_id = ?3)
     AND (?4 IS NULL OR moved_at >= ?4)
     AND (?5 IS NULL OR moved_at < ?5)
"""
_NEWEST_FIRST = """
ORDER BY movement_id DESC
   LIMIT ?2
"""

# One text for each filter that has an index of its own; the other filters are checked row by row.
LIST_MOVEMENTS = _MOVEMENT + _NEWEST_FIRST
LIST_MOVEMENTS_OF_PRODUCT = _MOVEMENT + "     AND product_id = ?6" + _NEWEST_FIRST
LIST_MOVEMENTS_OF_ORDER = (
    _MOVEMENT + "     AND order_id = ?7 AND (?6 = '' OR product_id = ?6)" + _NEWEST_FIRST
)
