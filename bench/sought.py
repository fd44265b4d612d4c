"""What scenario 13 looks for: details, payments and ends of the orders that `growth.py` wrote.

Set-based, as the services would have written it: `verify` agrees. The shares are of primes that
neither customers nor products go by, so that one fact tells nothing of another but for two: all
that is REFUNDED or of the channel `old-shop` is among the oldest orders, and nothing of `app` is
EXPIRED.
"""

import asyncpg

from bench.growth import LEVELS, ORDERS_PAST, STATEMENT_S_MAX
from bench.progress import say
from bench.testbed import Testbed

OLD_SHARE = 100  # one in so many is old
HELD_OF_NEWEST = 20_000  # RESERVED orders are among so many
GUEST = "guest@example.org"
ADDRESSES = 9_973

# An order's number, and what becomes of it.
PAST = """
CREATE TEMP TABLE past AS
SELECT *, CASE WHEN status IN ('EXPIRED', 'RESERVED') OR n % 19 >= 5 THEN ARRAY[]::text[]
               WHEN n < {old} THEN ARRAY['CAPTURED', 'REFUNDED']
               WHEN n % 11 = 0 THEN ARRAY['AUTHORIZED']
               ELSE ARRAY['CAPTURED'] END AS payments,
       status IN ('CANCELLED', 'EXPIRED') AS ended
  FROM (SELECT n, pg_temp.past_id(n, {first_ms}) AS order_id,
               pg_temp.past_time(n, {first_ms}) AS at,
               CASE WHEN n % 53 = 7 THEN 'CANCELLED'
                    WHEN n % 101 = 11 AND n % 7 <> 0 THEN 'EXPIRED'
                    WHEN n >= {orders} - {held} AND n % 17 = 3 THEN 'RESERVED'
                    ELSE 'CONFIRMED' END AS status
          FROM generate_series(0, {orders} - 1) AS n) AS numbered;
CREATE TEMP TABLE short AS
SELECT order_id, pg_temp.past_id(n, {first_ms} + 50) AS short_id, at
  FROM past
 WHERE n % 211 = 0;
ANALYZE past;
ANALYZE short
"""

ORDERS = """
UPDATE orders
   SET status = past.status, version = 2 + cardinality(payments) + ended::int,
       email = CASE WHEN n % 41 = 0 THEN '{guest}' WHEN n % 23 < 5
                    THEN 'mail-' || n % {addresses} || '@example.org' ELSE '' END,
       asked = 1 + ended::int, answered = 1 + ended::int, stock_sequence = 1 + ended::int,
       stock_revision = 1 + ended::int, stock = CASE WHEN ended THEN '[]' ELSE stock END,
       expires_at = CASE past.status WHEN 'EXPIRED' THEN at + interval '15 minutes'
                                     WHEN 'RESERVED' THEN now() + interval '1 day' END
  FROM past
 WHERE past.order_id = orders.order_id
   AND (past.status <> 'CONFIRMED' OR cardinality(payments) > 0 OR n % 41 = 0 OR n % 23 < 5);
INSERT INTO hold
SELECT order_id, expires_at FROM past JOIN orders USING (order_id) WHERE past.status = 'RESERVED';
UPDATE order_history
   SET status = 'RESERVED'
  FROM past
 WHERE past.order_id = order_history.order_id AND version = 2
   AND past.status IN ('EXPIRED', 'RESERVED');
INSERT INTO order_history
SELECT order_id, 2 + number, 'CONFIRMED', at, '', 'anonymous', 'PAYMENT_RECORDED'
  FROM past, unnest(payments) WITH ORDINALITY AS fact (kind, number);
INSERT INTO order_history
SELECT order_id, 3 + cardinality(payments), status, at, '', 'anonymous', '' FROM past WHERE ended;
INSERT INTO payment
SELECT order_id, 2 + number, kind, 'pay-' || n, 300, at
  FROM past, unnest(payments) WITH ORDINALITY AS fact (kind, number);
INSERT INTO payment_state
SELECT order_id, CASE payments[cardinality(payments)] WHEN 'CAPTURED' THEN 'PAID'
                                                      ELSE payments[cardinality(payments)] END
  FROM past
 WHERE cardinality(payments) > 0;
INSERT INTO order_details
SELECT order_id, 'R-' || n, CASE WHEN n < {old} THEN 'old-shop' WHEN n % 9973 = 1 THEN 'fair'
                                 WHEN n % 7 = 0 THEN 'app' ELSE 'web' END,
       '', '[]', '["", "", "", "", "", "", ""]', '["", "", "", "", "", "", ""]'
  FROM past
 WHERE n % 13 < 9;
INSERT INTO orders
SELECT (jsonb_populate_record(orders, jsonb_build_object(
            'order_id', short_id, 'request_id', 'short-' || short_id, 'status', 'REJECTED',
            'version', 2, 'asked', 1, 'answered', 1, 'stock_sequence', 1, 'stock_revision', 1,
            'stock', '[]'::jsonb, 'email', '', 'expires_at', NULL,
            'shortages', jsonb_build_array(jsonb_build_array('P00001', 1, 0))))).*
  FROM short JOIN orders USING (order_id);
INSERT INTO order_line
SELECT short_id, 1, line_no, product_id, quantity, unit_price_minor
  FROM short JOIN order_line USING (order_id);
INSERT INTO order_history
SELECT short_id, version, status, at, '', 'anonymous', ''
  FROM short, (VALUES (1, 'PENDING'), (2, 'REJECTED')) AS step (version, status)
"""

INVENTORY = """
INSERT INTO stock_movement (product_id, location_id, kind, on_hand_delta, reserved_delta,
                            on_hand_after, reserved_after, order_id, reason, reference, actor,
                            moved_at)
SELECT product_id, location_id, 'RELEASE', 0, -1, on_hand,
       reserved - row_number() OVER (PARTITION BY product_id ORDER BY n), order_id, '', '',
       'anonymous', now()
  FROM past
  JOIN stock_movement USING (order_id)
  JOIN stock_level USING (product_id, location_id)
 WHERE ended
 ORDER BY n;
UPDATE reservation
   SET state = 'OVER', stock = '[]', version = 2, revision = 2
  FROM past
 WHERE past.order_id = reservation.order_id AND ended;
INSERT INTO reservation (order_id, version, revision, state, stock, missing, placed_at, updated_at)
SELECT short_id, 1, 1, 'SHORT', '[]', '[["P00001", 1, 0]]', at, at FROM short
"""


async def add_what_is_sought(testbed: Testbed, orders: int, first_ms: int) -> None:
    """Give what `grow` wrote its details, payments and ends, in both databases."""
    words: dict[str, object] = {"orders": orders, "first_ms": first_ms}
    words |= {"old": orders // OLD_SHARE, "held": HELD_OF_NEWEST}
    words |= {"guest": GUEST, "addresses": ADDRESSES}
    for service, texts in (("orders", ORDERS), ("inventory", INVENTORY + ";" + LEVELS)):
        connection = await asyncpg.connect(testbed.urls[service])
        for statement in (*ORDERS_PAST, *(PAST + ";" + texts).split(";"), "VACUUM ANALYZE"):
            text = statement if statement in ORDERS_PAST else statement.format(**words)
            say(f"{service}: {' '.join(text.split())[:60]}")
            await connection.execute(text, timeout=STATEMENT_S_MAX)
        await connection.close()
