"""SQL of Inventory, as PostgreSQL reads it; `chassis/database/sql.py` tells how SQLite does."""

from holdfast.chassis.database.sql import by_engine
from holdfast.inventory.infrastructure.backorders_sql import BackorderStatements
from holdfast.inventory.infrastructure.products_sql import ProductStatements
from holdfast.inventory.infrastructure.transfers_sql import TransferStatements


class Statements(BackorderStatements, ProductStatements, TransferStatements):
    """What `store.py` asks of the database and writes to it."""

    FIND_RESERVATIONS = """
  SELECT order_id::text AS order_id, version, revision, state, stock, missing, sourcing, placed_at,
         queued
    FROM reservation
   WHERE order_id = ANY($1::uuid[])
ORDER BY order_id          -- one lock order for everyone: no deadlocks
     FOR UPDATE
"""

    INSERT_RESERVATIONS = """
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, sourcing, updated_at, placed_at)
SELECT order_id, version, revision, state, stock, missing, sourcing, at, placed_at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::timestamptz[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, placed_at)
"""

    # The version guards what the lock already holds: nothing is decided on what was not seen.
    UPDATE_RESERVATIONS = """
UPDATE reservation
   SET version = new.version, revision = new.revision, state = new.state, stock = new.stock,
       missing = new.missing, sourcing = new.sourcing, updated_at = new.at
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::bigint[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, version_before)
 WHERE reservation.order_id = new.order_id
   AND reservation.version = new.version_before
"""

    FIND_FACTS = """
SELECT order_id::text AS order_id, fact
  FROM booked_fact
 WHERE order_id = ANY($1::uuid[])
"""

    INSERT_FACTS = """
INSERT INTO booked_fact (order_id, fact)
SELECT *
  FROM unnest($1::uuid[], $2::text[])
"""

    LOCK_LEVELS = """
  SELECT product_id, location_id, lot_id, on_hand, reserved, stock_level.version, priority, active,
         quarantined, queued, queued_max, safety_stock, others
    FROM stock_level
    JOIN location USING (location_id)
   WHERE product_id = ANY($1::text[])
         -- One lock order for everyone, each product's gate first: no deadlocks. A location's lock
         -- is shared by all but those who change the location, and these hold nothing else.
ORDER BY product_id, location_id <> 'main', location_id, lot_id
     FOR UPDATE OF stock_level FOR SHARE OF location
"""

    INSERT_LEVELS = """
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version, quarantined)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[])
"""

    INSERT_GATES = """
INSERT INTO stock_level (product_id, location_id, lot_id, on_hand, reserved, version, quarantined,
                         queued_max, safety_stock)
SELECT product_id, 'main', '', 0, 0, 0, 0, queued_max, safety_stock
  FROM unnest($1::text[], $2::bigint[], $3::bigint[])
       AS new (product_id, queued_max, safety_stock)
"""

    TELL_GATES_OF_OTHERS = """
UPDATE stock_level
   SET others = others + new.levels
  FROM unnest($1::text[], $2::integer[]) AS new (product_id, levels)
 WHERE stock_level.product_id = new.product_id
   AND location_id = 'main'
   AND lot_id = ''
"""

    UPDATE_LEVELS = """
UPDATE stock_level
   SET on_hand = new.on_hand, reserved = new.reserved, version = new.version,
       quarantined = new.quarantined
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
              $7::bigint[], $8::bigint[])
       AS new (product_id, location_id, lot_id, on_hand, reserved, version, quarantined,
               version_before)
 WHERE stock_level.product_id = new.product_id
   AND stock_level.location_id = new.location_id
   AND stock_level.lot_id = new.lot_id
   AND stock_level.version = new.version_before
"""

    # Nothing is locked where nothing changes: whoever changes it has the gate locked already.
    SET_DETAILS_AT_GATE = """
UPDATE stock_level
   SET queued_max = $2, safety_stock = $3
 WHERE product_id = $1 AND location_id = 'main' AND lot_id = ''
   AND (queued_max <> $2 OR safety_stock <> $3)
"""

    # Of promises alone, as nearly all are: what is left out they have not.
    INSERT_PROMISES = """
INSERT INTO stock_movement
            (product_id, location_id, kind, on_hand_delta, reserved_delta, on_hand_after,
             reserved_after, order_id, reason, reference, actor, moved_at)
SELECT product_id, location_id, kind, 0, reserved_delta, on_hand_after,
       reserved_after, order_id, reason, '', actor, at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[],
              $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::timestamptz[])
       AS new (product_id, location_id, kind, reserved_delta, on_hand_after,
               reserved_after, order_id, reason, actor, at)
"""

    INSERT_MOVEMENTS = """
INSERT INTO stock_movement
            (product_id, location_id, lot_id, kind,
             on_hand_delta, reserved_delta, on_hand_after, reserved_after,
             order_id, reason, reference, actor, moved_at,
             reason_code, quarantined_delta, quarantined_after, credential_id)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::uuid[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
              $14::text[], $15::bigint[], $16::bigint[], $17::text[])
"""

    _LOCATION = """
  SELECT location_id, name, kind, priority, active, address, version
    FROM location
"""

    FIND_LOCATIONS = (
        _LOCATION
        + """
   WHERE folded = ANY($1::text[])
"""
    )

    SHARE_LOCATIONS = (
        FIND_LOCATIONS
        + """
ORDER BY location_id
     FOR SHARE
"""
    )

    LOCK_LOCATION = (
        _LOCATION
        + """
   WHERE location_id = $1
     FOR UPDATE
"""
    )

    LIST_LOCATIONS = (
        _LOCATION
        + """
   WHERE (priority, location_id) > ($1, $2)
ORDER BY priority, location_id
   LIMIT $3
"""
    )

    COUNT_LOCATIONS = "SELECT count(*) AS locations FROM location"

    # Another spelling of one that is there breaks the key of `folded`, and that is meant to fail.
    INSERT_LOCATION = """
INSERT INTO location (location_id, folded, name, kind, priority, active, inactive_after, address,
                      version)
     VALUES ($1, $2, $3, $4, $5, $6,
             CASE WHEN $6 THEN NULL
                  ELSE (SELECT coalesce(max(movement_id), 0) FROM stock_movement) END,
             $7, $8)
"""

    UPDATE_LOCATION = """
UPDATE location
   SET name = $2, kind = $3, priority = $4, active = $5,
       inactive_after =
           CASE WHEN $5 THEN NULL
                ELSE coalesce(inactive_after,
                              (SELECT coalesce(max(movement_id), 0) FROM stock_movement)) END,
       address = $6, version = $7
 WHERE location_id = $1
"""

    EXISTING_PRODUCTS = """
SELECT product_id
  FROM product
 WHERE product_id = ANY($1::text[])
"""

    LOCK_PRODUCT = """
SELECT product_id, name, description, currency, price_minor, active, version, backorder_max,
       expected_on, safety_stock
  FROM product
 WHERE product_id = $1
   FOR UPDATE
"""

    INSERT_PRODUCT = """
INSERT INTO product
            (product_id, name, description, currency, price_minor, active, version,
             backorder_max, expected_on, safety_stock, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
ON CONFLICT DO NOTHING
"""

    UPDATE_PRODUCT = """
UPDATE product
   SET name = $2, description = $3, currency = $4, price_minor = $5, active = $6,
       version = $7, backorder_max = $8, expected_on = $9, safety_stock = $10, updated_at = $11
 WHERE product_id = $1
"""

    FIND_CHANGES = """
SELECT request_id, request_hash, product_id, location_id, on_hand, reserved, version, quarantined,
       safety_stock, active
  FROM stock_request
 WHERE request_id = ANY($1::text[])
"""

    INSERT_CHANGES = """
INSERT INTO stock_request
            (request_id, request_hash, product_id, location_id, on_hand, reserved, version, done_at,
             quarantined, safety_stock, active)
SELECT *
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
              $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::bigint[],
              $10::bigint[], $11::boolean[])
"""

    STOCK_INFO = """
   SELECT product_id, product.name, description, currency, price_minor, product.active,
          product.version AS product_version, product.safety_stock, backorder_max, expected_on,
          location_id, lot_id, on_hand, reserved, level_version, queued, queued_max,
          location.priority, location.active AS location_active, quarantined, coming
     FROM product
LEFT JOIN (SELECT product_id, location_id, lot_id, on_hand, reserved, version AS level_version,
                  quarantined, queued, queued_max, 0 AS coming
             FROM stock_level
            WHERE product_id = ANY($1::text[])
            UNION ALL
           SELECT product_id, target, '', 0, 0, 0, 0, 0, 0, sum(sent - received - missing)::bigint
             FROM transfer_line
             JOIN transfer USING (transfer_id)
            WHERE product_id = ANY($1::text[]) AND received + missing < sent
            GROUP BY product_id, target) AS there USING (product_id)
LEFT JOIN location USING (location_id)
    WHERE product_id = ANY($1::text[])
 ORDER BY product_id, location_id, lot_id
"""

    STOCK_SUMMARIES = """
   SELECT product.product_id, currency, price_minor, product.active, product.version,
          COALESCE(SUM(on_hand), 0)::bigint AS on_hand,
          COALESCE(SUM(reserved), 0)::bigint AS reserved,
          COALESCE(SUM(CASE WHEN location.active
                             AND on_hand - reserved - quarantined > product.safety_stock
                            THEN on_hand - reserved - quarantined - product.safety_stock
                            ELSE 0 END), 0)::bigint AS available,
          COALESCE(SUM(quarantined), 0)::bigint AS quarantined,
          COALESCE(SUM(queued), 0)::bigint AS queued,
          COALESCE(MAX(queued_max), 0) AS queued_max
     FROM product
LEFT JOIN stock_level ON stock_level.product_id = product.product_id
LEFT JOIN location USING (location_id)
    WHERE product.product_id = ANY($1::text[])
 GROUP BY product.product_id
"""

    _MOVEMENT_COLUMNS = """
  SELECT movement_id, product_id, location_id, lot_id, kind,
         on_hand_delta, reserved_delta, on_hand_after, reserved_after,
         order_id::text AS order_id, reason_code, reason, reference, actor, moved_at,
         quarantined_delta, quarantined_after, credential_id
    FROM stock_movement
"""
    _MOVEMENT = (
        _MOVEMENT_COLUMNS
        + """
   WHERE movement_id < $1
     AND ($3 = '' OR location_id = $3)
     AND ($4::timestamptz IS NULL OR moved_at >= $4)
     AND ($5::timestamptz IS NULL OR moved_at < $5)
"""
    )
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

    # A product's ledger is read backwards from its newest movement up to a moment; those of other
    # levels are skipped within the index by product. Ranges of pairs fit no other index: asked by
    # equality, PostgreSQL would read the whole ledger where it takes a level for a busy one.
    LEVELS_AT = """
    WITH until AS MATERIALIZED (
           SELECT movement_id
             FROM stock_movement
            WHERE product_id BETWEEN $1 AND $1 AND moved_at <= $3
         ORDER BY product_id DESC, movement_id DESC
            LIMIT 1)
  SELECT location_id, on_hand, reserved, quarantined, stock_level.version, active,
         (SELECT product.safety_stock FROM product WHERE product_id = $1) AS safety_stock,
         (SELECT movement_id
            FROM stock_movement AS one
           WHERE (one.product_id, one.movement_id) >= ($1, 1)
             AND (one.product_id, one.movement_id) <= ($1, until.movement_id)
             AND one.location_id = stock_level.location_id
        ORDER BY one.product_id DESC, one.movement_id DESC
           LIMIT 1) AS newest,
         EXISTS (SELECT 1
                   FROM stock_movement AS one
                  WHERE (one.product_id, one.movement_id) >= ($1, until.movement_id + 1)
                    AND one.product_id <= $1
                    AND one.location_id = stock_level.location_id) AS changed_since
    FROM stock_level
    JOIN location USING (location_id) CROSS JOIN until
   WHERE product_id = $1 AND ($2 = '' OR location_id = $2) AND location_id > $4
     AND EXISTS (SELECT 1
                   FROM stock_movement AS one
                  WHERE (one.product_id, one.movement_id) >= ($1, 1)
                    AND (one.product_id, one.movement_id) <= ($1, until.movement_id)
                    AND one.location_id = stock_level.location_id)
ORDER BY location_id
   LIMIT $5
"""

    NEWEST_STEPS = """
  SELECT movement_id, kind, on_hand_delta, reserved_delta, quarantined_delta,
         order_id::text AS order_id, moved_at
    FROM stock_movement
   WHERE (product_id, movement_id) >= ($1, 1)
     AND (product_id, movement_id) <= ($1, $3)
     AND location_id = $2
ORDER BY product_id DESC, movement_id DESC
   LIMIT $4
"""

    FIND_MOVEMENTS = (
        _MOVEMENT_COLUMNS
        + """
   WHERE movement_id = ANY($1::bigint[])
ORDER BY movement_id DESC
"""
    )

    # An order has few movements and a level has many: `|| ''` keeps the index by product out of it.
    RESERVED_BEFORE = """
  SELECT order_id::text AS order_id, SUM(reserved_delta)::bigint AS units
    FROM stock_movement
   WHERE order_id = ANY($1::uuid[])
     AND product_id || '' = $2
     AND location_id || '' = $3
     AND movement_id + 0 < $4
GROUP BY order_id
"""


SQL = by_engine(Statements)
