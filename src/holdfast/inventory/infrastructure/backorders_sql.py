"""SQL of the queues: who waits for which product, as PostgreSQL reads it."""

from holdfast.chassis.database.sql import either


class BackorderStatements:
    """What `backorders.py` asks of the database and writes to it."""

    # Few orders wait: theirs are statements of their own, and the others pay nothing.
    INSERT_WAITING_RESERVATIONS = """
INSERT INTO reservation
            (order_id, version, revision, state, stock, missing, sourcing, updated_at, placed_at,
             queued)
SELECT order_id, version, revision, state, stock, missing, sourcing, at, placed_at, queued
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::json[], $6::json[],
              $7::json[], $8::timestamptz[], $9::timestamptz[], $10::json[])
       AS new (order_id, version, revision, state, stock, missing, sourcing, at, placed_at, queued)
"""

    SET_QUEUED = """
UPDATE reservation
   SET queued = new.queued
  FROM unnest($1::uuid[], $2::json[])
       AS new (order_id, queued)
 WHERE reservation.order_id = new.order_id
"""

    PUT_BACKORDERS = """
INSERT INTO backorder (product_id, since, order_id, quantity)
SELECT *
  FROM unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::bigint[])
ON CONFLICT (product_id, since, order_id) DO UPDATE SET quantity = excluded.quantity
"""

    # The oldest of each product leads its queue, and few products have one.
    COUNT_BACKORDERS = """
SELECT count(*) AS waiting, min(since) AS oldest
  FROM (SELECT since FROM backorder LIMIT 10000) AS waiting
"""

    DELETE_BACKORDERS = either(
        postgresql="""
DELETE FROM backorder
      USING unnest($1::text[], $2::timestamptz[], $3::uuid[])
            AS gone (product_id, since, order_id)
      WHERE backorder.product_id = gone.product_id
        AND backorder.since = gone.since
        AND backorder.order_id = gone.order_id
""",
        sqlite="""
DELETE FROM backorder
      WHERE product_id = $1
        AND since = $2
        AND order_id = $3
""",
    )

    QUEUE = """
  SELECT order_id::text AS order_id, quantity, since
    FROM backorder
   WHERE product_id = $1
     AND (since, order_id) > ($2::timestamptz, $3::uuid)
ORDER BY since, order_id
   LIMIT $4
"""

    QUEUE_UNTIL = """
SELECT count(*) AS places, coalesce(sum(quantity), 0)::bigint AS units
  FROM backorder
 WHERE product_id = $1
   AND (since, order_id) <= ($2::timestamptz, $3::uuid)
"""

    WAKE_QUEUES = """
INSERT INTO to_serve (product_id, ticket, served)
SELECT product_id, 1, 0
  FROM unnest($1::text[])
       AS new (product_id)
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
"""

    # When a location becomes active, what is there may be what somebody waits for.
    WAKE_QUEUES_BY_LOCATION = """
INSERT INTO to_serve (product_id, ticket, served)
  SELECT DISTINCT product_id, 1, 0
    FROM backorder
   WHERE EXISTS (SELECT 1 FROM location WHERE location_id = $1 AND NOT active)
ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
"""

    NEWEST_TICKET = """
SELECT ticket
  FROM to_serve
 WHERE product_id = $1
"""

    QUEUE_SERVED = """
UPDATE to_serve
   SET served = new.ticket
  FROM unnest($1::text[], $2::bigint[])
       AS new (product_id, ticket)
 WHERE to_serve.product_id = new.product_id
   AND served < new.ticket
"""

    TO_SERVE = """
  SELECT product_id, ticket,
         (SELECT coalesce(sum(on_hand - reserved - quarantined), 0)::bigint
            FROM stock_level
            JOIN location USING (location_id)
           WHERE stock_level.product_id = to_serve.product_id
             AND location.active) AS free
    FROM to_serve
   WHERE served < ticket
ORDER BY ticket
   LIMIT 1
"""

    # The newest first, until there is enough for what goes.
    YOUNGEST_PROMISES = """
  SELECT order_id::text AS order_id
    FROM (SELECT order_id, newest, units,
                 sum(units) OVER (ORDER BY newest DESC ROWS UNBOUNDED PRECEDING) AS so_far
            FROM (SELECT order_id, sum(reserved_delta) AS units,
                         max(CASE kind WHEN 'RESERVATION' THEN movement_id END) AS newest
                    FROM stock_movement
                   WHERE product_id = $1
                     AND location_id = $2
                     AND order_id IS NOT NULL
                GROUP BY order_id
                  HAVING sum(reserved_delta) > 0) AS held) AS running
   WHERE so_far - units < (SELECT reserved + quarantined
                                  - coalesce($4::bigint, on_hand - $3::bigint)
                             FROM stock_level
                            WHERE product_id = $1
                              AND location_id = $2
                              AND lot_id = '')
ORDER BY newest DESC
"""

    SET_QUEUED_AT_GATES = """
UPDATE stock_level
   SET queued = new.queued
  FROM unnest($1::text[], $2::bigint[])
       AS new (product_id, queued)
 WHERE stock_level.product_id = new.product_id
   AND location_id = 'main'
   AND lot_id = ''
"""

    # Units that are kept back no more are free.
    WAKE_QUEUE_OF = """
INSERT INTO to_serve (product_id, ticket, served)
SELECT product_id, 1, 0
  FROM stock_level
 WHERE product_id = $1
   AND queued > 0
ON CONFLICT (product_id) DO UPDATE SET ticket = to_serve.ticket + 1
"""
