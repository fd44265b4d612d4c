"""SQL of Inventory, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine


class Statements:
    """What `store.py` asks of the database and writes to it."""

    FIND_RESERVATIONS = """
  SELECT order_id::text AS order_id, version, revision, state, stock, missing
    FROM reservation
   WHERE order_id = ANY($1::uuid[])
ORDER BY order_id          -- one lock order for everyone: no deadlocks
     FOR UPDATE
"""

    INSERT_RESERVATIONS = """
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, decided_at, updated_at)
SELECT order_id, version, revision, state, stock, missing, at, at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::timestamptz[])
       AS new (order_id, version, revision, state, stock, missing, at)
"""

    # The version guards what the lock already holds: nothing is decided on what was not seen.
    UPDATE_RESERVATIONS = """
UPDATE reservation
   SET version = new.version, revision = new.revision, state = new.state, stock = new.stock,
       missing = new.missing, updated_at = new.at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::timestamptz[], $8::bigint[])
       AS new (order_id, version, revision, state, stock, missing, at, version_before)
 WHERE reservation.order_id = new.order_id
   AND reservation.version = new.version_before
"""

    LOCK_LEVELS = """
  SELECT product_id, location_id, lot_id, on_hand, reserved, version
    FROM stock_level
   WHERE product_id = ANY($1::text[])
         -- One lock order for everyone, each product's gate first: no deadlocks.
ORDER BY product_id, location_id <> 'main', location_id, lot_id
     FOR UPDATE
"""

    INSERT_LEVELS = """
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
"""

    UPDATE_LEVELS = """
UPDATE stock_level
   SET on_hand = new.on_hand, reserved = new.reserved, version = new.version
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[])
       AS new (product_id, location_id, lot_id, on_hand, reserved, version, version_before)
 WHERE stock_level.product_id = new.product_id
   AND stock_level.location_id = new.location_id
   AND stock_level.lot_id = new.lot_id
   AND stock_level.version = new.version_before
"""

    INSERT_MOVEMENTS = """
INSERT INTO stock_movement
            (product_id, location_id, lot_id, kind,
             on_hand_delta, reserved_delta, on_hand_after, reserved_after,
             order_id, reason, reference, actor, moved_at)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[])
"""

    FIND_LOCATIONS = """
SELECT location_id, folded
  FROM location
 WHERE folded = ANY($1::text[])
"""

    # Another spelling of one that is there breaks the key of `folded`, and that is meant to fail.
    INSERT_LOCATIONS = """
INSERT INTO location (location_id, folded)
SELECT *
  FROM unnest($1::text[], $2::text[])
    ON CONFLICT (location_id) DO NOTHING
"""

    EXISTING_PRODUCTS = """
SELECT product_id
  FROM product
 WHERE product_id = ANY($1::text[])
"""

    LOCK_PRODUCT = """
SELECT product_id, name, description, currency, price_minor, active, version
  FROM product
 WHERE product_id = $1
   FOR UPDATE
"""

    INSERT_PRODUCT = """
INSERT INTO product
            (product_id, name, description, currency, price_minor, active, version,
             created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
ON CONFLICT DO NOTHING
"""

    UPDATE_PRODUCT = """
UPDATE product
   SET name = $2, description = $3, currency = $4, price_minor = $5, active = $6,
       version = $7, updated_at = $8
 WHERE product_id = $1
"""

    FIND_CHANGES = """
SELECT request_id, request_hash, product_id, location_id, on_hand, reserved, version
  FROM stock_request
 WHERE request_id = ANY($1::text[])
"""

    INSERT_CHANGES = """
INSERT INTO stock_request
            (request_id, request_hash, product_id, location_id, on_hand, reserved, version, done_at)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[])
"""

    STOCK_INFO = """
   SELECT product_id, name, description, currency, price_minor, active,
          product.version AS product_version,
          location_id, lot_id, on_hand, reserved, stock_level.version AS level_version
     FROM product
LEFT JOIN stock_level USING (product_id)
    WHERE product_id = ANY($1::text[])
 ORDER BY product_id, location_id, lot_id
"""

    STOCK_SUMMARIES = """
   SELECT product.product_id, currency, price_minor, active, product.version,
          COALESCE(SUM(on_hand), 0)::bigint AS on_hand,
          COALESCE(SUM(reserved), 0)::bigint AS reserved
     FROM product
LEFT JOIN stock_level ON stock_level.product_id = product.product_id
    WHERE product.product_id = ANY($1::text[])
 GROUP BY product.product_id
"""

    LIST_PRODUCTS = """
  SELECT product_id, name, description, currency, price_minor, active, version
    FROM product
   WHERE product_id > $1
ORDER BY product_id
   LIMIT $2
"""

    _MOVEMENT = """
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason, reference, actor, moved_at
    FROM stock_movement
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
"""
    _NEWEST_FIRST = """
ORDER BY movement_id DESC
   LIMIT $2
"""

    # One text for each filter that has an index of its own; the other filters are checked row by
    # row.
    LIST_MOVEMENTS = _MOVEMENT + _NEWEST_FIRST
    LIST_MOVEMENTS_OF_PRODUCT = _MOVEMENT + "     AND product_id = $6" + _NEWEST_FIRST
    LIST_MOVEMENTS_OF_ORDER = (
        _MOVEMENT + "     AND order_id = $7::uuid AND ($6 = '' OR product_id = $6)" + _NEWEST_FIRST
    )


SQL = by_engine(Statements)
